"""Disaster recovery, as docs/operations.md describes it: restore, adopt the restored table, repeat the erasures, start."""

import os
import re
import subprocess
import sys
import textwrap
import uuid
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.cloud.aws import Aws
from tests.cloud.conftest import Cloud
from tests.stack import REPOSITORY

pytestmark = pytest.mark.cloud

RUNBOOK = (REPOSITORY / "docs" / "operations.md").read_text()


def steps() -> dict[str, str]:
    """The commands of the runbook, by the step they belong to."""
    section = RUNBOOK.partition("### Restoring the table")[2].partition("\n### ")[0]
    return {
        step: textwrap.dedent(commands)
        for step, commands in re.findall(
            r"^\d\. \*\*(\w+)\*\*(?:(?!^\d\.).)*?```sh\n(.*?)```", section, re.DOTALL | re.M
        )
    }


class Operator:
    """Runs commands of the runbook in a shell, in which `aws` is `tests.cloud.aws_cli`."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        environment = cloud.http.get("/_local/aws").json()["environment"]
        aws = folder / "aws"
        aws.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.cloud.aws_cli "$@"\n')
        aws.chmod(0o755)
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**os.environ, **environment, "PATH": path, "PYTHONPATH": str(REPOSITORY)}

    def run(self, commands: str) -> str:
        """What they print. Each has to succeed."""
        script = ["bash", "-euo", "pipefail", "-c", commands]
        done = subprocess.run(
            script, env=self._environment, cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


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


def states(aws: Aws) -> dict[str, str]:
    """Whether each queue is read, by the id of its event source mapping."""
    found = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return {one["UUID"]: one["State"] for one in found}


def reserved(aws: Aws) -> dict[str, int | None]:
    """The reserved concurrency of the functions that the runbook stops so; the emulator lets an HTTP API call them anyway."""
    functions = aws.client("lambda")
    answers = {
        one: functions.get_function_concurrency(FunctionName=f"pytake-local-{one}") for one in ("api", "scheduled")
    }
    return {name: answer.get("ReservedConcurrentExecutions") for name, answer in answers.items()}


def test_a_restored_table_is_adopted_without_the_people_who_were_erased_meanwhile(
    cloud: Cloud, new_phone: str, tmp_path: Path
) -> None:
    aws, stays, operator = Aws(cloud), f"55119{uuid.uuid4().int % 10**8:08d}", Operator(cloud, tmp_path)
    texts = {phone: f"Zebedeu{uuid.uuid4().hex[:8]}" for phone in (new_phone, stays)}
    for phone, text in texts.items():
        cloud.say(phone, text)
        cloud.answers(phone, 1)
    before, moment = aws.outputs["TableName"], datetime.now(UTC).isoformat()
    restored = f"restored-{uuid.uuid4().hex[:8]}"
    functions, dynamodb = aws.client("lambda"), aws.client("dynamodb")
    dynamodb.update_continuous_backups(
        TableName=before, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    [of_files] = [
        one["UUID"]
        for one in functions.list_event_source_mappings()["EventSourceMappings"]
        if one["EventSourceArn"].endswith("-media")
    ]
    functions.update_event_source_mapping(UUID=of_files, Enabled=False)  # as without KeepMedia
    read = states(aws)
    stop, restore = (
        steps()[step]
        .replace("stage=prod", "stage=local")
        .replace("/pytake/prod/", "/pytake/local/")
        .replace("2026-11-29T12:00:00Z", moment)
        .replace("pytake-$stage-20261129", restored)
        for step in ("Stop", "Restore")
    )
    variables, *_ = stop.splitlines()
    operator.run(f"{variables}\n{restore}")  # before the erasure, because the emulator restores the present
    with cloud.api("agent") as api:
        assert api.delete(f"/contacts/{new_phone}").status_code == 204
    noted = next(line for line in operator.run(stop).splitlines() if line.startswith("stage="))
    try:
        assert set(states(aws).values()) == {"Disabled"}
        assert reserved(aws) == {"api": 0, "scheduled": 0}
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
    finally:
        operator.run(f"{noted}\n{steps()['Start']}")
    assert states(aws) == read, "what was off before stays off"
    assert reserved(aws) == {"api": None, "scheduled": None}
    cloud.answers(stays, 2)
    assert "Oi de novo" in aws.table()
    functions.update_event_source_mapping(UUID=of_files, Enabled=True)
