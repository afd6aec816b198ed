"""`pytake organization delete` and `pytake number move`, on moto with what two organizations leave behind."""

import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from cli import number as number_command
from cli import offboarding
from cli import organization as organization_command
from cli.offboarding import tenants
from cli.stack import DeployedStack
from local.dead_letters import DeadLetterQueue
from pytake.aws.queues import SqsQueues
from pytake.aws.secrets import SecretsManagerSecrets
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import Number, NumberSecrets
from pytake.whatsapp.outbound import Text
from tests.table import create_table

ID = "100000000000001"
SECRETS = NumberSecrets("app-secret", "access-token")
PARAMETERS = {"Stage": "prod", "EventBusName": "default"}


class Account:
    """An account with a stack in which `acme` and `acme-2`, whose ids begin alike, have the same things."""

    def __init__(self) -> None:
        create_table("table")
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="lake")
        s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
        sqs = boto3.client("sqs")
        queues = {
            name: sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
            for name in ("outbound", "dead")
        }
        outputs = {"TableName": "table", "LakeBucketName": "lake", "OutboundQueueUrl": queues["outbound"]}
        outputs["BulkQueueUrl"] = queues["outbound"]
        self.stack = DeployedStack("pytake-prod", outputs, PARAMETERS)
        self.dead = DeadLetterQueue(sqs, "outbound", queues["dead"], queues["outbound"], 0)
        self.tenants = tenants(self.stack)
        manager = boto3.client("secretsmanager")
        for owner, id_ in (("acme", ID), ("acme-2", "200")):
            self.tenants.put_number(Number(owner, id_, "+55 11 4000-0001", "main", verify_token_hash=f"hash-{owner}"))
            SecretsManagerSecrets(lambda: manager, "pytake/prod/", lambda: 0).put(owner, id_, SECRETS)
            manager.create_secret(Name=f"pytake/prod/{owner}/flow-secrets", SecretString="{}")
            for pk, sk, body in (
                (f"ORG#{owner}", "SETTINGS", "{}"),
                (f"ORG#{owner}#CONV#{id_}#551", "STATE", "{}"),
                (f"ORG#{owner}#CONV#{id_}#551", "TURN#0000000001", "{}"),
                (f"ORG#{owner}#FLOWS", "main", "{}"),
                ("ERASURES", f"erasure-{owner}", f'{{"id":"1","organization_id":"{owner}"}}'),
            ):
                item = {"pk": {"S": pk}, "sk": {"S": sk}, "body": {"S": body}}
                boto3.client("dynamodb").put_item(TableName="table", Item=item)
            for key in (
                f"events/organization_id={owner}/dt=2026-11-01/00.parquet",
                f"flows/{owner}/1.json.z",
                f"files/{owner}/1",
            ):
                for content in (b"old", b"new"):
                    s3.put_object(Bucket="lake", Key=key, Body=content)
            item = OutboundItem(owner, id_, "551", 1, [Text("Hi")], 1e12)
            SqsQueues(lambda: sqs, outbound=queues["outbound"], outbound_dlq=queues["dead"]).dead_letter(
                item, "retry:429"
            )

    def contents(self) -> dict[str, Any]:
        """Everything that is stored, as text, by place."""
        items = boto3.client("dynamodb").scan(TableName="table")["Items"]
        versions = boto3.client("s3").list_object_versions(Bucket="lake")
        return {
            "items": sorted(f"{item['pk']['S']} {item['sk']['S']}" for item in items),
            "objects": sorted(version["Key"] for version in versions.get("Versions", [])),
            "secrets": sorted(s["Name"] for s in boto3.client("secretsmanager").list_secrets()["SecretList"]),
            "dead": sorted(letter.conversation for letter in self.dead.peek()),
        }


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        account = Account()
        for command in (number_command, organization_command):
            monkeypatch.setattr(command, "find_stack", lambda *_: account.stack)
        monkeypatch.setattr(offboarding, "dead_letter_queues", lambda *_: [account.dead])
        yield account


def run(app: Any, *arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=answer)


def test_an_organization_is_deleted_with_everything_and_its_neighbour_keeps_everything(account: Account) -> None:
    before = account.contents()
    result = run(organization_command.app, "delete", "acme", answer="acme\n")
    assert result.exit_code == 0, result.output
    assert "+55 11 4000-0001" in result.output
    assert "1 numbers, 1 secrets, 7 items, 6 objects, 1 dead letters" in result.output
    after = account.contents()
    for place, found in after.items():
        assert found == [entry for entry in before[place] if "acme-2" in entry or entry.startswith("NUMBER#200")], place
    again = run(organization_command.app, "delete", "acme", "--yes")
    assert (again.exit_code, account.contents()) == (0, after)
    assert logging.getLogger("pytake.effects.performer").isEnabledFor(logging.ERROR), "the command silences the package"


@pytest.mark.parametrize("answer", ["acme-2\n", "y\n", "\n\n\n"])
def test_nothing_is_deleted_without_the_organizations_id(account: Account, answer: str) -> None:
    before = account.contents()
    assert run(organization_command.app, "delete", "acme", answer=answer).exit_code != 0
    assert account.contents() == before


def test_a_number_moves_with_its_secrets(account: Account) -> None:
    result = run(number_command.app, "move", ID, "--from", "acme", "--to", "globex")
    assert result.exit_code == 0, result.output
    moved = account.tenants.number(ID, fresh=True)
    assert moved is not None
    assert (moved.organization_id, moved.default_flow_id) == ("globex", None)
    names = account.contents()["secrets"]
    assert {f"pytake/prod/globex/{ID}/{kind}" for kind in ("app-secret", "access-token")} <= set(names)
    assert not any(name.startswith(f"pytake/prod/acme/{ID}") for name in names)


@pytest.mark.parametrize(("from_", "to", "status"), [("acme-2", "globex", 1), ("acme", "globex/x", 2)])
def test_a_number_that_cannot_move_stays(account: Account, from_: str, to: str, status: int) -> None:
    before = account.contents()
    result = run(number_command.app, "move", ID, "--from", from_, "--to", to)
    assert result.exit_code == status
    assert account.contents() == before
