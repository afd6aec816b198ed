"""Colleagues on DynamoDB: an item for each, in the partition of their organization."""

import msgspec

from pytake.aws.table import Table, is_unexpired
from pytake.conversation.change_log import KEPT_SECONDS
from pytake.conversation.colleagues import Colleague
from pytake.conversation.ports.common import Clock


class DynamoColleagues:
    """Implements `pytake.conversation.colleagues.Colleagues`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def put(self, organization_id: str, colleague: Colleague) -> None:
        body, expires_at = msgspec.json.encode(colleague).decode(), int(self._clock()) + KEPT_SECONDS
        self._table.item(_pk(organization_id), colleague.subject, body=body, expires_at=expires_at).save()

    def all(self, organization_id: str) -> list[Colleague]:
        found, now = self._table.item.query(_pk(organization_id), consistent_read=True), self._clock()
        return [msgspec.json.decode(item.body or "", type=Colleague) for item in found if is_unexpired(item, now)]


def _pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#COLLEAGUES"
