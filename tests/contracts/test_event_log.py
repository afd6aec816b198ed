"""The contract of the `EventLog` port."""

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, cast

import pytest

from pytake.aws.aliases import DynamoAliases
from pytake.aws.conversations import DynamoConversations
from pytake.aws.deliveries import DynamoDeliveries
from pytake.aws.erasure import DynamoErasure
from pytake.aws.event_log import DynamoEventLog
from pytake.contacts.records import new_contact
from pytake.conversation.lake_records import ExportCursor, ExportProgress, LoggedTurn, RetentionProgress
from pytake.conversation.merge_contacts import merged_conversations
from pytake.conversation.ports.aliases import Aliases
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.lake import EventLog
from pytake.conversation.records import Conversation, ConversationKey, Delivery, Session, TurnRecord
from pytake.engine import Contact, Input
from pytake.whatsapp.outbound import Text
from tests import fakes
from tests.fakes.lake import MemoryEventLog
from tests.table import counted_requests, kept

HOUR = 1_769_997_600
DAY = 86_400
RETENTION_DAYS = 90


class World:
    def __init__(self, log: EventLog, conversations: Conversations, deliveries: Deliveries) -> None:
        self.log = log
        self.conversations = conversations
        self.deliveries = deliveries

    def turn(self, key: ConversationKey, seq: int, at: float) -> None:
        record = TurnRecord(seq, at, "s", "waiting", Input(text="Hi"), f"wamid.{seq}", messages=[Text("a"), Text("b")])
        self.conversations.commit(Conversation(key=key, contact=Contact(id=key.contact_id), seq=seq), record)


@pytest.fixture(params=["fake", "aws"])
def world(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> World:
    if request.param == "fake":
        conversations, deliveries = fakes.MemoryConversations(), fakes.MemoryDeliveries()
        return World(MemoryEventLog(conversations, deliveries), conversations, deliveries)
    table = request.getfixturevalue("table")
    return World(
        DynamoEventLog(table, kept(RETENTION_DAYS)),
        DynamoConversations(table, kept(), clock),
        DynamoDeliveries(table, clock, kept()),
    )


def turns(world: World, hour: int) -> list[LoggedTurn]:
    """The hour's turns. No person was erased."""
    found = list(world.log.turns(hour, world.log.entries(hour)))
    assert all(isinstance(turn, LoggedTurn) for turn in found)
    return cast("list[LoggedTurn]", found)


def keys(count: int, organization_id: str = "acme") -> list[ConversationKey]:
    return [ConversationKey(organization_id, "100000000000001", f"55119{person:08d}") for person in range(count)]


def test_an_hour_has_its_turns_and_no_others(world: World) -> None:
    [key] = keys(1)
    for seq, at in enumerate([HOUR - 0.5, HOUR, HOUR + 3599.9, HOUR + 3600], start=1):
        world.turn(key, seq, at)
    assert [turn.record.seq for turn in turns(world, HOUR)] == [2, 3]
    assert [turn.record.seq for turn in turns(world, HOUR - 3600)] == [1]
    assert turns(world, HOUR + 7200) == []


def test_a_long_conversation_comes_whole(world: World) -> None:
    """Also when the clocks of two workers disagree about the start of the hour."""
    [key] = keys(1)
    times = [HOUR - 0.2, HOUR + 0.1, HOUR - 0.1, *(HOUR + second for second in range(1, 60)), HOUR + 3600]
    for seq, at in enumerate(times, start=1):
        world.turn(key, seq, at)
    assert [turn.record.seq for turn in turns(world, HOUR)] == [2, *range(4, 63)]
    assert [turn.record.seq for turn in turns(world, HOUR - 3600)] == [1, 3]
    assert [turn.record.seq for turn in turns(world, HOUR + 3600)] == [63]


def test_each_organization_comes_once_and_in_the_order_of_time(world: World) -> None:
    for number, key in enumerate([*keys(60, "acme"), *keys(60, "zoo"), *keys(5, "acme-2")]):
        world.turn(key, 1, HOUR + (number * 37) % 100)
    found = turns(world, HOUR)
    organizations = [turn.key.organization_id for turn in found]
    assert len(found) == 125
    assert sum(a != b for a, b in itertools.pairwise(organizations)) == 2
    for organization_id in ("acme", "acme-2", "zoo"):
        times = [turn.record.at for turn in found if turn.key.organization_id == organization_id]
        assert times == sorted(times)
    assert [(t.key, t.record.seq) for t in turns(world, HOUR)] == [(t.key, t.record.seq) for t in found]


def test_the_log_can_be_read_from_a_moment_on(world: World) -> None:
    for number, key in enumerate([*keys(5, "acme"), *keys(5, "acme-2"), *keys(5, "zoo")]):
        world.turn(key, 1, HOUR + number / 1000)
    entries = list(world.log.entries(HOUR))
    assert [entry.organization_id for entry in entries] == ["acme"] * 5 + ["acme-2"] * 5 + ["zoo"] * 5
    for first, entry in enumerate(entries):
        assert list(world.log.entries(HOUR, None, (entry.organization_id, entry.at))) == entries[first:]
    assert list(world.log.entries(HOUR, "acme-2")) == entries[5:10]
    assert [turn.record.at for turn in world.log.turns(HOUR, entries[3:7])] == [
        HOUR + number / 1000 for number in range(3, 7)
    ]


def test_a_turn_comes_with_what_is_known_of_its_deliveries(world: World) -> None:
    [key] = keys(1)
    world.turn(key, 1, HOUR)
    world.turn(key, 2, HOUR + 1)
    world.deliveries.claim(key, Delivery(2, 1, "accepted", sends=1), None)
    world.deliveries.record_status(key, 2, 1, send=1, status="read", at=HOUR + 9, message_id="wamid.X", code=None)
    first, second = turns(world, HOUR)
    assert first.deliveries == []
    [delivery] = second.deliveries
    assert (delivery.index, delivery.state, delivery.status, delivery.status_at) == (1, "accepted", "read", HOUR + 9)


def test_a_contact_has_one_key_and_another_has_another(world: World) -> None:
    first = world.log.pseudonyms("acme", ["1", "2"], HOUR)
    assert len(set(first.values())) == 2
    assert world.log.pseudonyms("acme", ["2", "1"], HOUR + 60) == first
    assert world.log.pseudonyms("zoo", ["1"], HOUR)["1"] not in first.values()


@pytest.mark.parametrize("workers", [1, 8])
def test_a_hundred_new_people_cost_a_write_each_once_and_no_read_but_one(table: Any, workers: int) -> None:
    log, people = DynamoEventLog(table, kept(RETENTION_DAYS), workers), [str(number) for number in range(100)]
    with counted_requests() as requests:
        first = log.pseudonyms("acme", people, HOUR)
    assert Counter(requests) == {"BatchGetItem": 1, "PutItem": 100}
    assert len(set(first.values())) == 100
    with counted_requests() as requests:
        assert log.pseudonyms("acme", people, HOUR + 60) == first
    assert Counter(requests) == {"BatchGetItem": 1}


def test_of_two_runs_that_name_the_same_new_people_the_first_writer_wins(table: Any) -> None:
    logs, people = [DynamoEventLog(table, kept(RETENTION_DAYS), 8) for _ in range(2)], [str(one) for one in range(30)]
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda log: log.pseudonyms("acme", people, HOUR), logs)
    assert one == other == logs[0].pseudonyms("acme", people, HOUR)


