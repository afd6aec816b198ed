"""The flow document that a builder writes, parsed into typed structs.

Format 1 is `{"format": 1, "id", "name", "language", "start_node_id", "session_ttl_hours"?, "merge_texts"?,
"report_variables"?, "nodes": [{"id", "type", "label"?, "position"?, "data": {...}}]}`. Each node type describes its `data` in its
own file in `nodes/`. A document of an older format is migrated when it is read (`migrations`).
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from pytake.engine.effects import placeholder_field
from pytake.engine.flow_commands import FlowCommand
from pytake.engine.limits import DOCUMENT_DEPTH
from pytake.engine.migrations import FORMAT, migrated
from pytake.engine.problems import FlowError, Problem, problem
from pytake.engine.registry import NodeData, node_types
from pytake.engine.texts import language_code
from pytake.engine.values import exceeds_depth


class Node(Struct, frozen=True):
    """One node. `data` is an instance of the struct of its type."""

    id: str
    type: str
    data: NodeData
    label: str = ""


class FlowDocument(Struct, frozen=True):
    """A flow document that could be parsed. `compile_flow` and `validate` check whether it makes sense."""

    id: str
    start_node_id: str
    nodes: list[Node]
    name: str = ""
    language: str = "pt_BR"
    session_ttl_hours: float | None = None
    merge_texts: bool = True
    report_variables: list[str] = []
    languages: list[str] = []
    texts: dict[str, dict[str, str]] = {}
    commands: list[FlowCommand] = []
    format: int = FORMAT


class Position(Struct, forbid_unknown_fields=True):
    """Where an editor draws a node."""

    x: float
    y: float


class Comment(Struct, forbid_unknown_fields=True):
    """A note on an editor's canvas, for the people who edit the flow. Conversations ignore it."""

    id: str
    text: str
    position: Position


class _RawNode(Struct, forbid_unknown_fields=True):
    id: str
    type: str
    data: dict[str, Any] | None = None
    label: str | None = None
    position: Position | None = None


class RawDocument(Struct, forbid_unknown_fields=True, kw_only=True):
    """A flow document as it is written.

    `language` selects the built-in texts and how numbers and dates are read (pt_BR when left out). The flow starts at
    `start_node_id`, or at its only `start` node. A session without an answer expires after `session_ttl_hours` (the
    organization's setting when left out). `merge_texts`: consecutive texts of one turn become one message, unless this is
    false. `report_variables` lists the variables whose values may appear in reports.

    `languages` lists the languages that the flow speaks. `texts` translates the texts of the nodes, which are written in
    `language`: by language, then by the node's id and the place of the text in its data, as in
    `{"en": {"menu.text": "Hello", "menu.buttons.yes.label": "Yes"}}`. An option is named by its value, any other item of a list
    by its index from 0. Values of options are the same in every language, so conditions hold in each. The contact's language
    selects (`{{contact.language}}`; the action `set_language` sets it): the same language, else one that differs only in its
    region, else `language`. A text without a translation is sent as it is written in the node.

    `commands` are words that a person can write wherever the flow waits, as in
    `[{"words": ["menu"], "next_node_id": "menu"}, {"words": ["help", "ajuda"], "next_node_id": "help", "returns": true}]`.

    `comments` are notes on the canvas of an editor. They change nothing in a conversation.
    """

    id: str
    nodes: list[dict[str, Any]]
    format: int = FORMAT
    name: str | None = None
    language: str | None = None
    start_node_id: str | None = None
    session_ttl_hours: float | None = None
    merge_texts: bool | None = None
    report_variables: list[str] | None = None
    languages: list[str] | None = None
    texts: dict[str, dict[str, str]] | None = None
    commands: list[FlowCommand] | None = None
    comments: list[Comment] | None = None


def jump_targets(document: FlowDocument) -> set[str]:
    """The ids of the flows that the document's jumps enter. Publishing the document pins their versions."""
    return {flow_id for node in document.nodes if (flow_id := node.data.jumps_to())}


def started_flows(document: FlowDocument) -> set[str]:
    """The ids of the flows that the document starts for other people."""
    return {flow_id for node in document.nodes for flow_id in node.data.starts_flows()}


def required_parameters(document: FlowDocument) -> list[str]:
    """The parameters without which the flow cannot be started."""
    starts = (node for node in document.nodes if node.id == document.start_node_id)
    return next((node.data.required_parameters() for node in starts), [])


def parse_document(raw: bytes | str | Mapping[str, Any]) -> FlowDocument:
    """Parse a flow document from JSON or decoded JSON. Raises FlowError with everything that cannot be parsed."""
    document, problems = read_document(raw)
    if document is None or problems:
        raise FlowError(problems)
    return document


