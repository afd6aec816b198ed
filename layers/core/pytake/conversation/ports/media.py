"""Files of conversations: those that people sent, and those that agents send."""

from collections.abc import Collection, Sequence
from typing import ClassVar, Protocol

from msgspec import Struct

from pytake.whatsapp.sending import MediaDescription


class MediaFile(Struct, frozen=True):
    """A file's contents with its type, and the name that the sender gave it."""

    content: bytes
    mime_type: str
    filename: str | None = None


class StoredFile(Struct, frozen=True):
    """What is known of a stored file without its contents."""

    mime_type: str
    size: int
    filename: str | None = None


class Upload(Struct, omit_defaults=True):
    """A file of an organization to send: one of an agent, or a library file.

    `ids` holds Meta's id of it and the time of the upload, by phone number ID.

    `is_awaited`: the client uploads the contents to the store, and they were not checked yet.
    """

    id: str
    mime_type: str
    size: int
    created_at: float
    filename: str | None = None
    ids: dict[str, tuple[str, float]] = {}
    is_awaited: bool = False


class MediaFiles(Protocol):
    """The stored files, by the keys of `pytake.conversation.media.keys`. No key contains a phone number or a user id."""

    def put(self, key: str, file: MediaFile) -> None: ...

    def get(self, key: str) -> MediaFile | None: ...

    def beginning(self, key: str) -> bytes:
        """The first 4,096 bytes of a file that is there."""

    def upload_link(self, key: str, file: StoredFile, seconds: int) -> tuple[str, dict[str, str]]:
        """An address that takes this file by PUT without a token, for so many seconds, and the headers that it needs."""

    def find(self, key: str) -> StoredFile | None:
        """What is known of a file without reading it; None if there is none."""

    def link(self, key: str, seconds: int) -> str:
        """An address that downloads the file without a token, for so many seconds. A browser saves it and shows nothing."""

    def delete(self, key: str) -> None: ...


class StoredMedia(Protocol):
    """The stored files, as erasure and retention see them."""

    def erase(self, organization_id: str, contacts: Sequence[str]) -> int:
        """Delete all files of these people (pseudonyms) for good; returns how many."""

    def organizations(self) -> list[str]:
        """The organizations that have files."""

    def delete_before(self, organization_id: str, at: float) -> int:
        """Delete the organization's files that were stored before this time, also uploads; returns how many."""


class Uploads(Protocol):
    """What is known of an organization's uploads."""

    def get(self, organization_id: str, upload_id: str) -> Upload | None: ...

    def some(self, organization_id: str, upload_ids: Collection[str]) -> dict[str, Upload]:
        """Those of the uploads that the organization has, by id."""

    def library(self, organization_id: str, limit: int, before: str | None = None) -> list[Upload]:
        """The organization's library files, newest first: at most `limit`, older than the id `before`."""

    def put(self, organization_id: str, upload: Upload) -> None: ...

    def change(self, organization_id: str, upload: Upload) -> None:
        """Store what is known of an upload now. Nothing happens if it was deleted meanwhile."""

    def delete(self, organization_id: str, upload_id: str) -> None: ...


class MetaMedia(Protocol):
    """Files at Meta. All methods raise `pytake.whatsapp.sending.SendFailedError`."""

    def describe(self, phone_number_id: str, access_token: str, media_id: str) -> MediaDescription: ...

    def download(self, url: str, access_token: str, most: int) -> bytes:
        """The file at Meta's address. Raises `MediaTooLargeError` beyond `most` bytes."""

    def upload(self, phone_number_id: str, access_token: str, file: MediaFile) -> str:
        """Meta's id of the uploaded file."""


class MediaTooLargeError(Exception):
    """The file has more bytes than allowed."""


class UnusableFileError(Exception):
    """A file cannot be sent. `code` says why, in the ledger and in the API."""

    code: ClassVar[str]


class UnsupportedMediaError(UnusableFileError):
    """WhatsApp does not take files of this type, or the contents are not of the type. The text says which."""

    code = "media_unsupported"


class MediaSizeError(UnusableFileError):
    """The file is empty, or larger than WhatsApp takes for its type. The text has the limit."""

    code = "media_size"


class UnknownMediaError(UnusableFileError):
    """The organization has no such file, or no longer."""

    code = "media_unknown"
