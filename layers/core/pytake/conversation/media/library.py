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

LINK_SECONDS = 300


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
        kind = kind_of(mime_type)
        if kind is None:
            raise UnsupportedMediaError(f"WhatsApp does not accept files of the type {mime_type or 'unknown'}")
        if not 0 < len(file.content) <= LARGEST[kind]:
            raise MediaSizeError(f"a file of the type {mime_type} may have 1 to {LARGEST[kind]:,} bytes")
        if not is_of_type(file.content, mime_type):
            raise UnsupportedMediaError(f"the contents are not of the type {mime_type}")
        upload = Upload(f"up-{uuid4().hex}", mime_type, len(file.content), self._clock(), file.filename)
        self._files.put(upload_key(organization_id, upload.id), replace(file, mime_type=mime_type))
        self._uploads.put(organization_id, upload)
        return upload

    def remove(self, organization_id: str, id_: str) -> None:
        """Delete an upload. Messages that Meta has already stay as they are. Raises `UnknownMediaError`."""
        if not is_upload(id_) or self._uploads.get(organization_id, id_) is None:
            raise UnknownMediaError(id_)
        self._files.delete(upload_key(organization_id, id_))
        self._uploads.delete(organization_id, id_)

    def link(self, organization_id: str, id_: str) -> tuple[StoredFile, str, float]:
        """A stored file, an address for `LINK_SECONDS`, and when it expires. Raises `UnknownMediaError`."""
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

        Uploads the file to Meta unless its copy is young enough. Raises `UnknownMediaError`, and `SendFailedError` when Meta
        does not take the file.
        """
        upload = self._uploads.get(key.organization_id, id_) if is_upload(id_) else None
        kind = kind_of(upload.mime_type) if upload is not None else None
        if upload is None or kind is None:
            raise UnknownMediaError(id_)
        now = self._clock()
        meta_id, at = upload.ids.get(key.phone_number_id, ("", 0.0))
        if not meta_id or at < now - REFRESH_SECONDS:
            file = self._files.get(upload_key(key.organization_id, id_))
            token = self._secrets.access_token(key.organization_id, key.phone_number_id)
            if file is None or token is None:
                raise UnknownMediaError(id_)
            meta_id = self._meta.upload(key.phone_number_id, token, file)
            ids = {**upload.ids, key.phone_number_id: (meta_id, now)}
            self._uploads.put(key.organization_id, replace(upload, ids=ids))
        filename = upload.filename if kind == "document" else None
        return Media(kind, id=meta_id, caption=caption or None, filename=filename)