def test_a_merged_contact_has_the_pseudonym_of_the_other_one(world: World) -> None:
    aliases = merged_aliases(world)
    before = world.log.pseudonyms("acme", ["1", "2"], HOUR)
    assert before["1"].contact != before["2"].contact
    aliases.merge("acme", "1", "2")
    after = world.log.pseudonyms("acme", ["1", "2"], HOUR + 60)
    assert (after["1"], after["2"].contact) == (before["1"], before["1"].contact)
    assert after["2"].key == before["2"].key, "the ids of its events stay"
    aliases.merge("acme", "3", "4")
    names = world.log.pseudonyms("acme", ["4"], HOUR + 60)
    assert names["4"].contact == world.log.pseudonyms("acme", ["3"], HOUR + 60)["3"].contact


def test_a_session_keeps_its_pseudonym_when_its_conversation_is_merged(world: World) -> None:
    stays, goes = keys(2)
    aliases = merged_aliases(world)
    session = Session("s-1", HOUR, HOUR + DAY)
    record = TurnRecord(1, HOUR, "s-1", "waiting", Input(text="Hi"), "wamid.1")
    begun = Conversation(key=goes, contact=Contact(id=goes.contact_id), seq=1, session=session, last_inbound_at=HOUR)
    world.conversations.commit(begun, record)
    before = world.log.pseudonyms("acme", [goes.contact_id], HOUR)[goes.contact_id]
    aliases.merge("acme", stays.contact_id, goes.contact_id)
    left = world.conversations.load(goes)
    assert left is not None
    both = merged_conversations(stays, None, left, new_contact(stays.contact_id), HOUR + 60)
    world.conversations.merge(*both)
    after = world.log.pseudonyms("acme", [stays.contact_id], HOUR + 60)[stays.contact_id]
    assert after.of_session("s-1") == before.of_session("s-1") == before.of("session", "s-1")
    assert after.of_session("s-2") == after.of("session", "s-2") != before.of("session", "s-2")
    later = world.log.pseudonyms("acme", [stays.contact_id], HOUR + 120)[stays.contact_id]
    assert later == after, "also when the key was made meanwhile"


