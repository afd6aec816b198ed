"""What messages cost at Meta: counts from the lake, prices from the rate card. docs/reports.md defines each value."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from msgspec import Struct

from pytake.analytics.reports import Days, PeriodQueries, Report
from pytake.campaigns.rate_card import RateCard
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.lake import EventLog, LakeQueries
from pytake.conversation.ports.tenants import TenantRepository

LEVEL_ALL, LEVEL_FLOW, LEVEL_TEMPLATE, LEVEL_CAMPAIGN = "7", "3", "5", "6"
"""The values of GROUPING for the grouping sets of `sql/spending.sql`."""

Row = dict[str, str | None]


class Spending(Struct):
    """Delivered messages, those of them that Meta charges, and their amount in millionths of the currency.

    The amount does not contain the `unpriced` messages: those that Meta charges and for which the rate card has no price.
    """

    messages: int = 0
    charged: int = 0
    amount_micros: int = 0
    unpriced: int = 0


class SpendingOf(Struct, frozen=True):
    """The spending of one value of a column; None: of the messages that have none."""

    key: str | None
    spending: Spending


class SpendingReport(Report, frozen=True):
    """Each list adds up to the total, the largest amounts first."""

    currency: str
    total: Spending
    categories: list[SpendingOf]
    countries: list[SpendingOf]
    flows: list[SpendingOf]
    templates: list[SpendingOf]
    campaigns: list[SpendingOf]


class SpendingReports:
    """The use case behind `GET /api/v1/reports/spending`."""

    def __init__(
        self,
        queries: LakeQueries,
        event_log: EventLog,
        tenants: TenantRepository,
        rate_card: Callable[[], RateCard],
        clock: Clock,
    ) -> None:
        self._lake = PeriodQueries(queries, event_log, tenants, clock)
        self._rate_card = rate_card

    def __call__(self, organization_id: str, days: Days) -> SpendingReport:
        """The delivered messages that left within the period. Raises `PeriodError` and what `LakeQueries.rows` raises."""
        scope, rows = self._lake.ask("spending", organization_id, days, {})
        levels: dict[str, list[Row]] = {}
        for row in rows:
            levels.setdefault(str(row["level"]), []).append(row)
        everything, card = levels.get(LEVEL_ALL, []), self._rate_card()
        total = Spending()
        for row in everything:
            _add(total, row, card)
        return SpendingReport(
            **scope,
            currency=card.currency,
            total=total,
            categories=_by("pricing_category", everything, card),
            countries=_by("country", everything, card),
            flows=_by("flow_id", levels.get(LEVEL_FLOW, []), card),
            templates=_by("template", levels.get(LEVEL_TEMPLATE, []), card),
            campaigns=_by("campaign_id", levels.get(LEVEL_CAMPAIGN, []), card),
        )


def _by(column: str, rows: Iterable[Row], card: RateCard) -> list[SpendingOf]:
    found: dict[str | None, Spending] = {}
    for row in rows:
        _add(found.setdefault(row[column], Spending()), row, card)
    listed = [SpendingOf(key, spending) for key, spending in found.items()]
    return sorted(listed, key=lambda one: (-one.spending.amount_micros, -one.spending.messages, one.key or ""))


def _add(spending: Spending, row: Row, card: RateCard) -> None:
    messages = int(row["messages"] or 0)
    spending.messages += messages
    if row["charged"] != "true":
        return
    spending.charged += messages
    month = datetime.fromisoformat(str(row["month"])[:10]).replace(tzinfo=UTC)
    price = card.price_micros(row["country"], row["pricing_category"], month.timestamp())
    if price is None:
        spending.unpriced += messages
    else:
        spending.amount_micros += messages * price
