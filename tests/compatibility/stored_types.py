"""The types that are stored or queued as JSON, and samples of them: values for every field and every variant of a union."""

from base64 import b64encode
from typing import Any

import msgspec
from msgspec import Struct, inspect

from pytake.aws.processed_messages import ProcessedMessages
from pytake.campaigns.audience import AudienceCounts, AudiencePart
from pytake.campaigns.records import Campaign
from pytake.contacts.consent import ConsentChange
from pytake.contacts.imports import Import
from pytake.contacts.ports import ListPlace
from pytake.contacts.records import ContactRecord
from pytake.contacts.segment_ports import SegmentCount
from pytake.contacts.segments import Segment
from pytake.conversation.assignments import Assignment, Note
from pytake.conversation.change_log import Change
from pytake.conversation.colleagues import Colleague
from pytake.conversation.history_messages import HistoryMessage
from pytake.conversation.lake_events import LakeEvent
from pytake.conversation.lake_records import ExportProgress, PendingErasure, RetentionProgress
from pytake.conversation.ports.media import Upload
from pytake.conversation.queues import InboundItem, MediaItem, OutboundItem, StartTemplate, StatusesItem
from pytake.conversation.rate_limits import DayLimit, RateWindow, SlowDown
from pytake.conversation.recorded_erasures import RecordedErasure
from pytake.conversation.records import (
    Conversation,
    Delivery,
    FlowMetadata,
    FlowSummary,
    FlowVersion,
    Number,
    NumberSecrets,
    Organization,
    TurnRecord,
)
from pytake.conversation.sequences.records import FollowUp, Sequence
from pytake.conversation.templates.stored import StoredTemplate
from pytake.engine.state import State
from pytake.whatsapp.pricing import Pricing

STORED: dict[str, Any] = {
    "InboundItem": InboundItem,
    "OutboundItem": OutboundItem,
    "StatusesItem": StatusesItem,
    "MediaItem": MediaItem,
    "Upload": Upload,
    "State": State,
    "Conversation": Conversation,
    "TurnRecord": TurnRecord,
    "ContactRecord": ContactRecord,
    "ConsentChange": ConsentChange,
    "Segment": Segment,
    "SegmentCount": SegmentCount,
    "Import": Import,
    "Sequence": Sequence,
    "FollowUp": FollowUp,
    "ListPlace": ListPlace,
    "StartTemplate": StartTemplate,
    "Campaign": Campaign,
    "AudiencePart": AudiencePart,
    "AudienceCounts": AudienceCounts,
    "HistoryMessage": HistoryMessage,
    "Assignment": Assignment,
    "Note": Note,
    "Colleague": Colleague,
    "Change": Change,
    "ProcessedMessages": ProcessedMessages,
    "Delivery": Delivery,
    "Pricing": Pricing,
    "RateWindow": RateWindow,
    "DayLimit": DayLimit,
    "SlowDown": SlowDown,
    "StoredTemplate": StoredTemplate,
    "Number": Number,
    "NumberSecrets": NumberSecrets,
    "Organization": Organization,
    "FlowMetadata": FlowMetadata,
    "FlowSummary": FlowSummary,
    "FlowVersion": FlowVersion,
    "PendingErasure": PendingErasure,
    "RecordedErasure": RecordedErasure,
    "ExportProgress": ExportProgress,
    "RetentionProgress": RetentionProgress,
    "LakeEvent": LakeEvent,
}

LATER_FIELD = "a_field_of_a_later_release"


def samples(of: Any, *, later: bool = False) -> list[Any]:
    """Return JSON values of a type that together use each field and each variant of a union.

    With `later`, each object also has a field that this release does not know.
    """
    return _variants(inspect.type_info(of), later)


def _variants(info: inspect.Type, later: bool) -> list[Any]:
    match info:
        case inspect.StructType():
            return _of_struct(info, later)
        case inspect.UnionType():
            kinds = [kind for kind in info.types if not isinstance(kind, inspect.NoneType)]
            return [value for kind in kinds for value in _variants(kind, later)]
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            return [_variants(info.item_type, later)]
        case inspect.TupleType():
            return [[_variants(item, later)[0] for item in info.item_types]]
        case inspect.DictType():
            keys = _variants(info.key_type, later)
            return [{str(keys[0]): value} for value in _variants(info.value_type, later)]
        case inspect.LiteralType():
            return list(info.values)
        case _:
            return _of_scalar(info)


def _of_scalar(info: inspect.Type) -> list[Any]:
    match info:
        case inspect.StrType():
            return ["text"]
        case inspect.IntType():
            return [7]
        case inspect.FloatType():
            return [1795348800.5]
        case inspect.BoolType():
            return [True, False]
        case inspect.BytesType():
            return [b64encode(b"bytes").decode()]
        case inspect.AnyType():
            return [{"any": ["value", 1, None]}]
    raise NotImplementedError(f"no samples for {type(info).__name__}: add them here")


def _of_struct(info: inspect.StructType, later: bool) -> list[Any]:
    fields = {field.encode_name: _variants(field.type, later) for field in info.fields}
    built = []
    for place in range(max(map(len, fields.values()), default=1)):
        values = {name: variants[min(place, len(variants) - 1)] for name, variants in fields.items()}
        if later:
            values[LATER_FIELD] = ["unknown"]
        if info.array_like:
            built.append(list(values.values()))
        else:
            built.append({info.tag_field: info.tag, **values} if info.tag_field else values)
    return built


def whole(value: Any) -> Any:
    """Return a decoded value as JSON with every field, also those that have their default."""
    if isinstance(value, Struct):
        info = inspect.type_info(type(value))
        assert isinstance(info, inspect.StructType)
        fields = {field.encode_name: whole(getattr(value, field.name)) for field in info.fields}
        if info.array_like:
            return list(fields.values())
        return {info.tag_field: info.tag, **fields} if info.tag_field else fields
    if isinstance(value, dict):
        return {str(key): whole(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [whole(entry) for entry in value]
    return msgspec.to_builtins(value)


def lost(written: Any, read: Any, path: str = "$") -> list[str]:
    """Return the places of `written` whose value `read` does not have."""
    if isinstance(written, dict) and isinstance(read, dict):
        missing = [f"{path}.{name}" for name in written if name not in read]
        shared = [name for name in written if name in read]
        return missing + [place for name in shared for place in lost(written[name], read[name], f"{path}.{name}")]
    if isinstance(written, list) and isinstance(read, list) and len(written) <= len(read):
        pairs = enumerate(zip(written, read, strict=False))
        return [place for index, (one, other) in pairs for place in lost(one, other, f"{path}[{index}]")]
    return [] if written == read else [path]
