"""The embedded AWS patches private names of MiniStack: a new version must not rename them unnoticed."""

import asyncio
import json
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import apigateway, dynamodb, eventbridge, lambda_svc, sqs

from local import emulator, emulator_speed
from local.oidc import AUDIENCE, Issuer


def test_the_pinned_ministack_is_the_one_the_changes_were_made_for() -> None:
    assert version("ministack") == "1.5.33"


@pytest.mark.parametrize(("owner", "name"), emulator.PATCHED_NAMES, ids=lambda part: getattr(part, "__name__", part))
def test_every_changed_name_exists(owner: object, name: str) -> None:
    assert hasattr(owner, name)


def test_fifo_sources_run_as_many_batches_as_their_mapping_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_svc, "_sqs_esm_concurrency", lambda_svc._sqs_esm_concurrency)
    emulator_speed.run_fifo_groups_in_parallel()
    from_a_parameter = {"UUID": "1", "ScalingConfig": {"MaximumConcurrency": "3"}}
    allowed = lambda_svc._sqs_esm_concurrency(from_a_parameter, {"config": {}}, {}, {"is_fifo": True})
    assert allowed == 3
    campaigns = {**from_a_parameter, "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:pytake-local-bulk.fifo"}
    assert lambda_svc._sqs_esm_concurrency(campaigns, {"config": {}}, {}, {"is_fifo": True}) == 1


