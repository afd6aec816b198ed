"""The export: nothing twice, nothing missing, whatever happens to its runs."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from pytake.conversation.export import ExportResult
from pytake.conversation.lake_events import LakeEvent
from pytake.conversation.lake_records import LakePart
from pytake.conversation.records import Delivery
from tests.analytics.world import HOUR, NUMBERS, World
from tests.conversation.product import PHONE


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
    assert world.log.acquire_lease(world.clock(), 300)
    assert world.run() == ExportResult(hours=0, files=0, up_to_date=False)
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


@pytest.mark.parametrize("calls", range(1, 36, 5))
def test_a_run_without_time_stops_between_files_and_the_next_one_goes_on(world: World, calls: int) -> None:
    world.talk(hours=6)
    left = iter([False] * calls)
    stopped = world.export(300, lambda: next(left, True))
    assert not stopped.up_to_date
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
    world.product.deliveries.record_status(
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


@pytest.mark.parametrize("state", ["accepted", "failed", "dead", "deferred"])
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
        world.product.deliveries.record_status(
            *entry, send=1, status="delivered", at=world.clock(), message_id="wamid.1", code=None
        )
    assert set(after_three_days(world)) == {0}


def test_what_waits_for_its_slot_is_not_lost(world: World) -> None:
    answer(world, "waiting")
    for place, entry in world.product.deliveries.entries.items():
        not_before = world.clock() + 4 * DAY
        world.product.deliveries.entries[place] = replace(entry, not_before=not_before)
    assert set(after_three_days(world)) == {0}


def test_what_the_sender_set_aside_because_its_number_is_gone_is_not_lost(world: World) -> None:
    answer(world, None)
    product = world.product
    del product.tenants.by_id[NUMBERS["acme"]]
    product.deliver(product.queues.outbound[0], first_delivery=True)
    assert [reason for _, reason in product.queues.dead_lettered] == ["number_unknown"]
    assert set(after_three_days(world)) == {0}


def test_what_waits_for_a_stopped_number_is_not_lost(world: World) -> None:
    answer(world, None)
    world.product.held_turns.hold(world.product.queues.outbound[0], world.clock())
    assert set(after_three_days(world)) == {0}


def test_an_hour_is_audited_once(world: World) -> None:
    answer(world, None)
    assert sum(after_three_days(world)) > 0
    world.measured.clear()
    world.run()
    assert lost(world) == []


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytake.conversation.export.ENTRIES_PER_PART", 5)


def crowd(world: World, people: int, *, first: int = 0) -> None:
    """So many people write within a minute, to both organizations."""
    for person in range(first, first + people):
        for number in NUMBERS.values():
            world.product.say("Hi", phone=f"55119{person:08d}", number=number)
        world.clock.forward(0.5)


def parts(world: World) -> dict[str, list[int]]:
    """How many turns each file of each organization holds, in order."""
    return {
        owner: [
            len({(event.contact, event.turn) for event in events})
            for (organization_id, _), events in sorted(world.lake.files.items())
            if organization_id == owner
        ]
        for owner in NUMBERS
    }


@pytest.mark.usefixtures("small_parts")
def test_an_hour_in_which_very_much_happened_is_several_files(world: World) -> None:
    crowd(world, 13)
    world.run()
    assert parts(world) == {owner: [5, 5, 3] for owner in NUMBERS}
    assert world.ids() == world.expected()
    assert world.run().files == 0


@pytest.mark.usefixtures("small_parts")
def test_no_row_moves_from_one_file_to_another(world: World) -> None:
    """Whatever comes late, and wherever: a moment at which two files were in contradiction would be seen."""
    crowd(world, 4)
    world.run()
    late = {key: records.pop(1) for key, records in list(world.product.conversations.records.items())[2:6]}
    world.lake.files.clear()
    world.run()
    crowd(world, 7, first=4)
    for key, record in late.items():
        world.product.conversations.records[key][1] = record
    before = {event.event_id: place for place, events in world.lake.files.items() for event in events}
    assert before
    for people in (2, 9):
        world.run()
        after = {event.event_id: place for place, events in world.lake.files.items() for event in events}
        assert {event_id: after[event_id] for event_id in before} == before
        assert world.ids() == world.expected()
        before = after
        crowd(world, people, first=20 * people)
    assert len(world.lake.files) > 4


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("death", range(1, 9))
def test_a_run_that_dies_in_an_hour_goes_on_at_the_part_where_it_was(world: World, death: int) -> None:
    crowd(world, 22)
    world.clock.forward(HOUR)
    world.lake.dies_at = death
    with pytest.raises(SystemExit):
        world.run()
    done = list(world.lake.puts)
    assert set(world.ids()) <= set(world.expected())
    world.lake.dies_at = None
    world.clock.forward(310)
    tried = len(world.lake.puts)
    assert world.run().up_to_date
    assert world.ids() == world.expected()
    assert parts(world) == {owner: [5, 5, 5, 5, 2] for owner in NUMBERS}
    assert not set(done) & set(world.lake.puts[tried:])


@pytest.mark.usefixtures("small_parts")
def test_an_hour_that_no_run_can_finish_is_finished_by_several(world: World) -> None:
    """Each run has time for two files; `as_of` is when the first of them began."""
    world.clock.forward(900)
    world.run()
    before = world.clock()
    crowd(world, 33)
    began = world.clock()
    for run in range(1, 8):
        assert world.log.stored.as_of == before
        time = iter([False] * 3)  # for the hour and two files
        done = world.export(300, lambda time=time: next(time, True))  # type: ignore[misc]
        assert len(world.lake.files) == 2 * run
        world.clock.forward(60)
    assert world.log.stored.as_of == began
    assert done.up_to_date
    assert world.ids() == world.expected()


@pytest.mark.usefixtures("small_parts")
def test_a_part_is_not_begun_without_the_time_that_the_longest_took(world: World) -> None:
    crowd(world, 33)
    put = world.lake.put

    def slow(part: LakePart, events: Iterable[LakeEvent]) -> bool:
        world.clock.forward(40)
        return put(part, events)

    world.lake.put = slow  # type: ignore[method-assign]
    assert not world.export(300).up_to_date
    assert len(world.lake.files) == 300 // 40


@pytest.mark.usefixtures("small_parts")
def test_every_pass_reads_every_part_and_a_message_is_lost_once(world: World) -> None:
    crowd(world, 12)
    world.product.deliveries.entries.clear()
    assert sum(after_three_days(world)) == len(NUMBERS) * 12
    assert world.log.stored.cursors == {}
    assert world.ids() == world.expected()
