"""What is said to a flow, and when, as command lines and test files write it."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from cli.flow_testing.documents import UsageError
from pytake.engine import Input

_KINDS = {
    "reply_id": "reply",
    "media": "media",
    "location": "location",
    "response": "form",
    "result": "effect_result",
}


def parse_line(line: str) -> Input:
    """What a line of standard input means: a text, or a whole input when it is a JSON object. Raises UsageError."""
    if not line.lstrip().startswith("{"):
        return Input(text=line)
    try:
        fields = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return Input(text=line)
    return parse_input(fields)


def parse_input(said: str | dict[str, Any]) -> Input:
    """What was said: a text, or a full input such as {"reply_id": "sales"}. Raises UsageError."""
    if isinstance(said, str):
        return Input(text=said)
    kind = next((kind for field, kind in _KINDS.items() if field in said), "text")
    fields = dict(said)
    if isinstance(fields.get("media"), dict):
        fields["media"] = {"id": "media-1", "type": "image", **fields["media"]}
    try:
        return msgspec.convert({"type": kind, **fields}, Input)
    except msgspec.ValidationError as error:
        raise UsageError(f"this is no input: {error}") from error


def parse_time(text: str | None) -> float:
    """Seconds since the epoch of an ISO 8601 time, now for None. Raises UsageError."""
    if text is None:
        return datetime.now(UTC).timestamp()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"`{text}` is no time such as 2026-11-22T12:00:00Z") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
