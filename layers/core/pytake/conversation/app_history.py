"""Import what the phone app shared of the time before the number was connected.

It is shown in the transcript and does nothing else: no flow starts, no window opens, nothing is billed, and the lake does not
have it. A message is kept as long as one that was received at its time, so what is older than the retention is left out.
"""

from collections.abc import Mapping
from typing import Any

from pytake.conversation.find_conversation import FindConversation
from pytake.conversation.history_messages import HistoryMessage
from pytake.conversation.ports.conversations import AppHistory, Conversations
from pytake.conversation.queues import InboundItem
from pytake.whatsapp.coexistence import is_of_business
from pytake.whatsapp.input import APP_HISTORY
from pytake.whatsapp.json_values import number_of, objects_of
from pytake.whatsapp.message_input import read_input


class ImportAppHistory:
    """Stores the messages of one item. Repeated and out of order, it changes nothing: each message has its own key."""

    def __init__(self, conversations: Conversations, find: FindConversation, history: AppHistory) -> None:
        self._conversations = conversations
        self._find = find
        self._history = history

    def __call__(self, item: InboundItem) -> int:
        """Store the messages; returns how many. None of a person who was erased since they were sent.

        Raises `ConflictError` when the contacts of the person are being merged.
        """
        key = self._find(item).key
        erased_at = self._conversations.erased_at(key)
        found = [history_message(raw) for raw in objects_of(item.message.get(APP_HISTORY))]
        messages = [message for message in found if message.sent_at >= int(erased_at)]
        self._history.add(key, messages)
        return len(messages)


def history_message(raw: Mapping[str, Any]) -> HistoryMessage:
    """A message of the history as it is stored."""
    said, context = read_input(raw), raw.get("history_context")
    status = context.get("status") if isinstance(context, dict) else None
    return HistoryMessage(
        id=str(raw.get("id")),
        sent_at=max(0.0, number_of(raw.get("timestamp")) or 0.0),
        by_business=is_of_business(dict(raw)),
        type=str(raw.get("type")),
        text=said.text,
        media=said.media,
        status=status if isinstance(status, str) else None,
    )
