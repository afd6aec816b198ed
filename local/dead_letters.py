"""Inspects dead-letter queues and redrives their messages.

The queue URLs come from the outputs of a stack: the local cloud's or a deployed one, depending on the boto3 options.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, cast

import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct
from msgspec.structs import replace

from pytake.aws.dead_letter_queues import BATCH, WAIT_SECONDS
from pytake.aws.queues import encode_body
from pytake.conversation.callback_data import read_callback_data
from pytake.conversation.queues import InboundItem, MediaItem, OutboundItem, StatusesItem, digest, group_id

QueueName = Literal["inbound", "outbound", "bulk", "statuses", "media", "schedule"]

MOVABLE: tuple[QueueName, ...] = ("inbound", "statuses", "media")
"""Queues whose dead letters SQS may move unchanged. The others' must be marked as redriven for the sender."""

_NO_MOVE_TASKS = {"InvalidAction", "AWS.SimpleQueueService.UnsupportedOperation", "UnsupportedOperation"}

VISIBILITY_TIMEOUT_SECONDS = 60
"""How long a message that is being read or moved is hidden from other consumers."""

_OUTPUTS = {
    "inbound": "Inbound",
    "outbound": "Outbound",
    "bulk": "Bulk",
    "statuses": "Statuses",
    "media": "Media",
    "schedule": "Schedule",
}


class StackError(Exception):
    """The stack does not exist or does not belong to PyTake; the message says which."""


class MoveError(Exception):
    """SQS stopped moving messages before the end; the message says why and how many were moved."""


