"""Inputs and times, as command lines and test files write them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from pytake.conversation.flow_tests.errors import FlowTestError
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
    """The input in a line of standard input: a text, or a JSON object with the fields of an input. Raises FlowTestError."""
    if not line.lstrip().startswith("{"):
        return Input(text=line)
    try:
        fields = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return Input(text=line)
    return parse_input(fields)


def parse_input(given: str | dict[str, Any]) -> Input:
    """An input: a text, or an object such as {"reply_id": "sales"}. Raises FlowTestError."""
    if isinstance(given, str):
        return Input(text=given)
    kind = next((kind for field, kind in _KINDS.items() if field in given), "text")
    fields = dict(given)
    if isinstance(fields.get("reaction"), str):
        kind, fields["text"] = "reaction", fields.pop("reaction")
    if isinstance(fields.get("media"), dict):
        fields["media"] = {"id": "media-1", "type": "image", **fields["media"]}
    try:
        return msgspec.convert({"type": kind, **fields}, Input)
    except msgspec.ValidationError as error:
        raise FlowTestError(f"this is not a valid input: {error}") from error


def parse_zone(name: str) -> str:
    """The IANA name of a time zone. Raises FlowTestError."""
    if not is_zone(name):
        raise FlowTestError(f"`{name}` is not a time zone such as America/Sao_Paulo")
    return name


def parse_timetables(given: Any) -> dict[str, Timetable]:
    """Timetables by name. Raises FlowTestError."""
    try:
        found: dict[str, Timetable] = msgspec.convert(given, dict[str, Timetable])
    except msgspec.ValidationError as error:
        raise FlowTestError(f"these are not timetables: {error}") from error
    check_timetables(found)
    return found


def check_timetables(timetables: Mapping[str, Timetable]) -> None:
    """Raises FlowTestError for the first timetable that is invalid."""
    for name, timetable in timetables.items():
        for field, message in problems_of(timetable):
            raise FlowTestError(f"the timetable {name}, {field}: {message}")


def time_text(seconds: float) -> str:
    """A time in epoch seconds as `parse_time` reads it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str | None) -> float:
    """An ISO 8601 time in epoch seconds; the current time for None. Raises FlowTestError."""
    if text is None:
        return datetime.now(UTC).timestamp()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FlowTestError(f"`{text}` is not a time such as 2026-11-22T12:00:00Z") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
