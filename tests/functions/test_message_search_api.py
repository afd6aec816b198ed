"""Search in messages over REST: what is found, in parts, by agents of the organization only."""

import pytest

from pytake.aws.deliveries import DynamoDeliveries
from pytake.conversation import message_search
from pytake.conversation.inbox import Inbox, ListPosition, Page
from pytake.conversation.message_search import SearchMessages
from pytake.conversation.records import Contact, Conversation, ConversationKey, Delivery
from tests.functions.conftest import Gateway
from tests.functions.world import ANA, BIA, FIRST, World

SEARCH = "/api/v1/message-search"
CAIO = "5511977777777"


@pytest.fixture
def world(gateway: Gateway) -> World:
    return World(gateway)


def test_the_latest_message_with_the_text_is_found_without_case_and_accents(world: World) -> None:
    for phone, *texts in (
        (ANA, "Olá", "São João"),
        (BIA, "Oi", "Recife"),
        (CAIO, "Oi", "sao joao del rei", "SÃO JOÃO!"),
    ):
        for text in texts:
            world.says(text, phone)
    answer = world.api("GET", SEARCH, query={"text": "sao joao"}, role="agent").body
    found = [(one["contact_id"], one["message"]["text"], one["count"]) for one in answer["found"]]
    assert found == [(CAIO, "SÃO JOÃO!", 2), (ANA, "São João", 1)]
    assert (answer["searched"], answer["next_cursor"]) == (3, None)
    asked = world.api("GET", SEARCH, query={"text": "your city"}).body["found"]
    assert {one["message"]["speaker"] for one in asked} == {"bot"}
    assert world.api("GET", SEARCH, query={"text": "sao joao"}, org="globex").body["found"] == []


def test_a_search_reads_few_conversations_and_is_continued(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_search, "SEARCHED_CONVERSATIONS", 1)
    for phone in (ANA, BIA):
        world.says("pedido 123", phone)
    first = world.api("GET", SEARCH, query={"text": "pedido"}).body
    assert ([one["contact_id"] for one in first["found"]], first["searched"]) == ([BIA], 1)
    query = {"text": "pedido", "cursor": first["next_cursor"]}
    assert [one["contact_id"] for one in world.api("GET", SEARCH, query=query).body["found"]] == [ANA]
    of_the_list = world.api("GET", "/api/v1/conversations", query={"limit": "1"}).body["next_cursor"]
    for wrong in (first["next_cursor"][:-3] + "AAA", of_the_list):
        refused = world.api("GET", SEARCH, query={"text": "pedido", "cursor": wrong})
        assert (refused.status, refused.body["code"]) == (400, "cursor_invalid")
    foreign = world.api("GET", SEARCH, query=query, org="globex")
    assert foreign.body["code"] == "cursor_invalid"


def test_deliveries_are_read_only_of_conversations_with_the_text(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for phone, text in ((ANA, "pedido 123"), (BIA, "Recife")):
        world.says(text, phone)
    read, of_conversation = list[str](), DynamoDeliveries.of_conversation

    def counted(self: DynamoDeliveries, key: ConversationKey) -> list[Delivery]:
        read.append(key.contact_id)
        return of_conversation(self, key)

    monkeypatch.setattr(DynamoDeliveries, "of_conversation", counted)
    [found] = world.api("GET", SEARCH, query={"text": "pedido"}).body["found"]
    assert (found["contact_id"], read) == (ANA, [ANA])


def test_only_agents_search_and_not_for_anything(world: World) -> None:
    for role in ("builder", "analyst"):
        assert world.api("GET", SEARCH, query={"text": "pedido"}, role=role).status == 403
    for text in ("", "ab", "...", "x" * 101):
        assert world.api("GET", SEARCH, query={"text": text}).body["code"] == "invalid_request"


def test_a_search_that_takes_long_ends_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [
        Conversation(key=ConversationKey("acme", FIRST, phone), contact=Contact(id=phone, phone=phone), active_at=at)
        for phone, at in ((ANA, 9.0), (BIA, 8.0), (CAIO, 7.0))
    ]
    inbox = Inbox.__new__(Inbox)
    monkeypatch.setattr(inbox, "page", lambda *_: Page(known, None))
    times = iter([0.0, 1.0, 6.0])
    result = SearchMessages(inbox, lambda *_: [], lambda: next(times))("acme", "pedido")
    assert (result.searched, result.end) == (2, ListPosition("", 8.0, known[1].key))
