"""Messages that are not delivered: an organization lists its own and has them sent again."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import ConversationKey, Delivery, DeliveryState
from pytake.whatsapp.outbound import Text
from pytake.wiring import api, shared
from tests.functions.conftest import running_gateway
from tests.functions.world import ANA, BIA, FIRST, SECOND, World

PATH = "/api/v1/deliveries"
KEY = ConversationKey("acme", FIRST, ANA)


@pytest.fixture
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "deliveries") as gateway:
        yield World(gateway)


def settle(state: DeliveryState, key: ConversationKey = KEY, *, turn: int = 1, **fields: Any) -> Delivery:
    """The ledger's entry of a message in a state, whatever it was before."""
    before = shared.deliveries().load(key, turn, 0)
    return shared.deliveries().claim(key, Delivery(turn, 0, state, **fields), before)


def listed(world: World, state: str, **query: str) -> list[dict[str, Any]]:
    answer = world.api("GET", PATH, query={"state": state, **query})
    assert answer.status == 200, answer.body
    return answer.body  # type: ignore[no-any-return]


def test_a_message_is_listed_while_it_is_in_the_state(world: World) -> None:
    world.says("Hi")
    assert listed(world, "dead") == []
    settle("claimed", sends=1)
    settle("ambiguous", sends=1)
    assert [entry["turn"] for entry in listed(world, "ambiguous")] == [1]
    settle("dead", reason="retry:131056", attempts=4)
    assert listed(world, "ambiguous") == []
    (dead,) = listed(world, "dead")
    assert (dead["contact_id"], dead["reason"], dead["attempts"]) == (ANA, "retry:131056", 4)
    assert dead["can_be_redriven"]
    assert world.api("GET", PATH, org="globex", query={"state": "dead"}).body == []
    settle("accepted", sends=2, message_id="wamid.2")
    assert listed(world, "dead") == []
    assert "recent_pk" not in stored_attributes()


def test_the_list_is_polled_without_its_contents(world: World) -> None:
    world.says("Hi")
    settle("dead", reason="retry:131056")
    query = {"state": "dead"}
    tag = {"if-none-match": world.api("GET", PATH, query=query).headers["etag"]}
    assert world.api("GET", PATH, query=query, headers=tag).status == 304
    settle("accepted", sends=2, message_id="wamid.2")
    assert world.api("GET", PATH, query=query, headers=tag).status == 200


def stored_attributes() -> set[str]:
    """The attributes of the ledger's item."""
    from pytake.aws.table import conversation_pk, delivery_sk

    item = shared.table().item.get(conversation_pk(KEY), delivery_sk(1, 0), consistent_read=True)
    return {name for name, value in item.attribute_values.items() if value is not None}


def test_a_late_status_settles_a_dead_message(world: World) -> None:
    world.says("Hi")
    settle("dead", sends=1)
    shared.deliveries().record_status(KEY, 1, 0, send=1, status="delivered", at=1.0, message_id="wamid.9", code=None)
    assert listed(world, "dead") == []
    answer = world.api("POST", f"{PATH}/{id_of(KEY, 1)}/redrive")
    assert (answer.status, answer.body["code"]) == (409, "delivery_not_redrivable")


def id_of(key: ConversationKey, turn: int, index: int = 0) -> str:
    place = (key.phone_number_id, key.contact_id, turn, index)
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def test_a_dead_message_is_sent_again_once(world: World) -> None:
    world.says("Hi")
    settle("dead", reason="transient", redrive_count=1)
    (dead,) = listed(world, "dead")
    for _ in range(2):
        answer = world.api("POST", f"{PATH}/{dead['id']}/redrive", role="agent")
        assert (answer.status, answer.body["redrive"]) == (200, "queued")
    _, item = world.gateway.queued("outbound")
    assert (item["turn"], item["redrive_count"], item["requeue_id"]) == (1, 2, "redrive2")
    assert world.api("POST", f"{PATH}/{dead['id']}/redrive", org="globex").body["code"] == "delivery_unknown"


@pytest.mark.parametrize("id_", ["x", "W10", "bm9uc2Vuc2U", id_of(KEY, 7), id_of(KEY, 1, 5), id_of(KEY, 10**12)])
def test_an_id_of_no_message_is_unknown(world: World, id_: str) -> None:
    world.says("Hi")
    answer = world.api("POST", f"{PATH}/{id_}/redrive")
    assert (answer.status, answer.body["code"]) == (404, "delivery_unknown")


def test_pages_hold_every_message_once_also_of_one_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = shared.clock()
    monkeypatch.setattr(shared.deliveries(), "_clock", lambda: moment)
    people = [f"55119777700{number:02}" for number in range(7)]
    for person in people:
        settle("dead", ConversationKey("acme", FIRST, person))
    found, query = [], {"state": "dead", "limit": "2"}
    while True:
        answer = world.api("GET", PATH, query=query)
        found += [entry["contact_id"] for entry in answer.body]
        if "link" not in answer.headers:
            break
        query = dict(part.split("=") for part in answer.headers["link"].partition("?")[2].partition(">")[0].split("&"))
        assert query["state"] == "dead"
    assert found == people
    wrong = world.api("GET", PATH, query=query | {"state": "deferred"})
    assert (wrong.status, wrong.body["code"]) == (400, "cursor_invalid")


def test_held_turns_are_listed_by_number_and_person(world: World) -> None:
    for number, person, due_at in ((FIRST, ANA, 1_770_000_600.0), (FIRST, BIA, None), (SECOND, ANA, None)):
        item = OutboundItem("acme", number, person, 3, [Text("Hi")], window_closes_at=0)
        api.held_turns().hold(item, 1_770_000_000.0, due_at)
    assert [(entry["phone_number_id"], entry["contact_id"]) for entry in listed(world, "held")] == [
        (FIRST, BIA),
        (FIRST, ANA),
        (SECOND, ANA),
    ]
    first = world.api("GET", PATH, query={"state": "held", "limit": "2"})
    assert first.body[1]["due_at"] == "2026-02-02T02:50:00Z"
    assert not first.body[1]["can_be_redriven"]
    cursor = first.headers["link"].partition("cursor=")[2].partition(">")[0]
    second = world.api("GET", PATH, query={"state": "held", "limit": "2", "cursor": cursor})
    assert [entry["phone_number_id"] for entry in second.body] == [SECOND]
