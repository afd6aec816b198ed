"""Contacts and their consent over REST, with conversations that keep copies of them."""

from collections.abc import Iterator
from typing import Any

import pytest

from pytake.aws.contacts import DynamoContacts
from pytake.contacts import manage
from pytake.wiring import shared
from tests.functions.conftest import Answer, running_gateway
from tests.functions.samples import NUMBER
from tests.functions.world import ANA, BIA, FIRST, SECOND, World

CONTACTS = "/api/v1/contacts"
UNSET = {"state": "unknown", "source": None, "at": None}

GREETING: dict[str, Any] = {
    "format": 1,
    "id": "greeting",
    "name": "Greeting",
    "language": "en",
    "start_node_id": "start",
    "nodes": [
        {"id": "start", "type": "start", "data": {"next_node_id": "ask"}},
        {
            "id": "ask",
            "type": "question",
            "data": {"question": "{{contact.name}} of {{contact.city}}?", "variable": "v", "next_node_id": "save"},
        },
        {
            "id": "save",
            "type": "action",
            "data": {"actions": [{"type": "add_tag", "tag": "asked"}], "next_node_id": "ask"},
        },
    ],
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "contacts") as gateway:
        world = World(gateway)
        world.api("PUT", "/api/v1/flows/greeting", GREETING)
        assert world.api("POST", "/api/v1/flows/greeting/publish").status == 200
        for number in (FIRST, SECOND):
            setup = NUMBER | {"verify_token": f"verify-token-{number}", "default_flow_id": "greeting"}
            assert world.api("PUT", f"/api/v1/numbers/{number}", setup).status == 200
        yield world


@pytest.fixture
def org(request: pytest.FixtureRequest) -> str:
    """An organization without any contact."""
    return f"org-{abs(hash(request.node.name))}"


def put(world: World, person: str, org: str = "acme", /, **settings: Any) -> Answer:
    answer = world.api("PUT", f"{CONTACTS}/{person}", settings, org=org)
    assert answer.status == 200, answer.body
    return answer


def said(world: World, number: str = FIRST, phone: str = ANA) -> str:
    """The bot's last text."""
    path = f"/api/v1/whatsapp-analytics/conversations/{phone}/transcript"
    messages = world.api("GET", path, query={"phone_number_id": number}).body["messages"]
    return str([message["text"] for message in messages if message["speaker"] == "bot"][-1])


def test_a_contact_exists_without_having_written(world: World, org: str) -> None:
    settings = {"name": "Ana", "language": "pt-br", "tags": ["vip", " vip", "old"], "fields": {"city": "Rio", "n": 7}}
    created = put(world, f"+{ANA}", org, **settings)
    assert created.body == {
        "contact_id": ANA,
        "phone": f"+{ANA}",
        "user_id": None,
        "username": None,
        "name": "Ana",
        "language": "pt_BR",
        "tags": ["vip", "old"],
        "fields": {"city": "Rio", "n": 7, "name": "Ana"},
        "consent": dict.fromkeys(("service", "utility", "marketing"), UNSET),
        "opted_out": False,
        "created_at": created.body["created_at"],
        "last_inbound_at": None,
    }
    read = world.api("GET", f"{CONTACTS}/{ANA}", org=org, role="agent")
    assert (read.body, read.headers["etag"]) == (created.body, '"1"')
    assert world.api("GET", f"{CONTACTS}/{BIA}", org=org).body["code"] == "contact_unknown"
    assert put(world, "BR.77a", org).body["phone"] is None


def test_a_contact_that_someone_else_changed_is_not_overwritten(world: World, org: str) -> None:
    def put_if(tag: str, name: str) -> Answer:
        return world.api("PUT", f"{CONTACTS}/{ANA}", {"name": name}, org=org, headers={"if-match": tag})

    missing = put_if("*", "Ana")
    assert (missing.status, missing.body["code"]) == (412, "contact_changed")
    put(world, ANA, org, name="Ana")
    assert put_if('"1"', "Ana S.").headers["etag"] == '"2"'
    late = put_if('"1"', "late")
    assert (late.status, late.headers["etag"]) == (412, '"2"')
    assert put_if("*", "any").body["name"] == "any"
    assert put_if("2", "malformed").status == 422


@pytest.mark.parametrize(
    "settings",
    [
        {"fields": {"id": "x"}},
        {"fields": {"phone": "x"}},
        {"fields": {"a b": "x"}},
        {"language": "klingon"},
        {"tags": [""]},
        {"tags": "vip"},
        {"fields": {"notes": "x" * 50_000}},
        {"phone": "+551"},
    ],
)
def test_what_a_contact_cannot_have_is_refused(world: World, org: str, settings: dict[str, Any]) -> None:
    assert world.api("PUT", f"{CONTACTS}/{ANA}", settings, org=org).body["code"] == "invalid_request"
    assert world.api("GET", f"{CONTACTS}/{ANA}", org=org).status == 404


