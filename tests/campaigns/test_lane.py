"""What campaigns may send at a number."""

from msgspec.structs import replace

from pytake.campaigns.lane import NO_SLOTS, NumberLane
from pytake.conversation.rate_limits import LEAST_SHARE
from pytake.conversation.records import Number, Organization
from tests import fakes

NOW = 1_770_000_000.0
NUMBER = Number("acme", "1", "+55 11 4000-0001", waba_id="5")


def lane(per_minute: int | None, number: Number = NUMBER) -> tuple[NumberLane, fakes.MemoryRateSlots]:
    tenants, slots = fakes.MemoryTenants(), fakes.MemoryRateSlots()
    tenants.put_number(number)
    tenants.put_organization(Organization("acme", messages_per_minute=per_minute))
    limits = fakes.MemoryDayLimits()
    limits.learn("acme", "5", 250, NOW)
    return NumberLane(slots, limits, tenants, 5), slots


def test_the_organizations_limit_holds_if_it_is_the_stricter_one() -> None:
    one, slots = lane(600)
    block = one.reserve_block("acme", "1", 10_000, NOW, NOW + 60)
    assert (block.first, block.interval, block.count) == (NOW, 60 / 480, 480)
    assert set(slots.blocks) == {("acme", "organization")}


def test_a_number_that_meta_refused_gets_half_of_its_slots_and_gets_them_back_slowly() -> None:
    one, slots = lane(600)
    slots.slow_down("acme", "1", 130429, NOW)
    block = one.reserve_block("acme", "1", 10_000, NOW, NOW + 60)
    assert (block.first, block.interval, block.count) == (NOW, 60 / 240, 240)
    later = one.reserve_block("acme", "1", 100, NOW + 300, NOW + 360)
    assert (later.interval, later.count) == (60 / 480 / 0.75, 100)
    assert one.reserve_block("acme", "1", 100, NOW + 600, NOW + 660).interval == 60 / 480


def test_a_slow_pace_never_falls_to_nothing() -> None:
    one, slots = lane(5)
    for again in range(10):
        slots.slow_down("acme", "1", 131048, NOW + 90 * again)
    assert slots.slowed("acme", "1").share >= LEAST_SHARE
    assert one.reserve_block("acme", "1", 10, NOW + 900, NOW + 990).count == 1


def test_the_numbers_rate_holds_if_the_organization_may_send_more() -> None:
    one, slots = lane(60_000)
    block = one.reserve_block("acme", "1", 10_000, NOW, NOW + 60)
    assert (block.count, 1 / block.interval) == (64 * 60, 64)
    assert slots.blocks["acme", "organization"] < NOW + 10, "the organization's slots are not wasted on a slower number"
    assert one.reserve_block("acme", "1", 10_000, NOW, NOW + 60) == NO_SLOTS
    coexists = lane(60_000, replace(NUMBER, coexists=True))[0].reserve_block("acme", "1", 10_000, NOW, NOW + 60)
    assert coexists.count == 16 * 60


def test_the_default_limit_and_the_day_limit_of_the_account_hold() -> None:
    one, _ = lane(None)
    assert one.reserve_block("acme", "1", 100, NOW, NOW + 60).count == 4
    assert [one.reserve_people("acme", "1", 200, NOW) for _ in range(3)] == [200, 50, 0]
    assert one.reserve_people("acme", "2", 200, NOW) == 0
    assert one.reserve_block("acme", "2", 200, NOW, NOW + 60) == NO_SLOTS


def test_the_organizations_limit_of_a_day_holds_until_meta_reports_one() -> None:
    tenants, limits = fakes.MemoryTenants(), fakes.MemoryDayLimits()
    tenants.put_number(NUMBER)
    tenants.put_organization(Organization("acme", people_per_day=300))
    one = NumberLane(fakes.MemoryRateSlots(), limits, tenants, 5)
    assert one.remaining_people("acme", "1", NOW) == 300
    assert [one.reserve_people("acme", "1", 200, NOW) for _ in range(2)] == [200, 100]
    assert one.remaining_people("acme", "1", NOW) == 0
    limits.learn("acme", "5", 2000, NOW)
    assert one.remaining_people("acme", "1", NOW) == 1700
