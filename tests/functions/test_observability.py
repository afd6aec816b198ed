"""One id goes through every log line of a message; metrics are lines of their own; neither holds what people wrote."""

import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import httpx
import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.flow_runner.handler import handler as flow_runner
from functions.scheduled.handler import handler as scheduled
from functions.sender.handler import handler as sender
from functions.statuses.handler import handler as statuses
from pytake import observability
from pytake.conversation.records import ConversationKey
from pytake.whatsapp import signature
from pytake.wiring import api as api_wiring
from pytake.wiring import flow_runner as flow_runner_wiring
from pytake.wiring import scheduled as scheduled_wiring
from pytake.wiring import sender as sender_wiring
from pytake.wiring import shared
from pytake.wiring.conversations import conversations
from tests.functions.conftest import Gateway, LambdaContext
from tests.functions.samples import BODY, FLOW, NUMBER, NUMBER_PATH, SIGNED

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

    def work(
        self, handler: Callable[[Any, Any], Any], queue: str, invocation: type[LambdaContext] = LambdaContext
    ) -> None:
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
        answer = handler({"Records": records}, invocation())
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
                values = line[metric["Name"]]
                found[metric["Name"]] = sum(values) if metric.get("Unit") == "Count" else values
    return found


def test_one_id_goes_from_the_webhook_to_the_answer_of_the_graph_api(way: Way, lines: Lines) -> None:
    way.receive()
    way.work(flow_runner, "inbound")
    way.work(sender, "outbound")
    told = {line["message"]: line for line in lines() if "message" in line}
    assert {"webhook.received", "turn.taken", "delivery.done"} <= set(told)
    assert {told[name]["correlation_id"] for name in told} == {LambdaContext.aws_request_id}
    # The access log of the HTTP API knows the request under this id.
    assert told["webhook.received"]["api_request_id"] == "api-request-1"


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (400, {"code": 131026}, ["delivery.failed", "delivery.done"]),
        (400, {"code": 130429}, ["record.postponed"]),
        (500, {"code": 131000}, ["record.postponed"]),
        (500, {"code": 999}, ["delivery.ambiguous", "record.postponed"]),
        (401, {"code": 190}, ["number.stopped", "record.postponed"]),
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


class Later(LambdaContext):
    """An invocation that is not the one in which the webhook took the message in."""

    aws_request_id = "request-2"


def record(body: str, group: str = "g") -> dict[str, Any]:
    return {"messageId": group, "receiptHandle": "r", "body": body, "attributes": {"MessageGroupId": group}}


def told(lines: list[dict[str, Any]]) -> dict[str, str]:
    """The correlation id of each kind of line; fails where one has none."""
    return {line["message"]: line["correlation_id"] for line in lines if "message" in line}


@pytest.mark.parametrize("handler", [flow_runner, sender, statuses])
def test_a_record_that_cannot_be_read_carries_the_id_of_the_invocation_and_not_of_the_one_before(
    way: Way, lines: Lines, handler: Callable[[Any, Any], Any]
) -> None:
    readable = {
        flow_runner: {"contact_id": "1", "message": {"id": "wamid.1"}, "received_at": 1.0},
        sender: {"contact_id": "1", "turn": 1, "messages": [], "window_closes_at": 1.0},
        statuses: {"statuses": []},
    }[handler]
    organization = {"organization_id": "acme", "phone_number_id": "100000000000001", "correlation_id": "request-1"}
    first = record(json.dumps(organization | readable))
    handler({"Records": [first, record("{", "h")]}, Later())
    written = told(lines())
    assert written.pop("record.failed") == "request-2"
    # There is nothing to take back in this queue: what is said of the whole batch is not said of its last record.
    assert written.pop("record.not_postponed", "request-2") == "request-2"
    assert set(written.values()) <= {"request-1"}


