"""Drafts and published versions on DynamoDB; a document too large for an item goes to S3."""

import hashlib
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from pynamodb.exceptions import TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from pytake.aws.table import Item, Table, cancellation_codes, dynamodb_error_code
from pytake.conversation.flow_names import listed_name
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.tenants import DraftChangedError, ExpectedDraft
from pytake.conversation.records import (
    FlowChange,
    FlowMetadata,
    FlowSummary,
    FlowVersion,
    StoredDraft,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ITEM_BYTES = 350_000
"""Larger compressed documents are stored on S3: a DynamoDB item is limited to 400 KB."""

_encode = msgspec.json.Encoder().encode
_REFUSED = "ConditionalCheckFailedException"


class DynamoFlows:
    """Implements `pytake.conversation.ports.tenants.Flows`. The S3 client is made when the first large document needs it."""

    def __init__(self, table: Table, s3: Callable[[], "S3Client"], bucket: str) -> None:
        self._table = table
        self._s3 = s3
        self._bucket = bucket

    def summary(self, organization_id: str, flow_id: str) -> FlowSummary | None:
        item = self._get(_list_pk(organization_id), flow_id)
        return _summary(item) if item is not None else None

    def summaries(self, organization_id: str, limit: int | None = None, after: str = "") -> list[FlowSummary]:
        item = self._table.item
        behind = item.sk > after if after else None
        found = item.query(_list_pk(organization_id), behind, consistent_read=True, limit=limit)
        return [_summary(entry) for entry in found]

    def draft(self, organization_id: str, flow_id: str) -> StoredDraft | None:
        item = self._get(_flow_pk(organization_id, flow_id), "DRAFT")
        if item is None:
            return None
        document = msgspec.json.decode(self._unpack(item), type=dict[str, Any])
        return StoredDraft(document, int(item.revision or 0), float(item.updated_at or 0), item.updated_by or "")

    def put_draft(
        self,
        organization_id: str,
        document: dict[str, Any],
        at: float,
        expected: ExpectedDraft | None = None,
        by: str = "",
    ) -> int:
        item, flow_id = self._table.item, str(document["id"])
        draft = self._pack(item(_flow_pk(organization_id, flow_id), "DRAFT"), organization_id, _encode(document))
        actions: list[Action] = [item.revision.set((item.revision | 0) + 1), *self._changed(at, by)]
        if draft.document is not None:
            actions += [item.document.set(draft.document), item.document_key.remove()]
        else:
            actions += [item.document.remove(), item.document_key.set(draft.document_key or "")]
        try:
            draft.update(actions, condition=self._is_expected(expected))
        except UpdateError as error:
            if dynamodb_error_code(error) != _REFUSED:
                raise
            found = self._get(draft.pk, draft.sk)
            raise DraftChangedError(int(found.revision or 0) if found is not None else None) from None
        name = listed_name(document)
        item(_list_pk(organization_id), flow_id).update(
            [item.name.set(name), item.revision.set(item.revision | 0), *self._changed(at, by, "saved")]
        )
        return int(draft.revision or 0)

    def _is_expected(self, expected: ExpectedDraft | None) -> Condition | None:
        item = self._table.item
        condition: Condition | None = None
        match expected:
            case "none":
                condition = item.pk.does_not_exist()
            case "any":
                condition = item.pk.exists()
            case 0:  # saved before drafts had revisions
                condition = item.pk.exists() & item.revision.does_not_exist()
            case int():
                condition = item.revision == expected
        return condition

    def version(self, organization_id: str, flow_id: str, version: int) -> FlowVersion | None:
        item = self._get(_flow_pk(organization_id, flow_id), _version_sk(version))
        return msgspec.json.decode(self._unpack(item), type=FlowVersion) if item is not None else None

    def versions(
        self, organization_id: str, flow_id: str, limit: int | None = None, before: int | None = None
    ) -> list[FlowVersion]:
        if before is not None and before <= 1:
            return []
        item = self._table.item
        found = item.query(
            _flow_pk(organization_id, flow_id),
            item.sk.between(_version_sk(1), _version_sk(before - 1)) if before else item.sk.startswith("V#"),
            limit=limit,
            consistent_read=True,
            scan_index_forward=False,
            attributes_to_get=["pk", "sk", "body"],
        )
        return [msgspec.json.decode(entry.body or "", type=FlowVersion) for entry in found]

    def publish(self, organization_id: str, version: FlowVersion, name: str) -> None:
        item = self._table.item
        entry = item(
            _flow_pk(organization_id, version.flow_id),
            _version_sk(version.version),
            body=_encode(msgspec.structs.replace(version, documents={})).decode(),
        )
        self._pack(entry, organization_id, _encode(version))
        pointer = item(_list_pk(organization_id), version.flow_id)
        before = version.version - 1
        no_newer = (item.revision == before) if before else (item.revision.does_not_exist() | (item.revision == 0))
        try:
            with TransactWrite(connection=self._table.connection) as transaction:
                transaction.save(entry, condition=item.pk.does_not_exist())
                transaction.update(
                    pointer,
                    [
                        item.name.set(name),
                        item.revision.set(version.version),
                        item.seq.set(version.version),
                        *self._changed(version.published_at, version.published_by, "published"),
                    ],
                    condition=no_newer,
                )
        except TransactWriteError as error:
            if "ConditionalCheckFailed" in cancellation_codes(error):
                raise ConflictError(f"version {version.version} of {version.flow_id} exists already") from None
            raise

    def point_to(self, organization_id: str, flow_id: str, version: int, at: float, by: str) -> None:
        item = self._table.item
        actions = [item.seq.set(version), *self._changed(at, by, "rolled_back")]
        self._update_listed(organization_id, flow_id, actions, item.revision >= version)

    def put_metadata(self, organization_id: str, flow_id: str, metadata: FlowMetadata, at: float, by: str) -> None:
        item = self._table.item
        actions = [item.body.set(_encode(metadata).decode()), *self._changed(at, by, "filed")]
        self._update_listed(organization_id, flow_id, actions, item.pk.exists())

    def _update_listed(self, organization_id: str, flow_id: str, actions: list[Action], condition: Condition) -> None:
        try:
            self._table.item(_list_pk(organization_id), flow_id).update(actions, condition=condition)
        except UpdateError as error:
            if dynamodb_error_code(error) == _REFUSED:
                raise ConflictError(f"{flow_id} is not as expected") from None
            raise

    def _changed(self, at: float, by: str, change: FlowChange | None = None) -> list[Action]:
        item = self._table.item
        actions: list[Action] = [item.updated_at.set(at), item.updated_by.set(by)]
        return [*actions, item.state.set(change)] if change is not None else actions

    def _get(self, pk: str, sk: str) -> Item | None:
        try:
            return self._table.item.get(pk, sk, consistent_read=True)
        except self._table.item.DoesNotExist:
            return None

    def _pack(self, item: Item, organization_id: str, content: bytes) -> Item:
        packed = zlib.compress(content, level=9)
        if len(packed) <= ITEM_BYTES:
            item.document = packed
        else:
            # The name is a digest of the content. Written before the item, it is at worst an object without a reference.
            item.document_key = f"flows/{organization_id}/{hashlib.sha256(packed).hexdigest()}.json.z"
            self._s3().put_object(Bucket=self._bucket, Key=item.document_key, Body=packed)
        return item

    def _unpack(self, item: Item) -> bytes:
        if item.document is not None:
            return zlib.decompress(item.document)
        return zlib.decompress(self._s3().get_object(Bucket=self._bucket, Key=item.document_key or "")["Body"].read())


def _list_pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#FLOWS"


def _flow_pk(organization_id: str, flow_id: str) -> str:
    return f"ORG#{organization_id}#FLOW#{flow_id}"


def _version_sk(version: int) -> str:
    return f"V#{version:06d}"


def _summary(item: Item) -> FlowSummary:
    """`revision` is the latest version, `seq` the published one, `state` the last change, `body` the metadata."""
    return FlowSummary(
        flow_id=item.sk,
        name=item.name or item.sk,
        latest_version=int(item.revision or 0),
        published_version=int(item.seq) if item.seq is not None else None,
        updated_at=float(item.updated_at or 0),
        updated_by=item.updated_by or "",
        last_change=msgspec.convert(item.state or "saved", FlowChange),
        metadata=msgspec.json.decode(item.body, type=FlowMetadata) if item.body else FlowMetadata(),
    )
