"""Sequences: follow-ups before a date and after a silence, each once, and none after an answer."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from pytake.contacts.imports import Import
from pytake.contacts.manage import ContactData, ManageContacts
from pytake.contacts.records import new_contact
from pytake.contacts.run_imports import RunImports
from pytake.conversation.change_log import Author
from pytake.conversation.plan_opening import PlanOpening
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.queues import FlowStart, StartTemplate
from pytake.conversation.records import Organization
from pytake.conversation.sequences.manage import ManageSequences, SequencesFullError
from pytake.conversation.sequences.plan import PlanFollowUps
from pytake.conversation.sequences.records import Sequence, Step
from pytake.conversation.sequences.run import MOST_STARTED, FollowUpCounts, RunFollowUps
from pytake.conversation.sequences.schedule import due_after, due_on_date
from pytake.conversation.start_flow import StartFlow
from pytake.engine.dates import zone
from tests.conversation.product import NUMBER, PHONE, Product, cannot_be_queued
from tests.engine.conversations import document, node
from tests.fakes import MemoryContactBatches, MemoryImportFiles, MemoryImports
from tests.fakes.sequences import MemoryFollowUps, MemorySequences

HOUR, DAY = 3600, 24 * 3600
NOON = 1_770_033_600.0  # 2026-02-02T12:00:00Z, a Monday
REMIND = document(node("s", "start", next_node_id="e"), node("e", "end", message="Noted: {{input.text}}."), id="remind")
TEMPLATE = StartTemplate(
    "soon", "en", [{"type": "body", "parameters": [{"type": "text", "text": "{{contact.appointment}}"}]}], "utility"
)
START = FlowStart("remind", {}, TEMPLATE, only_idle=True)
BUILDER = Author("builder-1", 0)

BEFORE = Sequence(
    id="before",
    name="Reminders",
    phone_number_id=NUMBER,
    field="appointment",
    steps=[Step(START, days=-2, at="10:00"), Step(START, days=-1, at="10:00")],
)
SECOND = "100000000000002"
SILENCE = Sequence(
    id="silence",
    name="Still there?",
    phone_number_id=NUMBER,
    steps=[Step(FlowStart(None, {}, replace(TEMPLATE, components=[]), only_idle=True), days=1)],
)


class Desk:
    """The product with sequences."""

    def __init__(self, product: Product) -> None:
        self.product = product
        product.clock.now = NOON
        product.publish("acme", REMIND)
        self.sequences, self.follow_ups = MemorySequences(), MemoryFollowUps()
        self.plan = PlanFollowUps(self.sequences, self.follow_ups, product.tenants, product.clock)
        aliases, library = product.conversations.aliases, product.flow_library
        opening = PlanOpening(product.tenants, library, product.templates, 24, product.media_library.kinds)
        self.start_flow = StartFlow(
            product.conversations,
            product.contacts,
            aliases,
            product.tenants,
            library,
            product.queues,
            product.clock,
            opening,
        )
        self.run_follow_ups = RunFollowUps(
            self.sequences,
            self.follow_ups,
            self.plan,
            product.contacts,
            aliases,
            product.conversations,
            product.tenants,
            self.start_flow,
            product.events,
            product.clock,
            product.deliveries,
        )
        self.contacts = ManageContacts(
            product.contacts, aliases, product.conversations, product.events, product.clock, self.plan
        )
        self.manage = ManageSequences(self.sequences, product.tenants, library, product.media_library.kinds)
        product.follow_ups = self.plan
        product.start_flow_runner()

    def put(self, sequence: Sequence) -> None:
        self.manage.put("acme", sequence, BUILDER)
        self.run_follow_ups()  # plans the contacts
        self.product.clock.forward(10)

    def contact(self, phone: str = PHONE, **fields: Any) -> None:
        self.contacts.put("acme", phone, ContactData("Ana", "", [], fields))

    def run(self) -> FollowUpCounts:
        done = self.run_follow_ups()
        self.product.run_queues()
        return done

    def run_at(self, at: float) -> FollowUpCounts:
        self.product.clock.now = at
        return self.run()

    @property
    def sent(self) -> list[str]:
        return [payload["template"]["name"] for payload in self.product.graph.sent if payload["type"] == "template"]


@pytest.fixture
def desk(product: Product) -> Desk:
    return Desk(product)


def at(text: str, where: str = "UTC") -> float | None:
    days, _, rest = text.partition(" ")
    return due_on_date(Step(START, days=int(days), at=rest or None), "2026-03-29", zone(where))


def test_due_times_follow_the_local_clock() -> None:
    assert at("-2 10:00") == 1_774_605_600.0  # 2026-03-27T10:00Z
    assert at("-2 10:00", "America/Sao_Paulo") == 1_774_605_600.0 + 3 * HOUR
    # Clocks in Berlin change on 2026-03-29: the same local time is 47 hours later, not 48.
    before, after = at("-1 10:00", "Europe/Berlin"), at("1 10:00", "Europe/Berlin")
    assert before is not None
    assert after is not None
    assert after - before == 47 * HOUR
    step = Step(START, hours=-1)
    assert due_on_date(step, "2026-03-27T14:30:00-03:00", zone("UTC")) == 1_774_605_600.0 + 6.5 * HOUR
    assert due_on_date(step, "next week", zone("UTC")) is None
    assert due_on_date(Step(START, days=365), "9999-12-31", zone("UTC")) is None
    assert due_after(Step(START, days=1, at="10:00"), NOON, zone("UTC")) == NOON + 22 * HOUR
    assert due_after(Step(START, at="10:00"), NOON, zone("UTC")) == NOON + 22 * HOUR, "that of the next day"


@pytest.mark.parametrize(
    ("text", "country", "same"),
    [
        ("25/12/2026", "BR", "2026-12-25"),
        (" 05.02.2026 ", None, "2026-02-05"),
        ("5-2-2026", "BR", "2026-02-05"),
        ("02/05/2026", "US", "2026-02-05"),
        ("2026/02/05", "US", "2026-02-05"),
        ("25/12/2026 9:30", "BR", "2026-12-25T09:30"),
        ("25/12/2026, 14:30:15", "BR", "2026-12-25T14:30:15"),
        ("2026-12-25T12:30:00Z", "BR", "2026-12-25T09:30:00-03:00"),
        ("25/12/26", "BR", None),
        ("31/02/2026", "BR", None),
        ("25/12/2026 25:00", "BR", None),
        ("amanhã", "BR", None),
        ("", "BR", None),
        ([1], "BR", None),
    ],
)
def test_dates_are_read_as_spreadsheets_write_them(text: Any, country: str | None, same: str | None) -> None:
    where, step = zone("America/Sao_Paulo"), Step(START, days=-2)
    assert due_on_date(step, text, where, country) == (due_on_date(step, same, where) if same else None)


def test_a_time_of_day_that_the_clocks_skip_or_repeat_is_one_time() -> None:
    skipped = due_on_date(Step(START, at="02:30"), "2026-03-29", zone("Europe/Berlin"))
    assert skipped == datetime(2026, 3, 29, 1, 30, tzinfo=UTC).timestamp(), "half past three"
    repeated = due_on_date(Step(START, at="02:30"), "2026-10-25", zone("Europe/Berlin"))
    assert repeated == datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp(), "the first of the two"
    midnight = due_on_date(Step(START), "2026-09-06", zone("America/Santiago"))  # this day begins at one o'clock
    assert midnight == datetime(2026, 9, 6, 4, tzinfo=UTC).timestamp()


def test_a_reminder_is_sent_although_the_person_wrote_after_an_earlier_one_would_have_been(desk: Desk) -> None:
    hours = [Step(START, days=-2), Step(START, hours=-2)]
    desk.put(replace(BEFORE, steps=hours))
    desk.product.say("I book", PHONE)  # after the time of the first reminder, which is never sent
    desk.contact(appointment="2026-02-03T12:00:00Z")
    desk.product.clock.forward(HOUR)
    desk.product.say("Thank you", PHONE)
    assert desk.run_at(NOON + 22 * HOUR).started == 1
    assert desk.sent == ["soon"]


def test_an_earlier_time_moves_the_reminder_whatever_changed_it(desk: Desk) -> None:
    desk.put(BEFORE)
    desk.contact(appointment="2026-02-10")
    assert min(one.due_at for one in desk.follow_ups.waiting) == NOON + 6 * DAY - 2 * HOUR
    desk.contact(appointment="2026-02-10", timezone="Asia/Tokyo")
    assert min(one.due_at for one in desk.follow_ups.waiting) == NOON + 6 * DAY - 11 * HOUR
    desk.put(replace(BEFORE, steps=[Step(START, days=-4, at="10:00"), BEFORE.steps[1]]))
    first = min(one.due_at for one in desk.follow_ups.waiting)
    assert first == NOON + 4 * DAY - 11 * HOUR
    assert desk.run_at(first).started == 1
    assert desk.run_at(first + 2 * DAY) == FollowUpCounts(), "it was the same reminder"
    assert desk.sent == ["soon"]


def test_a_reminder_leaves_two_days_before_the_date_at_the_local_time(desk: Desk) -> None:
    desk.product.tenants.organizations["acme"] = Organization("acme", timezone="America/Sao_Paulo")
    desk.put(BEFORE)
    desk.contact(appointment="2026-02-10")
    due = 1_770_544_800.0 + 3 * HOUR  # 2026-02-08T13:00:00Z
    assert min(one.due_at for one in desk.follow_ups.waiting) == due
    assert desk.run_at(due - 1) == FollowUpCounts()
    assert desk.run_at(due).started == 1
    assert desk.sent == ["soon"]
    assert desk.product.graph.sent[0]["template"]["components"][0]["parameters"][0]["text"] == "2026-02-10"
    assert desk.product.say("ok") == ["Noted: ok."]


def test_a_person_in_another_time_zone_is_reminded_at_their_time(desk: Desk) -> None:
    desk.put(BEFORE)
    desk.contact(appointment="2026-02-10", timezone="Asia/Tokyo")
    assert min(one.due_at for one in desk.follow_ups.waiting) == 1_770_544_800.0 - 9 * HOUR


def test_an_answer_ends_the_other_reminders_of_the_date(desk: Desk) -> None:
    desk.put(BEFORE)
    desk.contact(appointment="2026-02-10")
    first, second = sorted(one.due_at for one in desk.follow_ups.waiting)
    desk.run_at(first)
    desk.product.clock.forward(60)
    desk.product.say("I will come")
    assert desk.run_at(second) == FollowUpCounts(skipped=1)
    assert desk.sent == ["soon"]


def test_without_an_answer_or_if_the_sequence_says_so_all_are_sent(desk: Desk) -> None:
    desk.put(replace(BEFORE, until_answer=False))
    desk.contact(appointment="2026-02-10")
    first, second = sorted(one.due_at for one in desk.follow_ups.waiting)
    desk.run_at(first)
    desk.product.clock.forward(60)
    desk.product.say("I will come")
    assert desk.run_at(second).started == 1
    assert desk.sent == ["soon", "soon"]


def test_a_changed_date_moves_the_reminder(desk: Desk) -> None:
    desk.put(BEFORE)
    desk.contact(appointment="2026-02-10")
    first = min(one.due_at for one in desk.follow_ups.waiting)
    desk.product.clock.forward(HOUR)
    desk.contact(appointment="2026-02-20")
    assert desk.run_at(first) == FollowUpCounts(skipped=1)
    assert desk.run_at(first + 10 * DAY).started == 1
    assert desk.sent == ["soon"]


def test_a_removed_date_and_a_date_that_has_passed_remind_of_nothing(desk: Desk) -> None:
    desk.put(BEFORE)
    desk.contact("5511988880000", appointment="2026-01-10")
    assert desk.follow_ups.waiting == []
    desk.contact(appointment="2026-02-10")
    desk.contact()
    assert desk.run_at(NOON + 30 * DAY) == FollowUpCounts(skipped=2)
    assert desk.sent == []


def test_two_runs_and_a_run_that_died_send_a_reminder_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put(BEFORE)
    desk.contact(appointment="2026-02-10")
    desk.product.clock.now = min(one.due_at for one in desk.follow_ups.waiting)
    with monkeypatch.context() as patch:
        patch.setattr(desk.follow_ups, "finish", lambda *_: None)  # it died before
        desk.run()
    desk.product.say("ok")
    desk.run()
    assert desk.sent == ["soon"]


def test_what_cannot_be_queued_stays_due(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put(BEFORE)
    desk.contact(appointment="2026-02-10")
    desk.product.clock.now = min(one.due_at for one in desk.follow_ups.waiting)
    with monkeypatch.context() as patch:
        patch.setattr(desk.product.queues, "put_inbound", cannot_be_queued)
        with pytest.raises(QueueingFailedError):
            desk.run()
    assert desk.run().started == 1


def test_contacts_that_have_the_date_already_are_planned_in_parts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(250):
        contact = new_contact(f"55119{number:08d}", NOON + number)
        desk.product.contacts.save("acme", replace(contact, fields={"appointment": "2026-02-10"}))
    monkeypatch.setattr("pytake.conversation.sequences.run.MOST_PLANNED", 100)
    desk.manage.put("acme", BEFORE, BUILDER)
    planned = [desk.run().planned for _ in range(4)]
    assert planned == [100, 100, 50, 0]
    assert len(desk.follow_ups.waiting) == 500
    desk.manage.put("acme", replace(BEFORE, name="Other"), BUILDER)
    assert desk.run().planned == 100, "a changed sequence is planned from the start"


def test_a_run_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_STARTED == 2000
    monkeypatch.setattr("pytake.conversation.sequences.run.MOST_STARTED", 2)
    desk.put(replace(BEFORE, steps=BEFORE.steps[:1]))
    for number in range(3):
        desk.contact(f"551198888000{number}", appointment="2026-02-10")
    desk.product.clock.now = min(one.due_at for one in desk.follow_ups.waiting)
    assert [desk.run().started for _ in range(2)] == [2, 1]
    assert desk.run_follow_ups(lambda: True) == FollowUpCounts()


def test_a_date_that_a_flow_saves_is_planned_with_its_turn(desk: Desk) -> None:
    save = {"type": "save_contact", "field": "appointment", "value": "2026-02-10"}
    book = document(node("a", "action", actions=[save], next_node_id="e"), node("e", "end", message="Done."), id="book")
    desk.product.publish("acme", book)
    desk.product.tenants.by_id[NUMBER].default_flow_id = "book"
    desk.put(BEFORE)
    assert desk.product.say("Oi") == ["Done."]
    assert len(desk.follow_ups.waiting) == 2


def test_after_an_outage_a_reminder_that_is_late_is_not_sent(desk: Desk) -> None:
    desk.put(replace(BEFORE, steps=BEFORE.steps[:1]))
    desk.contact(appointment="2026-02-10")
    due = desk.follow_ups.waiting[0].due_at
    assert desk.run_at(due + 5 * HOUR) == FollowUpCounts(skipped=1)


def test_a_person_in_a_session_is_reminded_later(desk: Desk) -> None:
    desk.put(replace(BEFORE, steps=BEFORE.steps[:1]))
    desk.contact(appointment="2026-02-10")
    due = desk.follow_ups.waiting[0].due_at
    desk.product.clock.now = due - HOUR
    desk.product.say("Oi")
    assert desk.run_at(due) == FollowUpCounts(moved=1)
    desk.product.say("Ana Maria")  # ends the flow
    assert desk.run_at(due + 900).started == 1


def test_who_opted_out_gets_nothing_and_a_broken_sequence_is_reported(desk: Desk) -> None:
    desk.put(replace(BEFORE, steps=BEFORE.steps[:1]))
    desk.contact(appointment="2026-02-10")
    desk.product.say("stop")
    due = desk.follow_ups.waiting[0].due_at
    assert desk.run_at(due) == FollowUpCounts(skipped=1)
    assert "sequence.refused" not in desk.product.events.types
    desk.contact("5511988880000", appointment="2026-02-20")
    monthly = desk.sequences.stored["acme", "before"]
    gone = replace(monthly.steps[0], start=replace(START, flow_id="gone"))
    desk.sequences.stored["acme", "before"] = replace(monthly, steps=[gone])
    desk.run_at(desk.follow_ups.waiting[0].due_at)
    assert desk.product.events.events[-1].detail == {"sequence_id": "before", "step": 0, "code": "flow_unknown"}


def test_a_sequence_that_is_gone_or_off_sends_nothing(desk: Desk) -> None:
    for change in (
        lambda: desk.manage.delete("acme", "before", BUILDER),
        lambda: desk.put(replace(BEFORE, enabled=False)),
    ):
        desk.put(replace(BEFORE, steps=BEFORE.steps[:1]))
        desk.product.clock.now = NOON
        desk.contact(appointment=f"2026-02-{10 + len(desk.follow_ups.stored)}")
        change()
        assert desk.run_at(desk.follow_ups.waiting[0].due_at) == FollowUpCounts(skipped=1)


def test_a_merged_contact_is_reminded_once(desk: Desk) -> None:
    desk.put(replace(BEFORE, steps=BEFORE.steps[:1]))
    desk.contact(appointment="2026-02-10")
    desk.contact("BR.77a", appointment="2026-02-10")
    assert len(desk.follow_ups.waiting) == 2
    both = {"from": PHONE, "from_user_id": "BR.77a", "id": "wamid.both", "type": "text", "text": {"body": "Oi"}}
    body = desk.product.notification(both | {"timestamp": str(int(NOON))})
    body["entry"][0]["changes"][0]["value"]["contacts"][0]["user_id"] = "BR.77a"
    desk.product.post(body)
    desk.product.run_queues()
    desk.product.say("Ana Maria")
    assert desk.run_at(desk.follow_ups.waiting[0].due_at).started == 2
    assert desk.sent == ["soon"]


def test_an_unanswered_template_is_followed_up_once_per_silence(desk: Desk) -> None:
    desk.put(SILENCE)
    opening = FlowStart("remind", {}, replace(TEMPLATE, components=[]), only_idle=True)
    desk.start_flow("acme", NUMBER, PHONE, opening, "1")
    desk.product.run_queues()
    begun = desk.product.clock()
    assert desk.run_at(begun + DAY - 1) == FollowUpCounts()
    assert desk.run_at(begun + DAY).started == 1
    assert desk.sent == ["soon", "soon"]
    assert desk.run_at(begun + 3 * DAY) == FollowUpCounts(), "the follow-up is not followed up"


def test_a_silence_at_another_number_is_not_followed_up(desk: Desk) -> None:
    desk.product.add_organization("acme", SECOND, REMIND)
    desk.put(replace(SILENCE, phone_number_id=SECOND))
    desk.product.say("Oi")
    desk.product.clock.forward(26 * HOUR)
    desk.product.fire_due_timers()
    desk.product.run_queues()
    assert desk.run() == FollowUpCounts()
    assert desk.follow_ups.waiting == []


def test_an_answer_cancels_the_follow_up_of_a_silence(desk: Desk) -> None:
    desk.put(SILENCE)
    opening = FlowStart("remind", {}, replace(TEMPLATE, components=[]), only_idle=True)
    desk.start_flow("acme", NUMBER, PHONE, opening, "1")
    desk.product.run_queues()
    desk.product.clock.forward(20 * HOUR)
    desk.product.say("ok")
    desk.product.agent_messaging().close(desk.product.key(), "bea")  # a session would put the follow-up off as well
    assert desk.run_at(desk.product.clock() + 4 * HOUR) == FollowUpCounts(skipped=1)
    assert desk.sent == ["soon"]


def test_an_answer_that_is_still_in_the_queue_ends_the_follow_up(desk: Desk) -> None:
    desk.put(SILENCE)
    product, opening = desk.product, FlowStart(None, {}, replace(TEMPLATE, components=[]), only_idle=True)
    desk.start_flow("acme", NUMBER, PHONE, opening, "1")
    product.run_queues()
    product.clock.forward(20 * HOUR)
    product.post(product.notification(product.message("ok")))
    product.clock.forward(4 * HOUR)
    assert desk.run_follow_ups().started == 1
    answer, follow_up = product.queues.inbound
    product.take_turn(answer)
    product.agent_messaging().close(product.key(), "bea")  # a session would refuse the start as well
    assert product.take_turn(follow_up) is None
    assert "turn.start_refused" not in [event.type for event in product.events.events]


def test_a_session_that_ended_in_silence_is_followed_up(desk: Desk) -> None:
    desk.put(SILENCE)
    desk.product.say("Oi")
    desk.product.clock.forward(26 * HOUR)
    desk.product.fire_due_timers()
    desk.product.run_queues()
    assert desk.run().started == 1
    assert desk.sent == ["soon"]
    desk.product.say("Oi")
    desk.product.clock.forward(26 * HOUR)
    desk.product.fire_due_timers()
    desk.product.run_queues()
    assert desk.run().started == 1, "another silence"


def test_plain_turns_ask_nothing_of_the_sequences(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.product.say("Oi")
    monkeypatch.setattr(desk.plan, "contact_changed", cannot_be_queued)
    monkeypatch.setattr(desk.plan, "not_answered", cannot_be_queued)
    assert desk.product.say("Ana Maria") == ["Bye, Ana Maria."]


def test_an_organization_has_a_bounded_number_of_sequences(desk: Desk) -> None:
    for number in range(50):
        desk.manage.put("acme", replace(BEFORE, id=f"s{number}"), BUILDER)
    with pytest.raises(SequencesFullError):
        desk.manage.put("acme", BEFORE, BUILDER)
    assert desk.manage.put("acme", replace(BEFORE, id="s7", name="Other"), BUILDER).revision == 2
    assert desk.manage.put("acme", replace(BEFORE, id="s7", name="Other"), BUILDER).revision == 2, "nothing changed"


def test_a_date_that_an_import_brings_is_planned(desk: Desk) -> None:
    imports, files = MemoryImports(), MemoryImportFiles()
    batches, conversations = MemoryContactBatches(desk.product.contacts), desk.product.conversations
    clock = desk.product.clock
    work_off = RunImports(imports, files, batches, conversations, clock, lambda: "owner", follow_ups=desk.plan)
    desk.put(BEFORE)
    files.put("acme", "i1", f"phone,appointment\n+{PHONE},2026-02-10\n+5511988880000,\n".encode())
    imports.put(Import(id="i1", organization_id="acme", created_at=clock.now))
    work_off(lambda: False)
    assert [(one.contact_id, one.step) for one in desk.follow_ups.waiting] == [(PHONE, 0), (PHONE, 1)]
