"""`pytake cost`: the bill is the measured usage times the table's prices, and it changes with the volumes."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from samcli.yamlhelper import yaml_parse
from typer.testing import CliRunner

from cli.costing.model import DEPLOYED_MEMORY, Bill, Volumes
from cli.costing.tables import FOLDER, assumptions, measured_usage, prices
from cli.main import app

MILLION = 1_000_000
TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def bill(**volumes: Any) -> Bill:
    return Bill(Volumes(**volumes), measured_usage(), prices(), assumptions())


def usd(found: Bill, service: str, what: str = "") -> float:
    return sum(line.usd for line in found.lines if line.service == service and what in line.what)


def plain(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_bytes())


def test_a_function_url_costs_nothing_per_post_and_writes_no_access_log() -> None:
    api, url, table = bill(), bill(webhook="function-url"), plain("prices")["regions"]["us-east-1"]
    assert usd(url, "API Gateway") == 0
    logged = 4 * MILLION * plain("assumptions")["access_log_bytes"] / 1e9
    logs = logged * (table["logs_gb"] + table["logs_stored_gb_month"] * 30 / 30.4)
    saved = sum(line.usd for line in api.lines) - sum(line.usd for line in url.lines)
    assert saved == pytest.approx(4 * table["http_api_million"] + logs, rel=1e-3)


def test_the_way_of_a_million_messages_recomputed_by_hand() -> None:
    stages, price, assumed = (
        plain("measured_usage")["stages"],
        plain("prices")["regions"]["us-east-1"],
        plain("assumptions"),
    )
    found = bill()

    writes = sum(stage["write_units"] for stage in stages.values())
    reads = sum(stage["read_units"] for stage in stages.values())
    assert usd(found, "DynamoDB", "write units") == pytest.approx(writes * price["dynamodb_write_million"])
    assert usd(found, "DynamoDB", "read units") == pytest.approx(reads * price["dynamodb_read_million"])
    assert usd(found, "API Gateway") == pytest.approx(4 * price["http_api_million"])

    seconds = 30 * assumed["active_hours_per_day"] * 3600
    batch = 1 + 2 * MILLION / seconds * assumed["statuses_window_seconds"] / assumed["queue_pollers"]
    queues = 6 * price["sqs_fifo_million"] + (2 + 2 * 2 / batch) * price["sqs_standard_million"]
    assert usd(found, "SQS", "conversations") + usd(found, "SQS", "statuses") - sum(
        line.usd for line in found.lines if line.group == "fixed" and line.service == "SQS"
    ) == pytest.approx(queues)
    assert usd(found, "Lambda", "invocations") == pytest.approx((6 + 2 / batch) * price["lambda_request_million"])

    events = sum(stage["requests"].get("events.PutEvents", 0) for stage in stages.values())
    assert usd(found, "EventBridge") == pytest.approx(events * price["events_million"])

    sender = stages["sender"]
    waits = sum(assumed["wait_ms"][name] * count for name, count in sender["requests"].items())
    milliseconds = math.ceil(sender["cpu_ms"] * 1769 / 256 + waits)
    gigabyte_seconds = milliseconds / 1000 * 256 / 1024 * MILLION
    assert usd(found, "Lambda", "sender") == pytest.approx(gigabyte_seconds * price["lambda_gb_second_arm64"])


def test_the_total_is_the_sum_of_the_lines_and_per_million_does_not_depend_on_the_month() -> None:
    one, ten = bill(), bill(messages=10 * MILLION)
    assert one.total() == pytest.approx(sum(line.usd for line in one.lines))
    assert ten.total("message") == pytest.approx(10 * one.total("message"), rel=0.05), "batches grow, the rest does not"
    assert ten.per_million("storage") == pytest.approx(one.per_million("storage"))
    assert ten.total("fixed") == pytest.approx(one.total("fixed"))


@pytest.mark.parametrize(
    ("dearer", "cheaper"),
    [
        ({"statuses": 3}, {"statuses": 2}),
        ({"statuses": 2}, {"statuses": 0}),
        ({"answers": 2}, {"answers": 1}),
        ({"retention_days": 365}, {"retention_days": 30}),
        ({"architecture": "x86_64"}, {"architecture": "arm64"}),
        ({"region": "sa-east-1"}, {"region": "us-east-1"}),
        ({"memory": {"sender": 1024}}, {"memory": {"sender": 256}}),
        ({"tracing": True}, {"tracing": False}),
        ({"numbers": 5}, {"numbers": 1}),
        ({"organizations": 5}, {"organizations": 1}),
        ({"log_retention_days": 365}, {"log_retention_days": 30}),
        ({"observability": "full"}, {"observability": "basic"}),
    ],
    ids=str,
)
def test_more_costs_more(dearer: dict[str, Any], cheaper: dict[str, Any]) -> None:
    assert bill(**dearer).total() > bill(**cheaper).total()


def test_without_answers_only_the_incoming_half_is_paid() -> None:
    found = bill(answers=0)
    assert found.meta == 0
    assert found.invocations("sender") == found.invocations("statuses") == 0
    assert usd(found, "DynamoDB", "write units") == pytest.approx(
        measured_usage().stages["flow_runner"].write_units * prices().regions["us-east-1"]["dynamodb_write_million"]
    )


def test_metas_fee_stands_beside() -> None:
    fees = prices().meta
    assert bill(answers=1.5).meta == pytest.approx(1.5 * MILLION * fees.service_message)
    dear = replace(prices(), meta=replace(fees, utility_template=1.0, service_message=0.0))
    assert Bill(Volumes(templates=1000), measured_usage(), dear, assumptions()).meta == pytest.approx(1000)


def test_memory_and_the_wait_for_statuses_are_the_templates() -> None:
    template = yaml_parse(TEMPLATE.read_text())
    statuses = template["Resources"]["StatusesFunction"]["Properties"]["Events"]["Statuses"]["Properties"]
    assert assumptions().statuses_window_seconds == statuses["MaximumBatchingWindowInSeconds"]
    usual = template["Globals"]["Function"]["MemorySize"]
    for name, megabytes in DEPLOYED_MEMORY.items():
        function = template["Resources"][f"{name.title().replace('_', '')}Function"]["Properties"]
        assert function.get("MemorySize", usual) == megabytes


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--region", "mars"], "no region 'mars'; it has sa-east-1, us-east-1"),
        (["--memory", "tea=512"], "unknown function 'tea'"),
        (["--memory", "64"], "from 128 to 10240"),
        (["--prices", "WRONG"], "Object missing required field"),
        (["--messages", "-1"], "--messages"),
        (["--messages", "inf"], "--messages"),
        (["--answers", "inf"], "--answers"),
        (["--turns", "nan"], "--turns"),
        (["--meta-fee", "inf"], "--meta-fee"),
        (["--retention-days", "100000"], "--retention-days"),
        (["--messages", "10", "--templates", "11"], "only 10 messages are sent per month"),
    ],
)
def test_what_cannot_be_computed_says_why(arguments: list[str], says: str, tmp_path: Path) -> None:
    wrong = tmp_path / "prices.json"
    wrong.write_text("{}")
    ended = CliRunner().invoke(app, ["cost", *(str(wrong) if word == "WRONG" else word for word in arguments)])
    assert ended.exit_code == 2
    assert says in ended.output


def test_the_lines_beside_the_messages_recomputed_by_hand() -> None:
    found = bill(numbers=1000, organizations=200)
    assert usd(found, "Secrets Manager", "numbers") == pytest.approx(1000 * assumptions().secrets_per_number * 0.40)
    reads = 1000 * 4 * 300 * 3600 / 300  # 4 workers, 300 hours a month, every 300 seconds
    assert usd(found, "Secrets Manager", "reads") == pytest.approx(reads * 5 / MILLION)
    assert usd(found, "KMS") == pytest.approx((reads + 8 * 300 * 12) * 3 / MILLION)
    assert usd(found, "S3") == pytest.approx(200 * 300 * 12 * 5 / MILLION)
    assert usd(found, "Athena") == pytest.approx(200 * 30 * 5 * 10e6 / 1e12 * 5)
    runs = 30 * (3 * 1440 + 288 + 6 + 1)  # due, campaigns and imports each minute; export, aggregate, retention
    assert usd(found, "Lambda", "scheduled runs") == pytest.approx(runs * 0.20 / MILLION)
    assert usd(found, "DynamoDB", "scheduled writes") == pytest.approx(2 * runs * 0.625 / MILLION)
    logs = next(line.quantity for line in found.lines if line.what == "logs")
    assert usd(found, "CloudWatch", "logs, 30 days") == pytest.approx(logs * 0.03)
    assert usd(bill(messages=0, tracing=True), "X-Ray") == pytest.approx(runs * 5 / MILLION)


def runs_per_day(when: str) -> int:
    """How often EventBridge Scheduler starts a job of this expression: `rate(5 minutes)`, `cron(15 2-7 * * ? *)`."""
    if when.startswith("rate("):
        return 1440 // int(when.removeprefix("rate(").partition(" ")[0])
    first, _, last = when.split()[1].partition("-")
    return int(last or first) - int(first) + 1


def test_the_scheduled_runs_are_those_of_the_template() -> None:
    schedules = yaml_parse(TEMPLATE.read_text())["Mappings"]["Schedules"]
    found = sum(runs_per_day(schedule["When"]) for schedule in schedules.values())
    assert assumptions().scheduled_runs_per_day == found


@pytest.mark.parametrize("page", ["README.md", "docs/cost.md"])
def test_an_idle_month_costs_what_the_docs_say(page: str) -> None:
    text = " ".join((TEMPLATE.parent / page).read_text().split())
    told = re.search(r"about ([\d.]+) USD, [^;.]*?about ([\d.]+) USD with `Observability=full`", text.replace(";", ","))
    assert told is not None
    assert bill(messages=0).total() == pytest.approx(float(told[1]), abs=0.15)
    assert bill(messages=0, observability="full").total() == pytest.approx(float(told[2]), abs=0.15)


def test_an_idle_month_recomputed_by_hand() -> None:
    polls = 5 * 30 * 86_400 / 20  # five pollers of a queue, each asks for 20 seconds
    queues = 3 * polls * 0.50 / MILLION + polls * 0.40 / MILLION
    runs = 138_450 * (0.20 + 2 * 0.625 + 8 * 0.125) / MILLION + 43_200 * 0.2 * 0.0000133334
    secrets = 2 * 0.40
    # Three lags, the daily lag and the lost messages; 52 watched metrics.
    assert bill(messages=0).total() == pytest.approx(queues + runs + secrets + 5 * 0.30 + 52 * 0.10)
    # Also the recipients of campaigns, alarms on three metrics, and the dashboard.
    full = queues + runs + secrets + 6 * 0.30 + 55 * 0.10 + 3
    assert bill(messages=0, observability="full").total() == pytest.approx(full)


def test_a_month_in_which_nobody_writes_costs_what_is_there_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    shown = CliRunner().invoke(app, ["cost", "--messages", "0"])
    assert (shown.exit_code, "No messages" in shown.output) == (0, True)
    told = json.loads(CliRunner().invoke(app, ["cost", "--messages", "0", "--json"]).output)
    assert told["usd_per_month"]["aws"] == pytest.approx(bill(messages=0).total("fixed", "observability"), abs=0.01)
    assert {line["group"] for line in told["lines"] if line["usd"]} == {"fixed", "observability"}
    assert not [name for name in told if name.startswith(("per_", "usd_per_million", "usd_per_conversation"))]


def test_the_command_prints_a_table_or_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    runner = CliRunner()
    table = runner.invoke(app, ["cost", "--messages", "50000"]).output
    for words in ("Storage", "write units", "AWS", "Meta", "as of"):
        assert words in table
    told = json.loads(runner.invoke(app, ["cost", "--json", "--memory", "sender=1024"]).output)
    assert told["usd_per_month"]["aws"] == pytest.approx(sum(line["usd"] for line in told["lines"]), abs=0.01)
    assert told["volumes"]["memory"] == {"sender": 1024}
    asked = [stage["requests"] for stage in plain("measured_usage")["stages"].values()]
    of_aws = sum(count for one in asked for name, count in one.items() if not name.startswith("graph."))
    assert told["per_turn"]["requests"] == pytest.approx(of_aws, abs=0.01)


def spending_report(path: Path, **change: Any) -> Path:
    part = {"messages": 400, "charged": 300, "amount_micros": 12_000_000, "unpriced": 0}
    categories = [
        {"category": "marketing", **part, "messages": 100, "amount_micros": 10_000_000},
        {"category": "service", **part, "messages": 300, "amount_micros": 2_000_000},
    ]
    report = {"period": {}, "as_of": None, "currency": "USD", "total": part | change, "categories": categories}
    path.write_text(json.dumps(report | ({"currency": change["currency"]} if "currency" in change else {})))
    return path


def test_metas_fees_follow_the_measured_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = spending_report(tmp_path / "spending.json")
    asked = ["cost", "--messages", "2000", "--answers", "2", "--spending", str(report)]
    found = json.loads(CliRunner().invoke(app, [*asked, "--json"]).output)
    assert found["usd_per_month"]["meta"] == pytest.approx(4000 * 12 / 400)
    assert found["meta_usd_by_category"] == {"marketing": 100.0, "service": 20.0}
    monkeypatch.setenv("COLUMNS", "80")
    shown = CliRunner().invoke(app, ["cost", "--spending", str(report)]).output  # a million messages
    assert "marketing" in shown
    assert "30,000.00" in shown, "the amounts are whole in a narrow terminal"


@pytest.mark.parametrize(
    ("change", "more", "says"),
    [
        ({"messages": 0}, [], "no message was delivered"),
        ({"currency": "BRL"}, [], "the amounts are in BRL"),
        ({"unpriced": 3}, [], "no price for 3 charged messages"),
        ({}, ["--templates", "5"], "leave them out"),
        ({}, ["--meta-fee", "1"], "leave them out"),
    ],
)
def test_a_spending_report_that_cannot_be_used_says_why(
    tmp_path: Path, change: dict[str, Any], more: list[str], says: str
) -> None:
    report = spending_report(tmp_path / "spending.json", **change)
    ended = CliRunner().invoke(app, ["cost", "--spending", str(report), *more])
    assert ended.exit_code == 2
    assert says in " ".join(ended.output.split())
