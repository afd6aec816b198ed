"""The seven functions: their runtime, environment, logs and schedules."""

import json
import re
from typing import Any

import msgspec
import pytest
from moto.events.models import EventPattern

from pytake.conversation.start_by_event import StartRequest
from tests.settings import SETTINGS, required_variables
from tests.stack import REPOSITORY, Stack, target

FUNCTIONS = {
    "WebhookFunction": "webhook",
    "FlowRunnerFunction": "flow_runner",
    "SenderFunction": "sender",
    "StatusesFunction": "statuses",
    "ScheduledFunction": "scheduled",
    "ApiFunction": "api",
    "ConsoleFunction": "console",
}
SHORTEST_AGE, MOST_RETRIES = 60, 185
"""What EventBridge and Scheduler take in a retry policy."""
PERIODS = {"rate(1 minute)": 60, "rate(5 minutes)": 300, "cron(15 2-7 * * ? *)": 3600}
OF_LIBRARIES = {"LOG_LEVEL", "POWERTOOLS_SERVICE_NAME", "PYTHONWARNINGS"}
"""Variables that the logger and Python read."""


def layer_id(stack: Stack, name: str) -> str:
    """Return the logical id of a layer, which ends in a digest that SAM adds."""
    return next(id_ for id_ in stack.properties("AWS::Lambda::LayerVersion") if id_.startswith(name))


def test_each_function_has_the_layers_the_tracing_and_the_variables_that_it_needs(
    stack: Stack, source: dict[str, Any]
) -> None:
    functions = stack.properties("AWS::Lambda::Function")
    assert set(functions) == set(FUNCTIONS)
    for name, function in functions.items():
        assert source["Resources"][name]["Properties"]["CodeUri"] == f"functions/{FUNCTIONS[name]}"
        assert function["Handler"] == "handler.handler"
        assert function["Runtime"] == {"Ref": "PythonRuntime"}
        assert function["Architectures"] == [{"Ref": "Architecture"}]
        assert function["TracingConfig"] == {"Mode": {"Ref": "TracingMode"}}
        if name == "ConsoleFunction":
            continue
        layers = [target(layer) for layer in function["Layers"]]
        lake = [layer_id(stack, "LakeLayer")] if name == "ScheduledFunction" else []
        assert layers == [layer_id(stack, "CoreLayer"), *lake]
        assert set(function["Environment"]["Variables"]) == {
            *required_variables(SETTINGS[FUNCTIONS[name]]),
            *OF_LIBRARIES,
        }
        assert function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == FUNCTIONS[name]


def test_the_console_needs_neither_the_layer_nor_the_data(stack: Stack) -> None:
    function = stack.properties("AWS::Lambda::Function")["ConsoleFunction"]
    assert "Layers" not in function
    assert function["Environment"]["Variables"] == {"STAGE": {"Ref": "Stage"}}
    reserved = function["ReservedConcurrentExecutions"]
    assert reserved["Fn::If"][:2] == ["HasConsoleConcurrency", {"Ref": "ConsoleReservedConcurrency"}]


def test_the_console_knows_the_issuer_and_its_own_client_from_the_stage(stack: Stack) -> None:
    [stage] = stack.properties("AWS::ApiGatewayV2::Stage").values()
    variables = stage["StageVariables"]
    assert variables["issuer"] == {"Ref": "OidcIssuer"}
    assert variables["console_client"] == {
        "Fn::If": ["HasConsoleClient", {"Ref": "ConsoleClientId"}, {"Ref": "OidcAudience"}]
    }
    assert variables["console_uploads"] == {"Fn::Sub": "s3.${AWS::Region}.${AWS::URLSuffix}/${StoredBucket.Value}"}
    for name, parameter in (
        ("console_authorize", "ConsoleAuthorizeParameters"),
        ("console_origins", "ConsoleConnectOrigins"),
        ("console_logout", "ConsoleLogoutUrl"),
    ):
        condition, given, none = variables[name]["Fn::If"]
        assert (given, none) == ({"Ref": parameter}, {"Ref": "AWS::NoValue"})
        assert stack.document["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("ConsoleConnectOrigins", "https://acme.auth.eu-west-1.amazoncognito.com,https://id.example.com:8443", True),
        ("ConsoleConnectOrigins", "https://id.example.com/path", False),
        ("ConsoleConnectOrigins", "https://id.example.com; script-src *", False),
        ("ConsoleConnectOrigins", "*", False),
        ("ConsoleAuthorizeParameters", "audience=https://pytake.example.com/api", True),
        ("ConsoleScope", "openid,profile,offline_access", True),
    ],
)
def test_settings_of_the_console_are_checked(stack: Stack, parameter: str, value: str, allowed: bool) -> None:
    assert bool(re.fullmatch(stack.document["Parameters"][parameter]["AllowedPattern"], value)) is allowed


