"""Nothing that still waits somewhere brings back data of an erased person."""

import copy
import json
from typing import Any

import msgspec
import pytest

from pytake.conversation.erase_contact import SETTLE_SECONDS, EraseContact, FinishErasures
from pytake.conversation.inbox import Inbox
from pytake.conversation.lake_events import LakeEvent
from pytake.conversation.lake_records import LakePart
from pytake.conversation.queues import InboundItem, OutboundItem
from pytake.conversation.records import ConversationKey
from pytake.conversation.replay_erasures import ReplayedErasures, ReplayErasures
from tests import fakes
from tests.conversation.product import ECHO_FLOW, NUMBER, PHONE, Product, text_of
from tests.fakes.lake import MemoryLake
from tests.fakes.media import MemoryMediaFiles

OTHER = "5511888888888"


class Desk:
    """The product and its erasure."""

    def __init__(self) -> None:
        self.product = Product()
        self.product.add_organization("acme", NUMBER, ECHO_FLOW)
        ports = self.product.conversations, self.product.deliveries, self.product.held_turns
        self.erasure = fakes.MemoryErasure(*ports)
        inbox = Inbox(
            self.product.conversations, self.product.conversations.aliases, self.product.tenants, self.product.clock
        )
        self.journal = fakes.MemoryErasureJournal()
        self.erase_contact = EraseContact(
            inbox, self.erasure, self.journal, fakes.MemoryImports(), self.product.events, self.product.clock
        )

    def erase(self) -> int:
        return self.erase_contact("acme", f"+{PHONE}", "tester")

    def post(self, text: str, **content: Any) -> InboundItem:
        """A person writes; returns the item from the queue."""
        self.product.post(self.product.notification(self.product.message(text, **content)))
        return self.product.queues.inbound[-1]

    def known(self) -> bool:
        key = self.product.key()
        found = self.product.conversations
        return key in found.stored or key in found.records or any(place[0] == key for place in found.markers)

    def items(self) -> list[Any]:
        product = self.product
        mine = [entry for place, entry in product.deliveries.entries.items() if place[0] == product.key()]
        return mine + [item for place, item in product.held_turns.items.items() if PHONE in place]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_message_that_was_queued_before_takes_no_turn(desk: Desk) -> None:
    desk.product.say("Hi")
    waiting = desk.post("My name is Ana")
    desk.erase()
    assert desk.product.take_turn(waiting) is None
    assert not desk.known()


def test_a_stranger_who_was_erased_before_their_first_turn_has_none(desk: Desk) -> None:
    waiting = desk.post("Hi, I am Ana")
    desk.erase()
    assert desk.product.take_turn(waiting) is None
    assert not desk.known()


def test_a_message_that_meta_brings_again_days_later_takes_no_turn(desk: Desk) -> None:
    message = desk.product.message("Hi, I am Ana")
    desk.product.post(desk.product.notification(message))
    desk.product.run_queues()
    desk.product.clock.forward(60)
    desk.erase()
    desk.product.clock.forward(3 * 86_400)
    desk.product.queues.forget_deduplication()
    desk.product.post(desk.product.notification(message))
    desk.product.run_queues()
    assert not desk.known()


def test_who_writes_again_is_a_stranger_and_what_they_said_before_stays_away(desk: Desk) -> None:
    desk.product.say("Hi")
    old = desk.post("My name is Ana")
    desk.product.queues.inbound.clear()
    desk.erase()
    desk.product.clock.forward(5)
    assert desk.product.say("Hello again") == ["Hello!\n\nWhat is your name?"]
    assert desk.product.take_turn(old) is None  # redriven from the dead letters, for instance
    [turn] = desk.product.conversations.turns(desk.product.key())
    assert (turn.seq, turn.input.text) == (1, "Hello again")
    assert desk.product.say("Bia") == ["Bye, Bia."]


def erase_before_the_commit(desk: Desk) -> None:
    """Erase the person while the next turn is in progress."""
    commit = desk.product.conversations.commit

    def erased_first(*arguments: Any) -> None:
        desk.product.conversations.commit = commit  # type: ignore[method-assign]
        desk.erase()
        commit(*arguments)

    desk.product.conversations.commit = erased_first  # type: ignore[method-assign]


def test_a_turn_under_way_while_its_person_is_erased_leaves_nothing(desk: Desk) -> None:
    desk.product.say("Hi")
    waiting = desk.post("Ana")
    erase_before_the_commit(desk)
    assert desk.product.take_turn(waiting) is None
    assert not desk.known()


def test_a_first_turn_under_way_while_its_person_is_erased_leaves_nothing(desk: Desk) -> None:
    waiting = desk.post("Hi, I am Ana")
    erase_before_the_commit(desk)
    assert desk.product.take_turn(waiting) is None
    assert not desk.known()


def queued_answer(desk: Desk) -> OutboundItem:
    desk.product.take_turn(desk.post("Hi"))
    return desk.product.queues.outbound.pop()


@pytest.mark.parametrize(
    "how",
    ["waited", "handed out before", "redriven", "stopped number", "resuming number", "unknown number", "too old"],
)
def test_an_answer_that_waits_is_neither_sent_nor_kept(desk: Desk, how: str) -> None:
    product, answer = desk.product, queued_answer(desk)
    number = product.tenants.by_id[NUMBER]
    desk.erase()
    match how:
        case "waited":
            product.clock.forward(16)
        case "redriven":
            answer = msgspec.structs.replace(
                answer, redrive_count=1, requeue_id="redrive1", queued_at=product.clock() + 1
            )
        case "stopped number":
            number.stopped_reason = "fatal_token:190"
        case "resuming number":
            number.resuming_at = 1.0
            earlier = msgspec.structs.replace(answer, turn=0)
            product.held_turns.hold(earlier, 1.0)
            desk.erase()
        case "unknown number":
            product.tenants.by_id.clear()
        case "too old":
            product.clock.forward(14 * 86_400)
    product.deliver(answer, first_delivery=how not in ("handed out before", "resuming number"))
    assert product.graph.sent == []
    assert desk.items() == product.queues.dead_lettered == []


