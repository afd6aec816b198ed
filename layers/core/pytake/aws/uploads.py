"""What is known of an organization's uploads, on DynamoDB."""

import msgspec

from pytake.aws.table import Table
from pytake.conversation.ports.media import Upload
from pytake.conversation.retention_policy import RetentionPolicy

_encode = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(Upload).decode


class DynamoUploads:
    """Implements `pytake.conversation.ports.media.Uploads`. An upload expires with the organization's retention."""

    def __init__(self, table: Table, retention: RetentionPolicy) -> None:
        self._table = table
        self._retention = retention

    def get(self, organization_id: str, upload_id: str) -> Upload | None:
        try:
            item = self._table.item.get(_pk(organization_id), upload_id, consistent_read=True)
        except self._table.item.DoesNotExist:
            return None
        return _read(item.body or "")

    def put(self, organization_id: str, upload: Upload) -> None:
        expires_at = int(upload.created_at + self._retention(organization_id))
        self._table.item(_pk(organization_id), upload.id, body=_encode(upload).decode(), expires_at=expires_at).save()

    def delete(self, organization_id: str, upload_id: str) -> None:
        self._table.item(_pk(organization_id), upload_id).delete()


def _pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#MEDIA"
