"""The contract of the `Templates` port."""

from msgspec.structs import replace

from pytake.conversation.ports.templates import Templates
from pytake.conversation.ports.tenants import TENANT_CACHE_SECONDS
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.whatsapp.templates import MessageTemplate
from tests.fakes import FrozenClock


def key(name: str = "order_ready", waba_id: str = "5", organization_id: str = "acme") -> TemplateKey:
    return TemplateKey(organization_id, waba_id, name, "pt_BR")


def put(templates: Templates, where: TemplateKey, status: str = "APPROVED") -> StoredTemplate:
    body = [{"type": "BODY", "text": "Oi"}]
    stored = StoredTemplate(where.waba_id, MessageTemplate(where.name, where.language, status=status, components=body))
    return templates.change(where, lambda _: stored)[1]


def test_a_copy_is_found_in_its_organization_and_account_only(templates: Templates) -> None:
    stored = put(templates, key())
    assert templates.find(key()) == stored
    for other in (key("other"), key(waba_id="6"), key(organization_id="globex")):
        assert templates.find(other) is None


def test_a_change_gets_the_copy_and_gives_before_and_after(templates: Templates, clock: FrozenClock) -> None:
    stored = put(templates, key())
    paused = replace(stored, template=replace(stored.template, status="PAUSED"))
    assert templates.find(key()) == stored
    assert templates.change(key(), lambda known: paused if known == stored else stored) == (stored, paused)
    assert templates.change(key(), lambda known: known or stored) == (paused, paused), "nothing to write"
    clock.forward(TENANT_CACHE_SECONDS)
    assert templates.find(key()) == paused


def test_copies_are_listed_in_order_and_in_parts(templates: Templates) -> None:
    places = [key("b"), key("a", "50"), key("a"), key("c", organization_id="globex")]
    for place in places:
        put(templates, place)
    templates.set_listed("acme", "5", 7.0)
    names = [(stored.waba_id, stored.template.name) for _, stored in templates.page("acme", 10)]
    assert names == [("5", "a"), ("5", "b"), ("50", "a")]
    ((place, _),) = templates.page("acme", 1)
    assert [stored.template.name for _, stored in templates.page("acme", 1, place)] == ["b"]
    assert [stored.template.name for stored in templates.of_account("acme", "5")] == ["a", "b"]
    assert [stored.template.name for stored in templates.of_account("acme", "5", "a")] == ["a"]


def test_an_account_is_forgotten_whole(templates: Templates) -> None:
    for place in (key(), key("a"), key(waba_id="50")):
        put(templates, place)
    templates.set_listed("acme", "5", 7.0)
    templates.set_listed("acme", "50", 8.0)
    assert (templates.listed_at("acme", "5"), templates.listed_at("globex", "5")) == (7.0, None)
    templates.remove_account("acme", "5")
    assert templates.of_account("acme", "5") == []
    assert templates.listed_at("acme", "5") is None
    assert len(templates.of_account("acme", "50")) == 1
    assert templates.listed_at("acme", "50") == 8.0
