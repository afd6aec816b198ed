"""Since when a person waits for an agent, also in sessions that an earlier release stored without that time."""

from msgspec.structs import replace

from pytake.conversation.agent_messaging import AgentMessaging
from pytake.conversation.inbox import Inbox
from pytake.conversation.sessions import waits_since
from pytake.whatsapp.outbound import Text
from tests.conversation.product import Product


def upgrade(product: Product) -> None:
    """Make the session one of an earlier release."""
    stored = product.conversations.stored[product.key()]
    assert stored.session is not None
    stored.session = replace(stored.session, waits_since=None)


def since(product: Product) -> float | None:
    """How many seconds ago the wait began, which the counts of the inbox must say too."""
    product.clock.forward(60)
    now = product.clock()
    found = waits_since(product.conversations.stored[product.key()], now)
    inbox = Inbox(product.conversations, product.conversations.aliases, product.tenants, product.clock)
    counts = inbox.counts("acme", "bea")
    assert (counts.unanswered, counts.waits_since) == (0 if found is None else 1, found)
    return None if found is None else now - found


def test_a_handoff_without_a_later_message_waits_since_the_handoff(product: Product) -> None:
    product.say("human")
    upgrade(product)
    assert since(product) == 60
    product.say("Hello?")
    assert since(product) == 120, "the message does not begin the wait again"


def test_a_message_that_no_agent_answered_begins_the_wait(product: Product, desk: AgentMessaging) -> None:
    product.say("human")
    desk.send(product.key(), Text("Hi"), "bea", "1")
    product.clock.forward(600)
    product.say("Thanks, and my order?")
    upgrade(product)
    assert since(product) == 60


def test_who_was_answered_does_not_wait(product: Product, desk: AgentMessaging) -> None:
    product.say("human")
    product.clock.forward(1)
    desk.send(product.key(), Text("Hi"), "bea", "1")
    upgrade(product)
    assert since(product) is None