def test_nothing_that_is_billed_by_the_trace_is_on_unless_the_deployment_turns_it_on(stack: Stack) -> None:
    mode = stack.document["Parameters"]["TracingMode"]
    assert (mode["Default"], mode["AllowedValues"]) == ("PassThrough", ["Active", "PassThrough"])


def test_the_product_has_no_switch_for_an_emulator(stack: Stack) -> None:
    assert "AWS_ENDPOINT_URL" not in json.dumps(stack.document)


def test_every_log_expires(stack: Stack) -> None:
    groups = stack.properties("AWS::Logs::LogGroup")
    for group in groups.values():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    used = [
        target(function["LoggingConfig"]["LogGroup"]) for function in stack.properties("AWS::Lambda::Function").values()
    ]
    [stage] = stack.properties("AWS::ApiGatewayV2::Stage").values()
    used.append(target(stage["AccessLogSettings"]["DestinationArn"]))
    assert sorted(used) == sorted(groups)


def test_a_scheduled_run_that_fails_is_dead_lettered(stack: Stack) -> None:
    functions = stack.properties("AWS::Lambda::Function")
    assert target(functions["ScheduledFunction"]["DeadLetterConfig"]["TargetArn"]) == "ScheduleDeadLetters"


def test_each_schedule_starts_its_job_with_the_scheduled_time(stack: Stack) -> None:
    jobs = {}
    for schedule in stack.properties("AWS::Scheduler::Schedule").values():
        aim = schedule["Target"]
        assert (stack.behind(aim["Arn"]), target(aim["RoleArn"])) == ("ScheduledFunction", "ScheduleRole")
        assert target(aim["DeadLetterConfig"]["Arn"]) == "ScheduleDeadLetters"
        retries, period = aim["RetryPolicy"], PERIODS.get(schedule["ScheduleExpression"], 24 * 3600)
        assert 1 <= retries["MaximumRetryAttempts"] <= MOST_RETRIES
        assert SHORTEST_AGE <= retries["MaximumEventAgeInSeconds"] <= period, "the next run takes over"
        assert "State" not in schedule
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert schedule["ScheduleExpressionTimezone"] == "UTC"
        event = json.loads(aim["Input"])
        assert event["scheduled_time"] == "<aws.scheduler.scheduled-time>"
        jobs[event["job"]] = schedule["ScheduleExpression"]
    assert jobs == {
        "due": "rate(1 minute)",
        "campaigns": "rate(1 minute)",
        "export": "rate(5 minutes)",
        "imports": "rate(1 minute)",
        "aggregate": "cron(15 2-7 * * ? *)",
        "retention": "cron(45 3 * * ? *)",
    }


def documented_start() -> dict[str, Any]:
    """The event of docs/events.md that starts a conversation, as EventBridge delivers it."""
    page = (REPOSITORY / "docs" / "events.md").read_text().partition("## Starting a conversation\n")[2]
    entry = json.loads(page.partition("```json\n")[2].partition("```")[0])
    about = {"version": "0", "id": "1", "account": "123456789012", "time": "2026-11-30T12:00:00Z"}
    detail = json.loads(entry["Detail"])
    return {**about, "source": entry["Source"], "detail-type": entry["DetailType"], "resources": [], "detail": detail}


def own_types() -> set[str]:
    """The detail types of what the stack itself puts on the bus: business events and operator events."""
    schema = json.loads((REPOSITORY / "docs" / "events.schema.json").read_text())
    page = (REPOSITORY / "docs" / "concepts.md").read_text()  # tests/docs compares it with the code
    rows = [line.split("|")[1] for line in page.partition("## Operator events\n")[2].splitlines() if "|" in line]
    return {*schema["discriminator"]["mapping"], *(name for row in rows for name in re.findall(r"`([a-z_.]+)`", row))}