def test_what_a_timer_begins_carries_the_id_of_the_run_that_found_it(
    way: Way, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = {"id": "wait", "type": "delay", "data": {"seconds": 60, "next_node_id": "start"}}
    flow = {**FLOW, "start_node_id": "wait", "nodes": [*FLOW["nodes"], waits]}
    assert way.gateway.api("PUT", "/api/v1/flows/hello", flow).status == 200
    assert way.gateway.api("POST", "/api/v1/flows/hello/publish").status == 200
    way.receive()
    way.work(flow_runner, "inbound")
    now = time.time()
    monkeypatch.setattr(shared, "clock", lambda: now + 90)
    wired = scheduled_wiring.fire_due_timers, flow_runner_wiring.take_turn, sender_wiring.deliver, conversations
    for built in wired:
        built.cache_clear()  # type: ignore[attr-defined]
    lines()
    scheduled({"job": "due"}, Later())
    way.work(flow_runner, "inbound")
    way.work(sender, "outbound")
    written = told(lines())
    assert {"job.done", "turn.taken", "delivery.done"} <= set(written)
    assert set(written.values()) == {"request-2"}


def test_what_an_agent_does_carries_the_id_of_the_request(way: Way, lines: Lines) -> None:
    way.receive()
    way.work(flow_runner, "inbound")
    way.work(sender, "outbound")
    for action, body in (("send", {"text": "Hi!"}), ("resume", None), ("close", None)):
        assert way.gateway.api("POST", f"/api/v1/conversations/5511999999999/{action}", body).status in (200, 202)
    lines()
    way.work(sender, "outbound")
    assert told(lines())["delivery.done"] == "api-request-1"
    key = ConversationKey("acme", "100000000000001", "5511999999999")
    ids = [turn.correlation_id for turn in conversations().turns(key)]
    assert ids == [LambdaContext.aws_request_id, *["api-request-1"] * (len(ids) - 1)]
    assert len(ids) >= 3


def test_statuses_carry_the_id_under_which_they_came_in(way: Way, lines: Lines) -> None:
    status = {"id": "wamid.SENT", "status": "failed", "timestamp": str(int(time.time())), "recipient_id": "1"}
    notification = json.loads(BODY)
    value = notification["entry"][0]["changes"][0]["value"]
    del value["messages"], value["contacts"]
    value["statuses"] = [status]
    body = json.dumps(notification)
    signed = signature.sign("demo-app-secret", body.encode())
    assert way.gateway.webhook("POST", body, x_hub_signature_256=signed).status == 200
    lines()
    way.work(statuses, "statuses", Later)
    assert told(lines()) == {"statuses.processed": LambdaContext.aws_request_id}


@pytest.mark.parametrize("broken", ["route", "application"])
def test_an_error_of_the_api_is_logged_under_the_id_that_the_caller_is_given(
    way: Way, lines: Lines, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def breaks(*_: Any) -> Any:
        raise KeyError("5511999999999")

    if broken == "route":
        monkeypatch.setattr(api_wiring, "number_setup", breaks)
    else:
        monkeypatch.setattr(APIGatewayHttpResolver, "resolve", breaks)
    answer = way.gateway.api("GET", NUMBER_PATH)
    assert (answer.status, answer.content_type) == (500, "application/problem+json")
    assert answer.body["request_id"] == "api-request-1"
    [line] = lines()
    assert (line["message"], line["correlation_id"]) == ("api.error", "api-request-1")
    assert line["route"] == "GET /api/v1/numbers/{phone_number_id}"


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
    other_digit = "0" if SIGNED[-1] != "0" else "1"
    assert way.gateway.webhook("POST", BODY, x_hub_signature_256=SIGNED[:-1] + other_digit).status == 403
    assert metrics(lines())["SignaturesRefused"] == 1


def test_a_failed_turn_is_counted(way: Way, lines: Lines) -> None:
    number = {name: value for name, value in NUMBER.items() if name != "default_flow_id"}
    assert way.gateway.api("PUT", NUMBER_PATH, number).status == 200
    shared.tenants.cache_clear()
    flow_runner_wiring.take_turn.cache_clear()
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
    shared.operator_events.cache_clear()
    sender_wiring.deliver.cache_clear()
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


def test_the_basic_tier_leaves_out_volumes_and_durations(lines: Lines) -> None:
    with observability.Metrics("test", without=observability.FULL_METRICS) as measured:
        measured.record_metric("Turns", 1)
        measured.record_metric("TurnMilliseconds", 12)
    assert lines() == []
    with observability.Metrics("test", without=observability.FULL_METRICS) as measured:
        measured.record_metric("Turns", 1)
        measured.record_metric("TurnsFailed", 1)
    [line] = lines()
    assert set(line) == {"_aws", "stage", "TurnsFailed"}


def test_more_values_than_a_line_may_hold_become_several_lines(lines: Lines) -> None:
    with observability.Metrics("test") as measured:
        for value in range(250):
            measured.record_metric("TurnMilliseconds", value)
    written = lines()
    assert [len(line["TurnMilliseconds"]) for line in written] == [100, 100, 50]
    [directive] = written[0]["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "TurnMilliseconds", "Unit": "Milliseconds"}]


def test_metrics_are_written_although_the_invocation_fails(lines: Lines) -> None:
    measured = observability.Metrics("test")
    measured.record_metric("Turns", 1)
    with pytest.raises(RuntimeError), measured:
        raise RuntimeError
    assert metrics(lines()) == {"Turns": 1}
