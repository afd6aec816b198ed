"""The contract of the `Erasure` port."""

from typing import Any

import boto3
import pytest
from msgspec.structs import replace

from pytake.aws.aliases import DynamoAliases
from pytake.aws.contacts import DynamoContacts
from pytake.aws.erasure_journal import S3ErasureJournal
from pytake.contacts.consent import Consent, ConsentChange
from pytake.contacts.records import new_contact
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.queues import OutboundItem
from pytake.conversation.recorded_erasures import NO_NUMBER, RecordedErasure, erasure_digest
from pytake.conversation.records import ERASURE_SECONDS, Conversation, ConversationKey, Delivery, TurnRecord
from pytake.engine import Contact, Input
from pytake.whatsapp.outbound import Text
from tests import fakes

NOW = 1_770_000_000.0
ANA = ConversationKey("acme", "100000000000001", "5511999999999")
OTHERS = [
    ConversationKey("acme", "100000000000001", "55119999999990"),  # begins with Ana's
    ConversationKey("acme", "100000000000002", "5511999999999"),
    ConversationKey("globex", "100000000000001", "5511999999999"),
]


def remember(remembered: Any, key: ConversationKey, turns: int = 3) -> int:
    """Create a conversation; returns the minimum number of its items (message markers may be items too)."""
    conversations, deliveries, held_turns, _ = remembered
    for seq in range(1, turns + 1):
        turn = TurnRecord(seq, NOW, "s", "waiting", Input(text="Hi"), message_id=f"wamid.{seq}", messages=[Text("Oi")])
        conversations.commit(Conversation(key=key, contact=Contact(id=key.contact_id), seq=seq, active_at=NOW), turn)
        deliveries.claim(key, Delivery(seq, 0, "claimed"), None)
    held_turns.hold(
        OutboundItem(key.organization_id, key.phone_number_id, key.contact_id, turns, [Text("Oi")], 1e12), NOW
    )
    return 2 * turns + 2


def test_everything_of_the_person_at_the_number_goes_and_nothing_else(remembered: Any) -> None:
    conversations, deliveries, held_turns, erasure = remembered
    items = [remember(remembered, key) for key in (ANA, *OTHERS)]
    assert erasure.remove(erasure.begin("acme", [ANA], NOW)) >= items[0]
    assert conversations.load(ANA) is None
    assert conversations.turns(ANA) == deliveries.of_conversation(ANA) == []
    assert conversations.turn_of_message(ANA, "wamid.1") is None
    assert held_turns.earliest(ANA) is None
    assert ANA not in [place.key for place in conversations.recent("acme")]
    for key in OTHERS:
        assert conversations.load(key) is not None
        assert len(conversations.turns(key)) == len(deliveries.of_conversation(key)) == 3
        earliest = held_turns.earliest(key)
        assert earliest is not None
        assert earliest.turn == 3


def test_the_identities_of_the_person_go_also_those_that_were_learned_meanwhile(remembered: Any) -> None:
    conversations, _, _, erasure = remembered
    fake = isinstance(conversations, fakes.MemoryConversations)
    aliases = conversations.aliases if fake else DynamoAliases(conversations._table, lambda: NOW)
    contact = Contact(id=ANA.contact_id)

    def commit(seq: int, *learned: str) -> None:
        record = TurnRecord(seq, NOW, "", "recorded", Input(text="Hi"), message_id=f"wamid.{seq}")
        conversations.commit(Conversation(key=ANA, contact=contact, seq=seq), record, learned=learned)

    commit(1, "BR.77a")
    pending = erasure.begin("acme", [ANA, replace(ANA, contact_id="BR.77a")], NOW)
    commit(2, "BR.88c")
    erasure.remove(pending)
    assert aliases.find("acme", [ANA.contact_id, "BR.77a", "BR.88c"], consistent=True).aliases == {}


def test_more_than_a_batch_goes(remembered: Any) -> None:
    items = remember(remembered, ANA, turns=20)
    pending = remembered[3].begin("acme", [ANA], NOW)
    assert remembered[3].remove(pending) >= items
    assert remembered[3].remove(pending) == 0


