"""Limits, neighbours and long conversations, in virtual time and in counted requests."""

import copy
import json
from typing import Any

import pytest

from pytake.conversation import flow_run
from pytake.conversation.queues import InboundItem, OutboundItem
from pytake.conversation.records import Organization
from pytake.whatsapp.outbound import Text
from tests.conversation.product import ECHO_FLOW, NUMBER, PHONE, Product
from tests.faults import stories
from tests.faults.aws_world import AwsWorld, sdk
from tests.faults.invariants import broken, taken_by_meta
from tests.faults.plans import NoFaults
from tests.faults.timeline import DAY, START
from tests.faults.world import World, wired

PHONES = [str(5511950000000 + number) for number in range(300)]


def left_at(world: World, owner: str) -> list[float]:
    """The times at which an organization's messages were sent, in seconds of the story."""
    return [sent.at - START for sent in world.meta.sent if sent.phone_number_id == world.numbers[owner]]


def test_fifty_messages_leave_at_five_a_minute_in_order_while_another_organizations_leave_at_once() -> None:
    world = World(1, NoFaults(), per_minute=5)
    world.meta.way_seconds = 0
    world.meta.read = False
    for number, phone in enumerate(PHONES[:25]):  # each is answered by two messages
        world.says(number * 0.2, "acme", phone, "Oi")
    world.says(30.0, "globex", PHONES[0], "Oi")
    with wired(world):
        world.timeline.run(START + 1200)
    acme = left_at(world, "acme")
    by_then = [at for at in acme if at < 700]
    assert len(by_then) >= 50
    assert all(later - earlier >= 60 for earlier, later in zip(acme, acme[5:], strict=False))
    assert left_at(world, "globex")[1] < 32
    assert {name for name, queue in world.queues.items() if name.endswith("_dead") and queue.messages} == set()
    places = [place for place, _, _ in taken_by_meta(world) if place[0].organization_id == "acme"]
    for phone in PHONES[:25]:
        mine = [place[1:] for place in places if place[0].contact_id == phone]
        assert mine == sorted(mine)


@pytest.mark.parametrize("per_minute", [5, 600])
def test_a_noisy_organization_does_not_slow_its_neighbour(per_minute: int) -> None:
    waits = {}
    for noise in (0, 300):
        world = World(2, NoFaults(), per_minute=600)
        world.meta.way_seconds = 0
        world.meta.read = False
        world.tenants.put_organization(Organization("acme", messages_per_minute=per_minute))
        for number in range(noise):
            world.says(number * 0.1, "acme", PHONES[number], "Oi")
        for number in range(30):
            world.says(number * 1.0, "globex", PHONES[number], "Oi")
        with wired(world):
            world.timeline.run(START + 90)
        first = {
            place[0].contact_id: sent.at
            for (place, _, _), sent in zip(taken_by_meta(world), world.meta.sent, strict=True)
            if place[0].organization_id == "globex" and place[2] == 0
        }
        assert len(first) == 30
        waits[noise] = sorted(first[PHONES[number]] - START - number for number in range(30))
    # Two workers of each kind serve all: the neighbour waits for a free one, never for the noisy one's limit.
    assert waits[300][-1] < 5
    assert waits[300][15] < waits[0][15] + 2


def test_ten_thousand_turns_are_taken(product: Product) -> None:
    product.tenants.put_organization(Organization("acme", contact_messages_per_minute=20_000))
    for number in range(10_000):
        message = {"id": f"wamid.{number}", "type": "text", "timestamp": "1", "text": {"body": "A"}}
        record = product.take_turn(InboundItem("acme", NUMBER, PHONE, message, product.clock.now))
        assert record is not None
        product.queues.outbound.clear()
    assert record.seq == 10_000
    assert record.messages != []


def test_a_turn_of_a_long_conversation_costs_what_a_turn_of_a_new_one_costs() -> None:
    costs = []
    for seq in (2, 10_000):
        world = AwsWorld(0, NoFaults())
        with sdk(world):
            key_items = world.dynamodb.items
            take(world, 0, "Oi")
            (place,) = [place for place in key_items if place[1] == "STATE"]
            key_items[place]["seq"] = {"N": str(seq - 1)}
            asked = requests(world)
            take(world, 1, "Ana")  # neither begins nor ends a session: only that is told on EventBridge
        costs.append(asked)
    # The turn calls an API: the typing indicator is queued meanwhile.
    operations = ["GetItem", "SendMessage", "TransactWriteItems", "SendMessage"]
    assert [[operation for operation, _ in asked] for asked in costs] == [operations, operations]
    # Only the turn's number is longer. It is in one request up to five times.
    assert all(long - new < 64 for (_, new), (_, long) in zip(*costs, strict=True))


def test_a_plain_send_costs_three_writes_and_no_read() -> None:
    world = AwsWorld(0, NoFaults(), per_minute=60)
    with sdk(world):
        deliver = world.sandboxes["sender"][0].built["deliver"]
        sent = []
        for turn in (1, 2):  # the first one fills what the worker remembers
            world.timeline.now += 1
            item = OutboundItem(
                "acme", world.numbers["acme"], PHONES[0], turn, [Text("Hi")], START + DAY, queued_at=START
            )
            asked = requests(world)
            deliver(item, first_delivery=True)
            sent.append([operation for operation, _ in asked])
    assert sent[1] == ["PutItem", "UpdateItem", "UpdateItem"]
    assert len(world.meta.sent) == 2


def take(world: AwsWorld, number: int, text: str) -> None:
    message = {"id": f"wamid.{number}", "type": "text", "timestamp": str(int(START)), "text": {"body": text}}
    take_turn = world.sandboxes["flow_runner"][0].built["take_turn"]
    assert take_turn(InboundItem("acme", world.numbers["acme"], PHONES[0], message, START)) is not None


def requests(world: AwsWorld) -> list[tuple[str, int]]:
    """The requests to AWS from now on, with their sizes."""
    asked: list[tuple[str, int]] = []
    call = world.api_call

    def counted(operation: str, request: dict[str, Any]) -> Any:
        asked.append((operation, len(json.dumps(request, default=str))))
        return call(operation, request)

    world.api_call = counted  # type: ignore[method-assign]
    return asked


def test_a_state_that_is_too_large_is_refused_and_the_session_kept(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = copy.deepcopy(ECHO_FLOW)
    flow["nodes"][1]["data"]["next_node_id"] = "more"
    more = {"question": "And more?", "variable": "more", "next_node_id": "end"}
    flow["nodes"].append({"id": "more", "type": "question", "data": more})
    product.publish("acme", flow)
    product.clock.forward(60)
    product.say("Olá")
    monkeypatch.setattr(flow_run, "STATE_BYTES", 300)
    assert product.say("A" * 1000) == ["Sorry, something went wrong on our side. Could you try again?"]
    assert product.events.types == ["turn.state_too_large"]
    assert product.say("Ana") == ["And more?"]


def test_the_story_of_a_day_with_many_organizations_ends_well() -> None:
    world = World(3, NoFaults(), per_minute=60)
    world.meta.read = False
    for number, phone in enumerate(PHONES[:60]):
        for owner in world.numbers:
            world.says(number * 0.05, owner, phone, "Oi")
            world.says(40 + number * 0.05, owner, phone, "Ana")
    assert broken(stories.to_the_end(world)) == []
