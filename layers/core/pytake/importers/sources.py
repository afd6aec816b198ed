"""Exports that remember what was read of them, so that nothing is left out silently."""

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

_BY_ID = re.compile(r"\.localization(\.\*)?$")
"""Objects whose keys are languages and ids."""


class Source(dict[str, Any]):
    """An object of an export. It remembers the keys that were asked for; going through it asks for all of them."""

    __slots__ = ("_asked",)

    def __init__(self, values: dict[str, Any], asked: tuple[set[str], ...] = ()) -> None:
        super().__init__(values)
        self._asked = asked or (set(),)

    def __getitem__(self, key: str) -> Any:
        self._ask(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._ask(str(key))
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self.ask_all()
        return super().__iter__()

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, as of any dict."""
        self._ask(key)
        return super().get(key, default)

    def items(self) -> Any:
        """The keys and values, as of any dict."""
        self.ask_all()
        return super().items()

    def ask_all(self) -> None:
        """Everything in this object has been seen."""
        for key in dict.keys(self):
            self._ask(key)

    def changed(self, *changes: dict[str, Any]) -> "Source":
        """A copy with other values. What is asked of the copy is asked of this object and of `changes`, too."""
        parts = [self, *(change for change in changes if isinstance(change, Source))]
        values = {key: value for part in (self, *changes) for key, value in dict.items(part)}
        return Source(values, tuple(asked for part in parts for asked in part._asked))

    def unread(self) -> dict[str, Any]:
        """The keys and values that were never asked for and are not empty."""
        return {
            key: value
            for key, value in super().items()
            if not any(key in asked for asked in self._asked) and value not in (None, False, "", [], {})
        }

    def _ask(self, key: str) -> None:
        for asked in self._asked:
            asked.add(key)


class Unread(Struct, frozen=True):
    """A field that no reader asked for: its first place in the export, and how many more there are of its kind."""

    name: str
    place: str
    more: int


def as_source(value: Any) -> Any:
    """An export whose objects remember what was read of them."""
    if isinstance(value, dict):
        return Source({key: as_source(item) for key, item in value.items()})
    return [as_source(item) for item in value] if isinstance(value, list) else value


def as_plain(value: Any) -> Any:
    """A value without such objects. What they hold counts as read."""
    if isinstance(value, dict):
        return {key: as_plain(item) for key, item in value.items()}
    return [as_plain(item) for item in value] if isinstance(value, list) else value


def changed(value: dict[str, Any], *changes: dict[str, Any]) -> dict[str, Any]:
    """A copy of an object with other values. What is asked of it is remembered, too."""
    if isinstance(value, Source):
        return value.changed(*changes)
    return {key: item for part in (value, *changes) for key, item in part.items()}


def see(value: Any) -> None:
    """Everything in a value has been seen: it is reported as a whole."""
    as_plain(value)


def unread_fields(export: Any, ignored: str) -> list[Unread]:
    """The fields that were not read, those at the same kind of place together.

    `ignored`: a pattern for the fields that mean nothing, as in `.flows[].nodes[].uuid`, with what is in them.
    """
    meaningless = re.compile(ignored)
    found: dict[str, list[str]] = {}
    waiting: list[tuple[str, str, Any]] = [("", "", export)]
    while waiting:
        kind, place, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(f"{kind}[]", f"{place}[{at}]", item) for at, item in reversed(list(enumerate(value)))]
        elif isinstance(value, Source):
            unread = value.unread()
            for key, item in reversed(list(dict.items(value))):
                kinds = f"{kind}.{'*' if _BY_ID.search(kind) else key}"
                if meaningless.fullmatch(kinds):
                    continue
                if key not in unread or (kinds.endswith(".*") and isinstance(item, Source)):
                    waiting.append((kinds, f"{place}.{key}", item))
                else:
                    found.setdefault(kinds, []).append(f"{place}.{key}")
    return [
        Unread(kind.rpartition(".")[2], places[0].removeprefix("."), len(places) - 1) for kind, places in found.items()
    ]
