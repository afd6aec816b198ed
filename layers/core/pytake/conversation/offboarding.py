"""Numbers that leave: an organization removes one, or an operator moves one to another organization.

What the number did stays with the organization that had it, and ends with its retention. Queued items find their way: a
message to the number takes no turn, an answer is recorded as failed with the reason `number_removed`, and a session ends when
it is due.
"""

from pytake.conversation.change_log import Author
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.deliveries import HeldTurns
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents, Queues
from pytake.conversation.ports.templates import Templates
from pytake.conversation.ports.tenants import Secrets, TenantRepository, UnknownNumberError
from pytake.conversation.queues import released_item
from pytake.conversation.records import Number


class OffboardNumber:
    """The use cases that end an organization's use of a number. Repeating one finishes what an interrupted one began."""

    def __init__(
        self,
        tenants: TenantRepository,
        secrets: Secrets,
        held_turns: HeldTurns,
        queues: Queues,
        operator_events: OperatorEvents,
        templates: Templates,
        clock: Clock,
    ) -> None:
        self._templates = templates
        self._tenants = tenants
        self._secrets = secrets
        self._held_turns = held_turns
        self._queues = queues
        self._operator_events = operator_events
        self._clock = clock

    def remove(self, organization_id: str, phone_number_id: str, by: str) -> None:
        """Remove a number with its secrets.

        Raises `UnknownNumberError`, also for a number of another organization, and `QueueingFailedError`: repeat it then.
        """
        number = self._owned(organization_id, phone_number_id)
        if number is not None:
            self._forget_templates(number)
            # The number goes before its secrets: nothing is received or sent any more, so that nothing misses the secrets.
            self._tenants.remove_number(number, Author(by, self._clock()))
            detail = {"phone_number_id": phone_number_id, "by": by}
            self._operator_events.publish(OperatorEvent("number.removed", organization_id, detail))
        elif phone_number_id not in self._tenants.number_ids(organization_id):
            raise UnknownNumberError(phone_number_id)
        self._leave(organization_id, phone_number_id)

    def move(self, organization_id: str, phone_number_id: str, to: str, by: str) -> Number:
        """Give a number with its secrets to the organization `to`; returns it as it is there.

        It keeps its display number, its WhatsApp Business account and its apology. Flows, keywords, the verify token and the
        fallback template belong to the organization that set them. Raises `UnknownNumberError` unless `organization_id` has
        the number or `to` has got it.
        """
        number = self._owned(organization_id, phone_number_id)
        if number is not None:
            secrets = self._secrets.of_number(organization_id, phone_number_id, fresh=True)
            if secrets is not None:
                self._secrets.put(to, phone_number_id, secrets)
            kept = {name: getattr(number, name) for name in ("display_phone_number", "country", "apology", "waba_id")}
            moved = Number(to, phone_number_id, **kept)
            self._forget_templates(number)
            self._tenants.move_number(number, moved)
            detail = {"phone_number_id": phone_number_id, "to": to, "by": by}
            self._operator_events.publish(OperatorEvent("number.moved", organization_id, detail))
        else:
            arrived = self._owned(to, phone_number_id)
            if arrived is None or phone_number_id not in self._tenants.number_ids(organization_id):
                raise UnknownNumberError(phone_number_id)
            moved = arrived
        self._leave(organization_id, phone_number_id)
        return moved

    def _owned(self, organization_id: str, phone_number_id: str) -> Number | None:
        number = self._tenants.number(phone_number_id, fresh=True)
        return number if number is not None and number.organization_id == organization_id else None

    def _forget_templates(self, number: Number) -> None:
        """Delete the copies of the account's templates with the last number of the account."""
        others = [one for one in self._tenants.numbers(number.organization_id) if one.waba_id == number.waba_id]
        if number.waba_id is not None and len(others) < 2:
            self._templates.remove_account(number.organization_id, number.waba_id)

    def _leave(self, organization_id: str, phone_number_id: str) -> None:
        self._secrets.remove(organization_id, phone_number_id)
        # The sender records a held turn of a removed number as failed, and queues the next one.
        held = self._held_turns.first_after(organization_id, phone_number_id, "")
        if held is not None:
            self._queues.put_outbound(released_item(held, self._clock()))
