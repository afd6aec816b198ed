"""A deployment moves the alias `live` of each function, and alarms move it back."""

import json
import re
from typing import Any

import pytest

from tests.stack import Stack, target, translated

MAX_DESCRIPTION = 256
"""The limit of a version's description in Lambda."""

BUILT_IN = {"PythonRuntime", "Architecture"}
"""Parameters that change the layers, and so publish a version: the layers are built for them."""

FIXED = {"Stage"}
"""Part of every name: another value is another function."""

GRADUAL = {"WebhookFunction", "ApiFunction"}


def versions(stack: Stack) -> dict[str, str]:
    """The identity of each function's version, by function. CloudFormation publishes a new version when it changes."""
    found = {}
    for id_, version in stack.properties("AWS::Lambda::Version").items():
        found[target(version["FunctionName"])] = f"{id_} {json.dumps(version)}"
    return found


def parameters_in(stack: Stack, value: Any) -> set[str]:
    """The parameters that a value uses, also by a condition."""
    text = json.dumps(value)
    used = set(re.findall(r'"Ref": "(\w+)"', text)) | set(re.findall(r"\$\{(\w+)\}", text))
    for name in set(re.findall(r'"Fn::GetAtt": \["(\w+)", "Value"', text)) | set(
        re.findall(r"\$\{(\w+)\.Value\}", text)
    ):
        used |= parameters_in(stack, stack.properties("AWS::SSM::Parameter")[name]["Value"])
    for condition in set(re.findall(r'"Fn::If": \["(\w+)"', text)):
        used |= parameters_in(stack, stack.document["Conditions"][condition])
    return used & set(stack.document["Parameters"])


def test_every_parameter_is_used(source: dict[str, Any]) -> None:
    text = json.dumps({part: source[part] for part in source if part not in ("Parameters", "Metadata")})
    unused = {name for name in source["Parameters"] if not re.search(rf'"Ref": "{name}"|\$\{{{name}\}}', text)}
    built_in = re.search(r"\$\{PythonRuntime\}-\$\{Architecture\}", json.dumps(source))
    assert unused == set()
    assert built_in


def test_everything_that_calls_a_function_calls_its_alias(stack: Stack) -> None:
    aliases = stack.properties("AWS::Lambda::Alias")
    assert {(target(one["FunctionName"]), one["Name"]) for one in aliases.values()} == {
        (function, "live") for function in stack.of_type("AWS::Lambda::Function")
    }
    called = [one["FunctionName"] for one in stack.properties("AWS::Lambda::EventSourceMapping").values()]
    called += [one["FunctionName"] for one in stack.properties("AWS::Lambda::Permission").values()]
    called += [one["Target"]["Arn"] for one in stack.properties("AWS::Scheduler::Schedule").values()]
    assert len(called) >= 9
    assert {target(one) for one in called} <= set(aliases)
    assert stack.document["Outputs"]["ScheduledFunctionName"]["Value"] == {"Fn::Sub": "${ScheduledFunction}:live"}
    for integration in stack.properties("AWS::ApiGatewayV2::Integration").values():
        assert integration["IntegrationUri"]["Fn::Sub"].endswith("Function}:live")
    [role] = [one for name, one in stack.properties("AWS::IAM::Role").items() if name == "ScheduleRole"]
    invoke = role["Policies"][0]["PolicyDocument"]["Statement"][0]
    assert (invoke["Action"], target(invoke["Resource"])) == ("lambda:InvokeFunction", "ScheduledFunctionAliaslive")


def test_the_webhook_and_the_api_change_gradually_and_the_others_at_once() -> None:
    groups = translated(TrafficShift="Linear10PercentEvery1Minute").properties("AWS::CodeDeploy::DeploymentGroup")
    shifts = {
        name.removesuffix("DeploymentGroup"): group["DeploymentConfigName"]["Fn::Sub"][1]["ConfigName"]
        for name, group in groups.items()
    }
    others = set(shifts) - GRADUAL
    assert {shifts[name] for name in GRADUAL} == {"Linear10PercentEvery1Minute"}
    assert len(others) >= 4
    assert {shifts[name] for name in others} == {"AllAtOnce"}


