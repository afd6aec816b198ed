"""The contract of the `Segments` port."""

import pytest
from msgspec.structs import replace

from pytake.contacts.segment_ports import Segments
from pytake.contacts.segments import Condition, Segment, SegmentQuery
from pytake.conversation.ports.common import ConflictError


def segment(id_: str, **fields: object) -> Segment:
    return replace(Segment(id=id_, name=id_.title()), **fields)


def test_a_segment_is_read_back_whole(segments: Segments) -> None:
    whole = segment(
        "vips",
        all=[Condition("tags", "contains", "vip"), Condition("flow.completed", "==", "signup", 30)],
        any=[Condition("fields.age", ">", 17), Condition("last_activity", ">=", {"days_ago": 30})],
        query=SegmentQuery("reached_node", {"flow_id": "signup", "node_id": "done", "days": 7}),
        updated_at=1.5,
    )
    saved = segments.put("acme", whole)
    assert saved == replace(whole, revision=1) == segments.get("acme", "vips")
    assert segments.get("globex", "vips") is None


def test_only_the_segment_that_was_read_is_overwritten(segments: Segments) -> None:
    first = segments.put("acme", segment("vips"))
    with pytest.raises(ConflictError):
        segments.put("acme", segment("vips", name="Other"))
    second = segments.put("acme", replace(first, name="VIPs"))
    with pytest.raises(ConflictError):
        segments.put("acme", replace(first, name="late"))
    assert segments.get("acme", "vips") == second


def test_an_organization_lists_its_segments(segments: Segments) -> None:
    for owner, id_ in (("acme", "b"), ("acme", "a"), ("globex", "c")):
        segments.put(owner, segment(id_))
    assert [one.id for one in segments.all("acme")] == ["a", "b"]
    segments.delete("acme", "a")
    segments.delete("acme", "a")
    assert [one.id for one in segments.all("acme")] == ["b"]
