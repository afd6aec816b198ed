"""Requests to DynamoDB whose body is JSON already.

botocore looks at each value of a request several times, for the endpoint and to write it as JSON. For a request with a hundred
items that is most of its time, and an import makes thousands of them. Everything else is botocore's: signature, repetitions,
errors and the answer.
"""

from typing import Any

import msgspec

from pytake.aws.table import Table

_OPERATIONS = ("BatchGetItem", "TransactWriteItems")

_BODY = "prepared_body"
_encode = msgspec.json.Encoder().encode


class _Prepared(dict[str, Any]):
    """What botocore looks at of the arguments: those that the endpoint may depend on. `body` is what it sends."""

    body: bytes


class PreparedRequests:
    """Sends requests with many items. Raises what PynamoDB raises."""

    def __init__(self, table: Table) -> None:
        """Makes the table's client, if there is none yet: handlers are registered before threads share it."""
        self._connection = table.connection
        self._name: str = table.item.Meta.table_name
        events: Any = self._connection.client.meta.events
        for one in _OPERATIONS:
            events.register(f"provide-client-params.dynamodb.{one}", _keep_body, unique_id=f"keep-{one}")
            events.register(f"before-call.dynamodb.{one}", _replace_body, unique_id=f"replace-{one}")

    def read(self, keys: list[dict[str, Any]]) -> dict[str, Any]:
        """The answer to a `BatchGetItem` of these keys (a consistent read)."""
        asked = {"RequestItems": {self._name: {"Keys": keys, "ConsistentRead": True}}}
        return self._send("BatchGetItem", {"RequestItems": {self._name: {"Keys": []}}}, asked)

    def transact(self, actions: list[dict[str, Any]]) -> None:
        """Write in one transaction; the actions as DynamoDB takes them."""
        seen = {"TransactItems": [{"Put": {"TableName": self._name}}]}
        self._send("TransactWriteItems", seen, {"TransactItems": actions})

    def _send(self, operation: str, seen: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        prepared = _Prepared(seen)
        prepared.body = _encode(asked)
        return self._connection.dispatch(operation, prepared)


def _keep_body(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if isinstance(params, _Prepared):
        context[_BODY] = params.body


def _replace_body(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if _BODY in context:
        params["body"] = context[_BODY]
