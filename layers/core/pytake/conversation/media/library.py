"""Files that agents send: stored once, uploaded to Meta for each number, and again before Meta's copy expires."""

from uuid import uuid4

from msgspec.structs import replace

from pytake.conversation.media.keys import file_key, is_upload, received_id, upload_key
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.lake import EventLog
from pytake.conversation.ports.media import MediaFile, MediaFiles, MetaMedia, StoredFile, Upload, Uploads
from pytake.conversation.ports.tenants import Secrets
from pytake.conversation.records import ConversationKey
from pytake.whatsapp.media_types import LARGEST, base_type, is_of_type, kind_of
from pytake.whatsapp.outbound import Media

REFRESH_SECONDS = 25 * 86_400
"""Meta keeps an upload for 30 days. A message may wait for days before it leaves, so the id must be younger."""

LINK_SECONDS, UPLOAD_SECONDS = 300, 900
"""How long an address is valid that downloads a file, and one that uploads it."""

LARGEST_UPLOAD = 32 * 1024 * 1024
"""In bytes. The function that hands a file to Meta holds it in memory."""


class UnsupportedMediaError(Exception):
    """WhatsApp does not take files of this type, or the contents are not of the type. The text says which."""


class MediaSizeError(Exception):
    """The file is empty, or larger than WhatsApp takes for its type. The text has the limit."""


class UnknownMediaError(Exception):
    """The organization has no such file, or no longer."""


class MediaLibrary:
    """The use cases behind the routes below `/api/v1/media`, and behind sending an upload."""

    def __init__(
        self, files: MediaFiles, uploads: Uploads, secrets: Secrets, meta: MetaMedia, pseudonyms: EventLog, clock: Clock
    ) -> None:
        self._files = files
        self._uploads = uploads
        self._secrets = secrets
        self._meta = meta
        self._pseudonyms = pseudonyms
        self._clock = clock

    def add(self, organization_id: str, file: MediaFile) -> Upload:
        """Store a file to send. Raises `UnsupportedMediaError` and `MediaSizeError`."""
        mime_type = base_type(file.mime_type)
        self._check_size(mime_type, len(file.content))
        if not is_of_type(file.content, mime_type):
            raise UnsupportedMediaError(f"the contents are not of the type {mime_type}")
        upload = Upload(f"up-{uuid4().hex}", mime_type, len(file.content), self._clock(), file.filename)
        self._files.put(upload_key(organization_id, upload.id), replace(file, mime_type=mime_type))
        self._uploads.put(organization_id, upload)
        return upload

    def begin(self, organization_id: str, file: StoredFile) -> tuple[Upload, str, dict[str, str], float]:
        """An upload whose contents the client puts into the store itself: the address, its headers, and when it expires.

        The contents are looked at when the file is first used. Raises `UnsupportedMediaError` and `MediaSizeError`.
        """
        mime_type = base_type(file.mime_type)
        self._check_size(mime_type, file.size)
        file = replace(file, mime_type=mime_type)
        upload = Upload(f"up-{uuid4().hex}", mime_type, file.size, self._clock(), file.filename, is_awaited=True)
        url, headers = self._files.upload_link(upload_key(organization_id, upload.id), file, UPLOAD_SECONDS)
        self._uploads.put(organization_id, upload)
        return upload, url, headers, upload.created_at + UPLOAD_SECONDS

    def _check_size(self, mime_type: str, size: int) -> None:
        kind = kind_of(mime_type)
        if kind is None:
            raise UnsupportedMediaError(f"WhatsApp does not accept files of the type {mime_type or 'unknown'}")
        most = min(LARGEST[kind], LARGEST_UPLOAD)
        if not 0 < size <= most:
            raise MediaSizeError(f"a file of the type {mime_type} may have 1 to {most:,} bytes")

    def _arrived(self, organization_id: str, id_: str) -> Upload:
        """The upload, whose contents are in the store and are what they claim to be.

        Raises `UnknownMediaError`, also while the contents are awaited, and `UnsupportedMediaError` and `MediaSizeError` for
        contents that were uploaded and cannot be sent: they are deleted.
        """
        upload = self._uploads.get(organization_id, id_) if is_upload(id_) else None
        if upload is None or not upload.is_awaited:
            if upload is None:
                raise UnknownMediaError(id_)
            return upload
        key = upload_key(organization_id, id_)
        found = self._files.find(key)
        if found is None:
            raise UnknownMediaError(id_)
        try:
            self._check_size(upload.mime_type, found.size)
            if not is_of_type(self._files.beginning(key), upload.mime_type):
                raise UnsupportedMediaError(f"the contents are not of the type {upload.mime_type}")
        except (UnsupportedMediaError, MediaSizeError):
            self.remove(organization_id, id_)
            raise
        upload = replace(upload, size=found.size, is_awaited=False)
        self._uploads.put(organization_id, upload)
        return upload

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
        now = self._clock()
        meta_id, at = upload.ids.get(key.phone_number_id, ("", 0.0))
        if not meta_id or at < now - REFRESH_SECONDS:
            file = self._files.get(upload_key(key.organization_id, id_))
            token = self._secrets.access_token(key.organization_id, key.phone_number_id)
            if file is None or token is None:
                raise UnknownMediaError(id_)
            if not is_of_type(file.content, upload.mime_type):  # the address of an upload can be used again
                raise UnsupportedMediaError(f"the contents are not of the type {upload.mime_type}")
            meta_id = self._meta.upload(key.phone_number_id, token, file)
            ids = {**upload.ids, key.phone_number_id: (meta_id, now)}
            self._uploads.put(key.organization_id, replace(upload, ids=ids))
        filename = upload.filename if kind == "document" else None
        return Media(kind, id=meta_id, caption=caption or None, filename=filename)
