"""One id goes through every log line of a message; metrics are lines of their own; neither holds what people wrote."""

import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import httpx
import pytest

from functions.flow_runner.handler import handler as flow_runner
from functions.scheduled.handler import handler as scheduled
from functions.sender.handler import handler as sender
from pytake import bootstrap, observability
from pytake.whatsapp import signature
from tests.functions.conftest import Gateway, LambdaContext
from tests.functions.test_api import FLOW, NUMBER, NUMBER_PATH
from tests.functions.test_webhook import BODY, SIGNED

PRIVATE = ("Olá", "Ol\\u00e1", "5511999999999", "Ana", "demo-app-secret", "demo-access-token", "Hi!")

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """What the functions wrote since it was asked last."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


class Way:
    """The way of one message through the handlers, with a Graph API that answers as it is told."""

    def __init__(self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gateway = gateway
        self.answer = httpx.Response(200, json={"messages": [{"id": "wamid.SENT"}]})
        assert gateway.api("PUT", "/api/v1/flows/hello", FLOW).status == 200
        assert gateway.api("POST", "/api/v1/flows/hello/publish").status == 200
        assert gateway.api("PUT", NUMBER_PATH, NUMBER).status == 200
        monkeypatch.setattr(httpx.Client, "send", self._send)

    def _send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        self.answer.request = request
        return self.answer

    def receive(self, number: int = 1) -> None:
        body = BODY.replace("wamid.1", f"wamid.{number}").replace("1770000000", str(int(time.time())))
        signed = signature.sign("demo-app-secret", body.encode())
        assert self.gateway.webhook("POST", body, x_hub_signature_256=signed).status == 200

    def work(self, handler: Callable[[Any, Any], Any], queue: str) -> None:
        """Hand what waits in a queue to a function, as Lambda does, and take off what it has done."""
        sqs, url = boto3.client("sqs"), self.gateway.queues[queue]
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])["Messages"]
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
            for message in found
        ]
        answer = handler({"Records": records}, LambdaContext())
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for message in found:
            if message["MessageId"] not in failed:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture
def way(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, lines: Lines) -> Way:
    way = Way(gateway, monkeypatch)
    lines()
    return way


def metrics(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """What CloudWatch would make of the lines: values by name. Fails where the format is not kept."""
    found: dict[str, Any] = {}
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == observability.NAMESPACE
            assert line["_aws"]["Timestamp"] > 1_700_000_000_000
            for dimension in directive["Dimensions"][0]:
                assert isinstance(line[dimension], str)
            for metric in directive["Metrics"]:
                found[metric["Name"]] = line[metric["Name"]]
    return found


def test_one_id_goes_from_the_webhook_to_the_answer_of_the_graph_api(way: Way, lines: Lines) -> None:
    way.receive()
    way.work(flow_runner, "inbound")
    way.work(sender, "outbound")
    told = {line["message"]: line for line in lines() if "message" in line}
    assert {"webhook.received", "turn.taken", "delivery.done"} <= set(told)
    assert {told[name]["correlation_id"] for name in told} == {LambdaContext.aws_request_id}
    # The access log of the HTTP API knows the request under this id.
    assert told["webhook.received"]["api_request_id"] == "request-1"


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (400, {"code": 131026}, ["delivery.failed", "delivery.done"]),
        (400, {"code": 130429}, ["record.waits"]),
        (500, {"code": 131000}, ["delivery.ambiguous", "record.waits"]),
        (401, {"code": 190}, ["number.stopped", "record.waits"]),
    ],
)
def test_the_id_is_on_whatever_the_graph_api_refuses(
    way: Way, lines: Lines, status: int, error: dict[str, Any], told: list[str]
) -> None:
    way.receive()
    way.work(flow_runner, "inbound")
    lines()
    way.answer = httpx.Response(status, json={"error": error})
    way.work(sender, "outbound")
    written = [line for line in lines() if "message" in line]
    assert [line["message"] for line in written] == told
    assert {line["correlation_id"] for line in written} == {LambdaContext.aws_request_id}


def test_a_record_that_cannot_be_read_does_not_carry_the_id_of_the_one_before(way: Way, lines: Lines) -> None:
    way.receive()
    way.work(flow_runner, "inbound")
    lines()
    broken = {"messageId": "m", "receiptHandle": "r", "body": "{", "attributes": {"MessageGroupId": "g"}}
    sender({"Records": [broken]}, LambdaContext())
    [line] = [line for line in lines() if line.get("message") == "delivery.unreadable"]
    assert "correlation_id" not in line


def test_a_turn_and_its_delivery_are_measured_in_one_line_each(way: Way, lines: Lines) -> None:
    way.receive()
    assert metrics(lines()) == {}  # the queue's own metrics count what came in
    way.work(flow_runner, "inbound")
    turn = lines()
    assert len([line for line in turn if "_aws" in line]) == 1
    found = metrics(turn)
    assert found["Turns"] == 1
    assert len(found["TurnMilliseconds"]) == len(found["InboundWaitMilliseconds"]) == 1
    assert set(found) == {"Turns", "TurnMilliseconds", "InboundWaitMilliseconds"}
    way.work(sender, "outbound")
    delivery = lines()
    assert len([line for line in delivery if "_aws" in line]) == 1
    found = metrics(delivery)
    assert found["BillableMessages"] == 1
    assert set(found) == {"BillableMessages", "GraphMilliseconds", "OutboundWaitMilliseconds"}


def test_a_turn_that_was_taken_already_is_not_counted_again(way: Way, lines: Lines) -> None:
    way.receive()
    record = {"messageId": "m", "receiptHandle": "r", "attributes": {"MessageGroupId": "g"}}
    sqs = boto3.client("sqs")
    [message] = sqs.receive_message(QueueUrl=way.gateway.queues["inbound"])["Messages"]
    lines()
    for count in (1, 0):
        flow_runner({"Records": [{**record, "body": message["Body"]}]}, LambdaContext())
        assert metrics(lines()).get("Turns", 0) == count


def test_throttles_and_refused_signatures_are_counted(way: Way, lines: Lines) -> None:
    way.receive()
    way.work(flow_runner, "inbound")
    way.answer = httpx.Response(429, json={"error": {"code": 130429}})
    lines()
    way.work(sender, "outbound")
    assert metrics(lines())["ThrottledByMeta"] == 1
    assert way.gateway.webhook("POST", BODY, x_hub_signature_256=SIGNED[:-1] + "x").status == 403
    assert metrics(lines())["SignaturesRefused"] == 1


def test_a_failed_turn_is_counted(way: Way, lines: Lines) -> None:
    number = {name: value for name, value in NUMBER.items() if name != "default_flow_id"}
    assert way.gateway.api("PUT", NUMBER_PATH, number).status == 200
    bootstrap.directory.cache_clear()
    bootstrap.take_turn.cache_clear()
    way.receive()
    lines()
    way.work(flow_runner, "inbound")
    assert metrics(lines())["TurnsFailed"] == 1


def test_the_export_measures_how_far_behind_the_lake_is(way: Way, lines: Lines) -> None:
    scheduled({"job": "export"}, LambdaContext())
    assert "LakeLagSeconds" in metrics(lines())


def test_metrics_and_the_news_of_a_stopped_number_come_through_at_every_log_level(
    way: Way, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "WARN")
    bootstrap.operator_events.cache_clear()
    bootstrap.deliver.cache_clear()
    way.receive()
    way.work(flow_runner, "inbound")
    way.answer = httpx.Response(401, json={"error": {"code": 190}})
    way.work(sender, "outbound")
    written = lines()
    assert {"Turns", "GraphMilliseconds", "OperatorEvents"} <= set(metrics(written))
    assert [line["message"] for line in written if "message" in line] == ["number.stopped"]


def test_the_level_holds_although_lambda_lets_everything_through(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "INFO")
    monkeypatch.setenv("LOG_LEVEL", "WARN")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "the-level-holds")
    observability.logger().info("quiet")
    observability.logger().warning("loud")
    assert [line["message"] for line in lines()] == ["loud"]


def test_no_line_of_the_whole_way_holds_a_text_a_phone_or_a_secret(
    way: Way, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, answer in enumerate(
        (
            httpx.Response(200, json={"messages": [{"id": "wamid.SENT"}]}),
            httpx.Response(400, json={"error": {"code": 131026, "message": "to 5511999999999: Hi!"}}),
            httpx.Response(500, text="5511999999999"),
        )
    ):
        way.receive(number)
        way.work(flow_runner, "inbound")
        way.answer = answer
        way.work(sender, "outbound")
    written = capsys.readouterr().out
    assert "delivery.done" in written
    assert [private for private in PRIVATE if private in written] == []


def test_more_values_than_a_line_may_hold_become_several_lines(lines: Lines) -> None:
    with observability.Figures("test", lambda: 1_800_000_000.0) as figures:
        for value in range(250):
            figures.measure("TurnMilliseconds", value)
    written = lines()
    assert [len(line["TurnMilliseconds"]) for line in written] == [100, 100, 50]
    [directive] = written[0]["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "TurnMilliseconds", "Unit": "Milliseconds"}]


def test_figures_are_written_although_the_invocation_fails(lines: Lines) -> None:
    figures = observability.Figures("test", lambda: 1_800_000_000.0)
    figures.measure("Turns", 1)
    with pytest.raises(RuntimeError), figures:
        raise RuntimeError
    assert metrics(lines()) == {"Turns": 1}
