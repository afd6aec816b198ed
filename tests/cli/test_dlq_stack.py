"""`pytake dlq` on a deployed stack: found by name through CloudFormation, with the current AWS credentials.

The queues are those of template.yaml, in moto. What moto lacks (CloudFormation's answer, StartMessageMoveTask) is faked
here; the requests and answers of a move are checked against botocore's model of SQS.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import msgspec
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from moto import mock_aws
from typer.testing import CliRunner, Result

from cli.dlq import app
from local import dead_letters
from local.dead_letters import DeadLetterQueue, MoveError
from pytake.aws.queues import SqsQueues
from pytake.conversation.callback_data import callback_data
from pytake.conversation.queues import InboundItem, OutboundItem, StatusesItem
from pytake.conversation.records import ConversationKey
from pytake.whatsapp.outbound import Text
from tests.stack import Stack, target, translated

NUMBER = "100000000000001"
ANA, BIA = "5511900000001", "5511900000002"
STACK = "pytake-prod"
ARN = "arn:aws:sqs:eu-west-1:123456789012:dead"
SOURCE_ARN = "arn:aws:sqs:eu-west-1:123456789012:source"


class Deployed:
    """The queues of a deployed stack."""

    def __init__(self, template: Stack) -> None:
        self.sqs = boto3.client("sqs")
        made = {}
        for id_, queue in template.properties("AWS::SQS::Queue").items():
            fifo = {"FifoQueue": "true"} if queue.get("FifoQueue") else {}
            name = queue["QueueName"]["Fn::Sub"].replace("${Stage}", "prod")
            made[id_] = self.sqs.create_queue(QueueName=name, Attributes=fifo)["QueueUrl"]
        outputs = template.document["Outputs"]
        self.outputs = {name: made.get(target(output["Value"]), "other") for name, output in outputs.items()}
        self.urls = {name: url for name, url in self.outputs.items() if url in made.values()}
        self.queues = SqsQueues(
            lambda: self.sqs,
            inbound=self.urls["InboundDeadLettersUrl"],  # what is put here is dead already
            inbound_dlq=self.urls["InboundDeadLettersUrl"],
            outbound=self.urls["OutboundQueueUrl"],
            outbound_dlq=self.urls["OutboundDeadLettersUrl"],
            statuses=self.urls["StatusesDeadLettersUrl"],
        )

    def taken_from(self, output: str) -> list[dict[str, Any]]:
        """The messages of a queue in the order of delivery; they are deleted."""
        found: list[dict[str, Any]] = []
        url = self.urls[output]
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(msgspec.json.decode(message["Body"]))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)
    with mock_aws():
        found = Deployed(translated())
        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", moving(found))
        yield found


def moving(deployed: Deployed) -> Any:
    """Pass the SDK's calls on; fake the stack and the two SQS operations that moto lacks, as AWS documents them."""
    call = botocore.client.BaseClient._make_api_call
    tasks: list[dict[str, Any]] = []

    def made(self: Any, operation: str, request: dict[str, Any]) -> Any:
        if operation == "DescribeStacks":
            if request["StackName"] != STACK:
                message = f"Stack with id {request['StackName']} does not exist"
                raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, operation)
            outputs = [{"OutputKey": name, "OutputValue": value} for name, value in deployed.outputs.items()]
            return {"Stacks": [{"Outputs": outputs}]}
        if operation == "ListMessageMoveTasks":
            return {"Results": tasks[: request["MaxResults"]]}
        if operation != "StartMessageMoveTask":
            return call(self, operation, request)
        name = request["SourceArn"].rpartition(":")[2]
        kind = next(kind for kind in ("Inbound", "Statuses") if kind.lower() in name)
        count = 0
        while messages := self.receive_message(
            QueueUrl=deployed.urls[f"{kind}DeadLettersUrl"],
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
        ).get("Messages"):
            for message in messages:
                attributes = message["Attributes"]
                fifo = {
                    name: attributes[name]
                    for name in ("MessageGroupId", "MessageDeduplicationId")
                    if name in attributes
                }
                self.send_message(QueueUrl=deployed.urls[f"{kind}QueueUrl"], MessageBody=message["Body"], **fifo)
                url = deployed.urls[f"{kind}DeadLettersUrl"]
                self.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                count += 1
        done = {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": count, "StartedTimestamp": len(tasks)}
        tasks.insert(0, done)
        return {"TaskHandle": "task"}

    return made


def pytake(*command: str) -> Result:
    return CliRunner().invoke(app, [*command, "--stack", STACK])


def said(number: int, contact: str) -> InboundItem:
    return InboundItem("acme", NUMBER, contact, {"id": f"wamid.{contact}.{number}", "type": "text"}, 1.0)


def turn(number: int, contact: str) -> OutboundItem:
    return OutboundItem("acme", NUMBER, contact, number, [Text("Hello")], 1e12)


def statuses(contact: str) -> StatusesItem:
    data = callback_data(ConversationKey("acme", NUMBER, contact), 1, 0)
    return StatusesItem("acme", NUMBER, [{"id": "w", "status": "read", "biz_opaque_callback_data": data}])


def test_every_queue_is_listed_and_shown_with_reason_and_conversation(deployed: Deployed) -> None:
    deployed.queues.put_inbound([said(1, ANA)])
    deployed.queues.dead_letter(turn(1, ANA), "retry:130429")
    deployed.queues.put_statuses([statuses(ANA)])
    deployed.sqs.send_message(QueueUrl=deployed.urls["ScheduleDeadLettersUrl"], MessageBody='{"job": "due"}')
    listed = pytake("list").output
    for queue, reason in (
        ("inbound", "the log of the flow runner"),
        ("outbound", "1 x retry:130429"),
        ("statuses", "the log of the statuses function"),
        ("schedule", "the log of the scheduled function"),
    ):
        line = next(line for line in listed.splitlines() if queue in line)
        assert " 1 " in line
        assert reason in line
    for queue in ("inbound", "outbound", "statuses"):
        assert f"acme/{NUMBER}/{ANA}" in pytake("show", queue).output
    assert "a scheduled job" in pytake("show", "schedule").output


def test_answers_go_back_marked_each_contact_in_order(deployed: Deployed) -> None:
    for number in range(1, 13):
        for contact in (ANA, BIA):
            deployed.queues.dead_letter(turn(number, contact), "retry:130429")
    assert pytake("redrive", "outbound").output == "24 messages are back on the outbound queue.\n"
    back = deployed.taken_from("OutboundQueueUrl")
    for contact in (ANA, BIA):
        assert [item["turn"] for item in back if item["contact_id"] == contact] == [*range(1, 13)]
    assert {item["redrive_count"] for item in back} == {1}
    assert pytake("redrive", "outbound").output == "0 messages are back on the outbound queue.\n"


@pytest.mark.parametrize("only", [(), ("--reason", "failed")])
def test_peoples_messages_go_back_in_order_whoever_moves_them(deployed: Deployed, only: tuple[str, ...]) -> None:
    deployed.queues.put_inbound([said(number, contact) for number in range(12) for contact in (ANA, BIA)])
    assert pytake("redrive", "inbound", *only).output == "24 messages are back on the inbound queue.\n"
    back = [item["message"]["id"] for item in deployed.taken_from("InboundQueueUrl")]
    for contact in (ANA, BIA):
        assert [id_ for id_ in back if contact in id_] == [f"wamid.{contact}.{number}" for number in range(12)]
    assert deployed.taken_from("InboundDeadLettersUrl") == []


@pytest.mark.parametrize("only", [(), ("--conversation", f"acme/{NUMBER}/{ANA}")])
def test_statuses_go_back_whoever_moves_them(deployed: Deployed, only: tuple[str, ...]) -> None:
    deployed.queues.put_statuses([statuses(ANA) for _ in range(12)])
    assert pytake("redrive", "statuses", *only).output == "12 messages are back on the statuses queue.\n"
    assert len(deployed.taken_from("StatusesQueueUrl")) == 12


def test_what_cannot_be_done_is_said_in_words(deployed: Deployed) -> None:
    assert "schedules fire again" in pytake("redrive", "schedule").output
    missing = CliRunner().invoke(app, ["list", "--stack", "nothing"])
    assert (missing.exit_code, "nothing not found" in missing.output) == (1, True)
    deployed.sqs.delete_queue(QueueUrl=deployed.urls["OutboundDeadLettersUrl"])
    refused = pytake("show", "outbound")
    assert (refused.exit_code, refused.output.startswith("AWS refused: ")) == (1, True)


def test_without_a_region_the_command_asks_for_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert "In which region is stack" in CliRunner().invoke(app, ["list", "--stack", STACK]).stderr


def test_showing_some_hides_none_of_the_others(deployed: Deployed) -> None:
    deployed.queues.put_statuses([statuses(ANA) for _ in range(5)])
    assert pytake("show", "statuses", "--limit", "2").output.count("1 status") == 2
    assert pytake("redrive", "statuses", "--reason", "failed").output.startswith("5 messages")


def test_sqs_is_given_the_time_to_ask_all_its_servers() -> None:
    """A short poll asks only some of them, so it can return no messages although there are some."""
    client = boto3.client("sqs", region_name="eu-west-1", aws_access_key_id="t", aws_secret_access_key="t")
    wanted = dict.fromkeys(
        ("QueueUrl", "VisibilityTimeout", "MessageSystemAttributeNames", "MessageAttributeNames"), ANY
    )
    with Stubber(client) as answers:
        answers.add_response("receive_message", {}, {**wanted, "MaxNumberOfMessages": 3, "WaitTimeSeconds": 1})
        assert DeadLetterQueue(client, "statuses", "https://sqs.test/dead", None).peek(3) == []


class Moves:
    """A fake of SQS's answers to moving a whole queue."""

    def __init__(self) -> None:
        self.client = boto3.client("sqs", region_name="eu-west-1", aws_access_key_id="t", aws_secret_access_key="t")
        self.letters = DeadLetterQueue(self.client, "inbound", "https://sqs.test/dead", "https://sqs.test/source")
        self.stub = Stubber(self.client)
        for arn in (ARN, SOURCE_ARN):
            self.stub.add_response("get_queue_attributes", {"Attributes": {"QueueArn": arn}})
        self.waits: list[float] = []

    def lists(self, *tasks: dict[str, Any]) -> None:
        self.stub.add_response("list_message_move_tasks", {"Results": [*tasks]}, {"SourceArn": ARN, "MaxResults": 1})

    def starts(self) -> None:
        # Without a destination SQS moves only what it put here itself.
        wanted = {"SourceArn": ARN, "DestinationArn": SOURCE_ARN}
        self.stub.add_response("start_message_move_task", {"TaskHandle": "task"}, wanted)

    def move(self) -> int | None:
        with self.stub:
            moved = self.letters.move_all(self.waits.append)
        self.stub.assert_no_pending_responses()
        return moved


def task(status: str, at: int = 2, moved: int = 0, **more: Any) -> dict[str, Any]:
    return {"Status": status, "StartedTimestamp": at, "ApproximateNumberOfMessagesMoved": moved, **more}


def test_a_move_is_waited_for_and_an_older_one_is_not_taken_for_it() -> None:
    sqs = Moves()
    old = task("COMPLETED", at=1, moved=99)
    sqs.lists(old)
    sqs.starts()
    sqs.lists(old)
    sqs.lists(task("RUNNING", moved=1))
    sqs.lists(task("COMPLETED", moved=7))
    assert sqs.move() == 7
    assert len(sqs.waits) == 2


def test_a_move_that_fails_says_why() -> None:
    sqs = Moves()
    sqs.lists()
    sqs.starts()
    sqs.lists(task("FAILED", moved=3, FailureReason="CouldNotDetermineMessageSource"))
    with pytest.raises(MoveError, match="inbound queue after 3: CouldNotDetermineMessageSource"):
        sqs.move()


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.UnsupportedOperation", "InvalidAction"])
def test_where_sqs_moves_nothing_the_command_does(code: str) -> None:
    sqs = Moves()
    sqs.lists()
    sqs.stub.add_client_error("start_message_move_task", code)
    assert sqs.move() is None
