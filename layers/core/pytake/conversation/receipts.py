"""Settle delivery receipts: Meta's statuses find their message through the callback data that we sent with it."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from pytake.conversation.announce import Announce
from pytake.conversation.opt_out import RecordOptOut
from pytake.conversation.ports import (
    Clock,
    ConflictError,
    Conversations,
    Deliveries,
    Directory,
    OperatorEvent,
    OperatorEvents,
    Queues,
)
from pytake.conversation.queues import ReceiptsItem, outbound_item
from pytake.conversation.records import ConversationKey
from pytake.whatsapp.errors import ErrorClass, classify, error_code

STATUS_RANK = {"sent": 1, "delivered": 2, "failed": 2, "read": 3, "played": 4}
"""A status replaces only one of lower rank: a delivered message cannot fail any more, a read one was not lost."""

STOPS_FOR_SECONDS = 600
"""A receipt that is older stops no number: it may have been repaired and resumed since. If not, newer ones will come."""

LOOKED_AT = 10
"""So many `sent` statuses at once are looked up one by one. Meta posts them one by one, too, unless it catches up."""

_SEPARATOR = "|"

Place = tuple[ConversationKey, int, int, int]
"""A conversation, and in it a turn, a message of the turn, and a send of the message."""


def callback_data(key: ConversationKey, turn: int, index: int, send: int = 1) -> str:
    """What a send carries as `biz_opaque_callback_data` (at most 512 characters) and every status of it echoes.

    `send` counts the requests that left for one message; the first one goes without saying.
    """
    parts = [key.organization_id, key.phone_number_id, key.contact_id, str(turn), str(index)]
    return _SEPARATOR.join(parts if send <= 1 else [*parts, str(send)])


def read_callback_data(text: object) -> Place | None:
    """The send that a status belongs to, or None when the callback data is not ours."""
    parts = text.split(_SEPARATOR) if isinstance(text, str) else []
    if len(parts) not in (5, 6) or not all(part.isascii() and part.isdecimal() for part in parts[3:]):
        return None
    send = int(parts[5]) if len(parts) == 6 else 1
    return ConversationKey(parts[0], parts[1], parts[2]), int(parts[3]), int(parts[4]), send


def without_overtaken(items: Sequence[ReceiptsItem]) -> list[ReceiptsItem]:
    """The items without the statuses that a further one of the same send and id makes old news, in these items or the same.

    Whoever takes them at once writes once. That a send failed always stays: there is something to be done about it.
    """
    furthest: dict[tuple[Place, str | None], int] = {}
    for item in items:
        for status in item.statuses:
            place, rank = _own_place_and_rank(status, item)
            if place is not None:
                told = place, _message_id(status)
                furthest[told] = max(rank, furthest.get(told, 0))

    def counts(item: ReceiptsItem, status: dict[str, Any]) -> bool:
        place, rank = _own_place_and_rank(status, item)
        if place is None or status["status"] == "failed":
            return True
        return rank == furthest[place, _message_id(status)]

    return [replace(item, statuses=[status for status in item.statuses if counts(item, status)]) for item in items]


def without_told(items: Sequence[ReceiptsItem], deliveries: Deliveries) -> list[ReceiptsItem]:
    """The items without each `sent` of a message that Meta is known to have taken, and no item that is then empty.

    A look at the ledger costs an eighth of what a status costs on the queue and in its function (ADR 0008). With more than
    `LOOKED_AT` of them in the items nobody looks: together on the queue they cost less than one by one.
    """
    looked_at = [
        (status, place)
        for item in items
        for status in item.statuses
        if status.get("status") == "sent" and (place := _own_place_and_rank(status, item)[0]) is not None
    ]
    if not 0 < len(looked_at) <= LOOKED_AT:
        return list(items)
    told = {
        id(status)
        for status, (key, turn, index, send) in looked_at
        if deliveries.is_accepted(key, turn, index, send=send, message_id=_message_id(status))
    }
    left = [replace(item, statuses=[status for status in item.statuses if id(status) not in told]) for item in items]
    return [item for item in left if item.statuses]


def _is_of(place: Place, item: ReceiptsItem) -> bool:
    """Whether a send is of the number that the statuses came for: of others' sends nobody may tell."""
    return (place[0].organization_id, place[0].phone_number_id) == (item.organization_id, item.phone_number_id)


def _own_place_and_rank(status: dict[str, Any], item: ReceiptsItem) -> tuple[Place | None, int]:
    """As `_place_and_rank`; None also for a send of another number."""
    place, rank = _place_and_rank(status)
    return (place, rank) if place is not None and _is_of(place, item) else (None, 0)


def _place_and_rank(status: dict[str, Any]) -> tuple[Place | None, int]:
    """The send that a status is of, and its rank: None and 0 where it is no status of ours."""
    place, rank = (
        read_callback_data(status.get("biz_opaque_callback_data")),
        STATUS_RANK.get(str(status.get("status")), 0),
    )
    return (place, rank) if rank else (None, 0)


