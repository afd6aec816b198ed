"""The roles allow every request that the functions make to AWS in a simulated day.

The real handlers and adapters run a day in which most outcomes of a delivery occur. The simulated AWS below the SDK records every
request, and the template must allow it.
"""

from typing import Any

import pytest

from tests.faults.aws_world import AwsWorld
from tests.faults.invariants import broken
from tests.faults.plans import NoFaults
from tests.faults.stories import PHONES, to_the_end
from tests.stack import Stack
from tests.template.permissions import granted

ROLES = {
    "webhook": "WebhookRole",
    "flow_runner": "FlowRunnerRole",
    "sender": "SenderRole",
    "statuses": "StatusesRole",
    "scheduled": "ScheduledRole",
    "operator": "ApiRole",
}
RESOURCES = {
    "table": "Table",
    "table/index/due": "Table/index/due",
    "inbound": "InboundQueue",
    "inbound_dead": "InboundDeadLetters",
    "outbound": "OutboundQueue",
    "outbound_dead": "OutboundDeadLetters",
    "bulk": "BulkQueue",
    "bulk_dead": "BulkDeadLetters",
    "statuses": "StatusesQueue",
    "app-secret": "secretsmanager:secret:pytake/${Stage}/*/app-secret*",
    "access-token": "secretsmanager:secret:pytake/${Stage}/*/access-token*",
    "bus": "events:event-bus/${EventBusName}",
}


class Answers(NoFaults):
    """Meta refuses some sends, chosen by their number."""

    def __init__(self, refusals: dict[int, str]) -> None:
        super().__init__()
        self._refusals = refusals
        self._sends = 0

    def fault(self, number: int, call: str, now: float) -> str | None:
        super().fault(number, call, now)
        if call != "graph.send":
            return None
        self._sends += 1
        return self._refusals.get(self._sends)


@pytest.fixture(scope="module")
def day() -> AwsWorld:
    """A number is stopped with several turns of a person waiting; sends are refused, held, given up on and ambiguous."""
    kinds = ("131049", "131047", "131050", "131056", "131026", "429", "429", "429", "429", "500_before", "cut_after")
    world = AwsWorld(1, Answers(dict(enumerate(kinds, 3))), per_minute=5)
    world.longest_wait = 45
    texts = {0: "Oi", 60: "Ana", 61: "Recife", 62: "Oi", 90: "Bia", 4000: "Oi", 4100: "stop"}
    for at, text in texts.items():
        world.says(at, "acme", PHONES[0], text)
    world.says(30.0, "globex", PHONES[1], "Oi")
    world.timeline.after(50.0, lambda: world.meta.bad_tokens.add("token-acme"))
    world.meta.undelivered = 0.5
    to_the_end(world)
    assert broken(world) == []
    return world


def test_the_day_is_eventful(day: AwsWorld) -> None:
    published = {event.type for event in day.events}
    assert {"number.stopped", "delivery.dead", "delivery.deferred", "delivery.ambiguous"} <= published
    reasons = {entry.reason for entry in day.deliveries.entries.values()}
    assert {"permanent:131026", "retry:429", "fatal_token:190", "opted_out:131050"} <= reasons
    assert ("scheduled", "sqs:SendMessage", "outbound") in day.asked, "a turn that waited long was held and released"
    assert {function for function, _, _ in day.asked} == {*ROLES}


def test_each_role_allows_what_its_function_asks_for(day: AwsWorld, stack: Stack) -> None:
    roles: dict[str, Any] = stack.properties("AWS::IAM::Role")
    refused = {
        (function, action, resource)
        for function, action, resource in day.asked
        if action not in granted(roles[ROLES[function]]).get(RESOURCES[resource], set())
    }
    assert refused == set()
