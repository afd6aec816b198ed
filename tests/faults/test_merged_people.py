"""An opt-out of one identity holds for the person, once a message has named both identities together, until they write again."""

import pytest

from pytake.conversation.callback_data import read_callback_data
from pytake.conversation.delivery.ledger_lookups import LedgerLookups
from tests.faults import stories
from tests.faults.invariants import BEGUN_SECONDS, broken
from tests.faults.plans import NoFaults
from tests.faults.timeline import START
from tests.faults.world import World, user_id_of

ANA, BIA = stories.PHONES[:2]


def slow_story(*said: tuple[float, str, str]) -> World:
    """What Ana says (when, what, how Meta names her) while so few messages may leave that her first answer leaves late."""
    world = World(0, NoFaults(), per_minute=1)
    world.meta.read = False
    world.says(0.0, "acme", BIA, "Oi")
    world.says(0.5, "acme", BIA, "restart")
    for at, text, names in said:
        world.says(at, "acme", ANA, text, names)
    return stories.to_the_end(world)


def late_answers(world: World) -> list[float]:
    """How long after the start the answers to Ana's first message left that no worker can have begun before she opted out."""
    found = []
    for sent in world.meta.sent:
        data = read_callback_data(sent.payload["biz_opaque_callback_data"])
        assert data is not None
        key, turn, _, _ = data
        if key.contact_id == user_id_of(ANA) and turn == 1 and sent.at > START + 20 + BEGUN_SECONDS:
            found.append(sent.at - START)
    return found


def test_a_person_who_opted_out_twice_and_writes_again_gets_the_answers() -> None:
    """The opt-out under the phone number came first, and the message that proves the two one person ends both."""
    world = slow_story((1.0, "Oi", "user_id"), (4.0, "stop", "phone"), (8.0, "stop", "user_id"), (12.0, "Oi", "both"))
    assert late_answers(world)
    assert broken(world) == []


def opted_out_under_the_phone_number() -> World:
    return slow_story((1.0, "Oi", "user_id"), (4.0, "Oi", "phone"), (12.0, "stop", "both"))


def test_an_opt_out_stops_what_another_identity_still_waits_for() -> None:
    world = opted_out_under_the_phone_number()
    assert late_answers(world) == []
    assert broken(world) == []


def test_an_answer_that_a_merged_opt_out_did_not_stop_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_it_was(self: LedgerLookups) -> object:
        return self._conversations.load(self._item.key)

    monkeypatch.setattr(LedgerLookups, "conversation", as_it_was)
    world = opted_out_under_the_phone_number()
    assert late_answers(world)
    assert [problem for problem in broken(world) if "after the person opted out" in problem]