def test_a_call_waits_for_a_busy_sandbox_when_its_function_has_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_svc, "acquire_worker", lambda_runtime.acquire_worker)
    monkeypatch.setattr(lambda_svc, "release_worker", lambda_runtime.release_worker)
    monkeypatch.setattr(lambda_runtime, "_workers", {})
    monkeypatch.setattr(emulator, "MAX_WAIT_SECONDS", 0.0)
    emulator.limit_sandboxes(max_processes=1)
    config = {"FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "Runtime": "python3.11"}

    first, _ = lambda_svc.acquire_worker("f", config, b"")
    throttled, reason = lambda_svc.acquire_worker("f", config, b"")
    lambda_svc.release_worker(first)
    again, _ = lambda_svc.acquire_worker("f", config, b"")

    assert (throttled, reason) == (None, "func_cap")
    assert again is first


def test_a_schedule_tells_its_target_when_it_was_due(monkeypatch: pytest.MonkeyPatch) -> None:
    passed_on: list[str] = []
    monkeypatch.setattr(eventbridge, "_invoke_target", lambda target, *_: passed_on.append(target["Input"]))
    emulator.resolve_schedule_placeholders()
    target = {"Arn": "arn:f", "Input": '{"job":"due","at":"<aws.scheduler.scheduled-time>"}'}
    event = {"Source": "aws.scheduler", "Time": 1795381326.7, "Resources": ["arn:s"], "EventId": "e"}

    eventbridge._invoke_target(target, event, {})
    eventbridge._invoke_target(target, event | {"Source": "another"}, {})

    assert passed_on == ['{"job":"due","at":"2026-11-22T21:02:06Z"}', target["Input"]]


def test_an_alarm_over_several_metrics_is_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    provisioners = emulator.provisioners
    monkeypatch.setattr(provisioners, "_cw_metric_alarm_record", provisioners._cw_metric_alarm_record)
    stat = {
        "Metric": {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": []},
        "Period": 300,
        "Stat": "Sum",
    }
    alarm = {
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "Metrics": [{"Id": "all", "Expression": "SUM(METRICS())"}, {"Id": "m1", "MetricStat": stat}],
    }
    with pytest.raises(ValueError, match="metric math"):
        provisioners._cw_metric_alarm_record("errors", alarm)
    emulator.accept_metric_math_alarms()
    assert provisioners._cw_metric_alarm_record("errors", alarm)["MetricName"] == "Errors"


def test_the_emulator_does_not_see_the_environment_of_whoever_starts_it() -> None:
    """`-I` also keeps a `local` or `ministack` of the current folder out."""
    code = "import os, sys; print(sorted(os.environ), sys.flags.isolated)"
    answer = subprocess.run([sys.executable, "-I", "-c", code], env={}, capture_output=True, text=True, check=True)
    assert answer.stdout.split()[-1] == "1"


def test_a_template_may_have_saved_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator.provisioners, "_RESOURCE_HANDLERS", dict(emulator.provisioners._RESOURCE_HANDLERS))
    emulator.support_named_queries()
    handler = emulator.provisioners._RESOURCE_HANDLERS["AWS::Athena::NamedQuery"]
    properties = {"Name": "funnel", "Database": "lake", "QueryString": "SELECT 1", "WorkGroup": "w"}

    name, _ = handler["create"]("Funnel", properties, "pytake-local")
    again, _ = handler["create"]("Funnel", properties, "pytake-local")
    handler["update"](name, properties, properties | {"QueryString": "SELECT 2"}, "pytake-local")

    assert again == name
    (kept,) = emulator.athena._batch_get_named_query({"NamedQueryIds": [name]})[2:] or ("",)
    assert "SELECT 2" in str(kept)
    handler["delete"](name, {})
    assert "SELECT" not in str(emulator.athena._batch_get_named_query({"NamedQueryIds": [name]}))


@pytest.mark.parametrize(
    ("change", "header", "accepted"),
    [({}, {}, True), ({"exp": None}, {}, False), ({"exp": 1}, {}, False), ({}, {"crit": ["b64"], "b64": True}, False)],
)
def test_a_token_without_end_or_with_an_unknown_extension_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
    header: dict[str, object],
    accepted: bool,
) -> None:
    issuer = Issuer.with_key_in(tmp_path, "http://127.0.0.1/issuer")
    key = serialization.load_pem_private_key((tmp_path / "oidc-key.pem").read_bytes(), None)
    claims = jwt.decode(issuer.mint("demo", "admin"), options={"verify_signature": False}) | change
    if claims["exp"] is None:
        del claims["exp"]
    token = jwt.encode(claims, key, "RS256", {"kid": issuer.public_key["kid"], **header})  # type: ignore[arg-type]
    keys = {"jwks": {"keys": [issuer.public_key]}, "expiresAt": time.time() + 60}
    monkeypatch.setattr(apigateway, "_jwks_cache", {"http://127.0.0.1/keys": keys})
    discovered = {"jwks_uri": "http://127.0.0.1/keys", "expiresAt": time.time() + 60}
    monkeypatch.setattr(apigateway, "_oidc_config_cache", {issuer.url: discovered})
    monkeypatch.setattr(apigateway, "_validate_jwt_authorizer", apigateway._validate_jwt_authorizer)
    emulator.refuse_endless_tokens()
    authorizer = {
        "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": {"issuer": issuer.url, "audience": [AUDIENCE]},
    }

    _, _, refused = asyncio.run(
        apigateway._validate_jwt_authorizer({}, authorizer, {"authorization": f"Bearer {token}"}, {})
    )

    assert (refused is None) is accepted


def test_a_function_behind_an_http_api_gets_the_stages_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[Any] = []
    monkeypatch.setattr(lambda_svc, "_execute_function_with_config_scope", lambda _record, event: got.append(event))
    stages = {"api": {"$default": {"stageVariables": {"issuer": "https://issuer.example"}}, "empty": {}}}
    monkeypatch.setattr(apigateway, "_stages", stages)
    emulator.pass_stage_variables()
    for stage in ("$default", "empty"):
        event = {"version": "2.0", "requestContext": {"apiId": "api", "stage": stage}}
        lambda_svc._execute_function_with_config_scope({}, event)
    lambda_svc._execute_function_with_config_scope({}, {"job": "due"})
    assert got[0]["stageVariables"] == {"issuer": "https://issuer.example"}
    assert "stageVariables" not in got[1]
    assert got[2] == {"job": "due"}


