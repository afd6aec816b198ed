"""Where a problem is in a flow document, and the JSON patches (RFC 6902) of that place."""

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from pytake.engine.problems import Problem

Operation = dict[str, Any]


class Fix(Struct, frozen=True, omit_defaults=True):
    """A correction of one problem.

    `action` says what it does, in one word for which the console has a sentence; `value` is the new name or text, if there is
    one; `patch` is the JSON patch of the document.
    """

    action: str
    patch: list[Operation]
    value: str | None = None


class Place:
    """Where a problem is: the document, the node, and the value that the problem's field names."""

    def __init__(self, document: dict[str, Any], problem: Problem) -> None:
        self.document, self.problem = document, problem
        self.nodes: list[Any] = document.get("nodes") or []
        named = (index for index, node in enumerate(self.nodes) if id_of(node) == problem.node_id is not None)
        self.index = next(named, None)
        self.guards: list[Operation] = []
        if self.index is not None:
            self.guards.append(test(f"/nodes/{self.index}/id", problem.node_id))
        self.pointer, self.value = self.found(problem.field or "")

    @property
    def node(self) -> dict[str, Any]:
        return self.nodes[self.index] if self.index is not None else {}

    @property
    def data(self) -> dict[str, Any]:
        data = self.node.get("data")
        return data if isinstance(data, dict) else {}

    @property
    def ids(self) -> list[str]:
        return [found for node in self.nodes if (found := id_of(node)) is not None]

    def found(self, field: str) -> tuple[str | None, Any]:
        """The pointer to the field and its value; None if the document does not contain the field."""
        roots: list[tuple[str, Any]] = [("", self.document)]
        if self.index is not None:
            roots = [(f"/nodes/{self.index}/data", self.data), (f"/nodes/{self.index}", self.node), *roots]
        for root, value in roots:
            for steps, found in _reached(value, field):
                return root + "".join(f"/{escaped(step)}" for step in steps), found
        return None, None

    def replace(self, action: str, value: Any, pointer: str | None = None, before: Any = None) -> Fix:
        """Put another value at the problem's place, or at another one that has the value `before`."""
        at, before = (self.pointer, self.value) if pointer is None else (pointer, before)
        patch = [*self.guards, test(str(at), before), {"op": "replace", "path": at, "value": value}]
        return Fix(action, patch, str(value))

    def add(self, action: str, pointer: str, value: Any, shown: str | None = None) -> Fix:
        patch = [*self.guards, {"op": "add", "path": pointer, "value": value}]
        return Fix(action, patch, str(value) if shown is None else shown)

    def remove(self, action: str, pointer: str | None = None, before: Any = None) -> Fix:
        at, before = (self.pointer, self.value) if pointer is None else (pointer, before)
        return Fix(action, [*self.guards, test(str(at), before), {"op": "remove", "path": at}])


def test(pointer: str, value: Any) -> Operation:
    return {"op": "test", "path": pointer, "value": value}


def id_of(node: Any) -> str | None:
    found = node.get("id") if isinstance(node, dict) else None
    return found if isinstance(found, str) else None


def escaped(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


def _reached(value: Any, field: str) -> Iterator[tuple[list[str | int], Any]]:
    """The ways to a field. Its path is walked along the value, because names can contain dots, as in `texts.en.menu.text`."""
    if not field:
        return
    if isinstance(value, list):
        number = re.match(r"\[(\d+)\]\.?", field)
        steps: list[tuple[str | int, str]] = [(int(number[1]), field[number.end() :])] if number else []
        known = [(step, rest) for step, rest in steps if int(step) < len(value)]
    elif isinstance(value, dict):
        names = [name for name in value if field == name or field.startswith((f"{name}.", f"{name}["))]
        known = [(name, field[len(name) :].removeprefix(".")) for name in sorted(names, key=len, reverse=True)]
    else:
        return
    for step, rest in known:
        if not rest:
            yield [step], value[step]
        for more, found in _reached(value[step], rest):
            yield [step, *more], found
