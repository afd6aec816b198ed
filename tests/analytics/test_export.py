"""The export: nothing twice, nothing missing, whatever happens to its runs."""

import pytest
from msgspec.structs import replace

from pytake.conversation.export import Exported, ExportToLake
from pytake.conversation.lake_events import events_of
from pytake.conversation.records import Delivery
from tests.conversation.conftest import ECHO_FLOW, PHONE, Product
from tests.fakes.lake import MemoryEventLog, MemoryLake

HOUR = 3600
NUMBERS = {"acme": "100000000000001", "zoo": "100000000000002"}


class World:
    def __init__(self) -> None:
        self.product = Product()
        self.clock = self.product.clock
        self.clock.now = 1_770_001_200.0 // HOUR * HOUR + 60
        for organization_id, number in NUMBERS.items():
            self.product.add_organization(organization_id, number, ECHO_FLOW)
        self.log = MemoryEventLog(self.product.conversations, self.product.deliveries)
        self.lake = MemoryLake()
        self.measured: list[tuple[str, float]] = []
        self.export = ExportToLake(
            self.log,
            self.lake,
            self.product.parking,
            self.clock,
            lambda *measure: self.measured.append(measure),
            lambda _again: 0,
        )

    def talk(self, hours: int) -> None:
        """A conversation an hour in each organization, by a person each."""
        for hour in range(hours):
            for number in NUMBERS.values():
                for text in ("Hi", "Ana"):
                    self.product.say(text, phone=f"55119{hour:08d}", number=number)
            self.clock.forward(HOUR)

    def run(self) -> Exported:
        return self.export(300)

    def expected(self) -> list[str]:
        """The ids of all events there are, straight from the records."""
        return sorted(
            event.event_id
            for key, records in self.product.conversations.records.items()
            for record in records.values()
            for event in events_of(
                key,
                record,
                self.product.deliveries.of_conversation(key),
                self.log.contact_keys(key.organization_id, [key.contact_id], 0)[key.contact_id],
            )
        )

    def ids(self) -> list[str]:
        return sorted(event.event_id for event in self.lake.rows())


@pytest.fixture
def world() -> World:
    return World()


