"""What changed between two versions of a flow, as a person reads it: node by node, line by line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from local.console.flow_text import pretty

Json = Mapping[str, Any]
Sign = Literal[" ", "+", "-", "…"]

_CONTEXT = 2
"""Lines around a change that stay as they are."""


@dataclass(frozen=True)
class Line:
    """A line that is in both, added, taken away, or stands for some that are left out."""

    sign: Sign
    text: str


@dataclass(frozen=True)
class Change:
    """A part that differs: the document around its nodes (`node_id` None) or one node."""

    kind: Literal["added", "removed", "changed", "order"]
    node_id: str | None
    title: str
    lines: tuple[Line, ...] = ()


def diff(before: Json, after: Json) -> list[Change]:
    """Everything that differs: the document around its nodes first, then the nodes in their order."""
    old, new = _nodes(before), _nodes(after)
    changes = list(_compared(None, "", _shell(before), _shell(after)))
    for node_id, node in new.items():
        if node_id not in old:
            changes.append(Change("added", node_id, _title(node), tuple(Line("+", text) for text in _written(node))))
        else:
            changes += _compared(node_id, _title(node), old[node_id], node)
    for node_id, node in old.items():
        if node_id not in new:
            changes.append(Change("removed", node_id, _title(node), tuple(Line("-", text) for text in _written(node))))
    if not changes and before != after:
        changes.append(Change("order", None, ""))
    return changes


def _nodes(document: Json) -> dict[str, Json]:
    """The nodes by their id; two of the same id are told apart by their number."""
    found: dict[str, Json] = {}
    listed = document.get("nodes")
    for node in listed if isinstance(listed, list) else ():
        name = str(node.get("id", "?")) if isinstance(node, dict) else "?"
        number = 2
        while name in found:
            name, number = f"{name.partition(' #')[0]} #{number}", number + 1
        found[name] = node if isinstance(node, dict) else {"": node}
    return found


def _shell(document: Json) -> Json:
    return {key: value for key, value in document.items() if key != "nodes"}


def _title(node: Json) -> str:
    return str(node.get("label") or "")


def _compared(node_id: str | None, title: str, before: Json, after: Json) -> Iterator[Change]:
    if before != after:
        yield Change("changed", node_id, title, tuple(_lines(_written(before), _written(after))))


def _lines(before: list[str], after: list[str]) -> Iterator[Line]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(_CONTEXT)):
        if number:
            yield Line("…", "")
        for tag, i, j, k, m in group:
            if tag == "equal":
                yield from (Line(" ", text) for text in before[i:j])
            else:
                yield from (Line("-", text) for text in before[i:j])
                yield from (Line("+", text) for text in after[k:m])


def _written(value: Json) -> list[str]:
    return pretty(value).splitlines()
