"""Messages that Meta bills per turn of a person, on the example flows' own tests."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import figure, table
from cli.flow_testing.documents import find_document, read_documents
from cli.flow_testing.files import read_suite
from pytake.conversation.flow_tests.inputs import parse_input
from pytake.conversation.flow_tests.mocks import HttpMocks
from pytake.conversation.flow_tests.offline_conversation import OfflineConversation
from pytake.engine import compile_flow
from pytake.whatsapp.outbound import Media

FLOWS = Path(__file__).parents[1] / "examples" / "flows"


@dataclass
class BilledMessages:
    """Turns and messages in the conversations of a flow's tests.

    `more_for_media` counts messages that cannot be merged because they contain media.
    """

    flow_id: str
    merges: bool
    turns: int = 0
    messages: int = 0
    more_for_media: int = 0


def count(folder: Path = FLOWS) -> list[BilledMessages]:
    """Run all conversations of the tests in the flows' folder."""
    found: dict[str, BilledMessages] = {}
    for path in sorted(folder.glob("*.test.json")):
        suite = read_suite(path)
        document = find_document(path.parent, str(suite.flow))
        assert document is not None, path
        documents, root = read_documents([document])
        flow = compile_flow(documents, root)
        billed = found.setdefault(root, BilledMessages(root, documents[root].get("merge_texts", True)))
        for script in suite.conversations:
            conversation, mocks = OfflineConversation(flow, suite.settings(script)), HttpMocks(suite.mocks(script))
            for exchange in script.turns:
                conversation.now += exchange.after_seconds
                turn = conversation.turn(parse_input(exchange.input), mocks.answer)
                billed.turns += 1
                billed.messages += len(turn.messages)
                media = sum(isinstance(message, Media) for message in turn.messages)
                billed.more_for_media += min(media, max(0, len(turn.messages) - 1))
    return list(found.values())


def billed_table(found: list[BilledMessages]) -> str:
    """A row per flow."""
    rows = [
        [
            one.flow_id + ("" if one.merges else " (does not merge texts)"),
            str(one.turns),
            str(one.messages),
            figure(one.messages / one.turns),
        ]
        for one in found
    ]
    return table(["flow", "turns", "messages", "per turn"], rows)


def billed_target(found: list[BilledMessages]) -> list[str]:
    """The row of the targets' table."""
    found = [one for one in found if one.merges]  # the reference workload asks for each text by itself
    turns, messages = sum(one.turns for one in found), sum(one.messages for one in found)
    more = sum(one.more_for_media for one in found)
    measured = f"{messages / turns:.2f}" + (f", {more} of {messages} for media" if more else "")
    return ["billable messages per turn on the example flows", "1.0, more for media", measured]
