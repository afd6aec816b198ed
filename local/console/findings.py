"""Everything wrong with a flow document that is being written, and where in the text it stands.

Three readers look at it: JSON's, the schema's (every field of every node at once) and the prover's (what a conversation would
meet). What two of them say of the same place is shown once.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from local.console.flow_text import FlowText, Path, Span
from local.flow_schema import schema
from pytake.engine import Problem, Surroundings, validate
from pytake.engine.problems import Severity

Json = Mapping[str, Any]

SCHEMA = "schema"
"""The code of what only the schema notices."""

NOT_JSON = "not_json"

_TOLD_BETTER = {"unknown_field", "missing_field", "invalid_value", "unknown_type", "unreadable_document"}
"""What the prover says where the schema is violated: it knows the nearest name, so its sentence wins."""


@dataclass(frozen=True)
class Finding:
    """One finding: message, severity, fix and place. `flow_id` is set when it is in another flow."""

    code: str
    severity: Severity
    message: str
    node_id: str | None = None
    field: str | None = None
    flow_id: str | None = None
    line: int | None = None
    span: Span | None = None

    @property
    def place(self) -> str:
        """Where it is, to be read."""
        return " · ".join(part for part in (self.flow_id, self.node_id, self.field) if part)


def find(
    text: FlowText, flow_id: str, others: Mapping[str, Json], secrets: Mapping[str, Collection[str]] | None = None
) -> list[Finding]:
    """Everything wrong with the text of a flow, errors first. `others` are the published flows its jumps may enter."""
    wrong = text.not_json
    if wrong is not None:
        return [Finding(NOT_JSON, "error", wrong.message, line=text.line(wrong.at), span=_around(text, wrong.at))]
    document = {"id": flow_id, **(text.document or {})}
    proved = [
        located(text, flow_id, problem)
        for problem in validate({**others, flow_id: document}, flow_id, Surroundings(secrets))
    ]
    told = {(one.node_id, _first(one.field)) for one in proved if one.code in _TOLD_BETTER}
    told_nodes = {one.node_id for one in proved if one.code == "unknown_type"}
    by_schema = (
        one
        for one in _by_schema(text, document)
        if (one.node_id, _first(one.field)) not in told and one.node_id not in told_nodes
    )
    return sorted([*by_schema, *proved], key=lambda one: one.severity != "error")


def located(text: FlowText, flow_id: str, problem: Problem) -> Finding:
    """A problem as the prover or the API tells it, with its place in the text."""
    elsewhere = problem.flow_id if problem.flow_id not in (None, flow_id) else None
    span = text.place(problem.node_id, problem.field) if elsewhere is None else None
    line = text.line(span.start) if span is not None else None
    return Finding(
        problem.code, problem.severity, problem.message, problem.node_id, problem.field, elsewhere, line, span
    )


def from_api(text: FlowText, flow_id: str, problems: Iterable[Json]) -> list[Finding]:
    """The problems of an answer of the API, with their places."""
    names = ("code", "severity", "node_id", "field", "message", "flow_id")
    return [located(text, flow_id, Problem(*(one.get(name) for name in names))) for one in problems]  # type: ignore[arg-type]


def _by_schema(text: FlowText, document: Json) -> Iterator[Finding]:
    shell, nodes = _validators()
    listed = document.get("nodes")
    for error in shell.iter_errors({**document, "nodes": listed if not isinstance(listed, list) else []}):
        yield _finding(text, tuple(error.absolute_path), error)
    for index, node in enumerate(listed if isinstance(listed, list) else ()):
        check = nodes.get(str(node.get("type"))) if isinstance(node, dict) else None
        for error in check.iter_errors(node) if check is not None else ():
            yield _finding(text, ("nodes", index, *error.absolute_path), error)


def _finding(text: FlowText, path: Path, error: ValidationError) -> Finding:
    deeper = best_match([error])
    if deeper is not None and deeper is not error:
        path, error = (*path, *deeper.relative_path), deeper
    span = text.span(path)
    node_id, field = _named(text, (*path, *_fields_of(error)))
    message = error.message if len(error.message) < 300 else f"{error.message[:300]}…"
    return Finding(SCHEMA, "error", message, node_id, field, line=text.line(span.start) if span else None, span=span)


def _fields_of(error: ValidationError) -> Path:
    """The field that an error about a whole object means."""
    there: Any = error.instance
    of_object: Any = error.schema
    if error.validator == "additionalProperties":
        return tuple(name for name in there if name not in of_object.get("properties", {}))[:1]
    if error.validator == "required":
        return tuple(name for name in of_object["required"] if name not in there)[:1]
    return ()


def _named(text: FlowText, path: Path) -> tuple[str | None, str | None]:
    """A path as the prover writes it: the node, and the field within its data."""
    node_id, rest = None, path
    if path[:1] == ("nodes",) and len(path) > 1:
        node_id = next((name for index, name in text.nodes() if index == path[1]), None)
        if node_id is not None:
            rest = path[3:] if path[2:3] == ("data",) else path[2:]
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in rest).removeprefix(".")
    return node_id, written or None


@cache
def _validators() -> tuple[Draft202012Validator, dict[str, Draft202012Validator]]:
    """The schema of the document around its nodes, and the schema of each type: `oneOf` would only say that none fits."""
    whole = schema()
    of_nodes = whole["properties"]["nodes"]["items"]["oneOf"]
    shell = {**whole, "properties": {**whole["properties"], "nodes": {"type": "array"}}}
    return Draft202012Validator(shell), {
        one["properties"]["type"]["const"]: Draft202012Validator({**one, "$defs": whole["$defs"]}) for one in of_nodes
    }


def _first(field: str | None) -> str | None:
    """A field without what is below it, so that two readers' names of the same place meet."""
    return field.partition(".")[0].partition("[")[0] if field else field


def _around(text: FlowText, at: int) -> Span:
    return Span(at, min(at + 1, len(text.text)))
