"""Files that can be sent: each number uploads a file to Meta once, and again before Meta's copy expires."""

from msgspec.structs import replace

from pytake.conversation.media.keys import is_upload, upload_key
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.media import (
    MediaFiles,
    MediaSizeError,
    MetaMedia,
    UnknownMediaError,
    UnsupportedMediaError,
    Upload,
    Uploads,
)
from pytake.conversation.ports.tenants import Secrets
from pytake.whatsapp.media_types import LARGEST, is_of_type, kind_of

REFRESH_SECONDS = 25 * 86_400
"""Meta keeps an upload for 30 days. A message may wait for days before it leaves, so the id must be younger."""

LARGEST_UPLOAD = 32 * 1024 * 1024
"""In bytes. The function that hands a file to Meta holds it in memory."""


class SendableFiles:
    """The uploads of organizations, as messages need them. An organization finds only its own."""

    def __init__(self, files: MediaFiles, uploads: Uploads, secrets: Secrets, meta: MetaMedia, clock: Clock) -> None:
        self._files = files
        self._uploads = uploads
        self._secrets = secrets
        self._meta = meta
        self._clock = clock

    def arrived(self, organization_id: str, id_: str) -> Upload:
        """The upload, whose contents are in the store and are what they claim to be.

        Raises `UnknownMediaError`, also while the contents are awaited, and `UnsupportedMediaError` and `MediaSizeError` for
        contents that were uploaded and cannot be sent.
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
        check_size(upload.mime_type, found.size)
        check_contents(upload.mime_type, self._files.beginning(key))
        upload = replace(upload, size=found.size, is_awaited=False)
        self._uploads.change(organization_id, upload)
        return upload

    def meta_id(self, organization_id: str, phone_number_id: str, upload: Upload) -> str:
        """Meta's id of an upload that has arrived, for messages from this number.

        Uploads the file to Meta unless its copy is young enough. Raises `UnknownMediaError`, `UnsupportedMediaError` for
        contents that were replaced, and `SendFailedError` when Meta does not take the file.
        """
        now = self._clock()
        meta_id, at = upload.ids.get(phone_number_id, ("", 0.0))
        if meta_id and at >= now - REFRESH_SECONDS:
            return meta_id
        file = self._files.get(upload_key(organization_id, upload.id))
        token = self._secrets.access_token(organization_id, phone_number_id)
        if file is None or token is None:
            raise UnknownMediaError(upload.id)
        check_contents(upload.mime_type, file.content)  # the address of an upload can be used again
        meta_id = self._meta.upload(phone_number_id, token, file)
        self._uploads.change(organization_id, replace(upload, ids={**upload.ids, phone_number_id: (meta_id, now)}))
        return meta_id


def check_size(mime_type: str, size: int) -> None:
    """Raises `UnsupportedMediaError` and `MediaSizeError`."""
    kind = kind_of(mime_type)
    if kind is None:
        raise UnsupportedMediaError(f"WhatsApp does not accept files of the type {mime_type or 'unknown'}")
    most = min(LARGEST[kind], LARGEST_UPLOAD)
    if not 0 < size <= most:
        raise MediaSizeError(f"a file of the type {mime_type} may have 1 to {most:,} bytes")


def check_contents(mime_type: str, content: bytes) -> None:
    """Raises `UnsupportedMediaError`."""
    if not is_of_type(content, mime_type):
        raise UnsupportedMediaError(f"the contents are not of the type {mime_type}")