@pytest.mark.parametrize("goes_on", [True, False], ids=["goes on", "is closed"])
def test_a_session_keeps_its_pseudonym_through_many_merges(world: World, goes_on: bool) -> None:
    """The contact that stays is merged into the next one, while the session is open, or after it was closed by a merge."""
    first, *others = keys(5)
    aliases, session = merged_aliases(world), Session("s-1", HOUR, HOUR + DAY)
    for at, key in enumerate([first, *others]):
        mine = session if key == first else Session(f"own-{at}", HOUR, HOUR + DAY)
        written_at = HOUR - at if goes_on else HOUR + at  # the session in which the person wrote last goes on
        begun = Conversation(
            key=key, contact=Contact(id=key.contact_id), seq=1, session=mine, last_inbound_at=written_at
        )
        world.conversations.commit(begun, TurnRecord(1, HOUR, mine.id, "waiting", Input(text="Hi"), f"wamid.{at}"))
    before = world.log.pseudonyms("acme", [first.contact_id], HOUR)[first.contact_id].of_session("s-1")
    for at, (goes, stays) in enumerate(pairwise([first, *others]), 1):
        aliases.merge("acme", stays.contact_id, goes.contact_id)
        left, other = world.conversations.load(goes), world.conversations.load(stays)
        assert left is not None
        world.conversations.merge(
            *merged_conversations(stays, other, left, new_contact(stays.contact_id), HOUR + 60 * at)
        )
        names = world.log.pseudonyms("acme", [goes.contact_id, stays.contact_id], HOUR + 60 * at)
        assert names[goes.contact_id].contact == names[stays.contact_id].contact
        if goes_on:
            assert names[stays.contact_id].of_session("s-1") == before, f"after {at} merges"
        assert names[goes.contact_id].of_session("s-1") == before or not (goes_on or goes == first)


def merged_aliases(world: World) -> Aliases:
    if isinstance(world.conversations, fakes.MemoryConversations):
        return world.conversations.aliases
    return DynamoAliases(world.conversations._table, lambda: HOUR)  # type: ignore[attr-defined]


def test_progress_is_read_back(world: World) -> None:
    assert world.log.progress() == ExportProgress()
    progress = ExportProgress(as_of=HOUR + 0.5, through={"closed": HOUR, "day": HOUR - DAY})
    progress.cursors["day"] = ExportCursor(HOUR, HOUR + 0.5, "acme", HOUR * 1000 + 1)
    world.log.put_progress(progress)
    assert world.log.progress() == progress


def test_one_run_at_a_time_and_a_dead_one_does_not_stop_the_next(world: World) -> None:
    assert world.log.acquire_lease(HOUR, 300)
    assert not world.log.acquire_lease(HOUR + 299, 300)
    assert world.log.acquire_lease(HOUR + 301, 300)
    world.log.release_lease()
    assert world.log.acquire_lease(HOUR + 302, 300)


def test_a_key_lives_as_long_as_any_record_that_needs_it(table: Any) -> None:
    log = DynamoEventLog(table, kept(RETENTION_DAYS))
    made = log.pseudonyms("acme", ["1"], HOUR)
    for days in (100, 200, 300):  # each export renews it
        assert log.pseudonyms("acme", ["1"], HOUR + days * DAY) == made
    assert log.pseudonyms("acme", ["1"], HOUR + 300 * DAY + 2 * RETENTION_DAYS * DAY) != made


def test_an_erased_person_gets_another_key(table: Any) -> None:
    log, [key] = DynamoEventLog(table, kept(RETENTION_DAYS)), keys(1)
    made = log.pseudonyms("acme", [key.contact_id], HOUR)
    erasure = DynamoErasure(table, log)
    erasure.remove(erasure.begin("acme", [key], HOUR))
    assert log.pseudonyms("acme", [key.contact_id], HOUR) != made


def test_an_hour_is_forgotten_for_one_organization_with_its_deliveries(world: World) -> None:
    [mine], [other] = keys(1, "acme"), keys(1, "acme-2")
    for key in (mine, other):
        world.turn(key, 1, HOUR - 1)
        world.turn(key, 2, HOUR)
        world.turn(key, 3, HOUR + 3600)
        world.deliveries.claim(key, Delivery(2, 1, "accepted", sends=1), None)
    assert world.log.delete_turns("acme", HOUR) == 1
    assert [turn.key.organization_id for turn in turns(world, HOUR)] == ["acme-2"]
    assert [record.seq for record in world.conversations.turns(mine)] == [1, 3]
    assert world.deliveries.of_conversation(mine) == []
    assert len(world.deliveries.of_conversation(other)) == 1
    assert world.conversations.load(mine) is not None


def test_a_conversation_is_forgotten_with_its_last_turn_unless_it_is_running(world: World) -> None:
    idle, running = keys(2)
    world.turn(idle, 1, HOUR)
    record = TurnRecord(1, HOUR, "s", "waiting", Input(text="Hi"))
    session = Session("s", HOUR, HOUR + 40 * DAY, timer_at=HOUR + 30 * DAY)
    world.conversations.commit(Conversation(key=running, contact=Contact(id="2"), seq=1, session=session), record)
    assert world.log.delete_turns("acme", HOUR) == 2
    assert world.conversations.load(idle) is None
    assert world.conversations.load(running) is not None


def test_what_an_organization_kept_is_remembered(world: World) -> None:
    assert world.log.retention_progress("acme") is None
    world.log.put_retention_progress("acme", RetentionProgress(90 * DAY, HOUR))
    assert world.log.retention_progress("acme") == RetentionProgress(90 * DAY, HOUR)
    assert world.log.retention_progress("zoo") is None
