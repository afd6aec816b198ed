"""A contact of an audience who turns out to be another contact: the person gets the message once, and the report has it."""

import pytest
from msgspec.structs import replace

from pytake.campaigns.recount import RECOUNT_AFTER
from pytake.conversation.merge_contacts import MergeContacts
from tests.campaigns.world import PRICE, CampaignWorld, person
from tests.conversation.product import NUMBER

PHONE_CONTACT, USER_CONTACT = person(0), replace(person(1), contact_id="BR.77a", phone=None, user_id="BR.77a")


def merge(world: CampaignWorld) -> None:
    product = world.product
    ports = product.conversations, product.contacts, product.conversations.aliases
    merge = MergeContacts(*ports, product.tenants, product.events, world.clock)
    merge("acme", PHONE_CONTACT.contact_id, USER_CONTACT.contact_id, NUMBER)


def merge_when_frozen(world: CampaignWorld) -> None:
    """Merge when the first recipients are about to be read."""
    other = CampaignWorld([replace(one, revision=0) for one in world.people])
    other.start()
    other.run()
    world.calls.at[other.calls.names.index("load_all"), "before"] = lambda: merge(world)


@pytest.mark.parametrize("known", [True, False], ids=["the other has a conversation", "neither has one"])
def test_who_was_merged_without_a_conversation_gets_the_message_and_is_counted(*, known: bool) -> None:
    world = CampaignWorld([USER_CONTACT, person(2)])
    world.product.contacts.save("acme", PHONE_CONTACT)
    if known:
        for text in ("Hi", "Ana"):
            world.product.say(text, phone=PHONE_CONTACT.contact_id)
    merge_when_frozen(world)
    world.start()
    world.run()
    assert world.outcomes() == {"BR.77a": "released", person(2).contact_id: "released"}
    assert sorted(world.queued()) == sorted([PHONE_CONTACT.contact_id, person(2).contact_id])
    world.clock.forward(RECOUNT_AFTER[0])
    world.product.run_queues()
    world.recount()
    assert world.outcomes()["BR.77a"] == f"sent ={PRICE}"


def test_who_is_in_the_audience_twice_gets_the_message_once() -> None:
    world = CampaignWorld([USER_CONTACT, PHONE_CONTACT])
    merge_when_frozen(world)
    world.start()
    world.run()
    assert sorted(world.outcomes().values()) == ["-merged", "released"]
    assert world.queued() == [PHONE_CONTACT.contact_id]
