"""The contracts of the ports `Sequences` and `FollowUps`."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytake.aws.contacts import DynamoContacts
from pytake.aws.erasure import DynamoErasure
from pytake.aws.event_log import DynamoEventLog
from pytake.aws.sequences import DONE_SECONDS, DynamoFollowUps, DynamoSequences
from pytake.aws.table import Table
from pytake.contacts.ports import ListPlace
from pytake.contacts.records import new_contact
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.queues import FlowStart, StartTemplate
from pytake.conversation.records import ConversationKey
from pytake.conversation.sequences.records import FollowUp, Sequence, Step
from tests import fakes
from tests.fakes.sequences import MemoryFollowUps, MemorySequences
from tests.table import kept

NOW = 1_770_000_000.0
ANA = "5511999999999"
STEP = Step(FlowStart("remind", {"who": "Ana"}, StartTemplate("soon", "en", [{"type": "body"}])), days=-2, at="10:00")
REMINDERS = Sequence(id="reminders", name="Reminders", phone_number_id="1", field="appointment", steps=[STEP])
FOLLOW_UP = FollowUp(
    organization_id="acme",
    contact_id=ANA,
    sequence_id="reminders",
    step=0,
    anchor="2026-02-05",
    due_at=NOW,
)


@pytest.fixture(params=["fake", "aws"])
def sequences(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> Any:
    if request.param == "fake":
        return MemorySequences()
    return DynamoSequences(request.getfixturevalue("table"), clock)


@pytest.fixture(params=["fake", "aws"])
def follow_ups(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> Any:
    if request.param == "fake":
        return MemoryFollowUps()
    return DynamoFollowUps(request.getfixturevalue("table"), clock)


def test_a_sequence_is_read_back_whole_by_its_organization_only(sequences: Any) -> None:
    stored = sequences.put("acme", REMINDERS, plan=False)
    assert stored == replace(REMINDERS, revision=1)
    assert sequences.get("acme", "reminders") == stored
    assert sequences.all("acme") == [stored]
    assert sequences.get("globex", "reminders") is None
    assert sequences.all("globex") == []
    sequences.delete("acme", "reminders")
    sequences.delete("acme", "reminders")
    assert sequences.get("acme", "reminders") is None


def test_only_the_sequence_that_was_read_is_overwritten(sequences: Any) -> None:
    stored = sequences.put("acme", REMINDERS, plan=False)
    with pytest.raises(ConflictError):
        sequences.put("acme", REMINDERS, plan=False)
    assert sequences.put("acme", replace(stored, name="Other"), plan=False).revision == 2


def test_a_sequence_is_planned_to_its_end_and_again_when_it_was_changed(sequences: Any) -> None:
    first = sequences.put("acme", REMINDERS, plan=True)
    assert list(sequences.to_plan()) == [("acme", first, None)]
    place = ListPlace(NOW, ANA)
    assert sequences.planned("acme", first, place)
    assert list(sequences.to_plan()) == [("acme", first, place)]
    second = sequences.put("acme", replace(first, name="Other"), plan=True)
    assert not sequences.planned("acme", first, None)
    assert list(sequences.to_plan()) == [("acme", second, None)]
    assert sequences.planned("acme", second, None)
    assert list(sequences.to_plan()) == []
    sequences.delete("acme", "reminders")
    assert not sequences.planned("acme", second, place)
    assert sequences.get("acme", "reminders") is None, "an update makes no item"


def test_follow_ups_are_found_when_they_are_due_and_each_once(follow_ups: Any) -> None:
    later = replace(FOLLOW_UP, step=1, due_at=NOW + 60)
    for one in (later, FOLLOW_UP, replace(FOLLOW_UP, due_at=NOW + 5)):
        follow_ups.add(one)
    assert list(follow_ups.due(NOW - 1)) == []
    assert list(follow_ups.due(NOW)) == [FOLLOW_UP], "the first one that was added holds"
    assert list(follow_ups.due(NOW + 60)) == [FOLLOW_UP, later]


def test_one_that_waits_is_moved_to_an_earlier_time_and_not_to_a_later_one(follow_ups: Any) -> None:
    for due_at in (NOW + 900, NOW + 1800, NOW):
        follow_ups.add(replace(FOLLOW_UP, due_at=due_at))
    (found,) = follow_ups.due(NOW)
    assert found.due_at == NOW
    follow_ups.finish(found, NOW)
    follow_ups.add(replace(FOLLOW_UP, due_at=NOW - 60))
    assert list(follow_ups.due(NOW)) == [], "what is done stays done"


def test_the_steps_before_are_those_of_the_same_occurrence_also_when_they_are_done(follow_ups: Any) -> None:
    third = replace(FOLLOW_UP, step=3)
    for one in (
        FOLLOW_UP,
        replace(FOLLOW_UP, step=1, contact_id="5511"),
        replace(FOLLOW_UP, step=2, anchor="x"),
        third,
    ):
        follow_ups.add(one)
    follow_ups.finish(FOLLOW_UP, NOW)
    assert follow_ups.steps_before(third, {FOLLOW_UP.contact_id}) == {0}
    assert follow_ups.steps_before(third, {FOLLOW_UP.contact_id, "5511"}) == {0, 1}
    assert follow_ups.steps_before(FOLLOW_UP, {FOLLOW_UP.contact_id}) == set()


def test_a_follow_up_moves_and_ends_once(follow_ups: Any) -> None:
    follow_ups.add(FOLLOW_UP)
    follow_ups.move(FOLLOW_UP, NOW + 900)
    assert list(follow_ups.due(NOW)) == []
    (moved,) = follow_ups.due(NOW + 900)
    assert moved == replace(FOLLOW_UP, due_at=NOW + 900)
    follow_ups.finish(moved, NOW)
    follow_ups.add(FOLLOW_UP)
    follow_ups.move(moved, NOW)
    assert list(follow_ups.due(NOW + 9000)) == [], "what is done is not planned again"
    follow_ups.move(replace(FOLLOW_UP, contact_id="5511"), NOW)
    follow_ups.finish(replace(FOLLOW_UP, contact_id="5511"), NOW)
    assert list(follow_ups.due(NOW + 9000)) == [], "an update makes no item"


def test_a_follow_up_without_a_reason_is_forgotten_and_may_come_again(follow_ups: Any) -> None:
    follow_ups.add(FOLLOW_UP)
    follow_ups.forget(FOLLOW_UP)
    assert list(follow_ups.due(NOW)) == []
    follow_ups.forget(FOLLOW_UP)
    follow_ups.add(FOLLOW_UP)
    assert list(follow_ups.due(NOW)) == [FOLLOW_UP]


def test_what_is_done_is_forgotten_in_the_end(table: Table, clock: fakes.FrozenClock) -> None:
    stored = DynamoFollowUps(table, clock)
    stored.add(FOLLOW_UP)
    stored.finish(FOLLOW_UP, clock())
    clock.forward(DONE_SECONDS + 1)
    stored.add(FOLLOW_UP)
    assert list(stored.due(NOW)) == [FOLLOW_UP]


def test_erasing_the_person_removes_their_follow_ups(table: Table, clock: fakes.FrozenClock) -> None:
    stored = DynamoFollowUps(table, clock)
    DynamoContacts(table).save("acme", new_contact(ANA, NOW))
    stored.add(FOLLOW_UP)
    stored.add(replace(FOLLOW_UP, contact_id="5511"))
    erasure = DynamoErasure(table, DynamoEventLog(table, kept))
    erasure.remove(erasure.begin("acme", [ConversationKey("acme", "1", ANA)], NOW))
    assert [one.contact_id for one in stored.due(NOW)] == ["5511"]