def test_the_rule_matches_the_documented_event_and_none_of_the_stack_s_own(stack: Stack) -> None:
    (rule,) = stack.properties("AWS::Events::Rule").values()
    pattern, start = EventPattern.load(json.dumps(rule["EventPattern"])), documented_start()
    msgspec.convert(start["detail"], StartRequest)
    assert pattern.matches_event(start)
    assert not pattern.matches_event(start | {"source": "pytake"}), "its own events start nothing"
    assert len(own_types()) > 40
    for type_ in own_types():
        for source in ("pytake", "shop.orders"):
            assert not pattern.matches_event(start | {"source": source, "detail-type": type_}), type_
    for event in ({"job": "due"}, start | {"detail-type": "Scheduled Event"}, {"source": "shop.orders"}):
        assert not pattern.matches_event(event)


def test_an_event_that_starts_a_conversation_reaches_the_scheduled_function_or_a_dead_letter_queue(
    stack: Stack,
) -> None:
    (rule,) = stack.properties("AWS::Events::Rule").values()
    assert rule["EventBusName"] == {"Ref": "EventBusName"}
    assert "State" not in rule
    (aim,) = rule["Targets"]
    assert "RoleArn" not in aim, "the function's own policy allows the rule, and no other"
    assert "Input" not in aim
    assert "InputTransformer" not in aim
    assert stack.behind(aim["Arn"]) == "ScheduledFunction"
    assert target(aim["DeadLetterConfig"]["Arn"]) == "ScheduleDeadLetters"
    retries = aim["RetryPolicy"]
    assert 1 <= retries["MaximumRetryAttempts"] <= MOST_RETRIES
    assert SHORTEST_AGE <= retries["MaximumEventAgeInSeconds"] <= 3600, "an older start may come at a wrong time"
    (waiting,) = stack.properties("AWS::Lambda::EventInvokeConfig").values()
    assert (target(waiting["FunctionName"]), waiting["Qualifier"]) == ("ScheduledFunction", "live")
    assert waiting["MaximumEventAgeInSeconds"] <= 3600, "Lambda's own queue keeps it no longer, either"
    permissions = stack.properties("AWS::Lambda::Permission")["StartPermission"]
    assert (stack.behind(permissions["FunctionName"]), permissions["Principal"]) == (
        "ScheduledFunction",
        "events.amazonaws.com",
    )
    assert target(permissions["SourceArn"]) == "StartRule"
    policy = stack.properties("AWS::SQS::QueuePolicy")["ScheduleDeadLettersPolicy"]["PolicyDocument"]["Statement"][1]
    assert (policy["Principal"], policy["Action"]) == ({"Service": "events.amazonaws.com"}, "sqs:SendMessage")
    assert target(policy["Resource"]) == "ScheduleDeadLetters"
    assert target(policy["Condition"]["ArnEquals"]["aws:SourceArn"]) == "StartRule"


def test_only_the_sender_may_send_to_its_own_queue_repeatedly(stack: Stack) -> None:
    """Lambda stops a function after about 16 recursive invocations; a resumed number may have more held turns."""
    loops = {
        name: function.get("RecursiveLoop") for name, function in stack.properties("AWS::Lambda::Function").items()
    }
    assert loops == dict.fromkeys(FUNCTIONS) | {"SenderFunction": "Allow"}


def test_the_webhook_can_be_kept_from_taking_the_accounts_concurrency(stack: Stack) -> None:
    assert stack.document["Parameters"]["WebhookReservedConcurrency"]["Default"] == 0
    reserved = stack.properties("AWS::Lambda::Function")["WebhookFunction"]["ReservedConcurrentExecutions"]
    assert reserved["Fn::If"][:2] == ["HasWebhookConcurrency", {"Ref": "WebhookReservedConcurrency"}]


def test_sam_builds_each_layer_for_the_architecture_of_the_functions(source: dict[str, Any]) -> None:
    layers = [one for one in source["Resources"].values() if one["Type"] == "AWS::Serverless::LayerVersion"]
    assert len(layers) == 2
    for layer in layers:
        assert layer["Metadata"]["BuildArchitecture"] == {"Ref": "Architecture"}
