"""The handlers' benchmark runs: the whole way of plain turns, then a cold start, on the sources as they stand."""

import os
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.environments import REPOSITORY
from benchmarks.handler_benchmark import VARIABLES, HandlerResults
from benchmarks.handler_report import bill, cold_table, handler_targets, requests, warm_table
from benchmarks.instant_aws import InstantAws
from benchmarks.workers import once
from cli.costing.tables import MeasuredUsage, measured_usage, prices

PATHS = [str(REPOSITORY), str(REPOSITORY / "layers" / "core"), str(REPOSITORY / "functions" / "api")]
STAGES = [
    *("webhook", "flow_runner", "sender", "webhook, sent"),
    *("webhook, delivered", "statuses, delivered", "webhook, read", "statuses, read"),
]

WHERE = {"measured_on": "2026-11-25", "commit": "0000000", "machine": "this one"}


def probe(*words: str, code: Path | None = None) -> dict[str, Any]:
    path = os.pathsep.join(PATHS if code is None else [str(code), *PATHS])
    command = [sys.executable, "-P", "-m", "benchmarks.handler_probe", *words]
    return once(command, REPOSITORY, {**VARIABLES, "PYTHONPATH": path}, None)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The functions' folders under the names that `sam build` gives them."""
    folder = tmp_path_factory.mktemp("build")
    for name in ("webhook", "flow_runner", "sender", "statuses"):
        target = REPOSITORY / "functions" / name
        (folder / f"{''.join(part.title() for part in name.split('_'))}Function").symlink_to(target)
    return folder


@pytest.fixture(scope="module")
def measured(build: Path) -> HandlerResults:
    samples = str(build / "samples.json")
    told = probe("warm", str(build), "0.01", samples)
    folders = {"webhook": build / "WebhookFunction", "flow_runner": build / "FlowRunnerFunction"}
    colds = {name: [probe("cold", name, samples, code=folder)] for name, folder in folders.items()}
    colds["boto3"] = [probe("cold", "boto3", samples)]
    return HandlerResults(colds, [told["stages"]], told["stored_bytes"], told["known"])


def test_a_message_goes_the_whole_way_and_its_statuses_come_back(measured: HandlerResults) -> None:
    assert measured.stages == STAGES
    assert all(measured.own(stage, "p50_ms") > 0 for stage in STAGES)
    for word in ("sent", "delivered", "read"):
        assert measured.warm[0][f"webhook, {word}"]["calls"] == measured.warm[0]["sender"]["calls"]


def test_requests_and_write_units_are_counted(measured: HandlerResults) -> None:
    assert measured.requests("sender")["graph.messages"] == 1
    assert measured.requests("flow_runner")["dynamodb.TransactWriteItems"] == 1
    assert 0 < requests(measured) <= 14
    assert 0 < measured.own("flow_runner", "write_units") <= 8
    assert 4 < measured.known["write_units"] <= 5, "nothing is claimed or created for a person who is known"
    assert 12 < measured.known["requests"] <= requests(measured) < 12.7, "within a short run caches are filled, too"
    assert not any("Send" in name for name in measured.requests("webhook, sent")), "it is told already"


def test_what_pytake_cost_goes_by_is_what_is_counted_today(measured: HandlerResults) -> None:
    known, today = measured_usage(), msgspec.convert({**measured.measured_usage(), **WHERE}, MeasuredUsage)
    for stage in STAGES:
        assert today.stages[stage].calls == known.stages[stage].calls
        for figure in ("write_units", "read_units"):
            told, was = getattr(today.stages[stage], figure), getattr(known.stages[stage], figure)
            assert told == pytest.approx(was, abs=0.5), f"{stage}: `make bench` has to write {figure} anew"
    assert today.stored_bytes == pytest.approx(known.stored_bytes, rel=0.2)


def test_a_cold_handler_answers_its_first_event(measured: HandlerResults) -> None:
    steps = {"import_ms", "wiring_ms", "first_event_ms", "ready_cpu_ms", "process_ms"}
    assert set(measured.colds["flow_runner"][0]) == steps
    assert measured.against_baseline("webhook") > 0


def test_the_tables_name_every_stage_and_target(measured: HandlerResults) -> None:
    measured.colds |= dict.fromkeys(("sender", "statuses", "scheduled", "api"), measured.colds["webhook"])
    assert all(stage in warm_table(measured) for stage in STAGES)
    assert "boto3 only" in cold_table(measured)
    assert ["AWS requests per plain turn", "≤ 12.5"] in [row[:2] for row in handler_targets(measured)]
    saved = measured.own("flow_runner", "write_units") - measured.known["write_units"]
    less = bill(measured).total("message") - bill(measured, known=True).total("message")
    assert less == pytest.approx(saved * prices().regions["us-east-1"]["dynamodb_write_million"], abs=0.001)


def test_a_write_costs_its_size_a_transaction_twice_and_an_index_entry_its_own() -> None:
    cloud = InstantAws()

    def put(due_at: str, text: str) -> dict[str, Any]:
        values = {"pk": {"S": "p"}, "sk": {"S": "s"}, "body": {"S": text}}
        return {"Item": values | {"due_pk": {"S": "d"}, "due_at": {"N": due_at}}}

    def units(target: str, asked: dict[str, Any]) -> float:
        before = cloud.write_units
        assert cloud.answer(target, asked)[0] == 200
        return cloud.write_units - before

    assert units("DynamoDB_20120810.PutItem", put("1", "short")) == 1 + 1
    assert units("DynamoDB_20120810.PutItem", put("1", "short")) == 1
    assert units("DynamoDB_20120810.PutItem", put("2", "short")) == 1 + 2
    assert units("DynamoDB_20120810.TransactWriteItems", {"TransactItems": [{"Put": put("2", "x" * 1100)}]}) == 4
    update = {
        "Key": {"pk": {"S": "p"}, "sk": {"S": "s"}},
        "UpdateExpression": "SET #0 = :0 REMOVE #1 ADD #2 :2",
        "ExpressionAttributeNames": {"#0": "body", "#1": "due_at", "#2": "seq"},
        "ExpressionAttributeValues": {":0": {"S": "new"}, ":2": {"N": "1"}},
        "ReturnValues": "ALL_NEW",
    }
    _, answer = cloud.answer("DynamoDB_20120810.UpdateItem", update)
    assert answer["Attributes"]["body"] == {"S": "new"}
    assert answer["Attributes"]["seq"] == {"N": "1.0"}
    assert "due_at" not in answer["Attributes"]
