"""Who changed what an organization has set up: a record for each change, which administrators read.

Flows and campaigns say themselves who changed them, and conversations have records of their own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, get_args

import msgspec
from msgspec import Struct

Resource = Literal[
    "canned_replies",
    "files",
    "numbers",
    "organization",
    "secrets",
    "segments",
    "sequences",
    "teams",
    "templates",
    "timetables",
]
RESOURCES: tuple[Resource, ...] = get_args(Resource)

Action = Literal["created", "changed", "removed"]

VALUES_BYTES = 50_000
"""A record with more values has only the names of what changed."""

KEPT_SECONDS = 400 * 24 * 3600
"""How long a record is kept."""

_UNTOLD = frozenset({"id", "organization_id", "revision", "updated_at"})
"""What says nothing about a change."""


class Author(Struct, frozen=True):
    """Who makes a change, the subject of a token, and when."""

    by: str
    at: float


class Change(Struct, frozen=True, omit_defaults=True):
    """A change. `name` is the id of the entry; lists that are replaced as a whole have none, and their `fields` are the entries.

    `fields` has the old and the new value by field; an empty list for values that are secret, may name a person or are too large.
    """

    at: float
    by: str
    resource: Resource
    action: Action
    name: str | None = None
    fields: dict[str, list[Any]] = {}


class ChangeLog(Protocol):
    """The changes of organizations."""

    def add(self, organization_id: str, change: Change) -> None:
        """Record a change of what another service keeps. The adapters of all else record a change in the write that makes it."""

    def page(
        self, organization_id: str, resources: Collection[Resource], limit: int, before: str | None = None
    ) -> Sequence[tuple[str, Change]]:
        """Changes of these resources with their places, newest first: at most `limit`, older than the place `before`."""


def change_of(
    author: Author,
    resource: Resource,
    before: Struct | Mapping[str, Any] | None,
    after: Struct | Mapping[str, Any] | None,
    name: str | None = None,
    *,
    hidden: Collection[str] = (),
    also: Iterable[str] = (),
) -> Change | None:
    """The record of what differs; None if nothing does.

    The values of `hidden` fields are not recorded. `also`: fields that changed, and are stored elsewhere.
    """
    old, new = _values(before), _values(after)
    fields: dict[str, list[Any]] = {
        field: [] if field in hidden else [old.get(field), new.get(field)]
        for field in sorted((old.keys() | new.keys()) - _UNTOLD)
        if old.get(field) != new.get(field)
    }
    fields |= {field: [] for field in also}
    if len(msgspec.json.encode(fields)) > VALUES_BYTES:
        fields = {field: [] for field in fields}
    action: Action = "created" if before is None else "removed" if after is None else "changed"
    if action == "changed" and not fields:
        return None
    return Change(author.at, author.by, resource, action, name, fields)


def _values(stored: Struct | Mapping[str, Any] | None) -> dict[str, Any]:
    if stored is None:
        return {}
    values = msgspec.structs.asdict(stored) if isinstance(stored, Struct) else stored
    shown: dict[str, Any] = msgspec.to_builtins(values)
    return shown
