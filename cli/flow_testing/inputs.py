"""Inputs and times, as command lines and test files write them."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from cli.flow_testing.documents import UsageError
from pytake.engine import Input
from pytake.engine.dates import is_zone
from pytake.engine.opening_times import problems_of
from pytake.engine.timetable import Timetable

_KINDS = {
    "reply_id": "reply",
    "media": "media",
    "location": "location",
    "response": "form",
    "result": "effect_result",
}


def parse_line(line: str) -> Input:
    """The input in a line of standard input: a text, or a JSON object with the fields of an input. Raises UsageError."""
    if not line.lstrip().startswith("{"):
        return Input(text=line)
    try:
        fields = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return Input(text=line)
    return parse_input(fields)


def parse_input(given: str | dict[str, Any]) -> Input:
    """An input: a text, or an object such as {"reply_id": "sales"}. Raises UsageError."""
    if isinstance(given, str):
        return Input(text=given)
    kind = next((kind for field, kind in _KINDS.items() if field in given), "text")
    fields = dict(given)
    if isinstance(fields.get("media"), dict):
        fields["media"] = {"id": "media-1", "type": "image", **fields["media"]}
    try:
        return msgspec.convert({"type": kind, **fields}, Input)
    except msgspec.ValidationError as error:
        raise UsageError(f"this is not a valid input: {error}") from error


def parse_zone(name: str) -> str:
    """The IANA name of a time zone. Raises UsageError."""
    if not is_zone(name):
        raise UsageError(f"`{name}` is not a time zone such as America/Sao_Paulo")
    return name


def parse_timetables(given: Any) -> dict[str, Timetable]:
    """Timetables by name. Raises UsageError."""
    try:
        found: dict[str, Timetable] = msgspec.convert(given, dict[str, Timetable])
    except msgspec.ValidationError as error:
        raise UsageError(f"these are not timetables: {error}") from error
    for name, timetable in found.items():
        for field, message in problems_of(timetable):
            raise UsageError(f"the timetable {name}, {field}: {message}")
    return found


def time_text(seconds: float) -> str:
    """A time in epoch seconds as `parse_time` reads it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str | None) -> float:
    """An ISO 8601 time in epoch seconds; the current time for None. Raises UsageError."""
    if text is None:
        return datetime.now(UTC).timestamp()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"`{text}` is not a time such as 2026-11-22T12:00:00Z") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
