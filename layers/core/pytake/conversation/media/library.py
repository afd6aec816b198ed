"""The files of an organization to send: those of agents, and library files, which are kept until they are deleted."""

from collections.abc import Collection

from msgspec.structs import replace

from pytake.conversation.media.keys import file_key, is_upload, new_upload_id, received_id, upload_key
from pytake.conversation.media.sendable import SendableFiles, check_contents, check_size
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.lake import EventLog
from pytake.conversation.ports.media import (
    MediaFile,
    MediaFiles,
    MediaSizeError,
    MetaMedia,
    StoredFile,
    UnknownMediaError,
    UnsupportedMediaError,
    UnusableFileError,
    Upload,
    Uploads,
)
from pytake.conversation.ports.tenants import Secrets
from pytake.conversation.records import ConversationKey
from pytake.whatsapp.media_types import base_type, kind_of
from pytake.whatsapp.outbound import Media, MediaKind

LINK_SECONDS, UPLOAD_SECONDS = 300, 900
"""How long an address is valid that downloads a file, and one that uploads it."""


class MediaLibrary:
    """The use cases behind the routes below `/api/v1/media`, and behind sending an upload."""

    def __init__(
        self, files: MediaFiles, uploads: Uploads, secrets: Secrets, meta: MetaMedia, pseudonyms: EventLog, clock: Clock
    ) -> None:
        self._files = files
        self._uploads = uploads
        self._sendable = SendableFiles(files, uploads, secrets, meta, clock)
        self._pseudonyms = pseudonyms
        self._clock = clock

    def add(self, organization_id: str, file: MediaFile, *, keep: bool = False) -> Upload:
        """Store a file to send; with `keep` as a library file. Raises `UnsupportedMediaError` and `MediaSizeError`."""
        mime_type, now = base_type(file.mime_type), self._clock()
        check_size(mime_type, len(file.content))
        check_contents(mime_type, file.content)
        upload = Upload(new_upload_id(now, keep=keep), mime_type, len(file.content), now, file.filename)
        self._files.put(upload_key(organization_id, upload.id), replace(file, mime_type=mime_type))
        self._uploads.put(organization_id, upload)
        return upload

    def begin(
        self, organization_id: str, file: StoredFile, *, keep: bool = False
    ) -> tuple[Upload, str, dict[str, str], float]:
        """An upload whose contents the client puts into the store itself: the address, its headers, and when it expires.

        The contents are looked at when the file is first used. Raises `UnsupportedMediaError` and `MediaSizeError`.
        """
        mime_type, now = base_type(file.mime_type), self._clock()
        check_size(mime_type, file.size)
        file = replace(file, mime_type=mime_type)
        id_ = new_upload_id(now, keep=keep)
        upload = Upload(id_, mime_type, file.size, now, file.filename, is_awaited=True)
        url, headers = self._files.upload_link(upload_key(organization_id, upload.id), file, UPLOAD_SECONDS)
        self._uploads.put(organization_id, upload)
        return upload, url, headers, upload.created_at + UPLOAD_SECONDS

    def library(self, organization_id: str, limit: int, before: str | None = None) -> tuple[list[Upload], str | None]:
        """The library files of at most `limit` entries, newest first, and the id behind which the list goes on.

        An upload whose contents have not come is not listed. It is forgotten when they can no longer come.
        """
        found = self._uploads.library(organization_id, limit + 1, before)
        listed = [
            upload for upload in found[:limit] if not upload.is_awaited or self._has_come(organization_id, upload)
        ]
        return listed, found[limit - 1].id if len(found) > limit else None

    def _has_come(self, organization_id: str, upload: Upload) -> bool:
        try:
            self._arrived(organization_id, upload.id)
        except UnknownMediaError:
            if self._clock() > upload.created_at + UPLOAD_SECONDS:
                self._uploads.delete(organization_id, upload.id)
            return False
        except UnusableFileError:
            return False
        return True

    def kinds(self, organization_id: str, ids: Collection[str]) -> dict[str, MediaKind]:
        """The kinds of those of the files that the organization can send, by id."""
        found = self._uploads.some(organization_id, ids)
        return {
            id_: kind
            for id_, upload in found.items()
            if (kind := kind_of(upload.mime_type)) is not None
            and (not upload.is_awaited or self._has_come(organization_id, upload))
        }

    def _arrived(self, organization_id: str, id_: str) -> Upload:
        """As `SendableFiles.arrived`. Contents that cannot be sent are deleted."""
        try:
            return self._sendable.arrived(organization_id, id_)
        except (UnsupportedMediaError, MediaSizeError):
            self.remove(organization_id, id_)
            raise

    def remove(self, organization_id: str, id_: str) -> None:
        """Delete an upload. Messages that Meta has already stay as they are. Raises `UnknownMediaError`."""
        if not is_upload(id_) or self._uploads.get(organization_id, id_) is None:
            raise UnknownMediaError(id_)
        self._files.delete(upload_key(organization_id, id_))
        self._uploads.delete(organization_id, id_)

    def link(self, organization_id: str, id_: str) -> tuple[StoredFile, str, float]:
        """A stored file, an address for `LINK_SECONDS`, and when it expires.

        Raises `UnknownMediaError`, and `UnsupportedMediaError` and `MediaSizeError` for an upload that cannot be sent.
        """
        if is_upload(id_):
            self._arrived(organization_id, id_)
        key = file_key(organization_id, id_)
        found = self._files.find(key) if key is not None else None
        if key is None or found is None:
            raise UnknownMediaError(id_)
        return found, self._files.link(key, LINK_SECONDS), self._clock() + LINK_SECONDS

    def received_ids(self, key: ConversationKey, media_ids: list[str]) -> dict[str, str]:
        """The ids of a person's files by Meta's ids, whether they are stored or not."""
        if not media_ids:
            return {}
        names = self._pseudonyms.pseudonyms(key.organization_id, [key.contact_id], self._clock())
        return {media_id: received_id(key.contact_id, names[key.contact_id], media_id) for media_id in media_ids}

    def message(self, key: ConversationKey, id_: str, caption: str | None) -> Media:
        """The message that sends an upload from the conversation's number.

        Uploads the file to Meta unless its copy is young enough. Raises `UnknownMediaError`, `UnsupportedMediaError` and
        `MediaSizeError` for an upload that cannot be sent, and `SendFailedError` when Meta does not take the file.
        """
        upload = self._arrived(key.organization_id, id_)
        kind = kind_of(upload.mime_type)
        if kind is None:
            raise UnknownMediaError(id_)
        meta_id = self._sendable.meta_id(key.organization_id, key.phone_number_id, upload)
        filename = upload.filename if kind == "document" else None
        return Media(kind, id=meta_id, caption=caption or None, filename=filename)
