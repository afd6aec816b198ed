"""Every alarm watches an existing metric and has a section in the runbook; the dashboard shows every alarm and metric."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from cli.costing.tables import assumptions
from pytake.aws import operator_events
from pytake.observability import FULL_METRICS, NAMESPACE
from tests.security.source import product
from tests.stack import REPOSITORY, Stack, target

RUNBOOK = (REPOSITORY / "docs" / "operations.md").read_text()

AWS_METRICS = {
    ("AWS/SQS", "QueueName"): {
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateAgeOfOldestMessage",
    },
    ("AWS/Lambda", "FunctionName"): {"Errors", "Throttles", "Duration", "ConcurrentExecutions", "Invocations"},
    ("AWS/DynamoDB", "TableName"): {
        "ReadThrottleEvents",
        "WriteThrottleEvents",
        "ConsumedReadCapacityUnits",
        "ConsumedWriteCapacityUnits",
    },
    ("AWS/ApiGateway", "ApiId"): {"Count", "4xx", "5xx", "Latency", "IntegrationLatency"},  # an HTTP API's names
}
"""The metrics of AWS that the template uses: namespace and dimension, and the metrics that have them."""

DEAD_MANS_SWITCHES = {"DueLagAlarm", "LakeLagAlarm"}
"""Alarms on metrics that every run writes: they go off, too, when nothing runs."""

KIND_OF = {
    "QueueName": "AWS::SQS::Queue",
    "FunctionName": "AWS::Lambda::Function",
    "TableName": "AWS::DynamoDB::Table",
    "ApiId": "AWS::ApiGatewayV2::Api",
}

PUBLISHERS = ("OperatorEvent", "delivery_event", "_report", "_tell")
"""The functions that take the type of an operator event."""

Watched = tuple[str, str, dict[str, Any]]
"""Namespace, name and dimensions of a metric."""


@cache
def measured() -> set[str]:
    """The metrics that the product records: the first argument of `record_metric` and of attributes that hold it."""
    found = set()
    for module in product():
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("record_metric", "_record_metric"):
                found.add(str(node.args[0].value))
    return found


@cache
def published() -> set[str]:
    """The types of operator events that the product publishes: what it passes to one of `PUBLISHERS`."""
    found = set()
    for module in product():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in PUBLISHERS:
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


def test_an_alarm_goes_off_at_the_first_dead_letter(stack: Stack) -> None:
    # NumberOfMessagesSent does not count messages that SQS itself moves.
    found = by_queue(stack, "ApproximateNumberOfMessagesVisible")
    assert set(found) == stack.dead_letters()
    for alarm in found.values():
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
        assert (alarm["Statistic"], alarm["TreatMissingData"]) == ("Maximum", "notBreaching")


def test_an_alarm_goes_off_when_work_waits_too_long(stack: Stack) -> None:
    assert set(by_queue(stack, "ApproximateAgeOfOldestMessage")) == stack.work_queues()


def test_an_alarm_goes_off_when_answers_wait_for_minutes(stack: Stack) -> None:
    assert by_queue(stack, "ApproximateAgeOfOldestMessage")["OutboundQueue"]["Threshold"] == 300


def test_an_alarm_goes_off_when_five_turns_fail_within_five_minutes(stack: Stack) -> None:
    alarm = stack.properties("AWS::CloudWatch::Alarm")["TurnsFailedAlarm"]
    window = (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"])
    assert window == ("Sum", 300, 1)
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (5, "GreaterThanOrEqualToThreshold")


def test_an_alarm_goes_off_at_half_of_the_messages_that_a_fifo_queue_may_have_in_flight(stack: Stack) -> None:
    found = by_queue(stack, "ApproximateNumberOfMessagesNotVisible")
    queues = stack.properties("AWS::SQS::Queue")
    assert set(found) == {name for name in stack.work_queues() if queues[name].get("FifoQueue")}
    assert {alarm["Threshold"] for alarm in found.values()} == {60_000}


def test_an_alarm_goes_off_before_sqs_deletes_dead_letters(stack: Stack) -> None:
    alarm = stack.properties("AWS::CloudWatch::Alarm")["DeadLettersExpireAlarm"]
    assert {target(dimensions["QueueName"]) for _, _, dimensions in watched(alarm)} == stack.dead_letters()
    kept = min(stack.properties("AWS::SQS::Queue")[name]["MessageRetentionPeriod"] for name in stack.dead_letters())
    assert alarm["Threshold"] <= kept - 3 * 86_400  # a weekend to react


@pytest.mark.parametrize("name", ["FunctionErrorsAlarm", "FunctionThrottlesAlarm"])
def test_an_alarm_covers_errors_and_throttles_of_every_function(stack: Stack, name: str) -> None:
    alarm = stack.properties("AWS::CloudWatch::Alarm")[name]
    found = {target(dimensions["FunctionName"]) for _, _, dimensions in watched(alarm)}
    assert found == set(stack.of_type("AWS::Lambda::Function"))


def test_every_alarm_watches_a_metric_that_is_recorded(stack: Stack) -> None:
    ours, types = measured(), published()
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
                assert stack.behind(value) in stack.of_type(KIND_OF[dimension]), name


def test_every_alarm_has_a_description_and_notifies_the_topic(stack: Stack) -> None:
    for name, alarm in stack.properties("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmDescription"][-1] in ".?", name
        assert alarm["AlarmActions"]["Fn::If"][0] == alarm["OKActions"]["Fn::If"][0] == "HasTopic", name
        assert alarm["TreatMissingData"] == ("breaching" if name in DEAD_MANS_SWITCHES else "notBreaching"), name
        assert alarm["AlarmName"]["Fn::Sub"].startswith("pytake-${Stage}-"), name


def sections() -> dict[str, str]:
    """The sections of the runbook by the name of their alarm."""
    _, _, alarms = RUNBOOK.partition("\n## Alarms\n")
    alarms = alarms.partition("\n## ")[0]
    parts = re.split(r"^### ", alarms, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2] for part in parts}


def test_the_runbook_has_one_section_per_alarm_and_no_other(stack: Stack) -> None:
    alarms = [short_name(alarm) for alarm in stack.properties("AWS::CloudWatch::Alarm").values()]
    assert sorted(sections()) == sorted(alarms)


@pytest.mark.parametrize("name", sections())
def test_the_runbook_says_what_an_alarm_means_what_to_look_at_and_what_to_do(name: str) -> None:
    for word in ("**Means**", "**Look**", "**Do**"):
        after = sections()[name].partition(word)[2].partition("**")[0]
        assert len(after.split()) >= 4, f"{name}: {word}"


def test_the_runbook_lists_every_recorded_metric_and_no_other() -> None:
    table = RUNBOOK.partition("| Metric | What it counts |")[2].partition("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    listed = [name for cell in first_cells for name in re.findall(r"`([A-Z]\w+)`", cell)]
    assert sorted(listed) == sorted({*measured(), "OperatorEvents"})
    assert f"name and dimensions: {len(measured())} of them" in RUNBOOK


def test_the_concepts_explain_every_operator_event_that_is_published() -> None:
    concepts = (REPOSITORY / "docs" / "concepts.md").read_text().partition("## Operator events")[2]
    assert published() <= set(re.findall(r"`([a-z_]+\.[a-z_]+)`", concepts))


def dashboard(stack: Stack) -> list[dict[str, Any]]:
    """The widgets, with logical ids instead of physical ids."""
    [board] = stack.properties("AWS::CloudWatch::Dashboard").values()
    text = re.sub(r"\$\{([\w:.]+)\}", r"\1", board["DashboardBody"]["Fn::Sub"])
    widgets: list[dict[str, Any]] = json.loads(text)["widgets"]
    return widgets


def shown(stack: Stack) -> Iterator[list[Any]]:
    """The metrics of the dashboard's charts."""
    for widget in dashboard(stack):
        yield from widget["properties"].get("metrics", [])


