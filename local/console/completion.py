"""What can be written at the cursor of a flow document: field names, types, ids of nodes and flows, variables, values."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from local.console.flow_text import Cursor, FlowText, Path, pretty
from local.flow_schema import schema
from pytake.engine.conditions import FINDERS, MATCHES, OPERATORS, WORDS
from pytake.engine.filters import FILTERS
from pytake.engine.registry import node_types, validators

Json = Mapping[str, Any]
Kind = Literal["property", "enum", "class", "variable", "constant", "function"]

BUILT_IN = (
    *("contact.name", "contact.phone", "input.text", "input.type", "input.reply_id", "input.media_id"),
    "secrets.",
)
_LANGUAGES = ("pt_BR", "en", "es")
_VARIABLE_KEYS = ("variable", "output_variable")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Option:
    """One thing that can be written: what is listed, what is put in, and a word about it."""

    label: str
    insert: str
    kind: Kind
    detail: str = ""


@dataclass(frozen=True)
class Completions:
    """What fits between two offsets of the text."""

    start: int
    end: int
    options: tuple[Option, ...]


def complete(text: FlowText, offset: int, flow_ids: Iterable[str] = ()) -> Completions | None:
    """What can be written at an offset; None where nothing is known. `flow_ids` are the flows that jumps can enter."""
    cursor = text.cursor(offset)
    if cursor is None:
        return None
    if cursor.kind == "key":
        return _keys(text, cursor)
    if cursor.quoted and (found := _in_template(text, cursor, offset)) is not None:
        return found
    options = tuple(_values(text, cursor, flow_ids))
    if not options:
        return None
    return Completions(
        cursor.span.start, cursor.span.end + cursor.closed, tuple(_as_value(cursor, option) for option in options)
    )


def skeleton(type_: str, node_id: str) -> dict[str, Any]:
    """A new node of a type, with the fields it must have and the way on."""
    node = {"id": node_id, "type": type_}
    data = _resolved(_node_schema(type_)["properties"]["data"])[0]
    fields = data["properties"]
    wanted = [*data.get("required", ())]
    wanted += [name for name in ("text", "next_node_id") if name in fields and name not in wanted]
    wanted += [
        name
        for name in ("variable", "operator", "value", "true_next_node_id", "false_next_node_id")
        if type_ == "condition"
    ]
    made = {name: _example(fields[name], depth=0) for name in wanted}
    return {**node, "data": made} if made else node


def new_id(text: FlowText, type_: str) -> str:
    """An id that no node of the text has."""
    taken = {node_id for _, node_id in text.nodes()}
    number = 1
    while f"{type_}_{number}" in taken:
        number += 1
    return f"{type_}_{number}"


def variables(tree: Json) -> list[str]:
    """The names that a document assigns, in the order in which they stand in it."""
    found: dict[str, None] = {}
    for part in _dicts(tree.get("nodes")):
        for key in _VARIABLE_KEYS:
            if isinstance(part.get(key), str) and part[key]:
                found[part[key]] = None
        mapped = part.get("response_map")
        if isinstance(mapped, dict):
            found.update(dict.fromkeys(str(name) for name in mapped))
    return list(found)


def _keys(text: FlowText, cursor: Cursor) -> Completions | None:
    there = _value_at(text.tree, cursor.path)
    present = set(there) - {cursor.before} if isinstance(there, dict) else set()
    options: dict[str, Option] = {}
    for one in _schemas(text.tree, cursor.path):
        required = set(one.get("required", ()))
        for name, of_field in sorted(one.get("properties", {}).items(), key=lambda item: item[0] not in required):
            if name not in present:
                insert = json.dumps(name) + ("" if cursor.followed else ": ")
                options[name] = Option(
                    name, insert[1:] if cursor.quoted else insert, "property", _detail(of_field, name in required)
                )
    if not options:
        return None
    return Completions(cursor.span.start, cursor.span.end + cursor.closed, tuple(options.values()))


def _values(text: FlowText, cursor: Cursor, flow_ids: Iterable[str]) -> Iterator[Option]:
    key = cursor.key
    if cursor.path == ("nodes",) and not cursor.quoted:
        for type_ in sorted(node_types()):
            made = pretty(skeleton(type_, new_id(text, type_))).strip()
            yield Option(type_, made, "class", _summary(type_))
        return
    name = key if isinstance(key, str) else ""
    if name == "start_node_id" or name.endswith("node_id"):
        if name == "target_node_id":
            return
        for index, node_id in text.nodes():
            node = text.tree["nodes"][index]
            yield Option(
                node_id, node_id, "variable", " ".join(str(node[part]) for part in ("type", "label") if node.get(part))
            )
        return
    if name == "target_flow_id":
        yield from (Option(flow_id, flow_id, "variable") for flow_id in flow_ids)
        return
    holder = _value_at(text.tree, cursor.path)
    if name == "variable" or cursor.path[-1:] == ("report_variables",):
        yield from (Option(one, one, "variable") for one in variables(text.tree))
    for choices in _fixed(cursor.path, name, holder):
        yield from (Option(one, one, "enum") for one in choices)
    for one in _schemas(text.tree, (*cursor.path, key) if key is not None else cursor.path):
        for value in (*one.get("enum", ()), *((one["const"],) if "const" in one else ())):
            yield Option(
                str(value), str(value), "enum", _summary(str(value)) if name == "type" and len(cursor.path) == 2 else ""
            )
        if one.get("type") == "boolean" and not cursor.quoted:
            yield Option("true", "true", "constant")
            yield Option("false", "false", "constant")


def _fixed(path: Path, name: str, holder: Any) -> Iterator[Sequence[str]]:
    """Words that the schema leaves open, because the engine explains a wrong one better."""
    if name == "type" and len(path) == 2 and path[0] == "nodes":
        yield sorted(node_types())
    elif name == "type" and path[-1:] == ("validation",):
        yield sorted(validators())
    elif name == "operator":
        yield [*OPERATORS, MATCHES, WORDS, *FINDERS]
    elif name == "language" and not path:
        yield _LANGUAGES
    elif name == "method" and isinstance(holder, dict) and "url" in holder:
        yield _METHODS


def _in_template(text: FlowText, cursor: Cursor, offset: int) -> Completions | None:
    """Names within `{{ }}`, filters after a bar."""
    begin = cursor.before.rfind("{{")
    if begin < 0 or "}}" in cursor.before[begin:]:
        return None
    written = cursor.before[begin + 2 :]
    after_bar = written.rpartition("|")[2] if "|" in written else None
    word = (written if after_bar is None else after_bar).lstrip()
    if after_bar is not None:
        options = [Option(name, name, "function") for name in FILTERS]
    else:
        names = [*variables(text.tree), *BUILT_IN]
        options = [Option(name, name, "variable") for name in names]
    rest = text.text[offset : cursor.span.end]
    if "}}" not in rest.partition("{{")[0]:
        options = [
            Option(one.label, one.insert + ("" if one.insert.endswith(".") else "}}"), one.kind) for one in options
        ]
    return Completions(offset - len(word), offset, tuple(options))


def _as_value(cursor: Cursor, option: Option) -> Option:
    if option.kind in ("class", "constant"):
        return option
    quoted = json.dumps(option.insert, ensure_ascii=False)
    return Option(option.label, quoted[1:] if cursor.quoted else quoted, option.kind, option.detail)


@cache
def _schema() -> dict[str, Any]:
    return schema()


def _node_schema(type_: str) -> Json:
    nodes: list[Json] = _schema()["properties"]["nodes"]["items"]["oneOf"]
    return next(one for one in nodes if one["properties"]["type"]["const"] == type_)


def _summary(type_: str) -> str:
    kind = node_types().get(type_)
    return (kind.__doc__ or "").partition("\n")[0].rstrip(".") if kind is not None else ""


def _resolved(found: Json) -> list[Json]:
    """A schema's alternatives without references."""
    if "$ref" in found:
        return _resolved(_schema()["$defs"][found["$ref"].removeprefix("#/$defs/")])
    several = found.get("anyOf") or found.get("oneOf")
    return [one for each in several for one in _resolved(each)] if several else [found]


