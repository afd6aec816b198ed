"""What messages cost at Meta."""

from collections.abc import Iterator
from decimal import Decimal
from http import HTTPStatus

import msgspec
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field

import pytake.wiring.api as wiring
from pytake.analytics.reports import Days
from pytake.analytics.spending import Spending as Spent
from pytake.analytics.spending import SpendingOf, SpendingReport
from pytake.campaigns.rate_card import MICROS
from pytake.wiring import shared
from rest.caller import caller
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.reports import PROBLEMS, ROLES, Count, From, Model, Report, ReportPeriod, To, lake_problems
from rest.tables import csv_response, wants_csv

_COLUMNS = ("by", "key", "messages", "charged", "amount", "currency", "unpriced")

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


class Spending(Model):
    """Messages and their price."""

    messages: int = Field(description="Delivered messages whose pricing Meta has reported")
    charged: int = Field(description="Those that Meta charges")
    amount_micros: int = Field(description="Their amount by the rate card, in millionths of the currency")
    unpriced: int = Field(description="Charged messages without a price in the rate card: the amount lacks them")


class CategorySpending(Spending):
    """The messages of one of Meta's categories, such as `marketing`, `utility` and `service`."""

    category: str | None


class CountrySpending(Spending):
    """The messages to the phone numbers of a country."""

    country: str | None = Field(description="ISO code, such as BR; null: not known")


class FlowSpending(Spending):
    """The messages of a flow's conversations."""

    flow_id: str | None = Field(description="The flow that the conversation ran; null: none")


class TemplateSpending(Spending):
    """The messages of a template."""

    template: str | None = Field(description="The template's name; null: all other messages")


class CampaignSpending(Spending):
    """The messages of a campaign."""

    campaign_id: str | None = Field(description="The campaign; null: all other messages")


class SpendingResponse(Report):
    """What delivered messages cost. Each list adds up to `total`, the largest amounts first."""

    currency: str = Field(description="The rate card's currency, such as USD")
    total: Spending
    categories: list[CategorySpending]
    countries: list[CountrySpending]
    flows: list[FlowSpending]
    templates: list[TemplateSpending]
    campaigns: list[CampaignSpending]


class BudgetResponse(ApiModel):
    """The organization's budget for templates of campaigns and starts, and what is reserved of it."""

    month: str = Field(description="Such as 2026-11, in the organization's time zone")
    currency: str = Field(description="The rate card's currency, such as USD")
    budget_micros: int | None = Field(description="`monthly_budget_micros` of the organization; null: no limit")
    reserved_micros: int = Field(description="Spent, or reserved for messages that are about to leave")


@router.get(
    "/api/v1/reports/budget",
    summary="The budget of this month, and what is left of it",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES),
)
def get_budget() -> BudgetResponse:
    """Only what is sent while the organization has a budget counts. Nothing that would pass it is sent."""
    who = caller(router, *ROLES)
    found = wiring.budgets().state(who.organization_id, shared.clock())
    return BudgetResponse(**msgspec.structs.asdict(found), currency=wiring.rate_card().currency)


@router.get(
    "/api/v1/reports/spending",
    summary="Messages and their price by category, country, flow, template and campaign",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES, problems=[code for code in PROBLEMS if code != "flow_unknown"], csv=True),
)
def get_spending_report(days: Count = 30, from_: From = None, to: To = None) -> Response[SpendingResponse | str]:
    """Covers the messages that left on these days. Amounts are prices of the deployment's rate card, without volume tiers. With
    `Accept: text/csv` the answer is a file with a line for the total and for each entry of the lists."""
    who = caller(router, *ROLES)
    with lake_problems():
        found = wiring.spending_reports()(who.organization_id, Days(days, from_, to))
    if wants_csv(router):
        days_covered = f"{found.period.from_}-{found.period.to}"
        return csv_response(f"spending-{days_covered}", _COLUMNS, _lines(found))  # type: ignore[return-value]
    body = SpendingResponse(
        period=ReportPeriod.model_validate(found.period),
        as_of=found.as_of,
        currency=found.currency,
        total=Spending.model_validate(found.total),
        categories=[CategorySpending(category=one.key, **_counts(one)) for one in found.categories],
        countries=[CountrySpending(country=one.key, **_counts(one)) for one in found.countries],
        flows=[FlowSpending(flow_id=one.key, **_counts(one)) for one in found.flows],
        templates=[TemplateSpending(template=one.key, **_counts(one)) for one in found.templates],
        campaigns=[CampaignSpending(campaign_id=one.key, **_counts(one)) for one in found.campaigns],
    )
    return Response(status_code=HTTPStatus.OK.value, content_type="application/json", body=body)


def _lines(found: SpendingReport) -> Iterator[list[str | None]]:
    """The report as one table."""

    def line(by: str, key: str | None, one: Spent) -> list[str | None]:
        amount = f"{Decimal(one.amount_micros) / MICROS:f}"
        return [by, key, str(one.messages), str(one.charged), amount, found.currency, str(one.unpriced)]

    yield line("total", None, found.total)
    lists = {
        "category": found.categories,
        "country": found.countries,
        "flow": found.flows,
        "template": found.templates,
        "campaign": found.campaigns,
    }
    for by, entries in lists.items():
        yield from (line(by, one.key, one.spending) for one in entries)


def _counts(one: SpendingOf) -> dict[str, int]:
    return Spending.model_validate(one.spending).model_dump()
