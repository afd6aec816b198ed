"""An organization's monthly budget for templates that it sends on its own: by campaigns and by starts (ADR 34).

An amount is reserved before the message is sent, and only what was not used is given back. So the sum of what is sent never
passes the budget, whatever fails in between.
"""

from datetime import datetime

from msgspec import Struct

from pytake.campaigns.ports import BudgetLedger, RateCard
from pytake.conversation.opening import OpeningRefusal
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents
from pytake.conversation.ports.tenants import TenantRepository
from pytake.whatsapp.country import country_of

WARN_AT = 0.8
"""The share of the budget from which operators are told, once a month."""


class BudgetState(Struct, frozen=True):
    """The month (`2026-11`, in the organization's time zone), its budget (None: no limit) and what is reserved of it."""

    month: str
    budget_micros: int | None
    reserved_micros: int


class OrganizationBudgets:
    """Implements `pytake.campaigns.ports.Budgets`. Without a budget nothing is counted."""

    def __init__(self, tenants: TenantRepository, ledger: BudgetLedger, operator_events: OperatorEvents) -> None:
        self._tenants = tenants
        self._ledger = ledger
        self._operator_events = operator_events

    def reserve(self, organization_id: str, reservation_id: str, micros: int, at: float) -> bool:
        """Reserve an amount of the budget of the month of `at`; False if less is left. The same id reserves once.

        Publishes `budget.warning` when 80 % are reserved, once a month.
        """
        organization = self._tenants.organization(organization_id)
        limit, month = organization.monthly_budget_micros, _month(at, organization.timezone)
        if limit is None:
            return True
        reserved = self._ledger.reserve(organization_id, month, reservation_id, micros, limit)
        if reserved is None:
            return False
        if reserved.micros >= WARN_AT * limit and not reserved.is_warned:
            detail = {"month": month, "budget_micros": limit, "reserved_micros": reserved.micros}
            self._operator_events.publish(OperatorEvent("budget.warning", organization_id, detail))
            self._ledger.note_warning(organization_id, month)
        return True

    def remaining(self, organization_id: str, reservation_id: str, at: float) -> int | None:
        """What may be reserved under an id: what it has reserved already, else what is left of the month. None: no limit."""
        limit = self._tenants.organization(organization_id).monthly_budget_micros
        if limit is None:
            return None
        known = self._ledger.reservation(organization_id, reservation_id)
        return known if known is not None else max(0, limit - self.state(organization_id, at).reserved_micros)

    def settle(self, organization_id: str, reservation_id: str, micros: int) -> None:
        """Reduce a reservation to what was used of it. The first call holds."""
        self._ledger.settle(organization_id, reservation_id, micros)

    def state(self, organization_id: str, at: float) -> BudgetState:
        """The budget of the month of `at`."""
        organization = self._tenants.organization(organization_id)
        month = _month(at, organization.timezone)
        reserved = self._ledger.reserved(organization_id, month)
        return BudgetState(month, organization.monthly_budget_micros, reserved.micros)


class ReserveOpening:
    """Implements `pytake.conversation.opening.ReserveOpening`: the budget of templates that open a conversation."""

    def __init__(self, tenants: TenantRepository, budgets: OrganizationBudgets, rate_card: RateCard) -> None:
        self._tenants = tenants
        self._budgets = budgets
        self._rate_card = rate_card

    def __call__(
        self, organization_id: str, reservation_id: str, recipient: str, category: str | None, at: float
    ) -> OpeningRefusal | None:
        """Reserve the price of a template; why it may not be sent, or None."""
        if self._tenants.organization(organization_id).monthly_budget_micros is None:
            return None
        price = self._rate_card.price_micros(country_of(recipient), category, at)
        if price is None:
            return "price_unknown"
        is_reserved = self._budgets.reserve(organization_id, reservation_id, price, at)
        return None if is_reserved else "budget_exhausted"

    def check(self, organization_id: str, recipient: str, category: str | None, at: float) -> OpeningRefusal | None:
        """What would be refused at this moment; nothing is reserved."""
        if self._tenants.organization(organization_id).monthly_budget_micros is None:
            return None
        price = self._rate_card.price_micros(country_of(recipient), category, at)
        if price is None:
            return "price_unknown"
        state = self._budgets.state(organization_id, at)
        is_left = state.budget_micros is None or state.reserved_micros + price <= state.budget_micros
        return None if is_left else "budget_exhausted"


def _month(at: float, timezone: str) -> str:
    from zoneinfo import ZoneInfo

    return f"{datetime.fromtimestamp(at, ZoneInfo(timezone)):%Y-%m}"
