"""Every alarm watches a metric that exists and has its place in the runbook; the dashboard shows all of them."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from pytake.aws import operator_events
from pytake.observability import NAMESPACE
from tests.security.source import product
from tests.stack import REPOSITORY, Stack, target
from tests.template.test_queues import dead_letters, work

RUNBOOK = (REPOSITORY / "docs" / "operations.md").read_text()

AWS_METRICS = {
    ("AWS/SQS", "QueueName"): {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
    ("AWS/Lambda", "FunctionName"): {"Errors", "Throttles", "Duration", "ConcurrentExecutions", "Invocations"},
    ("AWS/DynamoDB", "TableName"): {
        "ReadThrottleEvents",
        "WriteThrottleEvents",
        "ConsumedReadCapacityUnits",
        "ConsumedWriteCapacityUnits",
    },
    ("AWS/ApiGateway", "ApiId"): {"Count", "4xx", "5xx", "Latency", "IntegrationLatency"},  # an HTTP API's names
}
"""What AWS counts by itself, as far as it is used here: namespace and dimension, and the metrics that have it."""

KIND_OF = {
    "QueueName": "AWS::SQS::Queue",
    "FunctionName": "AWS::Lambda::Function",
    "TableName": "AWS::DynamoDB::Table",
    "ApiId": "AWS::ApiGatewayV2::Api",
}

TELLERS = ("OperatorEvent", "_tell", "_report")

Watched = tuple[str, str, dict[str, Any]]
"""Namespace, name and dimensions of a metric."""


def measured() -> set[str]:
    """The metrics that the product's code measures: `record_metric("Name", value)`, by whatever it calls the function."""
    found = set()
    for module in product():
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("record_metric", "_record_metric"):
                found.add(str(node.args[0].value))
    return found


def told() -> set[str]:
    """The types of operator events that the product's code publishes: what it gives to `OperatorEvent` or `_tell`."""
    found = set()
    for module in product():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in TELLERS:
                texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                found |= {text for text in texts if "." in text}
    return found


def watched(alarm: dict[str, Any]) -> Iterator[Watched]:
    """The metrics of an alarm."""
    if "MetricName" in alarm:
        yield alarm["Namespace"], alarm["MetricName"], {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    for query in alarm.get("Metrics", []):
        if "MetricStat" in query:
            metric = query["MetricStat"]["Metric"]
            dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
            yield metric["Namespace"], metric["MetricName"], dimensions


def short_name(alarm: dict[str, Any]) -> str:
    return str(alarm["AlarmName"]["Fn::Sub"].removeprefix("pytake-${Stage}-"))


def by_queue(stack: Stack, name: str, most_metrics: int = 1) -> dict[str, dict[str, Any]]:
    """The alarms on one metric of a queue, by queue."""
    found = {}
    for alarm in stack.properties("AWS::CloudWatch::Alarm").values():
        metrics = list(watched(alarm))
        if len(metrics) <= most_metrics:
            found |= {target(d["QueueName"]): alarm for ns, metric, d in metrics if (ns, metric) == ("AWS/SQS", name)}
    return found


def test_an_alarm_rings_at_the_first_dead_letter(stack: Stack) -> None:
    # NumberOfMessagesSent would miss what SQS itself moves.
    found = by_queue(stack, "ApproximateNumberOfMessagesVisible")
    assert set(found) == dead_letters(stack)
    for alarm in found.values():
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
        assert (alarm["Statistic"], alarm["TreatMissingData"]) == ("Maximum", "notBreaching")


def test_an_alarm_rings_when_work_waits_too_long(stack: Stack) -> None:
    assert set(by_queue(stack, "ApproximateAgeOfOldestMessage")) == work(stack)


def test_an_alarm_rings_before_sqs_forgets_dead_letters(stack: Stack) -> None:
    alarm = stack.properties("AWS::CloudWatch::Alarm")["DeadLettersExpireAlarm"]
    assert {target(dimensions["QueueName"]) for _, _, dimensions in watched(alarm)} == dead_letters(stack)
    kept = min(stack.properties("AWS::SQS::Queue")[name]["MessageRetentionPeriod"] for name in dead_letters(stack))
    assert alarm["Threshold"] <= kept - 3 * 86_400  # a weekend to do something about it


@pytest.mark.parametrize("name", ["FunctionErrorsAlarm", "FunctionThrottlesAlarm"])
def test_errors_and_throttles_of_every_function_ring(stack: Stack, name: str) -> None:
    alarm = stack.properties("AWS::CloudWatch::Alarm")[name]
    found = {target(dimensions["FunctionName"]) for _, _, dimensions in watched(alarm)}
    assert found == set(stack.of_type("AWS::Lambda::Function"))


def test_every_alarm_watches_a_metric_that_somebody_emits(stack: Stack) -> None:
    ours, types = measured(), told()
    for name, alarm in stack.properties("AWS::CloudWatch::Alarm").items():
        metrics = list(watched(alarm))
        assert metrics, name
        for namespace, metric, dimensions in metrics:
            if (namespace, metric) == (operator_events.NAMESPACE, "OperatorEvents"):
                assert set(dimensions) == {"stage", "type"}, name
                assert dimensions["type"] in types, name
            elif namespace == NAMESPACE:
                assert (dimensions, metric in ours) == ({"stage": {"Ref": "Stage"}}, True), name
            else:
                [(dimension, value)] = dimensions.items()
                assert metric in AWS_METRICS[namespace, dimension], name
                assert target(value) in stack.of_type(KIND_OF[dimension]), name


def test_every_alarm_says_what_it_means_and_tells_whoever_wants_to_know(stack: Stack) -> None:
    for name, alarm in stack.properties("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmDescription"][-1] in ".?", name
        assert alarm["AlarmActions"]["Fn::If"][0] == alarm["OKActions"]["Fn::If"][0] == "HasTopic", name
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert alarm["AlarmName"]["Fn::Sub"].startswith("pytake-${Stage}-"), name


def sections() -> dict[str, str]:
    """The parts of the runbook, by the alarm that heads them."""
    _, _, alarms = RUNBOOK.partition("\n## Alarms\n")
    alarms = alarms.partition("\n## ")[0]
    parts = re.split(r"^### ", alarms, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2] for part in parts}


