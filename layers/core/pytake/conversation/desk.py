"""What the agents of an organization share: their teams, and replies that they send again and again."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from msgspec import Struct

from pytake.conversation.change_log import Author
from pytake.conversation.records import Conversation, Organization
from pytake.conversation.shown_state import collected_variables, open_state
from pytake.engine import Context, FlowError, Input, compile_flow, take_turn
from pytake.whatsapp.outbound import Text

_REPLY = "reply"


class Team(Struct, frozen=True, omit_defaults=True):
    """A team. Its id is the department that a handoff names. `members` are the subjects of agents' tokens."""

    name: str
    members: list[str] = []


class CannedReply(Struct, frozen=True, omit_defaults=True):
    """A prepared text. It may have template expressions, such as `{{contact.name}}`."""

    title: str
    text: str


class DeskChangedError(Exception):
    """The stored list is not the expected one."""


class Desk(Protocol):
    """Teams and replies by id, each with the revision of the whole list; 0 if there never was one.

    The `put_` methods replace the whole list, record the change and return the list's revision, which stays if nothing changes.
    `expected`: the revision that the stored list must have, None for any; otherwise `DeskChangedError`.
    """

    def teams(self, organization_id: str) -> tuple[dict[str, Team], int]: ...

    def put_teams(
        self, organization_id: str, teams: Mapping[str, Team], expected: int | None, author: Author
    ) -> int: ...

    def replies(self, organization_id: str) -> tuple[dict[str, CannedReply], int]: ...

    def put_replies(
        self, organization_id: str, replies: Mapping[str, CannedReply], expected: int | None, author: Author
    ) -> int: ...


def problem_of(text: str) -> str | None:
    """Why a text cannot be a canned reply: an expression that is not valid. None if it can."""
    try:
        compile_flow({_REPLY: _document(text, "en")}, _REPLY)
    except FlowError as error:
        return error.problems[0].message
    return None


def render(text: str, conversation: Conversation, organization: Organization, now: float) -> str:
    """The text for this person. The flow's variables have the values that they have in the open session.

    It is rendered by the engine, as a message of a flow would be: a value that is not known is empty.
    Raises `FlowError` for a text that `problem_of` refuses.
    """
    state = open_state(conversation, now)
    variables = collected_variables(state) if state is not None else {}
    flow = compile_flow({_REPLY: _document(text, organization.language, variables)}, _REPLY)
    context = Context(now, "", conversation.contact, timezone=organization.timezone, constants=organization.constants)
    turn = take_turn(flow, None, Input(type="start", payload=variables), context)
    return "\n\n".join(message.text for message in turn.messages if isinstance(message, Text))


def _document(text: str, language: str, variables: Iterable[str] = ()) -> dict[str, Any]:
    parameters = [{"name": name} for name in variables]
    nodes = [
        {"id": "start", "type": "start", "data": {"parameters": parameters, "next_node_id": _REPLY}},
        {"id": _REPLY, "type": "message", "data": {"text": text}},
    ]
    return {"format": 1, "id": _REPLY, "name": _REPLY, "language": language, "start_node_id": "start", "nodes": nodes}
