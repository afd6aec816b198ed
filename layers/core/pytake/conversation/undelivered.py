"""What follows from a message that Meta accepted and then did not deliver."""

from typing import Any

from msgspec.structs import replace

from pytake.contacts.ports import Contacts
from pytake.conversation.callback_data import SendKey
from pytake.conversation.opt_out import RecordOptOut
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents, Queues
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.queues import outbound_item
from pytake.whatsapp.errors import ErrorClass, classify, error_code

STOP_MAX_AGE_SECONDS = 600
"""An older status does not stop a number: the number may have been repaired since. Otherwise newer ones follow."""


class HandleUndelivered:
    """Reacts to the error of a `failed` status. The reaction may be repeated."""

    def __init__(
        self,
        conversations: Conversations,
        contacts: Contacts,
        deliveries: Deliveries,
        tenants: TenantRepository,
        queues: Queues,
        operator_events: OperatorEvents,
        clock: Clock,
    ) -> None:
        self._conversations = conversations
        self._deliveries = deliveries
        self._tenants = tenants
        self._queues = queues
        self._operator_events = operator_events
        self._clock = clock
        self._record_opt_out = RecordOptOut(conversations, contacts, clock)

    def __call__(self, send: SendKey, error: dict[str, Any], at: float) -> None:
        """React to Meta's `error` of a send, reported at a time.

        A message that failed for a reason that can be remedied without guessing is queued again: outside the service window as
        the number's template, and a file that Meta could not take once more. An error of the account stops the number, and the
        message waits with its others. An opt-out is recorded. Everything else stays failed. Raises `ConflictError` when the
        sender has not settled the send yet: the status must be retried.
        """
        key = send[0]
        error_class = classify(None, error)
        match error_class:
            case _ if error_class.stops_number:
                self._stop_number(send, f"{error_class.value}:{error_code(error)}", at)
                self.send_again(send, fallback=False, once=False)
            case ErrorClass.OPTED_OUT:
                self._record_opt_out(key, at, f"error_{error_code(error)}")
            case ErrorClass.WINDOW_CLOSED:
                number = self._tenants.number(key.phone_number_id)
                if number is not None and number.fallback_template is not None:
                    self.send_again(send, fallback=True)
            case ErrorClass.MEDIA:
                self.send_again(send, fallback=False)

    def _stop_number(self, send: SendKey, reason: str, at: float) -> None:
        """Stop a number whose messages Meta accepts but does not deliver.

        Not for a status that is too old, or from before the number was resumed: it is handled again until its send is settled.
        """
        key, turn, index, _ = send
        number = self._tenants.number(key.phone_number_id, fresh=True)
        if number is None or number.stopped_reason:
            return
        if at < max(number.resumed_at or 0, self._clock() - STOP_MAX_AGE_SECONDS):
            return
        detail = {"phone_number_id": key.phone_number_id, "turn": turn, "index": index, "reason": reason}
        self._operator_events.publish(OperatorEvent("number.stopped", key.organization_id, detail))
        self._tenants.stop_number(number, reason)

    def send_again(self, send: SendKey, *, fallback: bool, once: bool = True) -> None:
        """Requeue a message whose send has certainly failed. `once`: only if it was not requeued before."""
        key, turn, index, number_of_send = send
        entry = self._deliveries.load(key, turn, index)
        if entry is None or entry.sends != number_of_send:
            return
        if entry.status == "failed" and not (once and entry.requeued):
            if entry.state == "failed":
                return  # the sender has refused it since: the person opted out, or the window closed
            if entry.state in ("claimed", "waiting"):
                raise ConflictError("the send is not settled yet; this status must be retried")
            requeued = replace(
                entry, state="waiting", not_before=None, requeued=True, fallback=fallback, status=None, status_at=None
            )
            entry = self._deliveries.claim(key, requeued, entry)
        if entry.state != "waiting" or not entry.requeued:
            return
        record = self._conversations.turn(key, turn)
        if record is not None:
            requeue_id = f"send{number_of_send + 1}.{index}"
            self._queues.put_outbound(outbound_item(key, record, self._clock(), requeue_id=requeue_id))
