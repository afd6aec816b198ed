"""`pytake flow`: run and check flow documents without any cloud."""

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from secrets import randbits
from typing import Annotated, Any, NoReturn
from urllib.parse import urlencode

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from pytake.conversation.turn import DEFAULT_WORDS
from pytake.engine import (
    Contact,
    Context,
    Effect,
    EffectResult,
    Flow,
    FlowError,
    HttpRequest,
    Input,
    Problem,
    State,
    Turn,
    compile_flow,
    continue_turn,
    jump_targets,
    parse_document,
    take_turn,
    validate,
)

app = typer.Typer(help="Run and check flow documents, with no cloud at all.", no_args_is_help=True)

FlowFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FLOW.json...", help="Flow documents; sub-flows are also found beside the first by their id."
    ),
]
Documents = dict[str, Mapping[str, Any]]
_COUNTRIES = {"pt_BR": "BR", "en": "US", "es": "ES"}
_json = msgspec.json.Encoder()


class UsageError(Exception):
    """Something on the command line, or in a file or line it names, cannot be used."""


@app.command()
def run(
    flows: FlowFiles,
    http_mocks: Annotated[
        Path | None,
        typer.Option(
            help='Answers of APIs: {"GET https://host/path": {"status": 200, "json": {...}}, ...}; * matches.'
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Fixes chance: the same seed takes the same random paths.")] = None,
    now: Annotated[str | None, typer.Option(help="The time, as ISO 8601, at which the conversation begins.")] = None,
    country: Annotated[str | None, typer.Option(help="The receiving number's country, for phone answers.")] = None,
    name: Annotated[str, typer.Option(help="The contact's profile name.")] = "Ana",
) -> None:
    """Hold a conversation: a message per line of standard input, a turn per line of standard output.

    A line that is a JSON object is a full input, such as {"reply_id": "sales"}, {"media": {"id": "1", "type": "image"}} or
    {"type": "timeout"}, which also moves the clock to when the timer ends.
    """
    try:
        documents, root = _read(flows)
        mocks = HttpMocks(_read_json(http_mocks)) if http_mocks else HttpMocks({})
        began = _time(now)
        flow = compile_flow(documents, root)
    except UsageError as error:
        _stop(str(error), 2)
    except FlowError as error:
        _stop("\n".join(_line(problem) for problem in error.problems), 1)
    conversation = Conversation(flow, mocks, seed if seed is not None else randbits(32), began, country, name)
    for number, line in enumerate(filter(str.strip, sys.stdin), 1):
        try:
            said = read_input(line.rstrip("\r\n"))
        except UsageError as error:
            _stop(f"line {number}: {error}", 2)
        sys.stdout.write(_json.encode({"turn": number, **conversation.turn(said)}).decode() + "\n")
        sys.stdout.flush()


@app.command(name="validate")
def validate_(
    flows: FlowFiles,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per problem and line.")] = False,
) -> None:
    """Say what is wrong with flows, and how to mend it. Ends with 1 when there is an error, with 0 otherwise."""
    try:
        documents, _ = _read(flows)
        given = [_document_id(_read_json(path), path) for path in flows]
    except UsageError as error:
        _stop(str(error), 2)
    found = list(dict.fromkeys(chain.from_iterable(validate(documents, root) for root in given)))
    if as_json:
        for problem in found:
            sys.stdout.write(_json.encode(problem).decode() + "\n")
    elif sys.stdout.isatty():
        _show(found)
    else:
        for problem in found:
            sys.stdout.write(_line(problem) + "\n")
    if any(problem.severity == "error" for problem in found):
        raise typer.Exit(1)


class Conversation:
    """One person and a flow. The state is serialised between any two turns, as it is in the cloud."""

    def __init__(self, flow: Flow, mocks: "HttpMocks", seed: int, now: float, country: str | None, name: str) -> None:
        self._flow = flow
        self._mocks = mocks
        self._seed = seed
        self._now = now
        self._country = country or _COUNTRIES[flow.language]
        self._contact = Contact(id=f"run-{seed}", phone="+5511999990000", name=name)
        self._stored: bytes | None = None
        self._turns = 0
        self._handed_over: dict[str, Any] | None = None

    def turn(self, said: Input) -> dict[str, Any]:
        """The turn of this input, as it is printed. Once a person has taken over, the bot says nothing more."""
        if self._handed_over is not None:
            return {**self._handed_over, "messages": [], "events": []}
        state = State.decode(self._stored) if self._stored is not None else None
        if said.type in ("timeout", "resume") and state is not None and state.due_at is not None:
            self._now = max(self._now, state.due_at)
        self._turns += 1
        words: Mapping[str, Any] = DEFAULT_WORDS
        context = Context(self._now, f"{self._seed}:{self._turns}", self._contact, self._country, words)
        turn = take_turn(self._flow, state, said, context)
        while turn.effects is not None:
            turn = continue_turn(self._flow, turn, said, self._mocks.answer(turn.effects), context)
        self._stored = turn.state.encode() if turn.state is not None else None
        self._remember(turn)
        shown = {
            "status": turn.status,
            "node_id": turn.node_id,
            "messages": turn.messages,
            "variables": turn.variables,
            "events": [{"type": event.type, "data": event.data} for event in turn.events],
        }
        if turn.status == "handoff":
            self._handed_over = shown
        return shown

    def _remember(self, turn: Turn) -> None:
        fields, tags, name = dict(self._contact.fields), list(self._contact.tags), self._contact.name
        for event in turn.events:
            if event.type == "contact_saved":
                if event.data["field"] == "name":
                    name = str(event.data["value"])
                else:
                    fields[event.data["field"]] = event.data["value"]
            elif event.type == "tag_added":
                tags.append(event.data["tag"])
            elif event.type == "tag_removed":
                tags.remove(event.data["tag"])
        self._contact = msgspec.structs.replace(self._contact, fields=fields, tags=tags, name=name)


class HttpMocks:
    """What APIs and models answer in a run: by `METHOD URL`, `URL` or `ai:MODEL`, where `*` stands for anything.

    An answer is `{"status", "json" | "body" | "error"}`, or any other JSON for a body with status 200; a list of answers
    is given one after another, the last one again and again.
    """

    def __init__(self, answers: Any) -> None:
        if not isinstance(answers, dict):
            raise UsageError('the mocks must be a JSON object such as {"GET https://host/path": {"status": 200}}')
        self._answers: dict[str, list[Any]] = {
            key: list(value) if isinstance(value, list) and value else [value] for key, value in answers.items()
        }

    def answer(self, effect: Effect) -> EffectResult:
        """The result of an effect; a failed one when nothing was scripted for it."""
        if isinstance(effect, HttpRequest):
            url = effect.url + (f"?{urlencode(effect.query_params)}" if effect.query_params else "")
            names = [f"{effect.method} {url}", url, f"{effect.method} {effect.url}", effect.url]
        else:
            names = [f"ai:{effect.model}", "ai_prompt"]
        for name in names:
            for pattern, answers in self._answers.items():
                if fnmatchcase(name, pattern):
                    return _result(answers.pop(0) if len(answers) > 1 else answers[0])
        return EffectResult(ok=False, error=f"no mock for {names[0]}")


def _result(answer: Any) -> EffectResult:
    if not (isinstance(answer, dict) and answer.keys() <= {"status", "json", "body", "error"} and answer):
        return EffectResult(ok=True, status=200, body=answer)
    status = int(answer.get("status", 200))
    body = answer.get("json", answer.get("body"))
    if "error" in answer:
        return EffectResult(ok=False, error=str(answer["error"]))
    ok = 200 <= status < 300
    return EffectResult(ok=ok, status=status, body=body, error=None if ok else f"http_{status}")


def read_input(line: str) -> Input:
    """What a line of standard input means: a text, or a whole input when it is a JSON object. Raises UsageError."""
    if not line.lstrip().startswith("{"):
        return Input(text=line)
    try:
        fields = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return Input(text=line)
    kinds = {
        "reply_id": "reply",
        "media": "media",
        "location": "location",
        "response": "form",
        "result": "effect_result",
    }
    kind = next((kind for field, kind in kinds.items() if field in fields), "text")
    if isinstance(fields.get("media"), dict):
        fields["media"] = {"id": "media-1", "type": "image", **fields["media"]}
    try:
        return msgspec.convert({"type": kind, **fields}, Input)
    except msgspec.ValidationError as error:
        raise UsageError(f"this is no input: {error}") from error


def _read(paths: list[Path]) -> tuple[Documents, str]:
    documents: Documents = {}
    for path in paths:
        document = _read_json(path)
        flow_id = _document_id(document, path)
        if flow_id in documents:
            raise UsageError(f"{path}: another file has the id `{flow_id}` too")
        documents[flow_id] = document
    root = next(iter(documents))
    for target, document in _beside(paths[0], documents):
        documents[target] = document
    return documents, root


def _beside(first: Path, documents: Documents) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Documents in the first file's folder that jumps of the given ones name."""
    others: Documents | None = None
    known, waiting = set(documents), list(documents.values())
    while waiting:
        for target in sorted(_targets(waiting.pop())):
            if target in known:
                continue
            if others is None:
                others = {
                    document["id"]: document
                    for path in sorted(first.parent.glob("*.json"))
                    if isinstance(document := _json_or_none(path), dict) and isinstance(document.get("id"), str)
                }
            if target in others:
                known.add(target)
                waiting.append(others[target])
                yield target, others[target]


def _targets(document: Mapping[str, Any]) -> set[str]:
    try:
        return jump_targets(parse_document(document))
    except FlowError:
        return set()  # it is reported where the document is compiled


def _document_id(document: Any, path: Path) -> str:
    if not isinstance(document, dict) or not isinstance(document.get("id"), str) or not document["id"]:
        raise UsageError(f"{path}: not a flow document: it needs an `id`")
    return str(document["id"])


def _read_json(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UsageError(f"{path}: not JSON: {error}") from error


def _json_or_none(path: Path) -> Any:
    try:
        return _read_json(path)
    except UsageError:
        return None


def _time(text: str | None) -> float:
    if text is None:
        return datetime.now(UTC).timestamp()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--now: `{text}` is no time such as 2026-11-22T12:00:00Z") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _place(problem: Problem) -> str:
    return "/".join(part for part in (problem.flow_id, problem.node_id, problem.field) if part)


def _line(problem: Problem) -> str:
    return f"{problem.severity}: {problem.code} at {_place(problem) or 'the document'}: {problem.message}"


def _show(problems: list[Problem]) -> None:
    console = Console()
    if not problems:
        console.print("No problems found.")
        return
    table = Table("", "Code", "Flow", "Node", "Field", "What to do")
    for problem in problems:
        mark = "[red]error[/]" if problem.severity == "error" else "[yellow]warning[/]"
        place = (problem.flow_id or "", problem.node_id or "", problem.field or "")
        table.add_row(mark, problem.code, *place, problem.message)
    console.print(table)


def _stop(message: str, code: int) -> NoReturn:
    sys.stderr.write(message + "\n")
    raise typer.Exit(code)