def test_alarms_roll_a_deployment_back_unless_it_fixes_their_cause(stack: Stack) -> None:
    assert stack.document["Parameters"]["DeploymentAlarms"]["Default"] == "true"
    assert stack.document["Parameters"]["TrafficShift"]["Default"].startswith("Canary")
    for group in stack.properties("AWS::CodeDeploy::DeploymentGroup").values():
        condition, alarms, none = group["AlarmConfiguration"]["Fn::If"]
        assert (condition, none) == ("AlarmsStopDeployments", {})
        assert [target(one["Name"]) for one in alarms["Alarms"]] == ["ApiErrorsAlarm", "FunctionErrorsAlarm"]
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        assert target(group["ServiceRoleArn"]) == "DeploymentRole"


METRIC_SECONDS = 60
"""A metric of a minute is complete about a minute after its end, and the alarm is evaluated every minute."""


def shift_seconds(configuration: str) -> int:
    """How long CodeDeploy runs two versions with one of its own configurations."""
    if found := re.fullmatch(r"Canary10Percent(\d+)Minutes", configuration):
        return int(found[1]) * 60
    found = re.fullmatch(r"Linear10PercentEvery(\d+)Minutes?", configuration)
    assert found, configuration
    return 9 * int(found[1]) * 60


def test_the_alarms_ring_while_a_gradual_deployment_runs(stack: Stack) -> None:
    gradual = [one for one in stack.document["Parameters"]["TrafficShift"]["AllowedValues"] if one != "AllAtOnce"]
    shortest = min(map(shift_seconds, gradual))
    alarms = stack.properties("AWS::CloudWatch::Alarm")
    group = stack.properties("AWS::CodeDeploy::DeploymentGroup")["ApiFunctionDeploymentGroup"]
    names = [target(one["Name"]) for one in group["AlarmConfiguration"]["Fn::If"][1]["Alarms"]]
    assert names
    for name in names:
        alarm = alarms[name]
        periods = {alarm.get("Period")} | {one["MetricStat"]["Period"] for one in alarm.get("Metrics", [])[1:]}
        [period] = periods - {None}
        needed = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]) * period
        assert needed + 2 * METRIC_SECONDS <= shortest, name


def test_new_code_of_a_layer_or_a_function_publishes_a_version(stack: Stack) -> None:
    before = versions(stack)
    core = versions(translated({"CoreLayer": "s3://bucket/other"}))
    assert {name for name in before if core[name] != before[name]} == set(before) - {"ConsoleFunction"}  # has no layer
    lake = versions(translated({"LakeLayer": "s3://bucket/other"}))
    assert {name for name in before if lake[name] != before[name]} == {"ScheduledFunction"}
    sender = versions(translated({"SenderFunction": "s3://bucket/other"}))
    assert {name for name in before if sender[name] != before[name]} == {"SenderFunction"}


def test_each_parameter_of_a_function_is_in_the_description_of_its_version(stack: Stack) -> None:
    """SAM does not publish a version for another value of a parameter; another description does."""
    functions = stack.properties("AWS::Lambda::Function")
    of_all = ("FunctionName", "ReservedConcurrentExecutions")  # not part of a version
    for version in stack.properties("AWS::Lambda::Version").values():
        function = {
            key: value for key, value in functions[target(version["FunctionName"])].items() if key not in of_all
        }
        described = parameters_in(stack, version["Description"])
        assert parameters_in(stack, function) - BUILT_IN - FIXED == described, target(version["FunctionName"])


def _values(stack: Stack, mapping: str) -> list[str]:
    return [str(value) for one in stack.document["Mappings"][mapping].values() for value in one.values()]


@pytest.mark.parametrize("function", ["SenderFunction", "ApiFunction", "FlowRunnerFunction", "ScheduledFunction"])
def test_the_description_of_a_version_fits(stack: Stack, function: str) -> None:
    [version] = [
        one for one in stack.properties("AWS::Lambda::Version").values() if target(one["FunctionName"]) == function
    ]
    described = version["Description"]["Fn::Sub"]
    longest, short = described if isinstance(described, list) else (described, {})
    for name, value in short.items():
        own = value["Fn::If"][1:] if "Fn::If" in value else _values(stack, value["Fn::FindInMap"][0])
        longest = longest.replace(f"${{{name}}}", "x" * max(map(len, own)))
    for name in parameters_in(stack, version["Description"]):
        parameter = stack.document["Parameters"][name]
        allowed = [str(value) for value in parameter.get("AllowedValues", [])]
        digits = parameter.get("MaxValue", 10**9) if parameter["Type"] == "Number" else ""
        length = max(map(len, allowed)) if allowed else parameter.get("MaxLength", len(str(digits)) or 10**6)
        longest = longest.replace(f"${{{name}}}", "x" * int(length))
    assert len(longest) <= MAX_DESCRIPTION
