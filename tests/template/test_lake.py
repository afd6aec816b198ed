"""Athena finds the lake's objects by their names, reads the columns that are written, and has a scan limit."""

from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from pytake.analytics import queries
from pytake.aws.daily_aggregates import STAGING, aggregates_key
from pytake.aws.lake import object_key
from pytake.conversation.lake_events import COLUMNS
from tests.stack import Stack
from tests.template.permissions import statements


def test_the_table_has_the_columns_that_the_export_writes(stack: Stack) -> None:
    columns = table(stack, "events")["StorageDescriptor"]["Columns"]
    assert {column["Name"]: column["Type"] for column in columns} == COLUMNS
    assert [column["Name"] for column in columns] == list(COLUMNS)


def table(stack: Stack, name: str) -> dict[str, Any]:
    tables = (found["TableInput"] for found in stack.properties("AWS::Glue::Table").values())
    return next(found for found in tables if found["Name"] == name)


def test_the_daily_table_has_the_columns_of_its_statement(stack: Stack) -> None:
    columns = [column["Name"] for column in table(stack, "daily")["StorageDescriptor"]["Columns"]]
    union = sqlglot.parse_one(queries.statement("daily"), read="athena").find(exp.Union)
    assert union is not None
    assert union.left.named_selects == union.right.named_selects == columns


@pytest.mark.parametrize(
    ("name", "key"), [("events", object_key("acme", 1_770_000_000)), ("daily", aggregates_key("acme", "2026-02-02"))]
)
def test_partitions_follow_from_object_names_and_a_query_must_name_its_organization(
    stack: Stack, name: str, key: str
) -> None:
    found = table(stack, name)
    parameters = found["Parameters"]
    assert [partition["Name"] for partition in found["PartitionKeys"]] == ["organization_id", "dt"]
    assert parameters["projection.enabled"] == "true"
    assert parameters["projection.organization_id.type"] == "injected"
    assert (parameters["projection.dt.type"], parameters["projection.dt.format"]) == ("date", "yyyy-MM-dd")
    template = parameters["storage.location.template"]["Fn::Sub"]
    folder = template.removeprefix("s3://${StoredBucket.Value}/").replace("${!organization_id}", "acme")
    assert key.startswith(folder.replace("${!dt}", "2026-02-02") + "/")


def test_queries_have_a_limit_and_encrypted_results_that_expire(stack: Stack) -> None:
    [group] = stack.properties("AWS::Athena::WorkGroup").values()
    configuration = group["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert stack.default(configuration["BytesScannedCutoffPerQuery"]) == 10_000_000_000
    results = configuration["ResultConfiguration"]
    assert results["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    place = results["OutputLocation"]["Fn::Sub"].removeprefix("s3://${StoredBucket.Value}/")
    assert STAGING.startswith(place)
    rules = stack.properties("AWS::S3::Bucket")["LakeBucket"]["LifecycleConfiguration"]["Rules"]
    assert any(rule.get("Prefix") == place and "ExpirationInDays" in rule for rule in rules)


def test_the_export_is_scheduled_and_an_alarm_watches_its_lag(stack: Stack) -> None:
    assert "State" not in stack.properties("AWS::Scheduler::Schedule")["ExportSchedule"]
    alarm = stack.properties("AWS::CloudWatch::Alarm")["LakeLagAlarm"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("LakeLagSeconds", 3600)


def test_daily_aggregates_are_made_and_an_alarm_watches_how_far_behind_they_are(stack: Stack) -> None:
    assert "State" not in stack.properties("AWS::Scheduler::Schedule")["AggregateSchedule"]
    alarm = stack.properties("AWS::CloudWatch::Alarm")["DailyLagAlarm"]
    usual = (72 + 24 + 3) * 3600  # complete three days after its end, computed in the following night
    assert alarm["MetricName"] == "DailyLagSeconds"
    assert usual < alarm["Threshold"] <= usual + 24 * 3600


def test_who_queries_may_read_the_default_database(stack: Stack) -> None:
    """Athena's guide (fine-grained access to databases and tables) calls it mandatory."""
    reading = [
        statement["Resource"]
        for role in stack.properties("AWS::IAM::Role").values()
        for statement in statements(role)
        if "glue:GetDatabase" in statement["Action"]
    ]
    assert len(reading) == 2
    for resources in reading:
        assert any(resource["Fn::Sub"].endswith(":database/default") for resource in resources)
