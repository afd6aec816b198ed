"""Files, in memory: the store, what is known of uploads, and Meta."""

import hashlib
from collections.abc import Collection, Sequence

from pytake.conversation.media.keys import CONTACTS, UPLOADS, contact_folder
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.media import MediaFile, MediaTooLargeError, StoredFile, Upload
from pytake.whatsapp.library_files import is_library_file
from pytake.whatsapp.sending import MediaDescription, SendFailedError


class MemoryMediaFiles:
    """Implements `MediaFiles` and `StoredMedia`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.stored: dict[str, tuple[MediaFile, float]] = {}

    def put(self, key: str, file: MediaFile) -> None:
        self.stored[key] = file, self._clock()

    def get(self, key: str) -> MediaFile | None:
        return self.stored[key][0] if key in self.stored else None

    def find(self, key: str) -> StoredFile | None:
        file = self.get(key)
        return StoredFile(file.mime_type, len(file.content), file.filename) if file is not None else None

    def link(self, key: str, seconds: int) -> str:
        return f"https://files.test/{key}?expires={seconds}"

    def beginning(self, key: str) -> bytes:
        return self.stored[key][0].content[:4096]

    def upload_link(self, key: str, file: StoredFile, seconds: int) -> tuple[str, dict[str, str]]:
        return f"https://files.test/{key}?put&expires={seconds}", {"Content-Type": file.mime_type}

    def delete(self, key: str) -> None:
        self.stored.pop(key, None)

    def erase(self, organization_id: str, contacts: Sequence[str]) -> int:
        folders = tuple(contact_folder(organization_id, contact) for contact in contacts)
        return self._delete([key for key in self.stored if key.startswith(folders)] if folders else [])

    def organizations(self) -> list[str]:
        return sorted({key.split("/")[2] for key in self.stored if key.startswith((CONTACTS, UPLOADS))})

    def delete_before(self, organization_id: str, at: float) -> int:
        folders = (f"{CONTACTS}/{organization_id}/", f"{UPLOADS}/{organization_id}/")
        return self._delete([key for key, (_, put) in self.stored.items() if key.startswith(folders) and put < at])

    def _delete(self, keys: list[str]) -> int:
        for key in keys:
            del self.stored[key]
        return len(keys)


class MemoryUploads:
    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], Upload] = {}

    def get(self, organization_id: str, upload_id: str) -> Upload | None:
        return self.stored.get((organization_id, upload_id))

    def some(self, organization_id: str, upload_ids: Collection[str]) -> dict[str, Upload]:
        return {id_: found for id_ in upload_ids if (found := self.get(organization_id, id_)) is not None}

    def library(self, organization_id: str, limit: int, before: str | None = None) -> list[Upload]:
        found = [
            upload
            for (owner, id_), upload in self.stored.items()
            if owner == organization_id and is_library_file(id_) and (before is None or id_ < before)
        ]
        return sorted(found, key=lambda upload: upload.id, reverse=True)[:limit]

    def change(self, organization_id: str, upload: Upload) -> None:
        if (organization_id, upload.id) in self.stored:
            self.put(organization_id, upload)

    def put(self, organization_id: str, upload: Upload) -> None:
        self.stored[organization_id, upload.id] = upload

    def delete(self, organization_id: str, upload_id: str) -> None:
        self.stored.pop((organization_id, upload_id), None)


class ScriptedMetaMedia:
    """Meta's files by their ids; `failure` is raised by every request while it is set."""

    def __init__(self) -> None:
        self.files: dict[str, MediaFile] = {}
        self.uploads: list[tuple[str, MediaFile]] = []
        self.failure: SendFailedError | None = None
        self.damaged = False

    def describe(self, phone_number_id: str, access_token: str, media_id: str) -> MediaDescription:
        if self.failure is not None:
            raise self.failure
        file = self.files[media_id]
        digest = hashlib.sha256(b"other" if self.damaged else file.content).hexdigest()
        return MediaDescription(media_id, file.mime_type, digest, len(file.content))

    def download(self, url: str, access_token: str, most: int) -> bytes:
        if len(self.files[url].content) > most:
            raise MediaTooLargeError
        return self.files[url].content

    def upload(self, phone_number_id: str, access_token: str, file: MediaFile) -> str:
        if self.failure is not None:
            raise self.failure
        self.uploads.append((phone_number_id, file))
        return f"meta-{len(self.uploads)}"


def no_files(organization_id: str, ids: Collection[str]) -> dict[str, str]:
    """Tells that the organization has no library files."""
    return {}
