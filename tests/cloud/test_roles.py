"""The local cloud enforces the roles of the template: what they do not allow is denied here as on AWS.

The fixture of the tests' cloud (`tests/conftest.py`) also checks that no request of a function was denied in any test.
"""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    ],
}


class Account:
    """The embedded AWS, its owner's clients, and those of a caller that assumes a role with the permissions of a function."""

    def __init__(self, cloud: Cloud) -> None:
        told = cloud.http.get("/_local/aws").json()
        self._endpoint, self._stack = told["environment"]["AWS_ENDPOINT_URL"], told["stack"]
        owner = told["environment"]
        self._owner = (owner["AWS_ACCESS_KEY_ID"], owner["AWS_SECRET_ACCESS_KEY"], None)
        self.log = cloud.data_dir / "logs" / "embedded-aws.log"

    def client(self, service: str, keys: tuple[str, str, str | None] | None = None) -> Any:
        session = boto3.session.Session(*(keys or self._owner), region_name="us-east-1")
        return session.client(service, endpoint_url=self._endpoint)  # type: ignore[call-overload]

    def resource(self, logical_id: str) -> str:
        asked = {"StackName": self._stack, "LogicalResourceId": logical_id}
        told = self.client("cloudformation").describe_stack_resource(**asked)["StackResourceDetail"]
        return str(told["PhysicalResourceId"])

    def acting_as(self, logical_id: str, policy: str) -> tuple[str, str, str]:
        """The keys of a caller with the policy of a function's role."""
        iam, name = self.client("iam"), f"test-{policy}"
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        document = iam.get_role_policy(RoleName=self.resource(logical_id), PolicyName=policy)["PolicyDocument"]
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
        keys = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]


@pytest.fixture(scope="module")
def account(cloud: Cloud) -> Account:
    return Account(cloud)


def refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"]).removesuffix("Exception")


def test_the_webhook_may_look_and_queue_and_nothing_else(account: Account) -> None:
    keys = account.acting_as("WebhookRole", "webhook")
    table = account.client("ssm").get_parameter(Name="/pytake/local/table")["Parameter"]["Value"]
    dynamodb = account.client("dynamodb", keys)
    key = {"pk": {"S": "NUMBER#0"}, "sk": {"S": "NUMBER"}}
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key)
    assert refusal(dynamodb.scan, TableName=table) == "AccessDenied"
    assert refusal(dynamodb.put_item, TableName=table, Item=key) == "AccessDenied"
    sqs, statuses = account.client("sqs", keys), account.resource("StatusesQueue")
    entry = {"Id": "1", "MessageBody": '{"organization_id":"demo","phone_number_id":"0","statuses":[]}'}
    assert len(sqs.send_message_batch(QueueUrl=statuses, Entries=[entry])["Successful"]) == 1
    assert refusal(sqs.receive_message, QueueUrl=statuses) == "AccessDenied"
    assert refusal(sqs.send_message, QueueUrl=account.resource("OutboundQueue"), MessageBody="{}") == "AccessDenied"
    told = [line for line in account.log.read_text().splitlines() if "role/test-webhook" in line]
    assert any("may not dynamodb:Scan on arn:aws:dynamodb" in line for line in told)


def test_the_scheduled_function_may_remove_versions_of_the_lake_and_no_latest_one(account: Account) -> None:
    s3, bucket, key = account.client("s3"), account.resource("LakeBucket"), "events/organization_id=roles/x.parquet"
    versions = [s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"] for body in (b"1", b"2")]
    theirs = account.client("s3", account.acting_as("ScheduledRole", "scheduled"))
    assert refusal(theirs.delete_objects, Bucket=bucket, Delete={"Objects": [{"Key": key}]}) == "AccessDenied"
    gone = [{"Key": key, "VersionId": version} for version in versions]
    assert "Errors" not in theirs.delete_objects(Bucket=bucket, Delete={"Objects": gone})