def test_an_answer_to_the_erased_person_is_not_sent_in_the_strangers_conversation(desk: Desk) -> None:
    product, old = desk.product, queued_answer(desk)
    product.clock.forward(5)
    desk.erase()
    product.clock.forward(5)
    product.take_turn(desk.post("Hello again"))
    for first_delivery in (True, False):
        product.clock.forward(20)
        product.deliver(old, first_delivery=first_delivery)
    assert product.graph.sent == []
    product.deliver(product.queues.outbound[-1], first_delivery=False)
    assert [text_of(payload) for payload in product.graph.sent] == ["Hello!\n\nWhat is your name?"]


def test_others_are_left_alone(desk: Desk) -> None:
    desk.product.say("Hi", phone=OTHER)
    desk.product.say("Hi")
    desk.erase()
    desk.product.clock.forward(20)
    assert desk.product.say("Ana", phone=OTHER) == ["Bye, Ana."]


def test_operators_hear_how_much_and_not_who(desk: Desk) -> None:
    desk.product.say("Hi")
    desk.erase()
    told = json.dumps([msgspec.to_builtins(event) for event in desk.product.events.events])
    assert desk.product.events.types == ["contact.erased"]
    assert PHONE not in told


class Letters:
    def __init__(self) -> None:
        self.removed: list[ConversationKey] = []

    def remove(self, keys: list[ConversationKey]) -> int:
        self.removed += keys
        return len(keys)


def test_what_is_elsewhere_goes_when_no_worker_can_still_write_and_one_that_fails_is_tried_again(desk: Desk) -> None:
    lake, letters = MemoryLake(), Letters()
    hour = int(desk.product.clock()) // 3600 * 3600
    row = LakeEvent("e", "reported", hour * 1000, "ana", None, NUMBER, 1, variables={"name": "Ana"})
    lake.put(LakePart("acme", hour, hour * 1000, hour * 1000), [row])
    finish = FinishErasures(
        desk.erasure, lake, MemoryMediaFiles(desk.product.clock), letters, desk.product.events, desk.product.clock
    )
    desk.erase()
    pending = desk.erasure.unfinished[0]
    pending.contacts, pending.reported, pending.unsettled = ["ana"], [hour], [hour + 3600]
    again: list[tuple[str, int]] = []

    def export_again(organization_id: str, of_hour: int) -> None:
        again.append((organization_id, of_hour))
        if len(again) == 1:
            raise ConnectionError

    desk.product.clock.forward(SETTLE_SECONDS - 1)
    assert finish(export_again) == 0
    assert again == []
    desk.product.clock.forward(1)
    assert finish(export_again) == 0
    assert desk.product.events.types[-1] == "contact.erasure_failed"
    assert finish(export_again) == 1
    assert again == [("acme", hour + 3600)] * 2
    [left] = lake.rows()
    assert left == LakeEvent("e", "reported", hour * 1000, "ana", None, NUMBER, 1)
    assert lake.forgotten == {"results", ("acme", hour), ("acme", hour + 3600)}
    assert {key.contact_id for key in letters.removed} >= {PHONE}
    assert desk.erasure.unfinished == []
    assert finish(export_again) == 0


def restored(desk: Desk) -> ReplayErasures:
    """The table as it was before the last erasure, with the journal of all erasures."""
    desk.product.say("Hi")
    before = copy.deepcopy(vars(desk.product.conversations))
    desk.product.clock.forward(60)
    desk.erase()
    assert not desk.known()
    vars(desk.product.conversations).update(before)
    assert desk.known()
    return ReplayErasures(desk.journal, desk.erasure)


def test_an_erasure_survives_a_restore_of_the_table(desk: Desk) -> None:
    waiting = desk.post("My name is Ana")
    desk.product.queues.inbound.clear()
    replay = restored(desk)
    assert replay(desk.product.clock()).people == 1
    assert not desk.known()
    assert desk.product.take_turn(waiting) is None
    assert replay(desk.product.clock()) == ReplayedErasures(1, 0, 0)


def test_only_erasures_since_the_restored_moment_are_repeated(desk: Desk) -> None:
    replay = restored(desk)
    assert replay(desk.product.clock() + 1) == ReplayedErasures(0, 0, 0)
    assert desk.known()


def test_a_contact_who_came_back_after_the_erasure_stays(desk: Desk) -> None:
    desk.product.say("Hi")
    erased_at = desk.product.clock.forward(60) or desk.product.clock()
    desk.erase()
    desk.product.clock.forward(60)
    desk.product.say("Hello again")
    assert ReplayErasures(desk.journal, desk.erasure)(erased_at) == ReplayedErasures(1, 0, 0)
    assert desk.known()


def test_nothing_is_erased_that_could_not_be_recorded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise ConnectionError

    desk.product.say("Hi")
    monkeypatch.setattr(desk.journal, "record", refuse)
    with pytest.raises(ConnectionError):
        desk.erase()
    assert desk.known()


def test_the_journal_names_no_person(desk: Desk) -> None:
    desk.product.say("Hi")
    desk.erase()
    written = msgspec.json.encode(desk.journal.recorded).decode()
    assert PHONE not in written
    assert PHONE[4:] not in written
