"""What is in a dead-letter queue, and the way back to the queue it came from.

The queues are found by the outputs of their stack: the local cloud's or a deployed one's, by the boto3 options given.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Literal, cast

import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct
from msgspec.structs import replace

from pytake.aws.dead_letter_queues import BATCH, WAIT_SECONDS
from pytake.aws.queues import encode_body
from pytake.conversation.queues import InboundItem, OutboundItem, StatusesItem, digest, group_id
from pytake.conversation.statuses import read_callback_data

QueueName = Literal["inbound", "outbound", "statuses", "schedule"]

_NO_MOVE_TASKS = {"InvalidAction", "AWS.SimpleQueueService.UnsupportedOperation", "UnsupportedOperation"}

VISIBILITY_TIMEOUT_SECONDS = 60
"""While a message is looked at or moved, nobody else sees it."""

_OUTPUTS = {"inbound": "Inbound", "outbound": "Outbound", "statuses": "Statuses", "schedule": "Schedule"}


class StackError(Exception):
    """There is no such stack, or it is none of PyTake's; the message says which."""


class MoveError(Exception):
    """SQS began to move messages and did not finish; the message says why and how many were moved."""


class DeadLetter(Struct, frozen=True):
    """One message that was given up on. `item` is None when nobody can read it."""

    id: str
    queue: QueueName
    body: str
    reason: str
    dead_lettered_at: float
    handle: str
    group: str | None = None
    item: InboundItem | OutboundItem | StatusesItem | None = None

    @property
    def conversation(self) -> str:
        """Whose it is: organization, number and contact; for statuses the first conversation in it."""
        if isinstance(self.item, InboundItem | OutboundItem):
            return f"{self.item.organization_id}/{self.item.phone_number_id}/{self.item.contact_id}"
        if isinstance(self.item, StatusesItem):
            places = [read_callback_data(status.get("biz_opaque_callback_data")) for status in self.item.statuses]
            contact = next((place[0].contact_id for place in places if place), "?")
            return f"{self.item.organization_id}/{self.item.phone_number_id}/{contact}"
        return "?"

    @property
    def summary(self) -> str:
        """What it is, without what anybody wrote."""
        match self.item:
            case InboundItem() as item if item.due_at is not None:
                return "a timer or the end of a session"
            case InboundItem():
                return f"message {self.item.message_id} ({self.item.message.get('type')})"
            case OutboundItem():
                return f"turn {self.item.turn}, {_counted(len(self.item.messages), 'message')}"
            case StatusesItem():
                return _counted(len(self.item.statuses), "status")
        return "a scheduled job" if self.queue == "schedule" else "unreadable"


class DeadLetterQueue:
    """One dead-letter queue, by a boto3 SQS client."""

    def __init__(
        self,
        client: Any,
        name: QueueName,
        dead_letters_url: str,
        source_url: str | None,
        wait_seconds: int | None = None,
    ) -> None:
        """`source_url` is where its messages came from; None for a queue whose work is not redriven (schedules)."""
        self._wait_seconds = WAIT_SECONDS if wait_seconds is None else wait_seconds
        self._client = client
        self.name = name
        self._url = dead_letters_url
        self._source_url = source_url

    def count(self) -> int:
        """About how many messages there are, as SQS knows it."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        return sum(int(answer["Attributes"].get(name, 0)) for name in names)

    def source_count(self) -> int | None:
        """About how many messages wait on the queue itself or are being worked on; None for one that has no queue (schedules)."""
        if self._source_url is None:
            return None
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        answer = self._client.get_queue_attributes(QueueUrl=self._source_url, AttributeNames=names)
        return sum(int(answer["Attributes"].get(name, 0)) for name in names)

    @property
    def can_be_redriven(self) -> bool:
        """Whether there is a queue to send the messages back to."""
        return self._source_url is not None

    def peek(self, limit: int = 100) -> list[DeadLetter]:
        """Up to `limit` messages, in order within a conversation (SQS shows the first ten of each); they stay."""
        found: list[DeadLetter] = []
        try:
            found.extend(self._receive(limit))
        finally:
            for letter in found:
                self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=letter.handle, VisibilityTimeout=0
                )
        return found

    @property
    def can_be_moved(self) -> bool:
        """Whether SQS may move the messages as they are. Answers may not: the sender has to know that they were redriven."""
        return self.name in ("inbound", "statuses")

    def move_all(self, wait: Callable[[float], None]) -> int | None:
        """Let SQS move everything (StartMessageMoveTask) and wait until it is done; None where it cannot do that.

        Raises `MoveError` when SQS gave up on the way: what it did not move is where it was.
        """
        arn, destination = self._arn(self._url), self._arn(self._source_url or "")
        try:
            before = self._latest_move(arn)
            # Said where to: of what was put here and not moved (statuses of others, after an erasure) SQS does not know it.
            self._client.start_message_move_task(SourceArn=arn, DestinationArn=destination)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NO_MOVE_TASKS:
                return None
            raise
        while True:
            task = self._latest_move(arn)
            begun = task is not None and (before is None or task["StartedTimestamp"] != before["StartedTimestamp"])
            if task is not None and begun and task["Status"] not in ("RUNNING", "CANCELLING"):
                moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
                if task["Status"] != "COMPLETED":
                    why = task.get("FailureReason") or task["Status"].lower()
                    raise MoveError(f"SQS stopped moving messages of the {self.name} queue after {moved}: {why}")
                return moved
            wait(2)

    def _arn(self, url: str) -> str:
        answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def _latest_move(self, arn: str) -> dict[str, Any] | None:
        tasks = self._client.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"]
        return tasks[0] if tasks else None

    def redrive(
        self,
        matches: Callable[[DeadLetter], bool] = lambda _: True,
        on_redriven: Callable[[DeadLetter], None] = lambda _: None,
        now: Callable[[], float] = time.time,
    ) -> int:
        """Send what is wanted back to its queue, each conversation in order; how many messages that were.

        What was handled meanwhile is recognised there and not done twice: an accepted message is skipped, a dead one is
        tried anew. A conversation stops at its first message that is not wanted, because what stands behind it must not
        overtake. Raises ValueError for a queue that cannot be redriven.
        """
        if self._source_url is None:
            raise ValueError(f"The {self.name} queue is not redriven: its schedule fires again by itself.")
        count, kept, held_back = 0, list[DeadLetter](), set[str | None]()
        try:
            for letter in self._receive():
                if (letter.group is not None and letter.group in held_back) or not matches(letter):
                    held_back.add(letter.group)
                    kept.append(letter)
                    continue
                self._client.send_message(QueueUrl=self._source_url, **_redriven(letter, now()))
                self._client.delete_message(QueueUrl=self._url, ReceiptHandle=letter.handle)
                on_redriven(letter)
                count += 1
        finally:
            for letter in kept:
                self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=letter.handle, VisibilityTimeout=0
                )
        return count

    def _receive(self, limit: int | None = None) -> Iterator[DeadLetter]:
        """Take messages until there are none, or `limit`: no more than are given, for what is taken is hidden."""
        seen = set[str]()
        while limit is None or len(seen) < limit:
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH if limit is None else min(BATCH, limit - len(seen)),
                VisibilityTimeout=VISIBILITY_TIMEOUT_SECONDS,
                WaitTimeSeconds=self._wait_seconds,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            messages = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
            if not messages:
                return
            for message in messages:
                seen.add(message["MessageId"])
                yield _read(self.name, message)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def stack_outputs(stack: str, options: dict[str, Any]) -> dict[str, str]:
    """Return the outputs of a stack; `options` are those of boto3's clients. Raises `StackError`."""
    import boto3  # slow to import, and the help of the commands needs none
    from botocore.exceptions import BotoCoreError

    try:
        found = boto3.client("cloudformation", **options).describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise StackError(f"The stack {stack} is not found: {error}") from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    wanted = [*(f"{prefix}DeadLettersUrl" for prefix in _OUTPUTS.values()), "WorkGroupName", "LakeDatabaseName"]
    missing = next((name for name in wanted if name not in outputs), None)
    if missing is not None:
        raise StackError(f"The stack {stack} is none of PyTake's: it has no output {missing!r}.")
    return outputs


