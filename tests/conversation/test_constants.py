"""Constants of an organization in its flows, and in the replay of their turns."""

from pytake.conversation.flow_tests.replay import Replayer
from pytake.conversation.records import Organization
from tests.conversation.product import NUMBER, Product
from tests.engine.conversations import document, node

FLOW = document(node("e", "end", message="The fee is {{constants.fee}}."))


def test_a_flow_reads_them_and_a_replay_knows_what_they_were() -> None:
    product = Product()
    product.add_organization("acme", NUMBER, FLOW)
    product.tenants.put_organization(Organization("acme", constants={"fee": 12.5}))
    assert product.say("hi") == ["The fee is 12.5."]
    product.tenants.put_organization(Organization("acme", constants={"fee": 15}))
    assert product.say("hi") == ["The fee is 15."]
    found = list(Replayer({"main": FLOW}).replay(product.conversations.turns(product.key())))
    assert [(result.turns, result.difference, result.skipped) for result in found] == [(1, None, None)] * 2
