"""The callback data of a send: Meta echoes it in every status, which so finds its message."""

from pytake.conversation.records import ConversationKey

_SEPARATOR = "|"

SendKey = tuple[ConversationKey, int, int, int]
"""A conversation, a turn, the index of a message of the turn, and the number of the message's send (from 1)."""


def callback_data(key: ConversationKey, turn: int, index: int, send: int = 1) -> str:
    """The `biz_opaque_callback_data` of a send, at most 512 characters. The number of the first send is left out."""
    parts = [key.organization_id, key.phone_number_id, key.contact_id, str(turn), str(index)]
    return _SEPARATOR.join(parts if send <= 1 else [*parts, str(send)])


def read_callback_data(text: object) -> SendKey | None:
    """The send that a status belongs to, or None when the callback data is not ours."""
    parts = text.split(_SEPARATOR) if isinstance(text, str) else []
    if len(parts) not in (5, 6) or not all(part.isascii() and part.isdecimal() for part in parts[3:]):
        return None
    send = int(parts[5]) if len(parts) == 6 else 1
    return ConversationKey(parts[0], parts[1], parts[2]), int(parts[3]), int(parts[4]), send
