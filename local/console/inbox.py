"""The list of conversations as a page shows it: the content of a line, the lines that match a search, how pages are merged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from local.console.words import Words

Json = Mapping[str, Any]

SHORTEST_PHONE = 7
"""So many digits are enough to ask the API for a person who is not in the list."""


@dataclass(frozen=True)
class Line:
    """One conversation in the list. `contact_id` and `phone_number_id` name it to the API."""

    contact_id: str
    phone_number_id: str
    name: str
    phone: str
    status: str
    active_at: datetime | None
    flow_id: str | None
    node_id: str | None
    opted_out: bool
    tags: tuple[str, ...]
    window_closes_at: datetime | None

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others of the organization."""
        return self.phone_number_id, self.contact_id

    @property
    def title(self) -> str:
        """The person's name, or what there is instead."""
        return self.name or self.phone

    @property
    def initial(self) -> str:
        """The letter in the picture."""
        return self.title.lstrip("+")[:1].upper() or "?"


def line(conversation: Json) -> Line:
    """Return the line of a conversation of the API."""
    return Line(
        contact_id=str(conversation["contact_id"]),
        phone_number_id=str(conversation["phone_number_id"]),
        name=str(conversation.get("name") or ""),
        phone=str(conversation.get("phone") or conversation["contact_id"]),
        status=str(conversation.get("status") or "idle"),
        active_at=moment(conversation.get("last_activity_at")),
        flow_id=conversation.get("flow_id"),
        node_id=conversation.get("node_id"),
        opted_out=bool(conversation.get("opted_out")),
        tags=tuple(str(tag) for tag in conversation.get("tags") or ()),
        window_closes_at=moment(conversation.get("window_closes_at")),
    )


def merged(known: Sequence[Line], newer: Iterable[Line]) -> list[Line]:
    """Return the lines with newer ones in the place of what they replace, the last activity first."""
    found = {one.key: one for one in known}
    found.update({one.key: one for one in newer})
    beginning = datetime.fromtimestamp(0, UTC)
    return sorted(found.values(), key=lambda one: one.active_at or beginning, reverse=True)


def matching(lines: Iterable[Line], search: str, status: str | None = None) -> list[Line]:
    """Return the lines that hold the searched text in name, phone or a tag; digits are compared without spaces and signs."""
    text, digits = search.strip().casefold(), digits_of(search)
    return [
        one
        for one in lines
        if (status is None or one.status == status)
        and (
            not text
            or text in one.name.casefold()
            or any(text in tag.casefold() for tag in one.tags)
            or (digits and digits == text.translate(_SIGNS) and digits in one.contact_id)
        )
    ]


def digits_of(text: str) -> str:
    """Return only the digits of the typed text."""
    return "".join(character for character in text if character in "0123456789")


def since(at: datetime | None, now: datetime, words: Words) -> str:
    """Return how long ago something was, as short as a list wants it."""
    if at is None:
        return ""
    seconds = max(0.0, (now - at).total_seconds())
    if seconds < 60:
        return words("ago.now")
    if seconds < 3600:
        return words("ago.minutes", count=int(seconds // 60))
    if seconds < 24 * 3600:
        return words("ago.hours", count=int(seconds // 3600))
    return words("ago.days", count=int(seconds // (24 * 3600)))


def day_of(at: float, words: Words, zone: tzinfo | None = None) -> str:
    """Return the day above the messages of a day."""
    moment_ = datetime.fromtimestamp(at, zone)
    return moment_.strftime("%d/%m/%Y" if words.language == "pt_BR" else "%Y-%m-%d")


def moment(text: object) -> datetime | None:
    """Return a time of the API; None for none."""
    return datetime.fromisoformat(text) if isinstance(text, str) else None


_SIGNS = {ord(sign): None for sign in "+-() ."}
