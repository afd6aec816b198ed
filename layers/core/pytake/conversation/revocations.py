"""Messages that their senders deleted for everyone: their text is neither shown nor used any more.

The stored audit record stays as it was committed until its retention ends; whatever shows it leaves the text out.
"""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from pytake.conversation.records import TurnRecord
from pytake.engine import Input, State, StateError
from pytake.whatsapp.input import APP_ECHO


def original_id(input_: Input) -> str | None:
    """The message that an edit or a revocation is about; None for anything else."""
    payload = input_.payload
    if input_.type == APP_ECHO and isinstance(payload, dict):
        kind = payload.get("type")
        payload = payload.get(kind) if kind in ("edit", "revoke") else None
    elif input_.type not in ("edit", "revoke"):
        return None
    found = payload.get("original_message_id") if isinstance(payload, dict) else None
    return found if isinstance(found, str) else None


def is_revocation(input_: Input) -> bool:
    """Whether the input deletes an earlier message."""
    payload = input_.payload
    return input_.type == "revoke" or (
        input_.type == APP_ECHO and isinstance(payload, dict) and payload.get("type") == "revoke"
    )


def revoked_ids(records: Iterable[TurnRecord]) -> frozenset[str]:
    """The ids of the messages that were deleted, with those of their edits."""
    records = list(records)
    originals = {original_id(record.input) for record in records if is_revocation(record.input)} - {None}
    edits = {
        record.message_id
        for record in records
        if not is_revocation(record.input) and original_id(record.input) in originals
    }
    return frozenset(id_ for id_ in originals | edits if id_ is not None)


def without_text(record: TurnRecord) -> TurnRecord:
    """The record of a deleted message."""
    return replace(record, input=Input(type=record.input.type))


def forget(state: bytes, text: str) -> bytes:
    """A session's state without a deleted text: without the variables that hold exactly it, and without what models
    remember of it. A state that cannot be read stays: the next turn reports it."""
    try:
        decoded = State.decode(state)
    except StateError:
        return state
    stack = [
        replace(frame, variables=_without(frame.variables, text)) if frame.variables is not None else frame
        for frame in decoded.stack
    ]
    return replace(decoded, variables=_without(decoded.variables, text), stack=stack).encode()


def _without(variables: dict[str, Any], text: str) -> dict[str, Any]:
    kept = {name: _without_items(value, text) for name, value in variables.items() if value != text}
    return kept if kept != variables else variables


def _without_items(value: Any, text: str) -> Any:
    """A list without the text and without the dialogue with a model (`ai_prompt`'s memory) that contains it."""
    if not isinstance(value, list):
        return value
    return [item for item in value if item != text and not _remembers(item, text)]


def _remembers(item: Any, text: str) -> bool:
    if not isinstance(item, dict) or not {"prompt", "answer"} <= item.keys():
        return False
    return any(isinstance(said := item[part], str) and text in said for part in ("prompt", "answer"))
