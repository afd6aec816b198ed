"""Disaster recovery, as docs/operations.md describes it: restore, adopt the restored table, repeat the erasures, start."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.cloud.aws import Aws
from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

OF_A_SCHEDULE = (
    "Name",
    "GroupName",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "FlexibleTimeWindow",
    "Target",
)


@contextmanager
def stopped(aws: Aws) -> Iterator[None]:
    """While this holds, no queue is read and no job starts."""
    functions, scheduler = aws.client("lambda"), aws.client("scheduler")
    sources = [one["UUID"] for one in functions.list_event_source_mappings()["EventSourceMappings"]]
    listed = scheduler.list_schedules()["Schedules"]
    schedules = [scheduler.get_schedule(Name=one["Name"], GroupName=one["GroupName"]) for one in listed]

    def enable(enabled: bool) -> None:
        for source in sources:
            functions.update_event_source_mapping(UUID=source, Enabled=enabled)
        for schedule in schedules:
            state = "ENABLED" if enabled else "DISABLED"
            scheduler.update_schedule(**{name: schedule[name] for name in OF_A_SCHEDULE}, State=state)

    enable(False)
    try:
        yield
    finally:
        enable(True)


def adopt_table(aws: Aws, name: str) -> None:
    """Deploy the stack with `ExistingTableName`; its template stays."""
    cloudformation, stack = aws.client("cloudformation"), aws.stack
    [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    kept = [
        {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
        for one in described["Parameters"]
        if one["ParameterKey"] != "ExistingTableName"
    ]
    cloudformation.update_stack(
        StackName=stack,
        UsePreviousTemplate=True,
        Parameters=[*kept, {"ParameterKey": "ExistingTableName", "ParameterValue": name}],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )


def test_a_restored_table_is_adopted_without_the_people_who_were_erased_meanwhile(cloud: Cloud, new_phone: str) -> None:
    aws, stays = Aws(cloud), f"55119{uuid.uuid4().int % 10**8:08d}"
    texts = {phone: f"Zebedeu{uuid.uuid4().hex[:8]}" for phone in (new_phone, stays)}
    for phone, text in texts.items():
        cloud.say(phone, text)
        cloud.answers(phone, 1)
    before, moment = aws.outputs["TableName"], datetime.now(UTC).isoformat()
    restored = f"restored-{uuid.uuid4().hex[:8]}"
    dynamodb: Any = aws.client("dynamodb")
    dynamodb.update_continuous_backups(
        TableName=before, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=before, TargetTableName=restored, UseLatestRestorableTime=True
    )
    with cloud.api("agent") as api:
        assert api.delete(f"/contacts/{new_phone}").status_code == 204

    with stopped(aws):
        adopt_table(aws, restored)
        aws = Aws(cloud)
        assert aws.outputs["TableName"] == restored
        assert before in dynamodb.list_tables()["TableNames"], "the table of the stack is kept"
        assert texts[new_phone] in aws.table()
        with patch.dict(os.environ):  # the command sets the variables that PynamoDB reads
            done = CliRunner().invoke(app, ["erasures", "replay", "--since", moment, "--url", cloud.url])
        assert done.exit_code == 0, done.output
        assert done.output.startswith("1 erasures repeated: 1 people found")
        assert texts[new_phone] not in aws.table()
        assert texts[stays] in aws.table()
        cloud.say(stays, "Oi de novo")

    cloud.answers(stays, 2)
    assert "Oi de novo" in aws.table()
