"""The table as `template.yaml` defines it, made on moto."""

import boto3

from pytake.conversation.retention_policy import RetentionPolicy
from tests.fakes import MemoryTenants

INDEXES = {"due": ("due_pk", "due_at"), "recent": ("recent_pk", "recent_at"), "log": ("log_pk", "log_sk")}
"""The indexes that the adapters read, with their keys."""

_NUMBERS = ("due_at", "recent_at")


def kept(days: int = 90) -> RetentionPolicy:
    """A retention for adapters under test; no organization has one of its own."""
    return RetentionPolicy(MemoryTenants(), days)


def create_table(name: str) -> None:
    """Make the table with its keys and indexes."""
    attributes = ["pk", "sk", *(key for keys in INDEXES.values() for key in keys)]
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "N" if key in _NUMBERS else "S"} for key in attributes
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": partition, "KeyType": "HASH"},
                    {"AttributeName": order, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index, (partition, order) in INDEXES.items()
        ],
    )
