"""Settle delivery statuses: Meta's statuses find their message through the callback data that we sent with it."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from pytake.conversation.opt_out import RecordOptOut
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents, Queues
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.publish_events import PublishBusinessEvents
from pytake.conversation.queues import StatusesItem, outbound_item
from pytake.conversation.records import ConversationKey
from pytake.whatsapp.errors import ErrorClass, classify, error_code

STATUS_RANK = {"sent": 1, "delivered": 2, "failed": 2, "read": 3, "played": 4}
"""A status replaces only one of lower rank: a delivered message cannot fail any more, a read one was not lost."""

STOP_MAX_AGE_SECONDS = 600
"""A status that is older stops no number: it may have been repaired and resumed since. If not, newer ones will come."""

MAX_LOOKUPS = 10
"""So many `sent` statuses at once are looked up one by one. Meta posts them one by one, too, unless it catches up."""

_SEPARATOR = "|"

SendKey = tuple[ConversationKey, int, int, int]
"""A conversation, and in it a turn, a message of the turn, and a send of the message."""


def callback_data(key: ConversationKey, turn: int, index: int, send: int = 1) -> str:
    """What a send carries as `biz_opaque_callback_data` (at most 512 characters) and every status of it echoes.

    `send` counts the requests that left for one message; the first one goes without saying.
    """
    parts = [key.organization_id, key.phone_number_id, key.contact_id, str(turn), str(index)]
    return _SEPARATOR.join(parts if send <= 1 else [*parts, str(send)])


def read_callback_data(text: object) -> SendKey | None:
    """The send that a status belongs to, or None when the callback data is not ours."""
    parts = text.split(_SEPARATOR) if isinstance(text, str) else []
    if len(parts) not in (5, 6) or not all(part.isascii() and part.isdecimal() for part in parts[3:]):
        return None
    send = int(parts[5]) if len(parts) == 6 else 1
    return ConversationKey(parts[0], parts[1], parts[2]), int(parts[3]), int(parts[4]), send


def without_superseded(items: Sequence[StatusesItem]) -> list[StatusesItem]:
    """The items without the statuses that a further one of the same send and id makes old news, in these items or the same.

    Whoever takes them at once writes once. That a send failed always stays: there is something to be done about it.
    """
    furthest: dict[tuple[SendKey, str | None], int] = {}
    for item in items:
        for status in item.statuses:
            place, rank = _own_place_and_rank(status, item)
            if place is not None:
                told = place, _message_id(status)
                furthest[told] = max(rank, furthest.get(told, 0))

    def counts(item: StatusesItem, status: dict[str, Any]) -> bool:
        place, rank = _own_place_and_rank(status, item)
        if place is None or status["status"] == "failed":
            return True
        return rank == furthest[place, _message_id(status)]

    return [replace(item, statuses=[status for status in item.statuses if counts(item, status)]) for item in items]


def without_known_sent(items: Sequence[StatusesItem], deliveries: Deliveries) -> list[StatusesItem]:
    """The items without each `sent` of a message that Meta is known to have taken, and no item that is then empty.

    A look at the ledger costs an eighth of what a status costs on the queue and in its function (ADR 0008). With more than
    `MAX_LOOKUPS` of them in the items nobody looks: together on the queue they cost less than one by one.
    """
    looked_at = [
        (status, place)
        for item in items
        for status in item.statuses
        if status.get("status") == "sent" and (place := _own_place_and_rank(status, item)[0]) is not None
    ]
    if not 0 < len(looked_at) <= MAX_LOOKUPS:
        return list(items)
    told = {
        id(status)
        for status, (key, turn, index, send) in looked_at
        if deliveries.is_accepted(key, turn, index, send=send, message_id=_message_id(status))
    }
    left = [replace(item, statuses=[status for status in item.statuses if id(status) not in told]) for item in items]
    return [item for item in left if item.statuses]


def _is_of(place: SendKey, item: StatusesItem) -> bool:
    """Whether a send is of the number that the statuses came for: of others' sends nobody may tell."""
    return (place[0].organization_id, place[0].phone_number_id) == (item.organization_id, item.phone_number_id)


def _own_place_and_rank(status: dict[str, Any], item: StatusesItem) -> tuple[SendKey | None, int]:
    """As `_place_and_rank`; None also for a send of another number."""
    place, rank = _place_and_rank(status)
    return (place, rank) if place is not None and _is_of(place, item) else (None, 0)


