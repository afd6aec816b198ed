"""Plugin for pytest: the table is on DynamoDB Local, at `AWS_ENDPOINT_URL_DYNAMODB`. Moto keeps the other services."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from samcli.yamlhelper import yaml_parse

import tests.table
from tests.stack import table_definition

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
CREATED = [0]


def create_table(name: str) -> None:
    """Create the table as the template describes it, with its indexes and its time to live, in place of an earlier one."""
    properties = yaml_parse(TEMPLATE.read_text())["Resources"]["Table"]["Properties"]
    client: Any = boto3.client("dynamodb")
    with suppress(client.exceptions.ResourceNotFoundException):
        client.delete_table(TableName=name)
    client.create_table(TableName=name, **table_definition())
    client.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
    CREATED[0] += 1


tests.table.create_table = create_table  # before a conftest imports it


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show that the tests used it."""
    where = os.environ["AWS_ENDPOINT_URL_DYNAMODB"]
    terminalreporter.write_line(f"{CREATED[0]} tables were created on DynamoDB Local at {where}.")
