"""Athena finds the lake's objects by their names, reads the columns that are written, and has limits."""

from pytake.aws.lake import object_key
from pytake.conversation.lake_events import COLUMNS
from tests.template.conftest import Stack


def test_the_table_has_the_columns_that_the_export_writes(stack: Stack) -> None:
    [table] = stack.properties("AWS::Glue::Table").values()
    columns = table["TableInput"]["StorageDescriptor"]["Columns"]
    assert {column["Name"]: column["Type"] for column in columns} == COLUMNS
    assert [column["Name"] for column in columns] == list(COLUMNS)


def test_partitions_follow_from_the_names_of_objects_and_a_query_names_its_organization(stack: Stack) -> None:
    [table] = stack.properties("AWS::Glue::Table").values()
    parameters = table["TableInput"]["Parameters"]
    assert [key["Name"] for key in table["TableInput"]["PartitionKeys"]] == ["organization_id", "dt"]
    assert parameters["projection.enabled"] == "true"
    assert parameters["projection.organization_id.type"] == "injected"
    assert (parameters["projection.dt.type"], parameters["projection.dt.format"]) == ("date", "yyyy-MM-dd")
    template = parameters["storage.location.template"]["Fn::Sub"]
    folder = template.removeprefix("s3://${LakeBucket}/").replace("${!organization_id}", "acme")
    assert object_key("acme", 1_770_000_000).startswith(folder.replace("${!dt}", "2026-02-02") + "/")


def test_queries_have_a_limit_and_encrypted_results_that_go_away(stack: Stack) -> None:
    [group] = stack.properties("AWS::Athena::WorkGroup").values()
    configuration = group["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert stack.default(configuration["BytesScannedCutoffPerQuery"]) == 10_000_000_000
    results = configuration["ResultConfiguration"]
    assert results["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    place = results["OutputLocation"]["Fn::Sub"].removeprefix("s3://${LakeBucket}/")
    rules = stack.properties("AWS::S3::Bucket")["LakeBucket"]["LifecycleConfiguration"]["Rules"]
    assert any(rule.get("Prefix") == place and "ExpirationInDays" in rule for rule in rules)


def test_the_export_runs_and_an_alarm_watches_how_far_behind_it_is(stack: Stack) -> None:
    assert "State" not in stack.properties("AWS::Scheduler::Schedule")["ExportSchedule"]
    alarm = stack.properties("AWS::CloudWatch::Alarm")["LakeLagAlarm"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("LakeLagSeconds", 3600)
