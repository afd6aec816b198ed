"""The table as `template.yaml` defines it, made on moto."""

import copy
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import boto3
import botocore.client
import moto.core.models
import moto.core.responses
from moto.backend_index import backend_url_patterns
from moto.core.serialize import ResponseSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from pytake.conversation.retention_policy import RetentionPolicy
from tests.fakes import MemoryTenants

INDEXES = {"due": ("due_pk", "due_at"), "recent": ("recent_pk", "recent_at"), "log": ("log_pk", "log_sk")}
"""The indexes that the adapters read, with their keys."""

_NUMBERS = ("due_at", "recent_at")


@contextmanager
def counted_requests() -> Iterator[list[str]]:
    """The names of the requests to AWS meanwhile."""
    requests: list[str] = []
    call = botocore.client.BaseClient._make_api_call

    def counted(self: Any, operation: str, request: Any) -> Any:
        requests.append(operation)
        return call(self, operation, request)

    with patch.object(botocore.client.BaseClient, "_make_api_call", counted):
        yield requests


def kept(days: int = 90) -> RetentionPolicy:
    """A retention for adapters under test; no organization has one of its own."""
    return RetentionPolicy(MemoryTenants(), days)


def create_table(name: str) -> None:
    """Make the table with its keys and indexes."""
    _spare_moto_work()
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


@cache
def _spare_moto_work() -> None:
    """Let moto do less with the same results: a third of the processor time of a request to it goes into these things.

    It copies a table with every item for each action of a transaction, to undo it: here a copy shares the items, which is safe
    because an update changes a copy of its item. It lists the methods of a service's class for each request. It compares the
    address with the patterns of two hundred services. It looks for every type of value in each attribute under six names, and
    converts names letter by letter. And at each start it prepares 1,300 answers to `requests`, which botocore does not use.
    """
    update_item, get_value = DynamoDBBackend.update_item, ResponseSerializer.get_value

    def copied(table: Table, _memo: dict[int, Any]) -> Table:
        same = copy.copy(table)
        same.items = defaultdict(dict, {key: dict(items) for key, items in table.items.items()})
        return same

    def updated(
        self: DynamoDBBackend, table_name: str, key: dict[str, dict[str, Any]], *args: Any, **kwargs: Any
    ) -> Any:
        table = self.get_table(table_name)
        partition, order = (DynamoType(key[name]) for name in table.table_key_attrs)
        if (item := table.items.get(partition, {}).get(order)) is not None:
            table.items[partition][order] = copy.deepcopy(item)
        return update_item(self, table_name, key, *args, **kwargs)

    def value_of(self: ResponseSerializer, value: Any, key: str, shape: Any) -> Any:
        is_attribute = type(value) is dict and getattr(shape, "parent", shape).name == "AttributeValue"
        return value.get(key) if is_attribute else get_value(self, value, key, shape)

    Table.__deepcopy__ = copied
    DynamoDBBackend.update_item = updated
    ResponseSerializer.get_value = value_of
    moto.core.models.RESPONSES_METHODS = []
    moto.core.responses.camelcase_to_underscores = cache(moto.core.responses.camelcase_to_underscores)
    moto.core.responses.method_names_from_class = cache(moto.core.responses.method_names_from_class)
    backend_url_patterns.sort(key=lambda pattern: pattern[0] not in ("dynamodb", "sqs", "secretsmanager", "events"))
