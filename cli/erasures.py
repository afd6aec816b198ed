"""`pytake erasures`: repeat erasures after the table was restored to an earlier moment (docs/operations.md)."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.api_client import DEFAULT_URL
from cli.ending import fail
from cli.stack import DeployedStack, Region, StackName, Url, aws_errors_as_text, find_stack, use_for_tables

if TYPE_CHECKING:
    from pytake.conversation.replay_erasures import ReplayErasures

app = typer.Typer(no_args_is_help=True, help="Repeat erasures after the table was restored. Needs AWS credentials.")


@app.callback()
def _erasures() -> None:
    """Keep the command in a group; typer needs a callback for that."""


@app.command()
def replay(
    since: Annotated[
        str, typer.Option(help="The moment to which the table was restored, such as 2026-11-29T12:00:00Z.")
    ],
    url: Url = DEFAULT_URL,
    stack: StackName = None,
    region: Region = None,
) -> None:
    """Erase the contacts again who were erased after a moment. Run it before a restored table is used.

    The command reads the whole table once. It is safe to repeat.
    """
    at = _moment(since)
    with aws_errors_as_text():
        done = replay_erasures(find_stack(url, stack, region))(at)
    typer.echo(f"{done.erasures} erasures repeated: {done.people} people found, {done.items} items removed.")


def replay_erasures(stack: DeployedStack) -> "ReplayErasures":
    """Return the use case for the stack's table and bucket."""
    from pytake.aws.erasure import DynamoErasure
    from pytake.aws.erasure_journal import S3ErasureJournal
    from pytake.aws.event_log import DynamoEventLog
    from pytake.aws.table import Table
    from pytake.aws.tenants import DynamoTenants
    from pytake.conversation.replay_erasures import ReplayErasures
    from pytake.conversation.retention_policy import RetentionPolicy

    use_for_tables(stack)
    table, s3 = Table(stack.outputs["TableName"]), stack.client("s3")
    retention = RetentionPolicy(DynamoTenants(table, time.time), int(stack.parameters["RetentionDays"]))
    journal = S3ErasureJournal(lambda: s3, stack.outputs["LakeBucketName"])
    return ReplayErasures(journal, DynamoErasure(table, DynamoEventLog(table, retention)))


def _moment(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is not a time such as 2026-11-29T12:00:00Z.", 2)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
