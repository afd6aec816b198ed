"""React to Meta's events about a WhatsApp Business account (the webhook field `account_update`).

A number that Meta took from us must not send any more: every message would fail, and each failure would be retried. It stops with
the reason, its messages are held, and an operator resumes it when Meta reports the number back.
Source: WhatsApp Business Platform, webhook reference, "account_update" (November 2026).
"""

from collections.abc import Iterator
from typing import Any

from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.queues import AccountChange, StatusesItem
from pytake.conversation.records import Number
from pytake.whatsapp.json_values import digits_of

FIELD = "account_update"

STOP_MAX_AGE_SECONDS = 7 * 86_400
"""Meta redelivers an event for so long. An older one stops no number: it may have been repaired since."""

REASON = "account"
"""What the reason of a stop by an event begins with; the event follows."""

_LOST = frozenset(("ACCOUNT_OFFBOARDED", "ACCOUNT_DELETED", "PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED"))
_OF_COEXISTENCE = frozenset(("ACCOUNT_OFFBOARDED", "ACCOUNT_RECONNECTED"))


class WatchAccount:
    """Stops the numbers that were lost, and reports those that are back. Other events change nothing."""

    def __init__(self, tenants: TenantRepository, operator_events: OperatorEvents, clock: Clock) -> None:
        self._tenants = tenants
        self._operator_events = operator_events
        self._clock = clock

    def __call__(self, item: StatusesItem) -> int:
        """React to the item's events; the number of numbers that were stopped. Repeating it stops none again."""
        stopped = 0
        for change in item.account_changes:
            event = _event(change)
            if event is None:
                continue
            for number in self._concerned(item.organization_id, change):
                if _is_lost(event, change.value):
                    stopped += self._stop(number, event, change.at)
                elif _is_back(event, change.value):
                    self._report("number.reconnected", number, event=event, stopped_reason=number.stopped_reason)
        return stopped

    def _concerned(self, organization_id: str, change: AccountChange) -> Iterator[Number]:
        """The number that the event names. One that names none is about all numbers of the account, or those in the app."""
        named, event = digits_of(change.value.get("phone_number")), change.value.get("event")
        for listed in self._tenants.numbers(organization_id):
            if named is not None:
                is_concerned = digits_of(listed.display_phone_number.translate(_SEPARATORS)) == named
            else:
                in_app = listed.coexists or event not in _OF_COEXISTENCE
                is_concerned = listed.waba_id == change.waba_id and in_app
            number = self._tenants.number(listed.phone_number_id, fresh=True) if is_concerned else None
            if number is not None and number.organization_id == organization_id:
                yield number

    def _stop(self, number: Number, event: str, at: float) -> bool:
        if number.stopped_reason or self._clock() - at > STOP_MAX_AGE_SECONDS:
            return False
        reason = f"{REASON}:{event}"
        # The event comes first: if the worker dies in between, it is published twice, but never missing.
        self._report("number.stopped", number, reason=reason)
        return self._tenants.stop_number(number, reason)

    def _report(self, type_: str, number: Number, **detail: str | None) -> None:
        where = {"phone_number_id": number.phone_number_id}
        self._operator_events.publish(OperatorEvent(type_, number.organization_id, {**where, **detail}))


_SEPARATORS = str.maketrans("", "", " -().")


def _event(change: AccountChange) -> str | None:
    event = change.value.get("event")
    return event if change.field == FIELD and isinstance(event, str) else None


def _is_lost(event: str, value: dict[str, Any]) -> bool:
    return event in _LOST or (event == "DISABLED_UPDATE" and _ban_state(value) == "DISABLE")


def _is_back(event: str, value: dict[str, Any]) -> bool:
    return event == "ACCOUNT_RECONNECTED" or (event == "DISABLED_UPDATE" and _ban_state(value) == "REINSTATE")


def _ban_state(value: dict[str, Any]) -> Any:
    ban = value.get("ban_info")
    return ban.get("waba_ban_state") if isinstance(ban, dict) else None
