"""The spending report equals what the simulated Meta has counted, wherever daily aggregates end and events begin."""

import random
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from local.graph_billing import Billing
from pytake.analytics.reports import Days
from pytake.analytics.spending import SpendingOf, SpendingReport, SpendingReports
from pytake.campaigns.rate_card import RateCard
from pytake.conversation.callback_data import callback_data
from pytake.conversation.campaign_mark import CampaignMark
from pytake.conversation.lake_events import LakeEvent, events_of
from pytake.conversation.queues import StatusesItem
from pytake.conversation.records import ConversationKey, Delivery, Organization, TurnRecord
from pytake.engine import Input
from pytake.whatsapp.country import country_of
from pytake.whatsapp.outbound import OutboundMessage, Template, Text
from tests.analytics.in_process import LakeInProcess
from tests.conversation.product import NUMBER, Product
from tests.fakes.lake import MemoryEventLog

DAY = 86_400
BEGIN = datetime(2026, 9, 20, tzinfo=UTC).timestamp()
NOW = datetime(2026, 10, 19, 12, tzinfo=UTC).timestamp()
PHONES = ("5511900000001", "5511900000002", "12125550123", "14165550123", "351912345678", "MX.77aZ")
CATEGORIES = {"sale": "marketing", "order": "utility", "code": "authentication"}
CARD = RateCard(
    [
        "market,countries,category,price,currency,valid_from,source",
        "Brazil,BR,marketing,0.0625,USD,2026-01-01,test",
        "Brazil,BR,marketing,0.07,USD,2026-10-01,test",
        "Brazil,BR,utility,0.0068,USD,2026-01-01,test",
        "Brazil,BR,authentication,0.0068,USD,2026-01-01,test",
        "Brazil,BR,service,0.0068,USD,2026-10-01,test",
        "North America,US CA,marketing,0.025,USD,2026-10-01,test",
        "Mexico,MX,utility,0.01,USD,2026-09-01,test",
    ]
)


class World:
    """Messages at chance of a seed, with the statuses that the simulated Meta posts, and the report over them."""

    def __init__(self, folder: Path, seed: int = 3) -> None:
        chance = random.Random(seed)  # noqa: S311
        self.product, self.billing = Product(), Billing()
        self.delivered: list[tuple[TurnRecord, str, dict[str, Any]]] = []
        events: list[LakeEvent] = []
        self.log = MemoryEventLog(self.product.conversations, self.product.deliveries)
        for turn in range(1, 601):
            phone = chance.choice(PHONES)
            key = ConversationKey("acme", NUMBER, phone)
            record = self._record(chance, turn)
            self.product.clock.now = record.at + 60
            for index, message in enumerate(record.messages):
                self._deliver(chance, key, record, index, message)
            names = self.log.pseudonyms("acme", [phone], 0)[phone]
            events += events_of(key, record, self.product.deliveries.of_conversation(key, turn), names)
        self.lake = LakeInProcess(folder, {"acme": events, "zoo": [events[0]]})
        self.product.clock.now = NOW
        self.report = SpendingReports(self.lake, self.log, self.product.tenants, lambda: CARD, self.product.clock)

    @staticmethod
    def _record(chance: random.Random, turn: int) -> TurnRecord:
        kinds: list[OutboundMessage] = [Text("Hi"), *(Template(name, "en") for name in CATEGORIES)]
        campaign = CampaignMark(chance.choice(["spring", "autumn"]), "a") if chance.random() < 0.3 else None
        return TurnRecord(
            turn,
            round(chance.uniform(BEGIN, NOW - DAY / 2)),
            f"session-{turn}",
            "waiting",
            Input(),
            flow_id=chance.choice(["shop", "support", None]),
            messages=chance.choices(kinds, k=chance.choice([1, 1, 2])),
            campaign=campaign,
        )

    def _deliver(
        self, chance: random.Random, key: ConversationKey, record: TurnRecord, index: int, message: OutboundMessage
    ) -> None:
        id_ = f"wamid.{record.seq}.{index}"
        entry = Delivery(record.seq, index, "accepted", message_id=id_, sends=1)
        self.product.deliveries.claim(key, entry, None)
        category = CATEGORIES[message.name] if isinstance(message, Template) else "service"
        outcome = chance.choices(["delivered", "read", "failed", "lost"], [6, 3, 1, 1])[0]
        if outcome == "lost":
            return
        pricing = self.billing.price(NUMBER, category, 20, record.at)
        words = {
            "delivered": ["sent", "delivered"],
            "read": ["sent", "delivered", "read"],
            "failed": ["sent", "failed"],
        }
        statuses = [self._status(key, record, index, word, pricing) for word in words[outcome]]
        if outcome != "failed":
            self.billing.record(NUMBER, key.contact_id, pricing, record.at)
            self.delivered.append((record, key.contact_id, pricing))
        if chance.random() < 0.5:
            chance.shuffle(statuses)
        if chance.random() < 0.5:
            self.product.settle(StatusesItem("acme", NUMBER, statuses))
        else:
            for status in statuses:
                self.product.settle(StatusesItem("acme", NUMBER, [status]))

    @staticmethod
    def _status(
        key: ConversationKey, record: TurnRecord, index: int, word: str, pricing: dict[str, Any]
    ) -> dict[str, Any]:
        more = {
            "sent": {"pricing": pricing},
            "delivered": {"pricing": pricing},
            "failed": {"errors": [{"code": 131026}]},
        }
        return {
            "id": f"wamid.{record.seq}.{index}",
            "status": word,
            "timestamp": str(int(record.at)),
            "biz_opaque_callback_data": callback_data(key, record.seq, index, 1),
            **more.get(word, {}),
        }

    def settle(self, day: date | None) -> None:
        self.log.settled = day.isoformat() if day is not None else None
        if day is not None:
            self.lake.settle(["acme"], date(2026, 9, 20), day)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("lake"))


