"""Segments on DynamoDB: one item each, in the partition of their organization."""

import msgspec
from msgspec.structs import replace

from pytake.aws.table import ConditionFailedError, Item, Table
from pytake.contacts.segment_ports import SegmentCount
from pytake.contacts.segments import Segment
from pytake.conversation.ports.common import ConflictError

_encode = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(Segment)
_read_count = msgspec.json.Decoder(SegmentCount)


class DynamoSegments:
    """Implements `pytake.contacts.segment_ports.Segments`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, organization_id: str, segment_id: str) -> Segment | None:
        try:
            return _segment(self._table.item.get(_pk(organization_id), segment_id, consistent_read=True))
        except self._table.item.DoesNotExist:
            return None

    def put(self, organization_id: str, segment: Segment) -> Segment:
        item, body = self._table.item, _encode(replace(segment, revision=0)).decode()
        stored = item(_pk(organization_id), segment.id, body=body, revision=segment.revision + 1)
        condition = item.revision == segment.revision if segment.revision else item.pk.does_not_exist()
        try:
            self._table.put(stored, condition)
        except ConditionFailedError:
            raise ConflictError("the segment was written by another request") from None
        return replace(segment, revision=segment.revision + 1)

    def delete(self, organization_id: str, segment_id: str) -> None:
        for pk in (_pk(organization_id), _counts_pk(organization_id)):
            self._table.item(pk, segment_id).delete()

    def all(self, organization_id: str) -> list[Segment]:
        return [_segment(item) for item in self._table.item.query(_pk(organization_id), consistent_read=True)]

    def count(self, organization_id: str, segment_id: str) -> SegmentCount | None:
        try:
            item = self._table.item.get(_counts_pk(organization_id), segment_id, consistent_read=True)
        except self._table.item.DoesNotExist:
            return None
        return _read_count.decode(item.body or "")

    def put_count(self, organization_id: str, segment_id: str, count: SegmentCount) -> None:
        self._table.item(_counts_pk(organization_id), segment_id, body=_encode(count).decode()).save()


def _segment(item: Item) -> Segment:
    return replace(_read.decode(item.body or ""), revision=int(item.revision or 0))


def _pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#SEGMENTS"


def _counts_pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#SEGMENTS#COUNTS"