def read_document(raw: bytes | str | Mapping[str, Any]) -> tuple[FlowDocument | None, list[Problem]]:
    """The part of a document that can be parsed (None if there is none), and the problems of the rest. Never raises."""
    if not isinstance(raw, Mapping):
        try:
            raw = msgspec.json.decode(_without_byte_order_mark(raw))
        except RecursionError:
            return None, [problem("unreadable_document", "Its lists and objects are nested too deeply to be read.")]
        except (msgspec.DecodeError, UnicodeError) as error:
            return None, [problem("unreadable_document", f"This is not valid JSON: {error}.")]
    if not isinstance(raw, dict):
        return None, [
            problem("unreadable_document", "A flow document must be a JSON object; this is another JSON value.")
        ]
    flow_id = raw.get("id") if isinstance(raw.get("id"), str) else None
    try:
        shell = msgspec.convert(migrated(raw), RawDocument)
    except FlowError as error:
        return None, error.problems
    except msgspec.ValidationError as error:
        return None, [reading_problem(error, RawDocument, flow_id=flow_id)]
    nodes, problems = [], []
    if not shell.id:
        problems.append(problem("missing_field", "The flow's `id` is empty. Enter one.", field="id"))
    for index, entry in enumerate(shell.nodes):
        node, found = _read_node(entry, index, shell.id)
        problems += found
        if node is not None:
            nodes.append(node)
    starts = [node.id for node in nodes if node.type == "start"]
    start = shell.start_node_id or (starts[0] if len(starts) == 1 else "")
    document = FlowDocument(
        id=shell.id,
        start_node_id=start,
        nodes=nodes,
        name=shell.name or shell.id,
        language=shell.language or "pt_BR",
        session_ttl_hours=shell.session_ttl_hours,
        merge_texts=shell.merge_texts is not False,
        report_variables=shell.report_variables or [],
        languages=[language_code(code) or code for code in shell.languages or []],
        texts={language_code(code) or code: texts for code, texts in (shell.texts or {}).items()},
        commands=shell.commands or [],
    )
    return document, problems


def reading_problem(error: msgspec.ValidationError, expected: type[Struct] | None, **location: str | None) -> Problem:
    """A validation error of msgspec as a problem: its code, its field, and how to correct it."""
    text, _, path = str(error).partition(" - at `")
    path = path.rstrip("`").removeprefix("$").removeprefix(".")
    if text.startswith("Object contains unknown field"):
        name = text.split("`")[1]
        field = f"{path}.{name}" if path else name
        hint = _nearest(name, expected) if not path else None
        correction = f"Did you mean `{hint}`?" if hint else "Remove it, or check its spelling."
        message = f"Unknown field `{name}`. {correction}"
        return problem("unknown_field", message, field=field, nearest=hint, **location)
    if text.startswith("Object missing required field"):
        name = text.split("`")[1]
        field = f"{path}.{name}" if path else name
        return problem("missing_field", f"The field `{name}` is required. Add it.", field=field, **location)
    if text.startswith("Invalid value"):
        name = text.split("'")[1] if "'" in text else ""
        return problem("unknown_type", f"There is no type `{name}` here.", field=path or None, **location)
    return problem("invalid_value", f"{text}. Correct the value.", field=path or None, **location)


def _nearest(name: str, expected: type[Struct] | None) -> str | None:
    from difflib import get_close_matches

    names = expected.__struct_encode_fields__ if expected is not None else ()
    return next(iter(get_close_matches(name, names, n=1)), None)


def _without_byte_order_mark(raw: bytes | str) -> bytes | str:
    """Some editors write a byte order mark at the start of a file; JSON does not allow it."""
    return raw.removeprefix("\ufeff") if isinstance(raw, str) else raw.removeprefix(b"\xef\xbb\xbf")


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _read_node(entry: dict[str, Any], index: int, flow_id: str) -> tuple[Node | None, list[Problem]]:
    location = {"flow_id": flow_id, "node_id": _text_or_none(entry.get("id"))}
    if exceeds_depth(entry, DOCUMENT_DEPTH):
        message = (
            f"Lists and objects are nested more than {DOCUMENT_DEPTH} levels deep here. Make the structure flatter."
        )
        return None, [problem("invalid_value", message, field=f"nodes[{index}]", **location)]
    try:
        raw = msgspec.convert(entry, _RawNode)
    except msgspec.ValidationError as error:
        found = reading_problem(error, _RawNode, **location)
        return None, [
            Problem(found.code, found.severity, found.node_id, f"nodes[{index}].{found.field}", found.message, flow_id)
        ]
    if not raw.id:
        return None, [
            problem("missing_field", "The node's `id` is empty. Enter one.", field=f"nodes[{index}].id", **location)
        ]
    if (marked := placeholder_field(entry)) is not None:
        message = "This text contains U+E000 or U+E001, characters that mark secrets in requests. Remove them."
        return None, [problem("invalid_value", message, field=marked.removeprefix("data."), **location)]
    types = node_types()
    kind = types.get(raw.type)
    if kind is None:
        message = f"There is no node type `{raw.type}`. The types are {', '.join(sorted(types))}."
        return None, [problem("unknown_type", message, field="type", **location)]
    try:
        data = msgspec.convert(raw.data or {}, kind)
    except msgspec.ValidationError as error:
        return None, [reading_problem(error, kind, **location)]
    return Node(raw.id, raw.type, data, raw.label or ""), []