def test_every_alarm_has_its_place_in_the_runbook_and_nothing_else_has(stack: Stack) -> None:
    alarms = [short_name(alarm) for alarm in stack.properties("AWS::CloudWatch::Alarm").values()]
    assert sorted(sections()) == sorted(alarms)


@pytest.mark.parametrize("name", sections())
def test_the_runbook_says_what_an_alarm_means_what_to_look_at_and_what_to_do(name: str) -> None:
    for word in ("**Means**", "**Look**", "**Do**"):
        after = sections()[name].partition(word)[2].partition("**")[0]
        assert len(after.split()) >= 4, f"{name}: {word}"


def test_the_runbook_lists_every_metric_that_is_measured_and_no_other() -> None:
    table = RUNBOOK.partition("| Metric | What it counts |")[2].partition("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    listed = [name for cell in first_cells for name in re.findall(r"`([A-Z]\w+)`", cell)]
    assert sorted(listed) == sorted({*measured(), "OperatorEvents"})
    assert f"name and dimensions: {len(measured())} of them" in RUNBOOK


def test_the_concepts_explain_every_operator_event_that_is_told() -> None:
    concepts = (REPOSITORY / "docs" / "concepts.md").read_text().partition("## Operator events")[2]
    assert told() <= set(re.findall(r"`([a-z]+\.[a-z_]+)`", concepts))


def dashboard(stack: Stack) -> list[dict[str, Any]]:
    """The widgets, with the names of resources where their ids will be."""
    [board] = stack.properties("AWS::CloudWatch::Dashboard").values()
    text = re.sub(r"\$\{([\w:.]+)\}", r"\1", board["DashboardBody"]["Fn::Sub"])
    widgets: list[dict[str, Any]] = json.loads(text)["widgets"]
    return widgets


def shown(stack: Stack) -> Iterator[list[Any]]:
    """The lines of the dashboard's charts."""
    for widget in dashboard(stack):
        yield from widget["properties"].get("metrics", [])


def test_the_dashboard_shows_every_alarm(stack: Stack) -> None:
    [widget] = [widget for widget in dashboard(stack) if widget["type"] == "alarm"]
    listed = [arn.removesuffix(".Arn") for arn in widget["properties"]["alarms"]]
    assert sorted(listed) == sorted(stack.of_type("AWS::CloudWatch::Alarm"))


def test_the_dashboard_shows_every_metric_that_is_measured_and_only_those_that_exist(stack: Stack) -> None:
    ours = set()
    for namespace, metric, *rest in (line for line in shown(stack) if isinstance(line[0], str)):
        if namespace == NAMESPACE:
            assert rest[:2] == ["stage", "Stage"]
            ours.add(metric)
        else:
            assert metric in AWS_METRICS[namespace, rest[0]]
            assert rest[1].partition(".")[0] in stack.of_type(KIND_OF[rest[0]])
    assert ours == measured()
    assert any("OperatorEvents" in json.dumps(line) for line in shown(stack))


def test_the_dashboards_widgets_stand_beside_each_other(stack: Stack) -> None:
    taken = set()
    for widget in dashboard(stack):
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_metrics_come_through_at_every_log_level(stack: Stack) -> None:
    # Lambda takes a line without a level for INFO. Operator events are warnings.
    assert stack.document["Conditions"]["Verbose"] == {"Fn::Equals": [{"Ref": "LogLevel"}, "DEBUG"]}
    for function in stack.properties("AWS::Lambda::Function").values():
        assert function["LoggingConfig"]["ApplicationLogLevel"] == {"Fn::If": ["Verbose", "DEBUG", "INFO"]}
    assert stack.document["Parameters"]["LogLevel"]["AllowedValues"] == ["DEBUG", "INFO", "WARN"]


def test_only_alarms_of_this_account_reach_the_topic_and_only_by_tls(stack: Stack) -> None:
    [policy] = stack.properties("AWS::SNS::TopicPolicy").values()
    allow, deny = policy["PolicyDocument"]["Statement"]
    assert (allow["Effect"], allow["Principal"]) == ("Allow", {"Service": "cloudwatch.amazonaws.com"})
    assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
