"""`pytake dlq`: inspect and redrive dead-letter queues.

Works on the local cloud, by its address, and on a deployed stack, by CloudFormation and the current AWS credentials.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, get_args

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table

from cli.api_client import DEFAULT_URL
from cli.ending import fail, terminal
from cli.stack import Region, StackName, Url, stack_options
from local.dead_letters import DeadLetter, DeadLetterQueue, MoveError, QueueName, StackError, dead_letter_queues

app = typer.Typer(no_args_is_help=True, help="Inspect and redrive dead-letter queues.")

Queue = Annotated[str, typer.Argument(metavar="QUEUE", help="inbound, outbound, bulk, statuses, media or schedule.")]


@app.command("list")
def list_(url: Url = DEFAULT_URL, stack: StackName = None, region: Region = None) -> None:
    """Show the number of messages in each dead-letter queue and their reasons."""
    table = Table("Queue", "Messages", "Reasons")
    for queue in find_dead_letter_queues(url, stack, region):
        with _aws_errors_as_text():
            count = queue.count()
            reasons = Counter(letter.reason for letter in queue.peek()) if count else Counter[str]()
        table.add_row(queue.name, str(count), "\n".join(f"{n} x {reason}" for reason, n in reasons.most_common(5)))
    terminal().print(table)


@app.command()
def show(
    queue: Queue,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The maximum number of messages.")] = 50,
    body: Annotated[
        bool, typer.Option("--body", help="Show complete messages, which include what people wrote.")
    ] = False,
    url: Url = DEFAULT_URL,
    stack: StackName = None,
    region: Region = None,
) -> None:
    """Show the messages of a dead-letter queue: time, conversation, content and reason. None is removed."""
    console = terminal()
    found = dead_letter_queue(queue, url, stack, region)
    with _aws_errors_as_text():
        letters = found.peek(limit)
    table = Table("Id", "Failed (UTC)", "Conversation", "Content", "Reason")
    for letter in letters:
        at = datetime.fromtimestamp(letter.dead_lettered_at, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(letter.id, at, letter.conversation, letter.summary, letter.reason)
    console.print(table)
    if body:
        for letter in letters:
            typer.echo(f"{letter.id} {letter.body}")


@app.command()
def redrive(
    queue: Queue,
    conversation: Annotated[
        str | None, typer.Option(help="Only this conversation: organization/number/contact, or the last part.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Only what has a reason beginning so, such as 'retry_manually:'.")
    ] = None,
    url: Url = DEFAULT_URL,
    stack: StackName = None,
    region: Region = None,
) -> None:
    """Send messages back to their queue, in order per conversation. Messages that were accepted meanwhile are skipped.

    SQS itself moves a whole inbound, statuses or media queue of a deployed stack (StartMessageMoveTask). Messages of outbound
    and bulk are marked one by one, so that the sender retries dead ones.
    """
    letters = dead_letter_queue(queue, url, stack, region)
    with _aws_errors_as_text():
        moved = letters.move_all(wait=time.sleep) if conversation is reason is None and letters.can_be_moved else None
        count = letters.redrive(_filter(conversation, reason)) if moved is None else moved
    typer.echo(_redriven_text(count, queue))


@contextmanager
def _aws_errors_as_text() -> Iterator[None]:
    """Turn an AWS error into a message that ends the command. Messages not moved by then stay where they were."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        fail(f"AWS refused: {error}")
    except (MoveError, ValueError) as error:
        fail(str(error))


def _redriven_text(count: int, queue: str) -> str:
    return (
        f"1 message is back on the {queue} queue." if count == 1 else f"{count} messages are back on the {queue} queue."
    )


def _filter(conversation: str | None, reason: str | None) -> Callable[[DeadLetter], bool]:
    def matches(letter: DeadLetter) -> bool:
        return (conversation is None or letter.conversation.endswith(conversation)) and (
            reason is None or letter.reason.startswith(reason)
        )

    return matches


def dead_letter_queue(name: str, url: str, stack: str | None, region: str | None) -> DeadLetterQueue:
    """Return the queue of this name. Ends the command when there is none."""
    if name not in get_args(QueueName):
        fail(f"There is no queue {name!r}. The queues are {', '.join(get_args(QueueName))}.", 2)
    return next(queue for queue in find_dead_letter_queues(url, stack, region) if queue.name == name)


def find_dead_letter_queues(url: str, stack: str | None, region: str | None) -> list[DeadLetterQueue]:
    """Return the dead-letter queues of the local cloud at `url` or of a deployed stack. Ends the command if not found."""
    try:
        return dead_letter_queues(*stack_options(url, stack, region))
    except StackError as error:
        fail(str(error))
