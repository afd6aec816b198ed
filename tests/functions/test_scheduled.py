"""The scheduled function: jobs by name, each once for its scheduled time."""

import json

import boto3
import pytest

from functions.flow_runner.handler import handler as flow_runner
from functions.scheduled.handler import handler
from pytake.observability import FunctionFailedError
from tests.functions.conftest import Gateway, LambdaContext
from tests.functions.samples import inbound_event
from tests.functions.world import ANA, FIRST, World

TIME = "2026-11-25T03:45:00Z"


class Call(LambdaContext):
    def __init__(self, request_id: str) -> None:
        self.aws_request_id = request_id


@pytest.mark.parametrize("job", ["due", "campaigns", "export", "imports", "aggregate", "retention"])
def test_a_job_runs_once_for_a_scheduled_time(gateway: Gateway, job: str) -> None:
    event = {"job": job, "scheduled_time": TIME}
    assert "skipped" not in handler(event, Call("a"))
    assert handler(event, Call("b")) == {"job": job, "skipped": True}
    assert "skipped" not in handler({"job": job, "scheduled_time": "2026-11-26T03:45:00Z"}, Call("c"))
    assert "skipped" not in handler({"job": job}, Call("d")), "by hand it runs whenever it is called"


def test_a_run_that_failed_is_done_by_its_retry(gateway: Gateway) -> None:
    event = {"job": "retention", "scheduled_time": TIME}
    s3 = boto3.client("s3")
    s3.delete_bucket(Bucket="lake")
    with pytest.raises(FunctionFailedError, match="NoSuchBucket"):
        handler(event, Call("a"))
    s3.create_bucket(Bucket="lake")
    assert handler(event, Call("a"))["finished"]


def test_an_unknown_job_fails_and_says_which_there_are(gateway: Gateway) -> None:
    with pytest.raises(
        FunctionFailedError, match=r"no such job .*; jobs are: due, campaigns, export, imports, aggregate, retention"
    ):
        handler({"job": "tea", "scheduled_time": TIME}, Call("a"))


def test_an_event_of_the_bus_starts_a_conversation(gateway: Gateway) -> None:
    world = World(gateway)
    template = {"name": "order_ready", "language": "en", "components": [], "category": "utility"}
    detail = {"phone_number_id": FIRST, "to": f"+{ANA}", "flow_id": "hello", "template": template}
    event = {"id": "e-1", "detail-type": "conversation.start", "source": "shop", "detail": detail}
    assert handler(event, Call("a")) == {"queued": True}
    assert handler(event | {"id": "e-2", "detail": detail | {"to": "nobody"}}, Call("b")) == {"queued": False}
    sqs = boto3.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=gateway.queues["inbound"], MaxNumberOfMessages=10)["Messages"]
    assert flow_runner(inbound_event(json.loads(message["Body"])), LambdaContext()) == {"batchItemFailures": []}
    assert world.api("GET", f"/api/v1/conversations/{ANA}").body["flow_id"] == "hello"
