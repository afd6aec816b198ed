"""Files on S3, in the stack's bucket: those of conversations below `media/`, library files below `files/`.

The bucket is encrypted, private and takes TLS only.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from botocore.exceptions import ClientError

from pytake.aws.lake import remove_versions
from pytake.conversation.media.keys import CONTACTS, UPLOADS, contact_folder
from pytake.conversation.ports.media import MediaFile, StoredFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BEGINNING_BYTES = 4096
_FILENAME = "filename"
_MOST_NAME = 240  # characters of a file name that are kept


class S3MediaFiles:
    """Implements `pytake.conversation.ports.media.MediaFiles`. `client` makes the client on first use.

    The client must sign addresses with version 4: S3 takes no others from new buckets.
    """

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, file: MediaFile) -> None:
        metadata = {_FILENAME: quote(file.filename[:_MOST_NAME])} if file.filename else {}
        self._client().put_object(
            Bucket=self._bucket,
            Key=key,
            Body=file.content,
            ContentType=file.mime_type,
            ContentDisposition=_attachment(file.filename),
            Metadata=metadata,
        )

    def get(self, key: str) -> MediaFile | None:
        try:
            found = self._client().get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if self._is_missing(error, key):
                return None
            raise
        return MediaFile(found["Body"].read(), found["ContentType"], _filename(found["Metadata"]))

    def find(self, key: str) -> StoredFile | None:
        try:
            found = self._client().head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if self._is_missing(error, key):
                return None
            raise
        return StoredFile(found["ContentType"], found["ContentLength"], _filename(found["Metadata"]))

    def _is_missing(self, error: ClientError, key: str) -> bool:
        """S3 answers 403 for a missing object to a role that may list only some of the bucket, as the sender's, and to one that
        may not read the object. The list tells them apart."""
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status != HTTPStatus.FORBIDDEN:
            return status == HTTPStatus.NOT_FOUND
        return not self._client().list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)["KeyCount"]

    def link(self, key: str, seconds: int) -> str:
        return self._client().generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=seconds
        )

    def beginning(self, key: str) -> bytes:
        found = self._client().get_object(Bucket=self._bucket, Key=key, Range=f"bytes=0-{BEGINNING_BYTES - 1}")
        return found["Body"].read()

    def upload_link(self, key: str, file: StoredFile, seconds: int) -> tuple[str, dict[str, str]]:
        named = quote(file.filename[:_MOST_NAME]) if file.filename else None
        place = {"Bucket": self._bucket, "Key": key, "ContentType": file.mime_type, "ContentLength": file.size}
        saved = {"ContentDisposition": _attachment(file.filename), "Metadata": {_FILENAME: named} if named else {}}
        url = self._client().generate_presigned_url("put_object", Params={**place, **saved}, ExpiresIn=seconds)
        headers = {"Content-Type": file.mime_type, "Content-Disposition": _attachment(file.filename)}
        return url, {**headers, **({f"x-amz-meta-{_FILENAME}": named} if named else {})}

    def delete(self, key: str) -> None:
        self._client().delete_object(Bucket=self._bucket, Key=key)


class S3StoredMedia:
    """Implements `pytake.conversation.ports.media.StoredMedia`."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def erase(self, organization_id: str, contacts: Sequence[str]) -> int:
        folders = [contact_folder(organization_id, contact) for contact in contacts]
        return sum(remove_versions(self._client, self._bucket, folder, lambda _: True) for folder in folders)

    def organizations(self) -> list[str]:
        return sorted({name for folder in (CONTACTS, UPLOADS) for name in self._folders(f"{folder}/")})

    def delete_before(self, organization_id: str, at: float) -> int:
        folders = (f"{CONTACTS}/{organization_id}/", f"{UPLOADS}/{organization_id}/")
        return sum(
            remove_versions(self._client, self._bucket, folder, lambda v: v["LastModified"].timestamp() < at)
            for folder in folders
        )

    def _folders(self, prefix: str) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        found = chain.from_iterable(page.get("CommonPrefixes", []) for page in pages)
        return [folder["Prefix"][len(prefix) : -1] for folder in found]


def _attachment(filename: str | None) -> str:
    """A browser saves the file and never shows it: a person may send a file that runs scripts."""
    return f"attachment; filename*=UTF-8''{quote(filename[:_MOST_NAME], safe='')}" if filename else "attachment"


def _filename(metadata: dict[str, str]) -> str | None:
    return unquote(metadata[_FILENAME]) if _FILENAME in metadata else None