def test_a_running_conversation_uses_the_new_values_and_keeps_its_place(world: World) -> None:
    phone = "5511900000001"
    put(world, phone, name="Carla", fields={"city": "Rio"})
    for number in (FIRST, SECOND):
        world.says("Hi", phone, number=number)
        assert said(world, number, phone) == "Carla of Rio?"
    changed = put(world, phone, name="Carla", fields={"city": "Recife"}, tags=["new"])
    assert changed.body["last_inbound_at"] is not None
    for number, tags in ((FIRST, ["new"]), (SECOND, ["new", "asked"])):
        state = world.api("GET", f"/api/v1/conversations/{phone}", query={"phone_number_id": number}).body
        assert (state["fields"]["city"], state["tags"], state["status"]) == ("Recife", tags, "waiting")
        world.says("x", phone, number=number)
        assert said(world, number, phone) == "Carla of Recife?"
    assert world.api("GET", f"{CONTACTS}/{phone}").body["tags"] == ["new", "asked"]


def listed(world: World, org: str, limit: int = 100, **query: str) -> list[str]:
    """The ids of all pages of the list."""
    found, cursor = list[str](), None
    while True:
        asked = {"limit": str(limit), **query, **({"cursor": cursor} if cursor else {})}
        page = world.api("GET", CONTACTS, org=org, query=asked)
        assert page.status == 200, page.body
        found += [contact["contact_id"] for contact in page.body["contacts"]]
        cursor = page.body["next_cursor"]
        if cursor is None:
            return found


@pytest.fixture(scope="module")
def crowd(world: World) -> list[str]:
    """Contacts of `crowd`, the newest first."""
    ids = [f"551199{number:07}" for number in range(25)]
    for number, contact_id in enumerate(ids):
        tags = ["even"] if number % 2 == 0 else []
        put(
            world,
            contact_id,
            "crowd",
            name=f"Zoë {number}",
            tags=tags,
            fields={"city": "Rio" if number < 5 else "Natal"},
        )
    put(world, "BR.77a", "crowd", name="Hidden")
    return ["BR.77a", *reversed(ids)]


def test_the_list_has_every_contact_once_in_pages_of_any_size(world: World, crowd: list[str]) -> None:
    assert sorted(listed(world, "crowd")) == sorted(crowd)
    assert listed(world, "crowd", 7) == listed(world, "crowd", 1) == listed(world, "crowd")
    assert listed(world, "other-crowd") == []


def test_filters_find_what_a_brute_force_search_finds(
    world: World, crowd: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    even = {contact_id for contact_id in crowd if contact_id != "BR.77a" and int(contact_id[-2:]) % 2 == 0}
    for looked_at in (1000, 4):
        monkeypatch.setattr(manage, "FILTERED_CONTACTS", looked_at)
        assert set(listed(world, "crowd", 3, tag="even")) == even
        assert set(listed(world, "crowd", 2, **{"field.city": "Rio"})) == {f"551199{n:07}" for n in range(5)}
        assert listed(world, "crowd", **{"field.city": "Rio", "tag": "even", "q": "zoe 4"}) == ["5511990000004"]
        assert set(listed(world, "crowd", q="ZOE 2")) == {f"551199{n:07}" for n in (2, 20, 21, 22, 23, 24)}
        assert listed(world, "crowd", q="nobody") == []
    page = world.api("GET", CONTACTS, org="crowd", query={"tag": "nobody", "limit": "3"})
    assert (page.body["contacts"], page.body["next_cursor"] is None) == ([], False), "a page looks at four contacts"


def test_a_whole_number_or_id_is_found_at_once(world: World, crowd: list[str]) -> None:
    for text in ("+5511990000003", "5511990000003", "551190000003"):
        page = world.api("GET", CONTACTS, org="crowd", query={"q": text, "limit": "1"})
        assert [contact["contact_id"] for contact in page.body["contacts"]] == ["5511990000003"]
        assert page.body["next_cursor"] is None
    assert listed(world, "crowd", q="BR.77a") == ["BR.77a"]
    assert listed(world, "crowd", q="BR.77a", tag="even") == []


@pytest.mark.parametrize("query", [{"field.a b": "x"}, {"fields.city": "x"}, {"city": "x"}])
def test_unknown_filters_are_refused(world: World, query: dict[str, str]) -> None:
    assert world.api("GET", CONTACTS, query=query).body["code"] == "query_unknown"


def test_a_cursor_of_another_organization_or_list_is_refused(world: World, crowd: list[str]) -> None:
    cursor = world.api("GET", CONTACTS, org="crowd", query={"limit": "1"}).body["next_cursor"]
    for org, path, text in (("acme", CONTACTS, cursor), ("crowd", CONTACTS, "x"), ("crowd", "/api/v1/flows", cursor)):
        assert world.api("GET", path, org=org, query={"cursor": text}).body["code"] == "cursor_invalid"


def test_consent_is_set_per_purpose_and_keeps_its_history(world: World, org: str) -> None:
    address = f"{CONTACTS}/{ANA}/consent"
    assert world.api("GET", address, org=org).body["code"] == "contact_unknown"
    granted = {"state": "granted", "source": "form 2026-11"}
    first = world.api("PUT", address, {"marketing": granted, "utility": granted}, org=org)
    assert first.status == 200
    second = world.api("PUT", address, {"marketing": {"state": "withdrawn", "source": "call"}}, org=org)
    read = world.api("GET", address, org=org)
    assert read.body == second.body
    assert read.body["service"] == UNSET
    assert (read.body["marketing"]["state"], read.body["marketing"]["source"]) == ("withdrawn", "call")
    assert read.body["utility"] == first.body["utility"]
    history = [(entry["purpose"], entry["state"], entry["source"]) for entry in read.body["history"]]
    assert history[2:] == [("marketing", "withdrawn", "call")]
    assert sorted(history[:2]) == [("marketing", "granted", "form 2026-11"), ("utility", "granted", "form 2026-11")]
    contact = world.api("GET", f"{CONTACTS}/{ANA}", org=org).body
    assert contact["consent"] == {name: read.body[name] for name in ("service", "utility", "marketing")}
    assert not contact["opted_out"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"marketing": None},
        {"marketing": {"state": "granted"}},
        {"marketing": {"state": "granted", "source": " "}},
        {"marketing": {"state": "yes", "source": "x"}},
        {"newsletter": {"state": "granted", "source": "x"}},
    ],
)
def test_a_malformed_consent_is_refused(world: World, org: str, body: dict[str, Any]) -> None:
    assert world.api("PUT", f"{CONTACTS}/{ANA}/consent", body, org=org).body["code"] == "invalid_request"