def test_the_dashboard_shows_every_alarm(stack: Stack) -> None:
    [widget] = [widget for widget in dashboard(stack) if widget["type"] == "alarm"]
    listed = [arn.removesuffix(".Arn") for arn in widget["properties"]["alarms"]]
    assert sorted(listed) == sorted(stack.of_type("AWS::CloudWatch::Alarm"))


def test_the_dashboard_shows_every_recorded_metric_and_only_existing_ones(stack: Stack) -> None:
    ours = set()
    for namespace, metric, *rest in (line for line in shown(stack) if isinstance(line[0], str)):
        if namespace == NAMESPACE:
            assert rest[:2] == ["stage", "Stage"]
            ours.add(metric)
        else:
            assert metric in AWS_METRICS[namespace, rest[0]]
            assert stack.behind({"Ref": rest[1].partition(".")[0]}) in stack.of_type(KIND_OF[rest[0]])
    assert ours == measured()
    assert any("OperatorEvents" in json.dumps(line) for line in shown(stack))


def test_the_widgets_of_the_dashboard_do_not_overlap(stack: Stack) -> None:
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


def test_metrics_pass_at_every_log_level(stack: Stack) -> None:
    # Lambda treats a line without a level as INFO. Operator events are warnings.
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


def test_the_cost_model_knows_how_many_metrics_the_alarms_watch(stack: Stack) -> None:
    """An alarm with metric math is billed for each of its metrics."""
    billed = {"basic": 0, "full": 0}
    for name, alarm in stack.properties("AWS::CloudWatch::Alarm").items():
        metrics = max(1, sum("MetricStat" in query for query in alarm.get("Metrics", ())))
        for tier in billed if "Condition" not in stack.document["Resources"][name] else ("full",):
            billed[tier] += metrics
    assert assumptions().alarm_metrics == billed
    assert assumptions().dashboards == {"basic": 0, "full": len(stack.of_type("AWS::CloudWatch::Dashboard"))}


def test_the_cost_model_knows_how_many_metrics_are_recorded() -> None:
    assert assumptions().custom_metrics == {"basic": len(measured() - FULL_METRICS), "full": len(measured())}


def test_the_basic_tier_records_every_metric_that_its_alarms_watch(stack: Stack) -> None:
    assert measured() >= FULL_METRICS
    for name, alarm in stack.properties("AWS::CloudWatch::Alarm").items():
        condition = stack.document["Resources"][name].get("Condition")
        names = {metric for namespace, metric, _ in watched(alarm) if namespace == NAMESPACE}
        assert condition == "Full" or not names & FULL_METRICS, name


def test_the_dashboard_belongs_to_the_full_tier(stack: Stack) -> None:
    assert stack.document["Parameters"]["Observability"]["Default"] == "basic"
    [board] = (one for one in stack.document["Resources"].values() if one["Type"] == "AWS::CloudWatch::Dashboard")
    assert board["Condition"] == stack.document["Outputs"]["DashboardUrl"]["Condition"] == "Full"
