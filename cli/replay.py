"""`pytake replay`: run recorded conversations on a flow and compare."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cli.ending import fail
from cli.flow_testing.documents import UsageError, read_documents
from cli.flow_testing.report import difference
from pytake.conversation.flow_tests.errors import FlowTestError
from pytake.conversation.flow_tests.replay import Difference, Replayer, ReplayResult, read_records
from pytake.conversation.records import TurnRecord
from pytake.engine import FlowError


def replay(
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORDS.jsonl...", help="Audit records of turns, one per line; - is stdin.")
    ],
    flow: Annotated[
        list[Path],
        typer.Option(
            "--flow", exists=True, dir_okay=False, help="A flow to replay on, unchanged or changed; repeatable."
        ),
    ],
    limit: Annotated[int, typer.Option(min=0, help="How many differing conversations to show.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per conversation and line.")] = False,
) -> None:
    """Replay recorded conversations on a flow and show where each first differs. Exits with 1 if one differs.

    Answers of APIs and models come from the records; nothing is called. Sub-flows are found in the folder of the flow.
    """
    try:
        documents = {}
        for path in flow:
            documents.update(read_documents([path])[0])
        found = list(Replayer(documents).replay(_read(records)))
    except FlowTestError as error:
        fail(str(error), 2)
    except FlowError as error:
        fail(str(error), 1)
    if as_json:
        for one in found:
            sys.stdout.write(msgspec.json.encode(one).decode() + "\n")
    else:
        _show(found, limit)
    if any(one.difference for one in found):
        raise typer.Exit(1)


def _read(paths: list[Path]) -> list[TurnRecord]:
    records: list[TurnRecord] = []
    for path in paths:
        try:
            lines = sys.stdin.read().splitlines() if str(path) == "-" else path.read_bytes().splitlines()
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from error
        records += read_records(lines, str(path))
    return records


def _show(found: list[ReplayResult], limit: int) -> None:
    differing = [one.difference for one in found if one.difference]
    for one in differing[:limit]:
        typer.echo("\n".join(_lines(one)))
    if len(differing) > limit:
        typer.echo(f"... and {len(differing) - limit} more")
    skipped: dict[str, int] = {}
    for replayed in found:
        if replayed.skipped:
            skipped[replayed.skipped] = skipped.get(replayed.skipped, 0) + 1
    for reason, count in skipped.items():
        typer.echo(f"{count} could not be replayed to the end: {reason}")
    turns = sum(one.turns for one in found)
    text = f"{len(found)} conversations, {turns} turns: {len(differing)} differ"
    typer.secho(text, fg="red" if differing else "green")


def _lines(one: Difference) -> Iterator[str]:
    when = datetime.fromtimestamp(one.at, UTC).isoformat(timespec="seconds")
    yield f"conversation {one.session_id}, turn {one.seq} ({when}): {one.part}"
    yield from (f"  {line}" for line in difference(one.recorded, one.now))