def test_a_function_gets_the_visible_messages_of_a_queue_and_an_id_may_be_sent_again_after_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for owner, name in emulator_speed.PATCHED_NAMES:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    looked: list[str] = []
    collect = sqs._collect_msgs
    monkeypatch.setattr(sqs, "_collect_msgs", lambda *some: (looked.append("looked"), collect(*some))[1])
    emulator_speed.pass_over_waiting_messages()
    url = sqs._act_create_queue({"QueueName": "some.fifo", "Attributes": {"FifoQueue": "true"}}, "")["QueueUrl"]
    send = {"QueueUrl": url, "MessageBody": "a", "MessageGroupId": "g", "MessageDeduplicationId": "1"}

    first = sqs._act_send_message(send, url)
    assert sqs._act_send_message(send, url)["MessageId"] == first["MessageId"], "within five minutes it is the same one"
    received = sqs._receive_messages_for_esm(url, 10)
    assert [message["body"] for message in received] == ["a"]
    assert sqs._receive_messages_for_esm(url, 10) == []
    assert looked == ["looked"], "what is in flight is not looked through"
    received[0]["visible_at"] = time.time()
    assert len(sqs._receive_messages_for_esm(url, 10)) == 1

    sqs._act_send_message({**send, "MessageDeduplicationId": "2"}, url)
    sent = sqs._get_q(url)["dedup_cache"]
    sent["1"]["expire"] = time.time()
    assert sqs._act_send_message(send, url)["MessageId"] != first["MessageId"]
    assert list(sent) == ["2", "1"]


def test_what_a_text_means_is_looked_up_once_and_changes_with_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in emulator_speed.PATCHED_NAMES:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    policies = [json.dumps({"Statement": {"Effect": "Allow", "Action": name}}) for name in ("sqs:SendMessage", "sqs:*")]
    condition, nothing = "attribute_not_exists(#0) OR #0 = :0", {"#0": "pk"}
    before = [iam_evaluator.parse_policy_document(policy) for policy in policies]
    tokens = dynamodb._tokenize(condition)
    emulator_speed.remember_what_texts_mean()

    assert [iam_evaluator.parse_policy_document(policy) for policy in policies] == before
    again = iam_evaluator.parse_policy_document(policies[0])
    assert again is iam_evaluator.parse_policy_document(policies[0])
    assert iam_evaluator.parse_policy_document({"Statement": []}) == []
    assert dynamodb._tokenize(condition) == tokens
    dynamodb._tokenize(condition).clear()
    assert dynamodb._tokenize(condition) == tokens, "a caller may change its list"
    for item, holds in (({}, True), ({"pk": {"S": "a"}}, True), ({"pk": {"S": "b"}}, False)):
        assert dynamodb._evaluate_condition(condition, item, {":0": {"S": "a"}}, nothing) is holds
    with pytest.raises(ValueError, match="Syntax error"):
        dynamodb._evaluate_condition("#0 = = :0", {}, {":0": {"S": "a"}}, nothing)


def test_policies_are_looked_up_once_a_second_and_a_body_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in emulator_speed.PATCHED_NAMES:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    now, looked_up, refused = [100.0], list[str](), iam_evaluator.AuthError("InvalidClientTokenId", "no")
    caller = iam_evaluator.PrincipalInfo("arn", "AssumedRole", "0", policies=[])

    def resolve(access_key: str, *_: Any) -> Any:
        looked_up.append(access_key)
        return refused if access_key == "unknown" else caller

    monkeypatch.setattr(iam_evaluator, "resolve_principal", resolve)
    monkeypatch.setattr(emulator_speed.time, "monotonic", lambda: now[0])
    emulator_speed.authorize_without_repetition()

    for key in ("one", "one", "unknown", "unknown", "two"):
        assert iam_evaluator.resolve_principal(key, "0") is (refused if key == "unknown" else caller)
    assert looked_up == ["one", "unknown", "unknown", "two"], "a key may be created at any time"
    now[0] += 1.1
    iam_evaluator.resolve_principal("one", "0")
    assert looked_up[-1] == "one"

    body = json.dumps({"TransactItems": [{"Put": {"TableName": "t"}}] * 3}).encode()
    ask = ("dynamodb:TransactWriteItems", body, "us-east-1", "000000000000")
    assert (
        iam_actions.dynamodb_transaction_checks(*ask)
        == [("dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:000000000000:table/t")] * 3
    )
    assert iam_actions.dynamodb_resource_arns(b"no JSON", "us-east-1", "000000000000") == []
    assert iam_actions.json.loads(body) is iam_actions.json.loads(bytes(bytearray(body)))
