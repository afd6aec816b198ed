"""Segments on DynamoDB: one item each, in the partition of their organization."""

import msgspec
from msgspec.structs import replace

from pytake.aws.change_log import recorded
from pytake.aws.table import Item, Table
from pytake.contacts.segment_ports import SegmentCount
from pytake.contacts.segments import Segment
from pytake.conversation.change_log import Author, Change, change_of

_CONDITIONS = ("all", "any", "query")
"""They may name a person."""

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

    def put(self, organization_id: str, segment: Segment, author: Author | None = None) -> Segment:
        item, body = self._table.item, _encode(replace(segment, revision=0)).decode()
        stored = item(_pk(organization_id), segment.id, body=body, revision=segment.revision + 1)
        condition = item.revision == segment.revision if segment.revision else item.pk.does_not_exist()
        with recorded(self._table, organization_id, self._change(organization_id, segment.id, segment, author)) as all_:
            all_.save(stored, condition=condition)
        return replace(segment, revision=segment.revision + 1)

    def delete(self, organization_id: str, segment_id: str, author: Author | None = None) -> None:
        with recorded(self._table, organization_id, self._change(organization_id, segment_id, None, author)) as all_:
            for pk in (_pk(organization_id), _counts_pk(organization_id)):
                all_.delete(self._table.item(pk, segment_id))

    def _change(
        self, organization_id: str, segment_id: str, after: Segment | None, author: Author | None
    ) -> Change | None:
        if author is None:
            return None
        before = self.get(organization_id, segment_id)
        return change_of(author, "segments", before, after, segment_id, hidden=_CONDITIONS)

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
