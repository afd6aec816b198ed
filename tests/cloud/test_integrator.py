"""An integrator's rule on the local cloud: what happens in conversations comes to a queue of theirs, as docs/events.md says."""

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cloud.aws import Aws
from tests.cloud.business import Business, end
from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "events.schema.json").read_text(encoding="utf-8"))
UNDELIVERABLE = 131026

ASK = {"question": "An order, or a person?", "variable": "topic", "next_node_id": "tell"}
TELL = {
    "actions": [{"type": "emit_event", "name": "topic_chosen", "data": {"topic": "{{topic}}"}}],
    "next_node_id": "which",
}
WHICH = {
    "variable": "topic",
    "operator": "==",
    "value": "person",
    "true_next_node_id": "person",
    "false_next_node_id": "bye",
}


class Rule:
    """A rule for one organization's events, with a queue of its own as the target."""

    def __init__(self, aws: Aws, organization_id: str) -> None:
        self.name = f"integrator-{uuid.uuid4().hex[:8]}"
        self._events, self._sqs = aws.client("events"), aws.client("sqs")
        self._queue = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        pattern = {"source": ["pytake"], "detail": {"organization_id": [organization_id]}}
        self._events.put_rule(Name=self.name, EventPattern=json.dumps(pattern))
        self._events.put_targets(Rule=self.name, Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])

    def received(self, *types: str, seconds: float = 30) -> dict[str, dict[str, Any]]:
        """The next events of these types, whatever comes between them, by type."""
        found: dict[str, dict[str, Any]] = {}
        until = time.monotonic() + seconds
        while missing := set(types) - found.keys():
            assert time.monotonic() < until, f"no {missing} among {list(found)}"
            answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                event = json.loads(message["Body"])
                found[event["detail-type"]] = event
        return found

    def remove(self) -> None:
        self._events.remove_targets(Rule=self.name, Ids=["queue"])
        self._events.delete_rule(Name=self.name)
        self._sqs.delete_queue(QueueUrl=self._queue)


@pytest.fixture(scope="module")
def business(cloud: Cloud) -> Business:
    return Business(
        cloud,
        {"id": "ask", "type": "question", "data": ASK},
        {"id": "tell", "type": "action", "data": TELL},
        {"id": "which", "type": "condition", "data": WHICH},
        {"id": "person", "type": "handoff", "data": {"message": "One moment.", "department": "sales"}},
        end("bye", "Bye."),
    )


@pytest.fixture
def rule(cloud: Cloud, business: Business) -> Iterator[Rule]:
    made = Rule(Aws(cloud), business.organization_id)
    yield made
    made.remove()


def check(event: dict[str, Any], business: Business, phone: str) -> dict[str, Any]:
    """The detail of an event that is as documented and about this person."""
    detail: dict[str, Any] = event["detail"]
    jsonschema.validate(detail, SCHEMA)
    assert (event["source"], event["detail-type"]) == ("pytake", detail["type"])
    about = (detail["organization_id"], detail["phone_number_id"], detail["contact_id"])
    assert about == (business.organization_id, business.number, phone)
    return detail


def test_what_a_conversation_comes_to_reaches_the_rule_s_target(business: Business, rule: Rule, new_phone: str) -> None:
    business.answer(new_phone, "Hi")
    started = check(rule.received("conversation.started")["conversation.started"], business, new_phone)
    assert (started["flow_id"], started["flow_version"], started["turn"]) == ("main", 1, 1)
    business.answer(new_phone, "order", 2)
    heard = rule.received("flow.event", "conversation.completed")
    chosen = check(heard["flow.event"], business, new_phone)
    completed = check(heard["conversation.completed"], business, new_phone)
    assert (chosen["name"], chosen["data"]) == ("topic_chosen", {"topic": "order"})
    assert completed["node_id"] == "bye"
    assert started["session_id"] == chosen["session_id"] == completed["session_id"]
    assert len({started["id"], chosen["id"], completed["id"]}) == 3


def test_a_handoff_reaches_the_rule_s_target(business: Business, rule: Rule, new_phone: str) -> None:
    business.answer(new_phone, "Hi")
    business.answer(new_phone, "person", 2)
    heard = rule.received("conversation.handed_off")["conversation.handed_off"]
    told = check(heard, business, new_phone)
    assert (told["reason"], told["node_id"], told["department"]) == ("flow", "person", "sales")


def test_an_assignment_and_a_return_to_the_bot_reach_the_rule_s_target(
    cloud: Cloud, business: Business, rule: Rule, new_phone: str
) -> None:
    business.answer(new_phone, "Hi")
    business.answer(new_phone, "person", 2)
    conversation = f"/conversations/{new_phone}"
    with cloud.api("agent", business.organization_id) as api:
        api.put(f"{conversation}/assignment", json={"assignee": "ana", "priority": "high"}).raise_for_status()
        api.post(f"{conversation}/resume").raise_for_status()
    heard = rule.received("conversation.assignment_changed", "conversation.handed_back")
    assigned = check(heard["conversation.assignment_changed"], business, new_phone)
    assert assigned["before"] == {"assignee": None, "priority": None}
    assert assigned["after"] == {"assignee": "ana", "priority": "high"}
    back = check(heard["conversation.handed_back"], business, new_phone)
    assert back["by"] == assigned["by"]


def test_a_failed_delivery_reaches_the_rule_s_target(
    cloud: Cloud, business: Business, rule: Rule, new_phone: str
) -> None:
    fault = {"kind": "fail_status", "code": UNDELIVERABLE, "times": 1, "phone": new_phone}
    cloud.http.put("/_sim/faults", json={"rules": [fault]}).raise_for_status()
    business.answer(new_phone, "Hi")
    failed = check(rule.received("delivery.failed", seconds=60)["delivery.failed"], business, new_phone)
    assert (failed["turn"], failed["index"]) == (1, 0)
    assert (failed["reason"], failed["code"]) == (f"status:{UNDELIVERABLE}", UNDELIVERABLE)