def _schemas(tree: Json, path: Path) -> list[Json]:
    """The schemas that a place in a document may follow: of several, those that its `type` fits."""
    at: list[Json] = [_schema()]
    value: Any = tree
    for step in path:
        following: list[Json] = []
        for one in at:
            if isinstance(step, int):
                following += _resolved(one["items"]) if isinstance(one.get("items"), dict) else []
            elif step in one.get("properties", {}):
                following += _resolved(one["properties"][step])
        value = _value_at(value, (step,))
        at = _fitting(following, value)
    return at


def _fitting(schemas: list[Json], value: Any) -> list[Json]:
    type_ = value.get("type") if isinstance(value, dict) else None
    if not isinstance(type_, str):
        return schemas

    def allowed(one: Json) -> Any:
        of_type = one.get("properties", {}).get("type", {})
        return [of_type["const"]] if "const" in of_type else of_type.get("enum")

    fitting = [one for one in schemas if (words := allowed(one)) is None or type_ in words]
    return fitting or schemas


def _value_at(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _dicts(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _dicts(part)


def _detail(of_field: Json, required: bool) -> str:
    types = {str(one.get("type") or "any") for one in _resolved(of_field)} - {"null"}
    return " | ".join(sorted(types)) + (" *" if required else "")


def _example(of_field: Json, depth: int) -> Any:
    one = next((one for one in _resolved(of_field) if one.get("type") != "null"), {})
    if one.get("default") is not None:
        return one["default"]
    match one.get("type"):
        case "object":
            return {name: _example(one["properties"][name], depth + 1) for name in one.get("required", ())}
        case "array":
            return [_example(one["items"], depth + 1)] if depth < 2 and isinstance(one.get("items"), dict) else []
        case "number" | "integer":
            return 1
        case "boolean":
            return False
    return str(one["enum"][0]) if one.get("enum") else ""