def keyed(found: list[SpendingOf]) -> dict[str | None, tuple[int, int, int, int]]:
    return {one.key: (s.messages, s.charged, s.amount_micros, s.unpriced) for one in found for s in [one.spending]}


def by(messages: list[tuple[str | None, str, str, str, float]]) -> dict[str | None, tuple[int, int, int, int]]:
    """Counted by hand: (key, country, category, type, at) of each message."""
    found: dict[str | None, list[int]] = {}
    for key, country, category, type_, at in messages:
        counts = found.setdefault(key, [0, 0, 0, 0])
        counts[0] += 1
        if type_ == "regular":
            price = CARD.price_micros(country, category, at)
            counts[1] += 1
            counts[2] += price or 0
            counts[3] += price is None
    return {key: (a, b, c, d) for key, (a, b, c, d) in found.items()}


@pytest.mark.parametrize("settled", [None, date(2026, 10, 5)])
def test_the_report_equals_the_ledger_of_the_simulated_meta(world: World, settled: date | None) -> None:
    world.settle(settled)
    report = world.report("acme", Days(from_=date(2026, 9, 20), to=date(2026, 10, 19)))
    ledger = [
        (one["country"], one["category"], one["type"], datetime.fromisoformat(f"{one['month']}-01T00:00Z").timestamp())
        for one in world.billing.as_json()
        for _ in range(one["messages"])
    ]
    assert keyed(report.categories) == by(
        [(category, country, category, type_, at) for country, category, type_, at in ledger]
    )
    assert keyed(report.countries) == by(
        [(country, country, category, type_, at) for country, category, type_, at in ledger]
    )
    assert report.total.messages == len(ledger) > 500
    assert report.total.unpriced > 0
    assert report.currency == "USD"
    told = [
        (record, str(country_of(phone)), pricing["category"], pricing["type"], record.at)
        for record, phone, pricing in world.delivered
    ]
    assert keyed(report.flows) == by([(record.flow_id, *rest) for record, *rest in told])
    campaigns = [(record.campaign.campaign_id if record.campaign else None, *rest) for record, *rest in told]
    assert keyed(report.campaigns) == by(campaigns)
    names = {category: name for name, category in CATEGORIES.items()}
    assert keyed(report.templates) == by([(names.get(category), *rest) for _, *rest in told for category in [rest[1]]])


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/New_York"])
def test_a_period_is_that_of_the_organizations_days(world: World, zone: str) -> None:
    world.settle(date(2026, 10, 5))
    world.product.tenants.put_organization(Organization("acme", timezone=zone))
    report: SpendingReport = world.report("acme", Days(from_=date(2026, 10, 3), to=date(2026, 10, 8)))
    days = Counter(datetime.fromtimestamp(record.at, ZoneInfo(zone)).date() for record, *_ in world.delivered)
    wanted = sum(count for day, count in days.items() if date(2026, 10, 3) <= day <= date(2026, 10, 8))
    assert report.total.messages == wanted > 0
    for listed in (report.categories, report.countries, report.flows, report.templates, report.campaigns):
        assert sum(one.spending.messages for one in listed) == wanted
        assert sum(one.spending.amount_micros for one in listed) == report.total.amount_micros


def test_an_organization_without_messages_has_an_empty_report(world: World) -> None:
    report = world.report("globex", Days())
    assert (report.total.messages, report.categories, report.flows) == (0, [], [])
