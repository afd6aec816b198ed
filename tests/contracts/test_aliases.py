"""Identities and the contacts they lead to, on the fake and on DynamoDB."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytake.contacts.consent import Consent, ConsentChange
from pytake.contacts.records import emptied, merged_contact, new_contact
from pytake.conversation.merge_contacts import merged_conversations
from pytake.conversation.ports.aliases import Alias
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.records import Conversation, ConversationKey, TurnRecord
from pytake.engine import Contact, Input

NUMBER, NOW = "100000000000001", 1_770_000_000.0
GRANTED = ConsentChange("marketing", "granted", "form", NOW)
WITHDRAWN = ConsentChange("marketing", "withdrawn", "stop", NOW + 5)
PHONE, USER, PARENT = "5511999999999", "BR.77a", "BR.ENT.9b"


def conversation(contact_id: str, seq: int = 1) -> Conversation:
    key = ConversationKey("acme", NUMBER, contact_id)
    return Conversation(key=key, contact=Contact(contact_id), seq=seq, active_at=NOW)


def turn(seq: int = 1, message_id: str | None = None) -> TurnRecord:
    return TurnRecord(seq, NOW, "", "recorded", Input("text", "Oi"), message_id=message_id)


def commit(identified: Any, contact_id: str, *learned: str, seq: int = 1) -> None:
    identified[0].commit(conversation(contact_id, seq), turn(seq, f"wamid.{contact_id}.{seq}"), learned=learned)


def leads(identified: Any, *identities: str) -> dict[str, str]:
    found = identified[1].find("acme", identities, NUMBER, consistent=True)
    return {identity: alias.contact_id for identity, alias in found.aliases.items()}


def test_an_unknown_identity_leads_nowhere(identified: Any) -> None:
    found = identified[1].find("acme", [PHONE, USER, PHONE], NUMBER)
    assert (found.aliases, found.conversations) == ({}, frozenset())
    assert identified[1].find("acme", []).aliases == {}


def test_a_turn_lets_what_it_learned_lead_to_its_contact(identified: Any) -> None:
    commit(identified, PHONE, USER, PARENT)
    assert leads(identified, PHONE, USER, PARENT) == dict.fromkeys((PHONE, USER, PARENT), PHONE)
    found = identified[1].find("acme", [PHONE, USER], NUMBER)
    assert found.aliases[PHONE].identities == {USER, PARENT}
    assert found.conversations == {PHONE}
    assert identified[1].find("acme", [PHONE]).conversations == frozenset()
    assert identified[1].find("globex", [PHONE, USER], NUMBER).aliases == {}
    commit(identified, PHONE, "BR.88c", seq=2)
    assert identified[1].find("acme", [PHONE]).aliases[PHONE].identities == {USER, PARENT, "BR.88c"}


def test_a_new_contact_claims_its_id(identified: Any) -> None:
    commit(identified, USER)
    with pytest.raises(ConflictError):
        commit(identified, PHONE, USER)
    assert leads(identified, PHONE, USER) == {USER: USER}
    assert identified[0].load(ConversationKey("acme", NUMBER, PHONE)) is None


def test_an_identity_that_leads_elsewhere_begins_no_contact(identified: Any) -> None:
    commit(identified, USER, PHONE)
    with pytest.raises(ConflictError):
        commit(identified, PHONE)


def test_a_merge_moves_every_identity_and_remembers_that_it_is_not_finished(identified: Any) -> None:
    commit(identified, PHONE)
    commit(identified, USER, PARENT)
    for _ in range(2):
        identified[1].merge("acme", PHONE, USER)
    assert leads(identified, PHONE, USER, PARENT) == dict.fromkeys((PHONE, USER, PARENT), PHONE)
    found = identified[1].find("acme", [PHONE], consistent=True).aliases[PHONE]
    assert (found.identities, found.merging) == ({USER, PARENT}, {USER})
    with pytest.raises(ConflictError):
        identified[1].merge("acme", USER, PHONE)
    with pytest.raises(ConflictError):
        commit(identified, USER, "BR.88c", seq=2)
    for _ in range(2):
        identified[1].finish_merge("acme", PHONE, USER)
    found = identified[1].find("acme", [PHONE], consistent=True).aliases[PHONE]
    assert (found.identities, found.merging) == ({USER, PARENT}, frozenset())


def test_contacts_from_before_there_were_aliases_can_be_merged(identified: Any) -> None:
    identified[1].merge("acme", PHONE, USER)
    assert leads(identified, PHONE, USER) == {PHONE: PHONE, USER: PHONE}
    assert Alias(PHONE).identities == frozenset()


def test_merged_conversations_are_written_together(identified: Any) -> None:
    conversations, aliases = identified
    commit(identified, PHONE)
    commit(identified, USER)
    aliases.merge("acme", PHONE, USER)
    stays, goes = (conversations.load(ConversationKey("acme", NUMBER, id_)) for id_ in (PHONE, USER))
    merged = merged_conversations(stays.key, stays, goes, new_contact(PHONE), NOW)
    conversations.merge(*merged, 7)
    assert conversations.load(stays.key).contact_revision == 7
    with pytest.raises(ConflictError):
        conversations.merge(*merged)
    left = conversations.load(goes.key)
    assert (left.merged_into, left.seq) == (PHONE, 2)
    assert conversations.load(stays.key).merged == {USER: NOW}
    assert aliases.find("acme", [PHONE, USER], NUMBER, consistent=True).conversations == {PHONE}
    assert [place.key.contact_id for place in conversations.recent("acme")] == [PHONE]
    assert conversations.turn_of_message(goes.key, f"wamid.{USER}.1").seq == 1
    assert [record.status for record in conversations.turns(goes.key)] == ["recorded", "merged"]


def test_the_contact_that_two_became_is_stored_and_the_other_one_is_emptied(contacts: Any) -> None:
    stays = contacts.save("acme", replace(new_contact(PHONE, NOW), tags=["vip"], last_inbound_at=NOW), [GRANTED])
    goes = contacts.save("acme", replace(new_contact(USER, NOW + 1), name="Ana", user_id=USER), [WITHDRAWN])
    for one, other in ((replace(stays, revision=9), goes), (stays, replace(goes, revision=9))):
        with pytest.raises(ConflictError):
            contacts.merge("acme", one, other)
    merged = contacts.merge("acme", merged_contact(stays, goes), goes)
    assert contacts.load("acme", PHONE) == merged
    assert (merged.name, merged.tags, merged.phone, merged.user_id) == ("Ana", ["vip"], f"+{PHONE}", USER)
    assert contacts.load("acme", USER) == replace(emptied(goes), revision=goes.revision + 1)
    assert [place.contact_id for place in contacts.listed("acme")] == [PHONE]
    assert contacts.consent_history("acme", PHONE, 9) == [GRANTED, WITHDRAWN]


def test_a_withdrawal_from_all_messages_by_either_holds_and_otherwise_the_later_change() -> None:
    consent = {"service": Consent("granted", "message", NOW + 1), "marketing": Consent("granted", "form", NOW)}
    stays = replace(new_contact(PHONE), consent=consent)
    withdrawn = {"service": Consent("withdrawn", "stop", NOW), "marketing": Consent("withdrawn", "stop", NOW + 1)}
    for one, other in ((stays, replace(stays, consent=withdrawn)), (replace(stays, consent=withdrawn), stays)):
        merged = merged_contact(one, other)
        assert merged.opted_out
        assert merged.consent_to("marketing").state == "withdrawn"
        assert merged.consent_to("utility").state == "unknown"


def test_a_conversation_is_made_for_a_contact_that_has_none_at_the_number(identified: Any) -> None:
    conversations, aliases = identified
    commit(identified, USER)
    aliases.merge("acme", PHONE, USER)
    goes = conversations.load(ConversationKey("acme", NUMBER, USER))
    key = ConversationKey("acme", NUMBER, PHONE)
    conversations.merge(*merged_conversations(key, None, goes, new_contact(PHONE), NOW))
    assert conversations.load(key).contact.id == PHONE