class SettleReceipts:
    """The receipts function's use case."""

    def __init__(
        self,
        conversations: Conversations,
        deliveries: Deliveries,
        directory: Directory,
        queues: Queues,
        operator_events: OperatorEvents,
        announce: Announce,
        clock: Clock,
    ) -> None:
        self._conversations = conversations
        self._deliveries = deliveries
        self._directory = directory
        self._queues = queues
        self._operator_events = operator_events
        self._announce = announce
        self._clock = clock
        self._record_opt_out = RecordOptOut(conversations, clock)

    def __call__(self, item: ReceiptsItem) -> int:
        """Note the furthest status of each message in `item`; the number of ledger entries that moved on.

        A message that failed for a reason that can be mended without guessing is queued once more: outside the service
        window as the number's template, a file that Meta could not take a second time. An error of the account stops the
        number, and the message waits with the others. Everything else stays failed.
        Raises `ConflictError` when the sender writes one of the entries at this moment: the receipts have to come again.
        """
        # By Meta's id, too: one of an erased message must not hide one of the message in its place (ADR 9).
        furthest: dict[tuple[Place, str | None], dict[str, Any]] = {}
        for status in item.statuses:
            found, rank = _place_and_rank(status)
            if found is None:
                continue
            if not _is_of(found, item):
                self._tell(item, "receipts.foreign", {"phone_number_id": item.phone_number_id})
                continue
            told = found, _message_id(status)
            known = furthest.get(told)
            if known is None or STATUS_RANK[known["status"]] < rank:
                furthest[told] = status
        return sum(self._note(item, *found, status) for (found, _), status in furthest.items())

    def _note(
        self, item: ReceiptsItem, key: ConversationKey, turn: int, index: int, send: int, status: dict[str, Any]
    ) -> bool:
        error = _error(status)
        code = error_code(error)
        after = self._deliveries.receipt(
            key,
            turn,
            index,
            send=send,
            status=status["status"],
            at=_seconds(status.get("timestamp")),
            message_id=_message_id(status),
            code=code,
        )
        where = {"phone_number_id": key.phone_number_id, "turn": turn, "index": index}
        if status["status"] == "failed":
            if after is not None:
                self._tell(item, "delivery.failed", {**where, "reason": f"receipt:{code}"})
            # Also when it is old news: whoever noted it may have died before the rest was done.
            self._act_on_failure(key, turn, index, send, error, _seconds(status.get("timestamp")))
            if after is not None:
                self._announce.failed(key, turn, index)
        elif after is not None and send < after.sends and after.state == "accepted":
            self._tell(item, "delivery.doubled", where)
        return after is not None

    def _act_on_failure(
        self, key: ConversationKey, turn: int, index: int, send: int, error: dict[str, Any], at: float
    ) -> None:
        error_class = classify(None, error)
        match error_class:
            case _ if error_class.stops_number:
                self._stop_number(key, turn, index, f"{error_class.value}:{error_code(error)}", at)
                self._send_again(key, turn, index, send, fallback=False, once=False)
            case ErrorClass.OPTED_OUT:
                self._record_opt_out(key, at, error_code(error))
            case ErrorClass.WINDOW_CLOSED:
                number = self._directory.number(key.phone_number_id)
                if number is not None and number.fallback_template is not None:
                    self._send_again(key, turn, index, send, fallback=True)
            case ErrorClass.MEDIA:
                self._send_again(key, turn, index, send, fallback=False)

    def _stop_number(self, key: ConversationKey, turn: int, index: int, reason: str, at: float) -> None:
        """Stop a number whose messages Meta accepts and then does not deliver, unless that is old news by now."""
        number = self._directory.number(key.phone_number_id, fresh=True)
        if number is None or number.stopped_reason or self._clock() - at > STOPS_FOR_SECONDS:
            return
        detail = {"phone_number_id": key.phone_number_id, "turn": turn, "index": index, "reason": reason}
        self._operator_events.publish(OperatorEvent("number.stopped", key.organization_id, detail))
        self._directory.stop_number(number, reason)

    def _send_again(
        self, key: ConversationKey, turn: int, index: int, send: int, *, fallback: bool, once: bool = True
    ) -> None:
        """Open a message once more whose first send (or, unless `once`, any) failed for certain, and queue its turn."""
        entry = self._deliveries.load(key, turn, index)
        if entry is None or entry.sends != send:
            return
        if entry.status == "failed" and not (once and entry.reopened):
            if entry.state == "failed":
                return  # refused by the sender since: the person opted out, or the window closed
            if entry.state in ("claimed", "waiting"):
                raise ConflictError("the send is not settled yet; this receipt has to come again")
            opened = replace(
                entry, state="waiting", slot_at=None, reopened=True, fallback=fallback, status=None, status_at=None
            )
            entry = self._deliveries.claim(key, opened, entry)
        if entry.state != "waiting" or not entry.reopened:
            return
        record = self._conversations.turn(key, turn)
        if record is not None:
            self._queues.put_outbound(outbound_item(key, record, self._clock(), again=f"send{send + 1}.{index}"))

    def _tell(self, item: ReceiptsItem, type_: str, detail: dict[str, Any]) -> None:
        self._operator_events.publish(OperatorEvent(type_, item.organization_id, detail))


def _message_id(status: dict[str, Any]) -> str | None:
    found = status.get("id")
    return found if isinstance(found, str) else None


def _error(status: dict[str, Any]) -> dict[str, Any]:
    errors = status.get("errors")
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}


def _seconds(timestamp: object) -> float:
    """Meta's timestamps are strings of seconds; milliseconds and plain numbers have been seen."""
    try:
        value = float(str(timestamp))
    except ValueError:
        return 0.0
    if not 0 <= value < 1e15:  # also `nan`, which no database keeps
        return 0.0
    return value / 1000 if value > 1e11 else value
