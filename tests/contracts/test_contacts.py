"""The contract of the `Contacts` port."""

from itertools import islice

import pytest
from msgspec.structs import replace

from pytake.contacts.consent import Consent, ConsentChange
from pytake.contacts.ports import Contacts, ListPlace
from pytake.contacts.records import ContactRecord, new_contact
from pytake.conversation.ports.common import ConflictError

NOW = 1_770_000_000.25
ANA = "5511999999999"


def contact(contact_id: str = ANA, **fields: object) -> ContactRecord:
    return replace(new_contact(contact_id, NOW), **fields)


def test_a_stranger_is_a_new_contact(contacts: Contacts) -> None:
    assert contacts.load("acme", ANA) == ContactRecord(contact_id=ANA, phone=f"+{ANA}")
    assert contacts.load("acme", "BR.77a").phone is None
    assert contacts.load_all("acme", [ANA]) == []
    assert contacts.consent_history("acme", ANA, 10) == []
    assert list(contacts.listed("acme")) == []


def test_a_contact_is_read_back_whole(contacts: Contacts) -> None:
    whole = contact(
        user_id="BR.77a",
        parent_user_id="BR.ENT.9b",
        username="ana.s",
        name="Ana",
        language="pt_BR",
        tags=["vip"],
        fields={"city": "São Paulo", "age": 7, "list": [1, {"a": None}]},
        consent={"marketing": Consent("granted", "form", NOW)},
        numbers=["1"],
        last_inbound_at=NOW,
    )
    saved = contacts.save("acme", whole)
    assert saved == replace(whole, revision=1)
    assert contacts.load("acme", ANA) == saved
    assert contacts.load_all("acme", [ANA, ANA, "551100"]) == [saved]
    assert contacts.load("globex", ANA).revision == 0


def test_only_the_contact_that_was_read_is_overwritten(contacts: Contacts) -> None:
    first = contacts.save("acme", contact(name="Ana"))
    with pytest.raises(ConflictError):
        contacts.save("acme", contact(name="Bia"))
    second = contacts.save("acme", replace(first, name="Ana S."))
    assert second.revision == 2
    change = ConsentChange("marketing", "granted", "form", NOW)
    with pytest.raises(ConflictError):
        contacts.save("acme", replace(first, name="late"), [change])
    assert contacts.load("acme", ANA) == second
    assert contacts.consent_history("acme", ANA, 10) == []


def test_the_history_has_each_change_once_the_latest_last(contacts: Contacts) -> None:
    changes = [ConsentChange("marketing", "granted", f"form {at}", NOW + at) for at in range(5)]
    saved = contacts.save("acme", contact(), [changes[3], changes[0], changes[3]])
    contacts.save("acme", saved, [changes[2], changes[1], changes[4], changes[0]])
    assert contacts.consent_history("acme", ANA, 10) == changes
    assert contacts.consent_history("acme", ANA, 2) == changes[3:]
    assert contacts.consent_history("globex", ANA, 10) == []


def test_the_list_has_each_contact_once_and_continues_after_any_place(contacts: Contacts) -> None:
    for number in range(30):  # three of each millisecond
        contacts.save("acme", contact(f"55{number:02}", created_at=NOW + number // 3 / 1000))
    contacts.save("globex", contact("5599"))
    every = list(contacts.listed("acme"))
    assert {place.contact_id for place in every} == {f"55{number:02}" for number in range(30)}
    assert every == sorted(every, key=lambda place: (-place.at, place.contact_id))
    milliseconds = [(int(place.contact_id) - 5500) // 3 for place in every]
    assert milliseconds == sorted(milliseconds, reverse=True)
    found: list[ListPlace] = []
    while page := list(islice(contacts.listed("acme", found[-1] if found else None), 7)):
        found += page
    assert found == every
    changed = contacts.load("acme", every[0].contact_id)
    contacts.save("acme", replace(changed, name="Ana"))
    assert list(contacts.listed("acme")) == every