def dead_letter_queues(stack: str, options: dict[str, Any]) -> list[DeadLetterQueue]:
    """Return the dead-letter queues of a stack; `options` are those of boto3's clients. Raises `StackError`."""
    import boto3

    outputs = stack_outputs(stack, options)
    client = boto3.client("sqs", **options)
    return [
        DeadLetterQueue(
            client, cast("QueueName", name), outputs[f"{prefix}DeadLettersUrl"], outputs.get(f"{prefix}QueueUrl")
        )
        for name, prefix in _OUTPUTS.items()
    ]


_ITEMS: dict[str, Any] = {"inbound": InboundItem, "outbound": OutboundItem, "statuses": StatusesItem}
_REASONS = {
    "inbound": "given up after many tries; the flow runner's log tells why",
    "outbound": "given up after many tries; the sender's log tells why",
    "statuses": "given up after many tries; the log of the statuses function tells why",
    "schedule": "the scheduled function failed; its log tells why",
}


def _read(queue: QueueName, message: dict[str, Any]) -> DeadLetter:
    attributes = message.get("Attributes", {})
    reason = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue")
    item = None
    if queue in _ITEMS:
        try:
            item = msgspec.json.decode(message["Body"], type=_ITEMS[queue])
        except msgspec.DecodeError:
            reason = reason or "unreadable"
    return DeadLetter(
        id=message["MessageId"],
        queue=queue,
        body=message["Body"],
        reason=reason or _REASONS[queue],
        dead_lettered_at=int(attributes.get("SentTimestamp", 0)) / 1000,
        handle=message["ReceiptHandle"],
        group=attributes.get("MessageGroupId"),
        item=item,
    )


def _redriven(letter: DeadLetter, now: float) -> dict[str, Any]:
    """The message as its queue takes it once more. Its deduplication id is new: the old one may still be remembered."""
    match letter.item:
        case OutboundItem() as item:
            redriven = item.redrive_count + 1
            again = replace(
                item, redrive_count=redriven, requeue_id=f"redrive{redriven}", queued_at=now, released=False
            )
            return {
                "MessageBody": encode_body(again),
                "MessageGroupId": group_id(again.key),
                "MessageDeduplicationId": again.deduplication_id,
            }
        case InboundItem() as item:
            return {
                "MessageBody": letter.body,
                "MessageGroupId": group_id(item.key),
                "MessageDeduplicationId": digest(item.deduplication_id, letter.id),
            }
        case StatusesItem():
            return {"MessageBody": letter.body}
    fifo = letter.group is not None
    unread: dict[str, Any] = {"MessageBody": letter.body}
    return unread | ({"MessageGroupId": letter.group, "MessageDeduplicationId": digest(letter.id)} if fifo else {})
