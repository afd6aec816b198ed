"""The budgets of organizations, for the functions that start conversations and for their report."""

from functools import cache

from pytake.aws.budgets import DynamoBudgetLedger
from pytake.campaigns.budgets import OrganizationBudgets, ReserveOpening
from pytake.campaigns.rate_card import installed_rate_card
from pytake.wiring import shared


@cache
def budgets() -> OrganizationBudgets:
    ledger = DynamoBudgetLedger(shared.table(), shared.clock)
    return OrganizationBudgets(shared.tenants(), ledger, shared.operator_events())


@cache
def reserve_opening() -> ReserveOpening:
    return ReserveOpening(shared.tenants(), budgets(), installed_rate_card())
