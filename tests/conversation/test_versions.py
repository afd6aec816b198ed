"""Published versions: a conversation stays on its version, and a worker reads each version once."""

import copy
from typing import Any

import pytest

from pytake.conversation.records import FlowVersion
from tests.conversation.product import ECHO_FLOW, NUMBER, Product
from tests.fakes import MemoryFlows


class CountingFlows(MemoryFlows):
    def __init__(self) -> None:
        super().__init__()
        self.read: list[tuple[str, int]] = []

    def version(self, organization_id: str, flow_id: str, version: int) -> FlowVersion | None:
        self.read.append((flow_id, version))
        return super().version(organization_id, flow_id, version)


def saying(goodbye: str) -> dict[str, Any]:
    flow = copy.deepcopy(ECHO_FLOW)
    flow["nodes"][2]["data"]["message"] = goodbye
    return flow


def test_conversations_stay_on_their_version_through_publish_and_rollback(product: Product) -> None:
    product.say("Hi", "5511900000001")
    product.publish("acme", saying("Two."))
    product.clock.forward(60)
    product.say("Hi", "5511900000002")
    product.authoring.rollback("acme", "echo", 1, "ana")
    product.clock.forward(60)
    product.say("Hi", "5511900000003")
    said = [product.say("Ana", f"551190000000{n}") for n in (1, 2, 3)]
    assert said == [["Bye, Ana."], ["Two."], ["Bye, Ana."]]
    versions = [
        [record.flow_version for record in product.conversations.turns(product.key(f"551190000000{n}"))]
        for n in (1, 2, 3)
    ]
    assert versions == [[1, 1], [2, 2], [1, 1]]


def test_a_version_is_read_and_compiled_once_and_kept_for_good() -> None:
    flows = CountingFlows()
    product = Product(flows=flows)
    product.add_organization("acme", NUMBER, ECHO_FLOW)
    flows.read.clear()
    for day in range(30):
        product.say("Hi", f"55119000000{day:02}")
        product.clock.forward(23 * 3600)
        product.say("Ana", f"55119000000{day:02}")
    assert flows.read == [("echo", 1)]
    product.publish("acme", saying("Two."))
    flows.read.clear()
    product.clock.forward(60)
    product.say("Hi", "5511900000098")
    product.say("Hi", "5511900000099")
    assert flows.read == [("echo", 2)]


def test_a_session_goes_on_when_its_flow_has_new_versions_without_its_node(product: Product) -> None:
    product.say("Hi")
    flow = saying("Other.")
    flow["nodes"][1]["id"] = flow["nodes"][0]["data"]["next_node_id"] = "another"
    product.publish("acme", flow)
    product.clock.forward(60)
    assert product.say("Ana") == ["Bye, Ana."]


def test_publishing_a_sub_flow_does_not_change_the_versions_that_hold_it() -> None:
    product = Product()
    sub = {**saying("Sub one."), "id": "sub"}
    jump = {"id": "jump", "type": "jump", "data": {"target_flow_id": "sub", "return_to_parent": False}}
    parent = {**ECHO_FLOW, "id": "parent", "start_node_id": "jump", "nodes": [jump]}
    product.publish("acme", sub)
    product.add_organization("acme", NUMBER, parent)
    product.say("Hi")
    product.publish("acme", {**saying("Sub two."), "id": "sub"})
    product.clock.forward(60)
    assert product.say("Ana") == ["Sub one."]
    product.say("Hi")
    assert product.say("Ana") == ["Sub one."]
    product.publish("acme", parent)
    product.clock.forward(60)
    product.say("Hi")
    assert product.say("Ana") == ["Sub two."]


@pytest.mark.parametrize("version", [1, 2])
def test_an_unknown_version_apologises(product: Product, version: int) -> None:
    product.say("Hi")
    session = product.conversations.stored[product.key()].session
    assert session is not None
    assert session.state is not None
    session.state = session.state.replace(b'"v":1', b'"v":%d' % (version + 40))
    assert product.say("Ana") == ["Sorry, something went wrong on our side. Could you try again?"]
    assert product.events.types == ["turn.flow_missing"]
