"""Data remains when the stack is deleted, is encrypted, and is accessible only over TLS."""

from tests.stack import Stack, target


def test_the_stack_can_be_deleted_without_the_data(stack: Stack) -> None:
    kept = {name for name, resource in stack.resources.items() if resource.get("DeletionPolicy") == "Retain"}
    assert kept == {"Table", "LakeBucket"}
    for name in kept:
        assert stack.resources[name]["UpdateReplacePolicy"] == "Retain"


def test_stores_of_data_outlive_the_stack_and_queues_do_not(stack: Stack) -> None:
    data = stack.of_type("AWS::DynamoDB::Table", "AWS::S3::Bucket")
    for name, resource in data.items():
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain"), name
    for name, queue in stack.of_type("AWS::SQS::Queue").items():
        assert (queue["DeletionPolicy"], queue["UpdateReplacePolicy"]) == ("Delete", "Delete"), name


def test_every_store_is_encrypted_and_requires_tls(stack: Stack) -> None:
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    for name, table in stack.properties("AWS::DynamoDB::Table").items():
        assert table["SSESpecification"] == {"SSEEnabled": True}, name
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name
    policies = {
        target(policy["Bucket"]): policy["PolicyDocument"]["Statement"]
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
    assert statement["Resource"] == [{"Fn::GetAtt": ["LakeBucket", "Arn"]}, {"Fn::Sub": "${LakeBucket.Arn}/*"}]
