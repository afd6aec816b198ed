"""The tests of flows on DynamoDB: one compressed item for each flow, beside its draft."""

import zlib

import msgspec
from pynamodb.expressions.condition import Condition

from pytake.aws.table import Item, Table
from pytake.aws.updates import update_if
from pytake.conversation.flow_tests.suite import Suite
from pytake.conversation.flow_tests.testing import FlowTestsChangedError


class DynamoFlowTests:
    """Implements `pytake.conversation.flow_tests.testing.FlowTestStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load(self, organization_id: str, flow_id: str) -> tuple[Suite, int]:
        found = self._stored(organization_id, flow_id)
        if found is None or found.document is None:
            return Suite(conversations=[]), 0
        return msgspec.json.decode(zlib.decompress(found.document), type=Suite), int(found.revision or 0)

    def put(self, organization_id: str, flow_id: str, suite: Suite, expected: int | None) -> int:
        item = self._table.item
        written = item(_pk(organization_id, flow_id), "TESTS")
        content = zlib.compress(msgspec.json.encode(suite), level=9)
        if not update_if(written, [item.document.set(content), item.revision.add(1)], self._is_expected(expected)):
            found = self._stored(organization_id, flow_id)
            raise FlowTestsChangedError(int(found.revision or 0) if found is not None else 0)
        return int(written.revision or 0)

    def _is_expected(self, expected: int | None) -> Condition | None:
        item = self._table.item
        match expected:
            case None:
                return None
            case -1:
                return item.pk.exists()
            case 0:
                return item.pk.does_not_exist()
        return item.revision == expected

    def _stored(self, organization_id: str, flow_id: str) -> Item | None:
        try:
            return self._table.item.get(_pk(organization_id, flow_id), "TESTS", consistent_read=True)
        except self._table.item.DoesNotExist:
            return None


def _pk(organization_id: str, flow_id: str) -> str:
    return f"ORG#{organization_id}#FLOW#{flow_id}"