class DeadLetter(Struct, frozen=True):
    """One message of a dead-letter queue. `item` is None when the body cannot be decoded."""

    id: str
    queue: QueueName
    body: str
    reason: str
    dead_lettered_at: float
    handle: str
    group: str | None = None
    item: InboundItem | OutboundItem | StatusesItem | MediaItem | None = None

    @property
    def conversation(self) -> str:
        """Organization, number and contact; for statuses those of the first conversation in it."""
        if isinstance(self.item, InboundItem | OutboundItem | MediaItem):
            return f"{self.item.organization_id}/{self.item.phone_number_id}/{self.item.contact_id}"
        if isinstance(self.item, StatusesItem):
            places = [read_callback_data(status.get("biz_opaque_callback_data")) for status in self.item.statuses]
            contact = next((place[0].contact_id for place in places if place), "?")
            return f"{self.item.organization_id}/{self.item.phone_number_id}/{contact}"
        return "?"

    @property
    def summary(self) -> str:
        """A description without message texts."""
        match self.item:
            case InboundItem() as item if item.due_at is not None:
                return "a timer or the end of a session"
            case InboundItem():
                return f"message {self.item.message_id} ({self.item.message.get('type')})"
            case OutboundItem():
                return f"turn {self.item.turn}, {_counted(len(self.item.messages), 'message', 'messages')}"
            case StatusesItem():
                return _counted(len(self.item.statuses), "status", "statuses")
            case MediaItem():
                return f"a file ({self.item.media.type})"
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
        """`source_url` is the queue that its messages came from; None for one that is not redriven (schedules)."""
        self._wait_seconds = WAIT_SECONDS if wait_seconds is None else wait_seconds
        self._client = client
        self.name = name
        self._url = dead_letters_url
        self._source_url = source_url

    def count(self) -> int:
        """The approximate number of messages, including those that are hidden."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        return sum(int(answer["Attributes"].get(name, 0)) for name in names)

    @property
    def can_be_redriven(self) -> bool:
        """Whether there is a source queue to send the messages back to."""
        return self._source_url is not None

    def peek(self, limit: int = 100) -> list[DeadLetter]:
        """Up to `limit` messages, in order within a conversation (SQS returns the first ten of each). None is removed."""
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
        """Whether the queue is one of `MOVABLE`."""
        return self.name in MOVABLE

    def move_all(self, wait: Callable[[float], None]) -> int | None:
        """Let SQS move all messages (StartMessageMoveTask), wait for the end and return how many were moved.

        Returns None where SQS does not support it. Raises `MoveError` when SQS stops early: the rest was not moved.
        """
        arn, destination = self._arn(self._url), self._arn(self._source_url or "")
        try:
            before = self._latest_move(arn)
            # The destination is explicit because SQS does not know it for messages that were sent to this queue directly.
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
        """Send the messages that match back to the source queue, in order per conversation, and return how many.

        No message is processed twice: the consumer skips accepted messages and retries dead ones. A conversation stops
        at its first message that does not match, because later messages must not overtake it. `on_redriven` is called
        after each message. Raises ValueError for a queue that cannot be redriven.
        """
        if self._source_url is None:
            raise ValueError(f"The {self.name} queue cannot be redriven: its schedules fire again on their own.")
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

    def remove(self, matches: Callable[[DeadLetter], bool]) -> int:
        """Delete the messages that match for good, and return how many."""
        count, kept = 0, list[DeadLetter]()
        try:
            for letter in self._receive():
                if matches(letter):
                    self._client.delete_message(QueueUrl=self._url, ReceiptHandle=letter.handle)
                    count += 1
                else:
                    kept.append(letter)
        finally:
            for letter in kept:
                self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=letter.handle, VisibilityTimeout=0
                )
        return count

    def _receive(self, limit: int | None = None) -> Iterator[DeadLetter]:
        """Receive messages until there are none or `limit` is reached. No more are received, because that hides them."""
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


def _counted(count: int, singular: str, plural: str) -> str:
    return f"{count} {singular if count == 1 else plural}"


def describe_stack(stack: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return CloudFormation's description of a stack of PyTake; `options` are those of boto3's clients.

    Raises `StackError`, also for another project's stack.
    """
    import boto3  # slow to import, and the commands' help does not need it
    from botocore.exceptions import BotoCoreError, NoRegionError

    try:
        found = boto3.client("cloudformation", **options).describe_stacks(StackName=stack)["Stacks"][0]
    except NoRegionError as error:
        raise StackError(f"In which region is stack {stack}? Give --region, or set AWS_DEFAULT_REGION.") from error
    except (BotoCoreError, ClientError) as error:
        raise StackError(f"Stack {stack} not found: {error}") from error
    outputs = _outputs(found)
    wanted = [*(f"{prefix}DeadLettersUrl" for prefix in _OUTPUTS.values()), "WorkGroupName", "LakeDatabaseName"]
    missing = next((name for name in wanted if name not in outputs), None)
    if missing is not None:
        raise StackError(f"Stack {stack} does not belong to PyTake: it has no output {missing!r}.")
    return dict(found)


def stack_outputs(stack: str, options: dict[str, Any]) -> dict[str, str]:
    """Return the outputs of a stack; `options` are those of boto3's clients. Raises `StackError`."""
    return _outputs(describe_stack(stack, options))


def _outputs(described: Mapping[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


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


_ITEMS: dict[str, Any] = {
    "inbound": InboundItem,
    "outbound": OutboundItem,
    "bulk": OutboundItem,
    "statuses": StatusesItem,
    "media": MediaItem,
}
_REASONS = {
    "inbound": "failed too often; see the log of the flow runner",
    "outbound": "failed too often; see the log of the sender",
    "bulk": "failed too often; see the log of the sender",
    "statuses": "failed too often; see the log of the statuses function",
    "media": "failed too often; see the log of the sender",
    "schedule": "failed; see the log of the scheduled function",
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
    """The message as it is sent to its queue again. Its deduplication id is new, because SQS may still know the old one."""
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
                "MessageGroupId": group_id(item.group),
                "MessageDeduplicationId": digest(item.deduplication_id, letter.id),
            }
        case StatusesItem() | MediaItem():
            return {"MessageBody": letter.body}
    fifo = letter.group is not None
    unread: dict[str, Any] = {"MessageBody": letter.body}
    return unread | ({"MessageGroupId": letter.group, "MessageDeduplicationId": digest(letter.id)} if fifo else {})
