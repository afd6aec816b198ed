"""`pytake flow`: run and check flow documents without any cloud."""

import json
import sys
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from secrets import randbits
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cli.ending import fail
from cli.flow_testing.documents import UsageError, document_id, is_test_file, read_documents, read_json
from pytake.conversation.flow_tests.errors import FlowTestError
from pytake.conversation.flow_tests.inputs import parse_line, parse_time, parse_timetables, parse_zone
from pytake.conversation.flow_tests.mocks import HttpMocks
from pytake.conversation.flow_tests.offline_conversation import (
    ConversationSettings,
    OfflineConversation,
    sample_contact,
)
from pytake.engine import FlowError, Problem, compile_flow, fix_of, validate
from pytake.engine.texts import language_code

app = typer.Typer(help="Run, check, test and publish flow documents.", no_args_is_help=True)

FlowFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FLOW.json...", help="Flow documents. Sub-flows are also found by their id in the folder of the first."
    ),
]
_json = msgspec.json.Encoder()


@app.command()
def run(
    flows: FlowFiles,
    http_mocks: Annotated[
        Path | None,
        typer.Option(
            help='Answers of APIs: {"GET https://host/path": {"status": 200, "json": {...}}, ...}; * is a wildcard.'
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of random choices.")] = None,
    now: Annotated[str | None, typer.Option(help="The start time of the conversation, as ISO 8601.")] = None,
    country: Annotated[
        str | None, typer.Option(help="The receiving number's country, for phone number answers.")
    ] = None,
    name: Annotated[str, typer.Option(help="The contact's profile name.")] = "Ana",
    language: Annotated[str, typer.Option(help="The contact's language, such as pt_BR or en.")] = "",
    timetables: Annotated[
        Path | None, typer.Option(help='The organization\'s timetables: {"support": {"hours": [...]}, ...}.')
    ] = None,
    timezone: Annotated[str, typer.Option(help="The organization's time zone, such as America/Sao_Paulo.")] = "UTC",
) -> None:
    """Run a conversation: one message per line of standard input, one turn per line of standard output.

    A JSON object is a complete input, such as {"reply_id": "sales"}, {"media": {"id": "1", "type": "image"}},
    {"reaction": "👍"} or {"type": "timeout"}, which also moves the clock to the end of the timer. After a handoff,
    {"type": "handed_back"} is what happens when an agent returns the conversation.
    """
    try:
        documents, root = read_documents(flows)
        mocks = HttpMocks(read_json(http_mocks)) if http_mocks else HttpMocks({})
        began = parse_time(now)
        spoken = language_code(language) if language else ""
        if spoken is None:
            raise UsageError(f"--language: `{language}` is not a language code such as pt_BR or en")
        zone = parse_zone(timezone)
        opening = parse_timetables(read_json(timetables)) if timetables else {}
        flow = compile_flow(documents, root)
    except FlowTestError as error:
        fail(str(error), 2)
    except FlowError as error:
        fail("\n".join(_line(problem) for problem in error.problems), 1)
    seed = seed if seed is not None else randbits(32)
    contact = msgspec.structs.replace(sample_contact(seed), name=name, language=spoken)
    conversation = OfflineConversation(
        flow, ConversationSettings(began, seed, country, contact, zone, timetables=opening)
    )
    for number, line in enumerate(filter(str.strip, sys.stdin), 1):
        try:
            user_input = parse_line(line.rstrip("\r\n"))
        except FlowTestError as error:
            fail(f"line {number}: {error}", 2)
        turn = conversation.turn(user_input, mocks.answer)
        shown = {
            "turn": number,
            "status": turn.status,
            "node_id": turn.node_id,
            "messages": turn.messages,
            "variables": turn.variables,
            "events": [{"type": event.type, "data": event.data} for event in turn.events],
        }
        sys.stdout.write(_json.encode(shown).decode() + "\n")
        sys.stdout.flush()


@app.command(name="validate")
def validate_(
    flows: FlowFiles,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line and problem.")] = False,
) -> None:
    """Check flows and print their problems and how to fix them. Exits with 1 if there is an error, else with 0.

    With --json, a problem that can be corrected mechanically has a `fix`: a JSON patch (RFC 6902) of its document.
    """
    try:
        documents, _ = read_documents(flows)
        given = [document_id(read_json(path), path) for path in flows if not is_test_file(path)]
    except FlowTestError as error:
        fail(str(error), 2)
    found = list(dict.fromkeys(chain.from_iterable(validate(documents, root) for root in given)))
    if as_json:
        for problem in found:
            sys.stdout.write(_json.encode(_with_fix(problem, documents)).decode() + "\n")
    elif sys.stdout.isatty():
        _show(found)
    else:
        for problem in found:
            sys.stdout.write(_line(problem) + "\n")
    if any(problem.severity == "error" for problem in found):
        raise typer.Exit(1)


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An export of another platform, as JSON.")],
    source: Annotated[
        str | None,
        typer.Option("--from", help="typebot, rapidpro, glific, pytake or whatsapp-flow. Recognised if left out."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder for the documents, one file for each flow.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print each loss as a JSON object on a line.")] = False,
) -> None:
    """Import the flows of another platform, and list what they lose.

    Exits with 1 if the file is refused, with 2 if it cannot be read or the documents cannot be written.
    """
    from pytake.importers import ImportRefusedError, import_flows  # only this command needs the importers

    try:
        raw = file.read_bytes()
    except OSError as error:
        fail(f"{file}: {error.strerror or error}", 2)
    try:
        imported = import_flows(raw, source)
    except ImportRefusedError as error:
        fail(f"{file}: {error}", 1)
    try:
        output.mkdir(parents=True, exist_ok=True)
        written = [output / f"{document['id']}.json" for document in imported.documents]
        for path, document in zip(written, imported.documents, strict=True):
            path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        fail(f"{output}: {error.strerror or error}", 2)
    if as_json:
        for loss in imported.losses:
            sys.stdout.write(_json.encode(loss).decode() + "\n")
        return
    for path in written:
        typer.echo(f"written: {path}")
    for loss in imported.losses:
        place = "/".join(part for part in (loss.flow_id, loss.node_id) if part)
        typer.echo(f"{loss.severity}: {loss.code} at {place or 'the file'} ({loss.source}): {loss.message}")


def _with_fix(problem: Problem, documents: Mapping[str, Any]) -> dict[str, Any]:
    document = documents.get(problem.flow_id or "")
    fix = fix_of(document, problem) if isinstance(document, dict) else None
    shown: dict[str, Any] = msgspec.to_builtins(problem)
    return shown | ({"fix": msgspec.to_builtins(fix)} if fix is not None else {})


def _place(problem: Problem) -> str:
    return "/".join(part for part in (problem.flow_id, problem.node_id, problem.field) if part)


def _line(problem: Problem) -> str:
    return f"{problem.severity}: {problem.code} at {_place(problem) or 'the document'}: {problem.message}"


def _show(problems: list[Problem]) -> None:
    console = Console()
    if not problems:
        console.print("No problems found.")
        return
    table = Table("", "Code", "Flow", "Node", "Field", "Problem")
    for problem in problems:
        mark = "[red]error[/]" if problem.severity == "error" else "[yellow]warning[/]"
        place = (problem.flow_id or "", problem.node_id or "", problem.field or "")
        table.add_row(mark, problem.code, *place, problem.message)
    console.print(table)
