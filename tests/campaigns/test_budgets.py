"""Organization budgets: reserved before a template is sent, never passed, and a warning at 80 %."""

from datetime import UTC, datetime

import pytest

from pytake.campaigns.budgets import BudgetState, OrganizationBudgets, ReserveOpening
from pytake.campaigns.rate_card import RateCard
from pytake.conversation.records import Organization
from tests.campaigns.world import CampaignWorld, person
from tests.fakes import MemoryTenants, RecordedOperatorEvents
from tests.fakes.budgets import MemoryBudgetLedger

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp()
CARD = RateCard(
    [
        "market,countries,category,price,currency,valid_from,source",
        "Brazil,BR,marketing,0.06,USD,2026-01-01,test",
        "Brazil,BR,utility,0.01,USD,2026-01-01,test",
    ]
)


class World:
    def __init__(self, budget: int | None) -> None:
        self.tenants, self.events, self.ledger = MemoryTenants(), RecordedOperatorEvents(), MemoryBudgetLedger()
        self.tenants.put_organization(Organization("acme", timezone="America/Sao_Paulo", monthly_budget_micros=budget))
        self.budgets = OrganizationBudgets(self.tenants, self.ledger, self.events)
        self.reserve_opening = ReserveOpening(self.tenants, self.budgets, CARD)


def test_operators_are_told_once_when_little_is_left() -> None:
    world = World(100)
    assert world.budgets.reserve("acme", "a", 79, NOW)
    assert world.events.types == []
    assert world.budgets.reserve("acme", "b", 1, NOW)
    assert world.budgets.reserve("acme", "c", 20, NOW)
    assert not world.budgets.reserve("acme", "d", 1, NOW)
    assert world.events.types == ["budget.warning"]
    assert world.events.events[0].detail == {"month": "2026-11", "budget_micros": 100, "reserved_micros": 80}


def test_a_month_is_that_of_the_organization() -> None:
    world = World(100)
    still_november = datetime(2026, 12, 1, 2, tzinfo=UTC).timestamp()  # 23 h in São Paulo
    assert world.budgets.reserve("acme", "a", 100, NOW)
    assert not world.budgets.reserve("acme", "b", 1, still_november)
    assert world.budgets.reserve("acme", "b", 100, still_november + 3600)
    assert world.budgets.state("acme", still_november) == BudgetState("2026-11", 100, 100)


def test_without_a_budget_nothing_is_counted_or_refused() -> None:
    world = World(None)
    assert world.budgets.reserve("acme", "a", 10**12, NOW)
    assert world.reserve_opening("acme", "a", "4930123456", "marketing", NOW) is None
    assert world.ledger.reservations == {}
    world.budgets.settle("acme", "a", 1)
    assert world.budgets.state("acme", NOW) == BudgetState("2026-11", None, 0)


def test_a_template_that_opens_a_conversation_is_reserved_before_it_is_sent() -> None:
    world = World(70_000)
    assert world.reserve_opening.check("acme", "5511999999999", "marketing", NOW) is None
    assert world.reserve_opening("acme", "a", "5511999999999", "marketing", NOW) is None
    assert world.reserve_opening("acme", "a", "5511999999999", "marketing", NOW) is None
    assert world.reserve_opening("acme", "b", "5511999999999", None, NOW) == "budget_exhausted", "the dearest category"
    assert world.reserve_opening("acme", "c", "BR.77a", "utility", NOW) is None
    assert world.reserve_opening("acme", "d", "5511999999999", "utility", NOW) == "budget_exhausted"
    assert world.reserve_opening.check("acme", "5511999999999", "utility", NOW) == "budget_exhausted"
    assert world.budgets.state("acme", NOW).reserved_micros == 70_000


@pytest.mark.parametrize(
    ("recipient", "category"), [("351912345678", "marketing"), ("5511999999999", "authentication")]
)
def test_a_template_without_a_price_is_not_sent_on_a_budget(recipient: str, category: str) -> None:
    world = World(10**9)
    assert world.reserve_opening("acme", "a", recipient, category, NOW) == "price_unknown"
    assert world.reserve_opening.check("acme", recipient, category, NOW) == "price_unknown"
    assert World(None).reserve_opening.check("acme", recipient, category, NOW) is None


@pytest.mark.parametrize(
    ("budget", "ends"),
    [(None, ("completed", None)), (10**9, ("paused", "price_unknown")), (0, ("paused", "price_unknown"))],
)
def test_a_campaign_to_a_country_without_a_price_pauses_if_there_is_a_budget(
    budget: int | None, ends: tuple[str, str | None]
) -> None:
    world = CampaignWorld([person(0)])
    world.rate_card.prices = {}
    world.product.tenants.put_organization(Organization("acme", monthly_budget_micros=budget))
    world.start()
    campaign = world.run()
    assert (campaign.status, campaign.reason or None) == ends
    assert len(world.queued()) == (budget is None)
