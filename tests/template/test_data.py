"""Data remains when the stack is deleted, is encrypted, and is accessible only over TLS."""

import json
import re

from pytake.aws.erasure_journal import PREFIX
from pytake.conversation.media.keys import FILES
from tests.stack import REPOSITORY, Stack
from tests.template.permissions import short


def test_the_stack_can_be_deleted_without_the_data(stack: Stack) -> None:
    kept = {
        name for name, resource in stack.resources.items() if resource.get("DeletionPolicy") == "RetainExceptOnCreate"
    }
    assert kept == {"Table", "LakeBucket"}
    versions = set(stack.of_type("AWS::Lambda::Version"))  # SAM keeps them, so that an alias can go back at once
    assert {name for name, one in stack.resources.items() if one.get("DeletionPolicy") == "Retain"} == versions
    for name in kept:
        assert stack.resources[name]["UpdateReplacePolicy"] == "Retain"


def test_stores_of_data_outlive_the_stack_and_queues_do_not(stack: Stack) -> None:
    data = stack.of_type("AWS::DynamoDB::Table", "AWS::S3::Bucket")
    for name, resource in data.items():
        policies = resource["DeletionPolicy"], resource["UpdateReplacePolicy"]
        assert policies == ("RetainExceptOnCreate", "Retain"), name
    for name, queue in stack.of_type("AWS::SQS::Queue").items():
        assert (queue["DeletionPolicy"], queue["UpdateReplacePolicy"]) == ("Delete", "Delete"), name


def test_every_store_is_encrypted_and_requires_tls(stack: Stack) -> None:
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    for name, table in stack.properties("AWS::DynamoDB::Table").items():
        assert table["SSESpecification"] == {"SSEEnabled": True}, name
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name
    policies = {
        stack.behind(policy["Bucket"]): policy["PolicyDocument"]["Statement"]
        for policy in stack.properties("AWS::S3::BucketPolicy").values()
    }
    for name, bucket in stack.properties("AWS::S3::Bucket").items():
        assert bucket["BucketEncryption"], name
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert [one["Action"] for one in policies[name] if one["Effect"] == "Deny" and one["Condition"] == tls] == [
            "s3:*"
        ], name


def test_the_table_is_on_demand_recoverable_encrypted_and_protected(stack: Stack) -> None:
    table = stack.properties("AWS::DynamoDB::Table")["Table"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["Protected", True, False]}
    assert stack.document["Parameters"]["DeletionProtection"]["Default"] == "true"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_the_indexes_hold_keys_only(stack: Stack) -> None:
    indexes = stack.properties("AWS::DynamoDB::Table")["Table"]["GlobalSecondaryIndexes"]
    assert {
        index["IndexName"]: ([key["AttributeName"] for key in index["KeySchema"]], index["Projection"])
        for index in indexes
    } == {
        "due": (["due_pk", "due_at"], {"ProjectionType": "KEYS_ONLY"}),
        "log": (["log_pk", "log_sk"], {"ProjectionType": "KEYS_ONLY"}),
        "recent": (["recent_pk", "recent_at"], {"ProjectionType": "KEYS_ONLY"}),
    }


def test_the_lake_is_private_encrypted_versioned_and_requires_tls(stack: Stack) -> None:
    bucket = stack.properties("AWS::S3::Bucket")["LakeBucket"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    # Old versions expire, so that an erasure is complete at some point.
    assert any("NoncurrentVersionExpiration" in rule for rule in bucket["LifecycleConfiguration"]["Rules"])
    [policy] = stack.properties("AWS::S3::BucketPolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert [short(resource) for resource in statement["Resource"]] == ["LakeBucket", "LakeBucket/*"]


def test_a_failed_first_deployment_leaves_no_data_behind(stack: Stack) -> None:
    """API Gateway refuses a wrong issuer when it creates the authorizer: the likeliest mistake comes before the table."""
    for name in ("Table", "LakeBucket"):
        assert stack.resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert stack.resources[name]["DependsOn"] == "JwtAuthorizer"


def test_an_existing_table_and_bucket_can_be_adopted(stack: Stack) -> None:
    for parameter, condition, resource, stored in (
        ("ExistingTableName", "CreatesTable", "Table", "StoredTable"),
        ("ExistingBucketName", "CreatesBucket", "LakeBucket", "StoredBucket"),
    ):
        assert stack.document["Parameters"][parameter]["Default"] == ""
        assert stack.document["Conditions"][condition] == {"Fn::Equals": [{"Ref": parameter}, ""]}
        assert stack.resources[resource]["Condition"] == condition
        value = stack.properties("AWS::SSM::Parameter")[stored]["Value"]
        assert value == {"Fn::If": [condition, {"Ref": resource}, {"Ref": parameter}]}


def test_only_the_stored_names_refer_to_the_table_and_the_bucket(stack: Stack) -> None:
    """A resource that named the stack's own table would not follow when another one is adopted."""
    rest = {name: one for name, one in stack.resources.items() if name not in ("StoredTable", "StoredBucket")}
    text = json.dumps([rest, stack.document["Outputs"]])
    for name in ("Table", "LakeBucket"):
        assert not re.search(rf'"Ref": "{name}"|"Fn::GetAtt": \["{name}"|\$\{{{name}[.}}]', text), name


def test_the_journal_of_erasures_outlives_the_point_in_time_recovery(stack: Stack) -> None:
    rules = stack.properties("AWS::S3::Bucket")["LakeBucket"]["LifecycleConfiguration"]["Rules"]
    [rule] = [rule for rule in rules if rule.get("Prefix") == PREFIX]
    assert 35 < rule["ExpirationInDays"] <= 45


def test_library_files_are_kept_until_they_are_deleted(stack: Stack) -> None:
    rules = stack.properties("AWS::S3::Bucket")["LakeBucket"]["LifecycleConfiguration"]["Rules"]
    of_files = [rule for rule in rules if f"{FILES}/acme/file-1".startswith(rule.get("Prefix", ""))]
    assert [rule["Id"] for rule in of_files] == ["old-versions"]
    assert not any(name.startswith("Expiration") for name in of_files[0])


def test_delete_markers_without_versions_expire(stack: Stack) -> None:
    rules = stack.properties("AWS::S3::Bucket")["LakeBucket"]["LifecycleConfiguration"]["Rules"]
    [whole] = [rule for rule in rules if "Prefix" not in rule]
    assert whole["ExpiredObjectDeleteMarker"] is True


def test_the_stack_policy_protects_the_data_and_the_queues_from_replacement(stack: Stack) -> None:
    policy = json.loads((REPOSITORY / "stack-policy.json").read_text())
    allow, deny = policy["Statement"]
    assert allow == {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    assert (deny["Effect"], deny["Action"], deny["Principal"]) == ("Deny", "Update:Replace", "*")
    protected = stack.of_type("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue")
    assert deny["Resource"] == sorted(f"LogicalResourceId/{name}" for name in protected)
