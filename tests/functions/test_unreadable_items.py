"""An item of a newer release comes back for a quarter of an hour before it becomes a dead letter: a deployment may be running."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from functions.flow_runner.handler import handler as flow_runner
from functions.sender.handler import UNREADABLE_RECEIVES
from functions.sender.handler import handler as sender
from functions.statuses.handler import handler as statuses
from pytake.aws.batch import backoff
from pytake.aws.inbound_batches import MAX_TRIES, UNCOUNTED_RECEIVES
from tests.functions.conftest import Gateway, LambdaContext
from tests.stack import translated

NEWER = (
    '{"organization_id":"acme","phone_number_id":"1","contact_id":"5511","turn":1,'
    '"messages":[{"type":"hologram"}],"window_closes_at":4e9}'
)
"""A message of a type that this release does not have."""

QUARTER_OF_AN_HOUR = 15 * 60


def batch(receive_count: int) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(receive_count), "MessageGroupId": "1:5511"}
    record = {"messageId": "m", "receiptHandle": "handle", "body": NEWER, "attributes": attributes}
    return {"Records": [record]}


def waited(receives: int) -> float:
    """How long a record that fails each time has waited at its last receive."""
    return sum(backoff(count) for count in range(1, receives))


def test_the_sender_returns_it_until_a_quarter_of_an_hour_has_passed_and_then_dead_letters_it(gateway: Gateway) -> None:
    for count in range(1, UNREADABLE_RECEIVES):
        assert sender(batch(count), LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert waited(UNREADABLE_RECEIVES) >= QUARTER_OF_AN_HOUR
    assert gateway.queued("outbound_dlq") == []
    assert sender(batch(UNREADABLE_RECEIVES), LambdaContext()) == {"batchItemFailures": []}
    sqs = boto3.client("sqs")
    [letter] = sqs.receive_message(QueueUrl=gateway.queues["outbound_dlq"], MessageAttributeNames=["All"])["Messages"]
    assert (letter["Body"], letter["MessageAttributes"]["reason"]["StringValue"]) == (NEWER, "unreadable")


def test_one_of_a_campaign_waits_in_its_own_queue_and_ends_in_its_dead_letters(gateway: Gateway) -> None:
    sqs = boto3.client("sqs")
    sqs.send_message(
        QueueUrl=gateway.queues["bulk"], MessageBody=NEWER, MessageGroupId="1:5511", MessageDeduplicationId="1"
    )
    [message] = sqs.receive_message(QueueUrl=gateway.queues["bulk"])["Messages"]
    source = {"eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:pytake-test-bulk.fifo"}
    for count in (1, UNREADABLE_RECEIVES):
        [record] = batch(count)["Records"]
        sender({"Records": [record | source | {"receiptHandle": message["ReceiptHandle"]}]}, LambdaContext())
    hidden = sqs.get_queue_attributes(
        QueueUrl=gateway.queues["bulk"], AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )
    assert hidden["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"
    assert len(gateway.queued("bulk_dlq")) == 1
    assert gateway.queued("outbound_dlq") == []


@pytest.mark.parametrize("handler", [flow_runner, statuses])
def test_the_other_workers_return_it_too(gateway: Gateway, handler: Callable[[Any, Any], Any]) -> None:
    assert handler(batch(1), LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "m"}]}


def test_no_queue_gives_up_sooner() -> None:
    queues = translated().properties("AWS::SQS::Queue")
    assert waited(UNCOUNTED_RECEIVES + MAX_TRIES) >= QUARTER_OF_AN_HOUR
    for name in ("InboundQueue", "OutboundQueue", "BulkQueue", "StatusesQueue"):
        assert waited(int(queues[name]["RedrivePolicy"]["maxReceiveCount"])) >= QUARTER_OF_AN_HOUR, name