def test_withdrawing_service_silences_the_bot_until_the_person_writes(world: World) -> None:
    phone = "5511900000002"
    world.says("Hi", phone)
    address = f"{CONTACTS}/{phone}/consent"
    assert world.api("PUT", address, {"service": {"state": "withdrawn", "source": "call"}}).status == 200
    assert world.api("GET", f"{CONTACTS}/{phone}").body["opted_out"] is True
    assert world.api("GET", f"/api/v1/conversations/{phone}").body["opted_out"] is True
    refused = world.api("POST", f"/api/v1/conversations/{phone}/send", {"text": "Hello"})
    assert refused.body["code"] == "opted_out"
    granted = {"service": {"state": "granted", "source": "call"}}
    assert world.api("PUT", address, granted).status == 200
    assert world.api("GET", f"/api/v1/conversations/{phone}").body["opted_out"] is False


def test_stopping_in_the_chat_shows_in_the_contact(world: World) -> None:
    phone = "5511900000003"
    world.says("Hi", phone)
    world.says("stop", phone)
    contact = world.api("GET", f"{CONTACTS}/{phone}").body
    assert contact["opted_out"] is True
    assert {consent["source"] for consent in contact["consent"].values()} == {"stop"}


def test_who_was_erased_after_withdrawing_cannot_be_granted_by_a_program(world: World, org: str) -> None:
    address, contact = f"{CONTACTS}/{ANA}/consent", f"{CONTACTS}/{ANA}"
    withdrawn = {"marketing": {"state": "withdrawn", "source": "call"}}
    granted = {"marketing": {"state": "granted", "source": "import"}}
    put(world, ANA, org, name="Ana", fields={"city": "Rio"})
    world.api("PUT", address, withdrawn, org=org)
    assert world.api("DELETE", contact, org=org).status == 204
    assert world.api("GET", contact, org=org).status == world.api("GET", address, org=org).status == 404
    assert listed(world, org) == []
    again = world.api("PUT", address, granted, org=org)
    assert (again.status, again.body["code"]) == (409, "consent_erased")
    fresh = put(world, ANA, org).body
    assert (fresh["name"], fresh["fields"]) == ("", {})
    assert (fresh["consent"]["marketing"]["state"], fresh["consent"]["marketing"]["source"]) == ("withdrawn", "erasure")
    assert world.api("PUT", address, granted, org=org).body["code"] == "consent_erased"
    assert world.api("PUT", address, withdrawn, org=org).status == 200, "repeated by the organization: it may lift that"


def test_a_contact_of_an_organization_without_numbers_is_erased(world: World, org: str) -> None:
    put(world, "BR.77a", org, name="Ana")
    assert world.api("DELETE", f"{CONTACTS}/BR.77a", org=org).status == 204
    assert DynamoContacts(shared.table()).load(org, "BR.77a").name == ""