def test_who_was_erased_is_a_stranger_who_knows_when_they_were_erased(remembered: Any) -> None:
    conversations, _, _, erasure = remembered
    remember(remembered, ANA)
    erasure.remove(erasure.begin("acme", [ANA], NOW))
    assert conversations.erased_at(ANA) == NOW
    assert conversations.erased_at(OTHERS[0]) == 0
    first = TurnRecord(1, NOW, "s", "waiting", Input(text="Hi"), message_id="wamid.1")
    for unaware in (0.0, NOW - 1):
        with pytest.raises(ConflictError):
            conversations.commit(
                Conversation(key=ANA, contact=Contact(id=ANA.contact_id), seq=1, erased_at=unaware), first
            )
    conversations.commit(Conversation(key=ANA, contact=Contact(id=ANA.contact_id), seq=1, erased_at=NOW), first)
    known = conversations.load(ANA)
    assert known is not None
    assert known.erased_at == NOW
    assert len(conversations.turns(ANA)) == 1


def test_a_person_may_write_again_before_the_database_has_deleted_an_expired_record(
    remembered: Any, clock: fakes.FrozenClock
) -> None:
    conversations, _, _, erasure = remembered
    erasure.remove(erasure.begin("acme", [ANA], NOW))
    clock.now = NOW + ERASURE_SECONDS + 3600
    before = Conversation(key=ANA, contact=Contact(id=ANA.contact_id), seq=1, erased_at=conversations.erased_at(ANA))
    conversations.commit(before, TurnRecord(1, clock.now, "s", "waiting", Input(text="Hi"), message_id="wamid.1"))
    assert conversations.load(ANA) is not None


def test_an_erasure_is_pending_until_it_is_finished(remembered: Any) -> None:
    erasure = remembered[3]
    pending = erasure.begin("acme", [ANA], NOW)
    assert erasure.pending(NOW - 1) == []
    assert erasure.pending(NOW) == [pending]
    erasure.finish(pending)
    assert erasure.pending(NOW) == []


def test_a_restored_table_finds_who_was_erased_by_the_digest(remembered: Any) -> None:
    for key in (ANA, *OTHERS):
        remember(remembered, key)
    erasure = remembered[3]
    assert erasure.find({erasure_digest(ANA): NOW, erasure_digest(OTHERS[2]): NOW + 1, "x": NOW}) == [
        (ANA, NOW),
        (OTHERS[2], NOW + 1),
    ]


def test_a_held_turn_alone_is_found(remembered: Any) -> None:
    remembered[2].hold(
        OutboundItem(ANA.organization_id, ANA.phone_number_id, ANA.contact_id, 1, [Text("Oi")], 1e12), NOW
    )
    assert remembered[3].find({erasure_digest(ANA): NOW}) == [(ANA, NOW)]


def test_a_remembered_erasure_stops_messages_from_before_it(remembered: Any) -> None:
    conversations, _, _, erasure = remembered
    erasure.remember(RecordedErasure("acme", NOW, [erasure_digest(ANA)]))
    assert conversations.erased_at(ANA) == NOW
    first = TurnRecord(1, NOW, "s", "waiting", Input(text="Hi"), message_id="wamid.1")
    conversations.commit(Conversation(key=ANA, contact=Contact(id=ANA.contact_id), seq=1, erased_at=NOW), first)
    assert erasure.find({erasure_digest(ANA): NOW}) == []
    assert erasure.find({erasure_digest(ANA): NOW + 1}) == [(ANA, NOW + 1)]


def contacts_of(remembered: Any) -> Any:
    conversations = remembered[0]
    return conversations.contacts if hasattr(conversations, "contacts") else DynamoContacts(conversations._table)


def aliases_of(remembered: Any) -> Any:
    conversations = remembered[0]
    if hasattr(conversations, "aliases"):
        return conversations.aliases
    return DynamoAliases(conversations._table, fakes.FrozenClock())


