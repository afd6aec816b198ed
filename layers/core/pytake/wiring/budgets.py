"""The budgets of organizations, for the functions that start conversations and for their report."""

from functools import cache

from pytake.aws.budgets import DynamoBudgetLedger
from pytake.campaigns.budgets import OrganizationBudgets
from pytake.wiring import shared


@cache
def budgets() -> OrganizationBudgets:
    ledger = DynamoBudgetLedger(shared.table(), shared.clock)
    return OrganizationBudgets(shared.tenants(), ledger, shared.operator_events())
