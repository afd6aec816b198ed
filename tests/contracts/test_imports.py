"""The contracts of the ports of imports: records, and contacts in batches."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytake.aws import contact_batches
from pytake.aws.contact_batches import DynamoContactBatches
from pytake.aws.contacts import DynamoContacts, withdrawn_item
from pytake.aws.imports import DynamoImports
from pytake.contacts.consent import ERASED_SOURCE, Consent, ConsentChange
from pytake.contacts.import_ports import Identities, ImportedContact
from pytake.contacts.imports import Import, ImportProblem, erased_mark
from pytake.contacts.records import new_contact
from pytake.conversation.ports.common import ConflictError
from tests import fakes
from tests.table import kept

ANA, BIA = "5511999990001", "5511999990002"


@pytest.fixture(params=["fake", "aws"])
def imports(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return fakes.MemoryImports()
    return DynamoImports(request.getfixturevalue("table"), kept())


@pytest.fixture(params=["fake", "aws"])
def people(request: pytest.FixtureRequest) -> Any:
    """Contacts, and the same in batches."""
    if request.param == "fake":
        contacts = fakes.MemoryContacts()
        return contacts, fakes.MemoryContactBatches(contacts)
    table = request.getfixturevalue("table")
    request.getfixturevalue("monkeypatch").setattr(contact_batches, "AT_ONCE", 1)  # moto answers one request at a time
    return DynamoContacts(table), DynamoContactBatches(table)


def test_an_import_is_running_until_it_ends(imports: Any) -> None:
    first = imports.put(Import(id="1", organization_id="acme", created_at=1.0))
    imports.put(Import(id="2", organization_id="globex", created_at=2.0, status="waiting"))
    assert imports.running() == [("acme", "1")]
    assert imports.get("globex", "1") is None
    problem = ImportProblem(3, "phone_invalid", "no")
    second = imports.put(first.with_problems([problem]))
    assert imports.get("acme", "1") == second
    with pytest.raises(ConflictError):
        imports.put(first)
    imports.put(replace(second, status="completed"))
    assert imports.running() == []
    assert [one.id for one in imports.latest("acme", 5)] == ["1"]


def test_imports_that_have_not_ended_remember_who_is_erased(imports: Any) -> None:
    imports.put(Import(id="0", organization_id="acme", created_at=1.0, status="waiting"))
    for id_, owner in (("1", "acme"), ("2", "acme"), ("3", "globex")):
        imports.put(Import(id=id_, organization_id=owner, created_at=1.0))
    ended = imports.get("acme", "2")
    imports.put(replace(ended, status="completed"))
    imports.forget("acme", [ANA, BIA])
    imports.forget("acme", [ANA])
    assert imports.get("acme", "0").erased == imports.get("acme", "1").erased
    assert imports.get("acme", "1").erased == [erased_mark("acme", ANA), erased_mark("acme", BIA)]
    assert imports.get("acme", "2").erased == imports.get("globex", "3").erased == []


def test_contacts_are_found_and_stored_together(people: Any) -> None:
    contacts, batches = people
    contacts.save("acme", replace(new_contact(ANA, 1.0), name="Ana"))
    everyone = [Identities((f"55119{index:08d}",), None) for index in range(230)]
    asked = [Identities((ANA, "551199990001"), None), *everyone]
    found = batches.find("acme", asked)
    assert [one.contact.contact_id for one in found] == [one.phones[0] for one in asked]
    assert (found[0].contact.name, found[1].contact.revision) == ("Ana", 0)
    change = ConsentChange("marketing", "granted", "form", 1.0)
    writes = [ImportedContact(replace(one.contact, tags=["new"]), [change]) for one in found]
    assert len(batches.save("acme", writes)) == 231
    assert contacts.load("acme", ANA).tags == ["new"]
    assert contacts.consent_history("acme", everyone[-1].phones[0], 5) == [change]


def test_only_contacts_that_were_written_meanwhile_are_left_out(people: Any) -> None:
    contacts, batches = people
    asked = [Identities((f"55119{index:08d}",), None) for index in range(50)]
    writes = [ImportedContact(replace(one.contact, created_at=1.0), []) for one in batches.find("acme", asked)]
    faster = writes[7].contact.contact_id
    contacts.save("acme", replace(new_contact(faster, 1.0), name="Faster"))
    assert batches.save("acme", writes) == {one.contact.contact_id for one in writes} - {faster}
    assert contacts.load("acme", faster).name == "Faster"


def test_an_identity_that_was_learned_leads_to_the_contact(people: Any) -> None:
    contacts, batches = people
    contact = replace(new_contact(ANA, 1.0), user_id="BR.77a")
    assert batches.save("acme", [ImportedContact(contact, [], "BR.77a")]) == {ANA}
    [found] = batches.find("acme", [Identities((), "BR.77a")])
    assert (found.contact.contact_id, found.disputed) == (ANA, False)
    other = replace(new_contact(BIA, 1.0), user_id="BR.77a")
    assert batches.save("acme", [ImportedContact(other, [], "BR.77a")]) == set()
    contacts.save("acme", new_contact(BIA, 1.0))
    [found] = batches.find("acme", [Identities((BIA,), "BR.77a")])
    assert (found.contact.contact_id, found.disputed) == (BIA, True)


def test_a_new_contact_knows_what_the_person_had_withdrawn(people: Any) -> None:
    contacts, batches = people
    withdrawn = {"marketing": Consent("withdrawn", "stop", 5.0)}
    if isinstance(contacts, DynamoContacts):
        kept_item = withdrawn_item(contacts._table, "acme", ANA, withdrawn)  # type: ignore[arg-type]
        assert kept_item is not None
        kept_item.save()
    else:
        contacts.withdrawn["acme", ANA] = {"marketing": Consent("withdrawn", ERASED_SOURCE, 5.0)}
    [found] = batches.find("acme", [Identities((ANA,), None)])
    assert found.contact.consent == {"marketing": Consent("withdrawn", ERASED_SOURCE, 5.0)}