def test_contacts_and_erasures_are_found_beside_the_identities(remembered: Any) -> None:
    aliases, contacts, erasure = aliases_of(remembered), contacts_of(remembered), remembered[3]
    stored = contacts.save("acme", replace(new_contact(ANA.contact_id, NOW), name="Ana"))
    found = aliases.find("acme", [ANA.contact_id, "BR.77a"], ANA.phone_number_id)
    assert (found.contacts, found.erased) == ({ANA.contact_id: stored}, frozenset())
    assert aliases.find("acme", [ANA.contact_id, "BR.77a"]).contacts == {}
    erasure.remove(erasure.begin("acme", [ANA], NOW))
    found = aliases.find("acme", [ANA.contact_id, "BR.77a"], ANA.phone_number_id)
    assert (found.contacts, found.erased) == ({}, {ANA.contact_id})
    assert aliases.find("acme", [ANA.contact_id], "another").erased == frozenset(), "nothing is kept of her there"


def test_what_is_kept_of_an_erased_persons_consent_is_found_at_every_number(remembered: Any) -> None:
    aliases, contacts, erasure = aliases_of(remembered), contacts_of(remembered), remembered[3]
    withdrawn = replace(new_contact(ANA.contact_id, NOW), consent={"marketing": Consent("withdrawn", "stop", NOW)})
    contacts.save("acme", withdrawn)
    erasure.remove(erasure.begin("acme", [ANA], NOW))
    assert aliases.find("acme", [ANA.contact_id], "another").erased == {ANA.contact_id}


def test_a_contact_goes_with_its_history_and_only_withdrawn_consent_is_kept(remembered: Any) -> None:
    contacts, erasure = contacts_of(remembered), remembered[3]
    consent = {"marketing": Consent("withdrawn", "stop", NOW - 5), "utility": Consent("granted", "form", NOW - 5)}
    changes = [ConsentChange("marketing", "withdrawn", "stop", NOW - 5)]
    ana = replace(new_contact(ANA.contact_id, NOW - 9), name="Ana", fields={"city": "Rio"}, consent=consent)
    for organization_id in ("acme", "globex"):
        contacts.save(organization_id, ana, changes)
    contacts.save("acme", replace(ana, contact_id=OTHERS[0].contact_id), changes)
    pending = erasure.begin("acme", [ANA], NOW)
    assert erasure.remove(pending) == 2
    assert erasure.remove(pending) == 0
    fresh = contacts.load("acme", ANA.contact_id)
    never_again = {"marketing": Consent("withdrawn", "erasure", NOW - 5)}
    assert fresh == replace(new_contact(ANA.contact_id), consent=never_again)
    assert contacts.consent_history("acme", ANA.contact_id, 10) == []
    assert [place.contact_id for place in contacts.listed("acme")] == [OTHERS[0].contact_id]
    assert contacts.load("globex", ANA.contact_id).name == contacts.load("acme", OTHERS[0].contact_id).name == "Ana"
    contacts.save("acme", fresh)
    again = erasure.begin("acme", [ANA], NOW + 1)
    assert erasure.remove(again) == 1
    assert contacts.load("acme", ANA.contact_id).consent == never_again


def test_a_restored_contact_that_never_wrote_is_found_unless_it_is_newer(aws_remembered: Any) -> None:
    contacts, erasure = contacts_of(aws_remembered), aws_remembered[3]
    key = ConversationKey("acme", NO_NUMBER, ANA.contact_id)
    contacts.save("acme", new_contact(ANA.contact_id, NOW))
    assert erasure.find({erasure_digest(key): NOW + 1}) == [(key, NOW + 1)]
    assert erasure.find({erasure_digest(key): NOW}) == []


@pytest.fixture(params=["fake", "aws"])
def journal(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return fakes.MemoryErasureJournal()
    request.getfixturevalue("aws")
    client = boto3.client("s3")
    client.create_bucket(Bucket="journal")
    return S3ErasureJournal(lambda: client, "journal")


def test_the_journal_returns_erasures_from_a_time_on_in_order(journal: Any) -> None:
    erasures = [RecordedErasure("acme", NOW + second, [f"{second}"]) for second in (2, 0, 1.5, 1)]
    for erasure in erasures:
        journal.record(erasure)
    assert [one.at - NOW for one in journal.since(NOW + 1)] == [1, 1.5, 2]
    assert len(list(journal.since(0))) == 4
