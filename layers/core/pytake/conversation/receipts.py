"""Settle delivery receipts: Meta's statuses find their message through the callback data that we sent with it."""

from typing import Any

from pytake.conversation.ports import Deliveries, OperatorEvent, OperatorEvents
from pytake.conversation.queues import ReceiptsItem
from pytake.conversation.records import ConversationKey

STATUS_RANK = {"sent": 1, "delivered": 2, "failed": 2, "read": 3, "played": 4}
"""A status replaces only one of lower rank: a delivered message cannot fail any more, a read one was not lost."""

_SEPARATOR = "|"


def callback_data(key: ConversationKey, turn: int, index: int) -> str:
    """What a send carries as `biz_opaque_callback_data` (at most 512 characters) and every status of it echoes."""
    return _SEPARATOR.join((key.organization_id, key.phone_number_id, key.contact_id, str(turn), str(index)))


def read_callback_data(text: object) -> tuple[ConversationKey, int, int] | None:
    """The message that a status belongs to, or None when the callback data is not ours."""
    parts = text.split(_SEPARATOR) if isinstance(text, str) else []
    if len(parts) != 5 or not (parts[3].isdecimal() and parts[4].isdecimal()):
        return None
    return ConversationKey(parts[0], parts[1], parts[2]), int(parts[3]), int(parts[4])


class SettleReceipts:
    """The receipts function's use case."""

    def __init__(self, deliveries: Deliveries, operator_events: OperatorEvents) -> None:
        self._deliveries = deliveries
        self._operator_events = operator_events

    def __call__(self, item: ReceiptsItem) -> int:
        """Note the furthest status of each message in `item`; the number of ledger entries that moved on."""
        furthest: dict[tuple[ConversationKey, int, int], dict[str, Any]] = {}
        for status in item.statuses:
            found = read_callback_data(status.get("biz_opaque_callback_data"))
            rank = STATUS_RANK.get(str(status.get("status")), 0)
            if found is None or not rank:
                continue
            key = found[0]
            if (key.organization_id, key.phone_number_id) != (item.organization_id, item.phone_number_id):
                self._tell(item, "receipts.foreign", {"phone_number_id": item.phone_number_id})
                continue
            known = furthest.get(found)
            if known is None or STATUS_RANK[known["status"]] < rank:
                furthest[found] = status
        return sum(self._note(item, *found, status) for found, status in furthest.items())

    def _note(self, item: ReceiptsItem, key: ConversationKey, turn: int, index: int, status: dict[str, Any]) -> bool:
        errors = status.get("errors")
        code = errors[0].get("code") if isinstance(errors, list) and errors and isinstance(errors[0], dict) else None
        moved = self._deliveries.receipt(
            key,
            turn,
            index,
            status=status["status"],
            at=_seconds(status.get("timestamp")),
            message_id=status.get("id") if isinstance(status.get("id"), str) else None,
            code=code if isinstance(code, int) else None,
        )
        if moved and status["status"] == "failed":
            self._tell(item, "delivery.failed", {"turn": turn, "index": index, "reason": f"receipt:{code}"})
        return moved

    def _tell(self, item: ReceiptsItem, type_: str, detail: dict[str, Any]) -> None:
        self._operator_events.publish(OperatorEvent(type_, item.organization_id, detail))


def _seconds(timestamp: object) -> float:
    """Meta's timestamps are strings of seconds; milliseconds and plain numbers have been seen."""
    try:
        value = float(str(timestamp))
    except ValueError:
        return 0.0
    return value / 1000 if value > 1e11 else value
