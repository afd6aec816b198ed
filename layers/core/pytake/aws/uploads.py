"""What is known of an organization's uploads, on DynamoDB."""

from collections.abc import Collection
from contextlib import suppress

import msgspec

from pytake.aws.table import ConditionFailedError, Item, Table
from pytake.conversation.ports.media import Upload
from pytake.conversation.retention_policy import RetentionPolicy
from pytake.whatsapp.library_files import LIBRARY_FILE, is_library_file

_encode = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(Upload).decode


class DynamoUploads:
    """Implements `pytake.conversation.ports.media.Uploads`. An upload expires with the organization's retention; a library file
    does not."""

    def __init__(self, table: Table, retention: RetentionPolicy) -> None:
        self._table = table
        self._retention = retention

    def get(self, organization_id: str, upload_id: str) -> Upload | None:
        try:
            item = self._table.item.get(_pk(organization_id), upload_id, consistent_read=True)
        except self._table.item.DoesNotExist:
            return None
        return _read(item.body or "")

    def some(self, organization_id: str, upload_ids: Collection[str]) -> dict[str, Upload]:
        keys = [(_pk(organization_id), upload_id) for upload_id in set(upload_ids)]
        return {item.sk: _read(item.body or "") for item in self._table.item.batch_get(keys, consistent_read=True)}

    def library(self, organization_id: str, limit: int, before: str | None = None) -> list[Upload]:
        sk = self._table.item.sk
        placed = sk.between(LIBRARY_FILE, before) if before else sk.startswith(LIBRARY_FILE)
        more = 1 if before else 0  # `between` includes its ends
        found = self._table.item.query(
            _pk(organization_id), placed, scan_index_forward=False, consistent_read=True, limit=limit + more
        )
        return [_read(item.body or "") for item in found if item.sk != before][:limit]

    def put(self, organization_id: str, upload: Upload) -> None:
        self._item(organization_id, upload).save()

    def change(self, organization_id: str, upload: Upload) -> None:
        with suppress(ConditionFailedError):
            self._table.put(self._item(organization_id, upload), self._table.item.pk.exists())

    def delete(self, organization_id: str, upload_id: str) -> None:
        self._table.item(_pk(organization_id), upload_id).delete()

    def _item(self, organization_id: str, upload: Upload) -> Item:
        item = self._table.item(_pk(organization_id), upload.id, body=_encode(upload).decode())
        if not is_library_file(upload.id):
            item.expires_at = int(upload.created_at + self._retention(organization_id))
        return item


def _pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#MEDIA"