def _place_and_rank(status: dict[str, Any]) -> tuple[SendKey | None, int]:
    """The send that a status is of, and its rank: None and 0 where it is no status of ours."""
    place, rank = (
        read_callback_data(status.get("biz_opaque_callback_data")),
        STATUS_RANK.get(str(status.get("status")), 0),
    )
    return (place, rank) if rank else (None, 0)


class ProcessStatuses:
    """The statuses function's use case."""

    def __init__(
        self,
        conversations: Conversations,
        deliveries: Deliveries,
        tenants: TenantRepository,
        queues: Queues,
        operator_events: OperatorEvents,
        publish_events: PublishBusinessEvents,
        clock: Clock,
    ) -> None:
        self._conversations = conversations
        self._deliveries = deliveries
        self._tenants = tenants
        self._queues = queues
        self._operator_events = operator_events
        self._publish_events = publish_events
        self._clock = clock
        self._record_opt_out = RecordOptOut(conversations, clock)

    def __call__(self, item: StatusesItem) -> int:
        """Note the furthest status of each message in `item`; the number of ledger entries that moved on.

        A message that failed for a reason that can be mended without guessing is queued once more: outside the service
        window as the number's template, a file that Meta could not take a second time. An error of the account stops the
        number, and the message waits with the others. Everything else stays failed.
        Raises `ConflictError` when the sender writes one of the entries at this moment: the statuses have to come again.
        """
        # By Meta's id, too: one of an erased message must not hide one of the message in its place (ADR 9).
        furthest: dict[tuple[SendKey, str | None], dict[str, Any]] = {}
        for status in item.statuses:
            found, rank = _place_and_rank(status)
            if found is None:
                continue
            if not _is_of(found, item):
                self._tell(item, "statuses.foreign", {"phone_number_id": item.phone_number_id})
                continue
            told = found, _message_id(status)
            known = furthest.get(told)
            if known is None or STATUS_RANK[known["status"]] < rank:
                furthest[told] = status
        return sum(self._note(item, *found, status) for (found, _), status in furthest.items())

    def _note(
        self, item: StatusesItem, key: ConversationKey, turn: int, index: int, send: int, status: dict[str, Any]
    ) -> bool:
        error = _error(status)
        code = error_code(error)
        after = self._deliveries.record_status(
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
                self._tell(item, "delivery.failed", {**where, "reason": f"status:{code}"})
            # Also when it is old news: whoever noted it may have died before the rest was done.
            self._act_on_failure(key, turn, index, send, error, _seconds(status.get("timestamp")))
            if after is not None:
                self._publish_events.of_failed_delivery(key, turn, index)
        elif after is not None and send < after.sends and after.state == "accepted":
            self._tell(item, "delivery.duplicated", where)
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
                number = self._tenants.number(key.phone_number_id)
                if number is not None and number.fallback_template is not None:
                    self._send_again(key, turn, index, send, fallback=True)
            case ErrorClass.MEDIA:
                self._send_again(key, turn, index, send, fallback=False)

    def _stop_number(self, key: ConversationKey, turn: int, index: int, reason: str, at: float) -> None:
        """Stop a number whose messages Meta accepts and then does not deliver, unless that is old news by now."""
        number = self._tenants.number(key.phone_number_id, fresh=True)
        if number is None or number.stopped_reason or self._clock() - at > STOP_MAX_AGE_SECONDS:
            return
        detail = {"phone_number_id": key.phone_number_id, "turn": turn, "index": index, "reason": reason}
        self._operator_events.publish(OperatorEvent("number.stopped", key.organization_id, detail))
        self._tenants.stop_number(number, reason)

    def _send_again(
        self, key: ConversationKey, turn: int, index: int, send: int, *, fallback: bool, once: bool = True
    ) -> None:
        """Open a message once more whose first send (or, unless `once`, any) failed for certain, and queue its turn."""
        entry = self._deliveries.load(key, turn, index)
        if entry is None or entry.sends != send:
            return
        if entry.status == "failed" and not (once and entry.requeued):
            if entry.state == "failed":
                return  # refused by the sender since: the person opted out, or the window closed
            if entry.state in ("claimed", "waiting"):
                raise ConflictError("the send is not settled yet; this status has to come again")
            opened = replace(
                entry, state="waiting", not_before=None, requeued=True, fallback=fallback, status=None, status_at=None
            )
            entry = self._deliveries.claim(key, opened, entry)
        if entry.state != "waiting" or not entry.requeued:
            return
        record = self._conversations.turn(key, turn)
        if record is not None:
            self._queues.put_outbound(outbound_item(key, record, self._clock(), requeue_id=f"send{send + 1}.{index}"))

    def _tell(self, item: StatusesItem, type_: str, detail: dict[str, Any]) -> None:
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
