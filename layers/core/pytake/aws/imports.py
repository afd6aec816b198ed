"""Imports on DynamoDB, and their files on S3 below `imports/`."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError
from msgspec.structs import replace
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from pytake.aws.lake import remove_versions
from pytake.aws.table import Item, Table, cancellation_codes
from pytake.contacts.imports import Import, erased_mark
from pytake.conversation.ports.common import ConflictError, until_written
from pytake.conversation.retention_policy import RetentionPolicy
from pytake.observability import aws_error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 256 * 1024
PREFIX = "imports/"

_RUNNING = "IMPORTS"
_OPEN = ("waiting", "running")
_encode = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(Import)


class DynamoImports:
    """Implements `pytake.contacts.import_ports.Imports` and `RunningImports`. Ids of imports sort by time."""

    def __init__(self, table: Table, retention: RetentionPolicy) -> None:
        self._table = table
        self._retention = retention

    def get(self, organization_id: str, import_id: str) -> Import | None:
        try:
            return _import(self._table.item.get(_pk(organization_id), import_id, consistent_read=True))
        except self._table.item.DoesNotExist:
            return None

    def put(self, about: Import) -> Import:
        item = self._table.item
        expires_at = int(about.created_at + self._retention(about.organization_id))
        stored = item(
            _pk(about.organization_id),
            about.id,
            body=_encode(replace(about, revision=0)).decode(),
            revision=about.revision + 1,
            expires_at=expires_at,
        )
        condition = item.revision == about.revision if about.revision else item.pk.does_not_exist()
        entry = item(_RUNNING, f"{about.organization_id}#{about.id}", expires_at=expires_at)
        try:
            with TransactWrite(connection=self._table.connection) as transaction:
                transaction.save(stored, condition=condition)
                if about.status == "running":
                    transaction.save(entry)
                else:
                    transaction.delete(entry)
        except TransactWriteError as error:
            if set(cancellation_codes(error)) & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise ConflictError("the import was written by another worker") from None
            raise
        return replace(about, revision=about.revision + 1)

    def latest(self, organization_id: str, most: int) -> list[Import]:
        newest_first = self._table.item.query(
            _pk(organization_id), scan_index_forward=False, consistent_read=True, limit=most
        )
        return [_import(item) for item in newest_first]

    def running(self) -> list[tuple[str, str]]:
        found = self._table.item.query(_RUNNING, consistent_read=True)
        return [(owner, id_) for owner, _, id_ in (item.sk.partition("#") for item in found)]

    def forget(self, organization_id: str, contact_ids: Sequence[str]) -> None:
        marks = [erased_mark(organization_id, contact_id) for contact_id in contact_ids]
        known = self._table.item.query(_pk(organization_id), consistent_read=True)
        for import_id in [about.id for about in map(_import, known) if about.status in _OPEN]:
            until_written(partial(self._mark, organization_id, import_id, marks), "the import")

    def _mark(self, organization_id: str, import_id: str, marks: Sequence[str]) -> None:
        about = self.get(organization_id, import_id)
        if about is not None and about.status in _OPEN:
            self.put(replace(about, erased=list(dict.fromkeys([*about.erased, *marks]))))


class S3ImportFiles:
    """Implements `pytake.contacts.import_ports.ImportFiles`. `signing_client` makes addresses with version 4."""

    def __init__(
        self, client: "Callable[[], S3Client]", bucket: str, signing_client: "Callable[[], S3Client] | None" = None
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._signing_client = signing_client or client

    def put(self, organization_id: str, import_id: str, content: bytes) -> None:
        self._client().put_object(
            Bucket=self._bucket, Key=_key(organization_id, import_id), Body=content, ContentType="text/csv"
        )

    def read(self, organization_id: str, import_id: str, offset: int) -> Iterable[bytes] | None:
        try:
            found = self._client().get_object(
                Bucket=self._bucket, Key=_key(organization_id, import_id), Range=f"bytes={offset}-"
            )
        except ClientError as error:
            if aws_error_code(error) in ("NoSuchKey", "404"):
                return None
            if aws_error_code(error) in ("InvalidRange", "416"):  # nothing is left
                return ()
            raise
        return found["Body"].iter_chunks(CHUNK_BYTES)

    def delete(self, organization_id: str, import_id: str) -> None:
        remove_versions(self._client(), self._bucket, _key(organization_id, import_id), lambda _: True)

    def upload_link(self, organization_id: str, import_id: str, seconds: int) -> str:
        return self._signing_client().generate_presigned_url(
            "put_object",
            Params={"Bucket": self._bucket, "Key": _key(organization_id, import_id), "ContentType": "text/csv"},
            ExpiresIn=seconds,
        )


def _import(item: Item) -> Import:
    return replace(_read.decode(item.body or ""), revision=int(item.revision or 0))


def _key(organization_id: str, import_id: str) -> str:
    return f"{PREFIX}{organization_id}/{import_id}.csv"


def _pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#IMPORTS"