def test_every_event_is_in_the_lake_once_in_the_file_of_its_organization_and_hour(world: World) -> None:
    world.talk(hours=5)
    assert world.run().up_to_date
    assert world.ids() == world.expected()
    assert {organization_id for organization_id, _ in world.lake.files} == set(NUMBERS)
    assert len(world.lake.files) == 5 * len(NUMBERS)
    for (_, hour), events in world.lake.files.items():
        assert {event.happened_at // 1000 // HOUR * HOUR for event in events} == {hour}


def test_a_second_run_changes_nothing(world: World) -> None:
    world.talk(hours=3)
    world.run()
    files, puts = dict(world.lake.files), len(world.lake.puts)
    again = world.run()
    assert (again.files, again.up_to_date) == (0, True)
    assert (world.lake.files, len(world.lake.puts)) == (files, puts)


def test_the_running_hour_is_there_already(world: World) -> None:
    world.product.say("Hi", number=NUMBERS["acme"])
    world.run()
    before = len(world.lake.rows())
    world.product.say("Ana", number=NUMBERS["acme"])
    world.clock.forward(300)
    world.run()
    assert len(world.lake.rows()) > before
    assert world.ids() == world.expected()


def test_two_runs_at_the_same_time_are_one(world: World) -> None:
    world.talk(hours=1)
    assert world.log.begin(world.clock(), 300)
    assert world.run() == Exported(hours=0, files=0, up_to_date=False)
    assert world.lake.files == {}


@pytest.mark.parametrize("death", range(1, 8))
def test_a_run_that_dies_leaves_whole_files_and_the_next_one_goes_on(world: World, death: int) -> None:
    world.talk(hours=4)
    world.lake.dies_at = death
    with pytest.raises(SystemExit):
        world.run()
    world.lake.dies_at = None
    expected = world.expected()
    assert set(world.ids()) <= set(expected)
    world.clock.forward(600)  # by then no lease of a dead run holds
    assert world.run().up_to_date
    assert world.ids() == expected


def test_a_run_without_time_stops_between_hours_and_the_next_one_goes_on(world: World) -> None:
    world.talk(hours=6)
    left = iter([False, False, True])
    stopped = world.export(300, lambda: next(left))
    assert (stopped.hours, stopped.up_to_date) == (2, False)
    assert world.log.stored.as_of is None
    while not world.export(300).up_to_date:
        pass
    assert world.ids() == world.expected()


def test_a_late_export_misses_nothing(world: World) -> None:
    world.run()
    world.talk(hours=50)
    world.run()
    assert world.ids() == world.expected()


@pytest.mark.parametrize("hours_later", [20, 40, 70])
def test_what_becomes_of_a_message_days_later_reaches_the_lake(world: World, hours_later: int) -> None:
    world.run()
    world.product.say("Hi", number=NUMBERS["acme"])
    [(key, turn, index)] = world.product.deliveries.entries
    for _ in range(hours_later):
        world.clock.forward(HOUR)
        world.run()
    world.product.deliveries.receipt(
        key, turn, index, send=1, status="read", at=world.clock(), message_id=None, code=None
    )
    for _ in range(76 - hours_later):
        world.clock.forward(HOUR)
        world.run()
    [delivery] = [event for event in world.lake.rows() if event.type == "delivery"]
    assert delivery.state == "read"
    assert world.ids() == world.expected()


def test_a_turn_committed_after_its_hour_reaches_the_lake(world: World) -> None:
    world.talk(hours=1)
    world.run()
    key, records = next(iter(world.product.conversations.records.items()))
    late = records.pop(2)
    world.lake.files.clear()
    world.clock.forward(120)
    world.run()
    records[2] = late
    world.clock.forward(HOUR)
    world.run()
    assert world.ids() == world.expected()
    assert key.contact_id not in {event.contact for event in world.lake.rows()}


def test_the_lag_is_measured_and_the_progress_says_as_of_when(world: World) -> None:
    world.run()
    assert world.log.stored.as_of == world.clock()
    world.clock.forward(900)
    world.run()
    assert world.measured == [("LakeLagSeconds", 0), ("LakeLagSeconds", 900)]


def test_a_delivery_that_nobody_knows_yet_is_no_event(world: World) -> None:
    world.product.say("Hi", phone=PHONE, number=NUMBERS["acme"])
    world.product.deliveries.entries.clear()
    world.run()
    assert "delivery" not in {event.type for event in world.lake.rows()}
    key = next(iter(world.product.conversations.records))
    world.product.deliveries.entries[key, 1, 0] = Delivery(1, 0, "accepted", revision=1)
    world.run()
    assert "delivery" in {event.type for event in world.lake.rows()}


DAY = 24 * HOUR


def lost(world: World) -> list[float]:
    """What the runs found to be lost, hour by hour that was settled."""
    return [value for name, value in world.measured if name == "LostMessages"]


def after_three_days(world: World) -> list[float]:
    world.run()
    world.clock.forward(3 * DAY + HOUR)
    world.measured.clear()
    world.run()
    return lost(world)


def answer(world: World, state: str | None) -> None:
    """A turn whose messages all have this state in the claim ledger, or no entry there."""
    product = world.product
    product.post(product.notification(product.message("Hi", PHONE), number=NUMBERS["acme"]))
    product.take_turn(product.queues.inbound.pop())
    [item] = product.queues.outbound
    for index in range(len(item.messages) if state else 0):
        product.deliveries.claim(item.key, Delivery(item.turn, index, state), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["accepted", "failed", "dead", "parked"])
def test_what_was_sent_refused_or_set_aside_is_not_lost(world: World, state: str) -> None:
    answer(world, state)
    assert set(after_three_days(world)) == {0}


@pytest.mark.parametrize("state", ["waiting", "claimed", "ambiguous", None])
def test_a_message_without_an_outcome_after_three_days_is_lost(world: World, state: str | None) -> None:
    answer(world, state)
    assert sum(after_three_days(world)) == len(world.product.queues.outbound[0].messages) > 0


def test_a_message_that_meta_knows_is_not_lost_whatever_our_side_says(world: World) -> None:
    answer(world, "ambiguous")
    for entry in list(world.product.deliveries.entries):
        world.product.deliveries.receipt(
            *entry, send=1, status="delivered", at=world.clock(), message_id="wamid.1", code=None
        )
    assert set(after_three_days(world)) == {0}


def test_what_waits_for_its_slot_is_not_lost(world: World) -> None:
    answer(world, "waiting")
    for place, entry in world.product.deliveries.entries.items():
        slot_at = world.clock() + 4 * DAY
        world.product.deliveries.entries[place] = replace(entry, slot_at=slot_at)
    assert set(after_three_days(world)) == {0}


def test_what_the_sender_set_aside_because_its_number_is_gone_is_not_lost(world: World) -> None:
    answer(world, None)
    product = world.product
    del product.directory.by_id[NUMBERS["acme"]]
    product.deliver(product.queues.outbound[0], first_time=True)
    assert [reason for _, reason in product.queues.buried] == ["number_unknown"]
    assert set(after_three_days(world)) == {0}


def test_what_waits_for_a_stopped_number_is_not_lost(world: World) -> None:
    answer(world, None)
    world.product.parking.park(world.product.queues.outbound[0], world.clock())
    assert set(after_three_days(world)) == {0}


def test_an_hour_is_audited_once(world: World) -> None:
    answer(world, None)
    assert sum(after_three_days(world)) > 0
    world.measured.clear()
    world.run()
    assert lost(world) == []
