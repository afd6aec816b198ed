"""Where files are stored, and the ids by which the REST API names them.

A person's file is stored below the person's pseudonym, which is that of the lake: its key identifies no person, and an
erasure finds every file by the beginning of the key.
"""

import re
from uuid import uuid4

from pytake.conversation.lake_events import Pseudonyms
from pytake.conversation.queues import digest
from pytake.whatsapp.library_files import LIBRARY_FILE, is_library_file

CONTACTS, UPLOADS, FILES = "media/contacts", "media/uploads", "files"
"""The folders of the bucket. Library files are outside of `media/`: no retention applies to them."""

_NAME_CHARACTERS = 32
_RECEIVED = re.compile(r"in-([0-9a-f]{24})-([0-9a-f]{32})")
_UPLOADED = re.compile(rf"(up-|{LIBRARY_FILE})[0-9a-f]{{32}}")


def received_id(contact_id: str, names: Pseudonyms, media_id: str) -> str:
    """The id of a person's file, which Meta calls `media_id`. It has the contact's own pseudonym, which no merge changes."""
    return f"in-{names.of('contact', contact_id)}-{digest(media_id)[:_NAME_CHARACTERS]}"


def file_key(organization_id: str, id_: str) -> str | None:
    """The key of the file with this id; None if it is not an id of a file."""
    received = _RECEIVED.fullmatch(id_)
    if received is not None:
        return f"{contact_folder(organization_id, received[1])}{received[2]}"
    return upload_key(organization_id, id_) if is_upload(id_) else None


def contact_folder(organization_id: str, contact: str) -> str:
    """The beginning of the keys of all files of a person (a pseudonym)."""
    return f"{CONTACTS}/{organization_id}/{contact}/"


def upload_key(organization_id: str, upload_id: str) -> str:
    """The key of an organization's upload."""
    return f"{FILES if is_library_file(upload_id) else UPLOADS}/{organization_id}/{upload_id}"


def is_upload(id_: str) -> bool:
    """Whether this has the form of an upload's id, which a library file is, too."""
    return _UPLOADED.fullmatch(id_) is not None


def new_upload_id(now: float, *, keep: bool) -> str:
    """The id of an upload; with `keep`, of a library file. A later library file has a greater id: they are listed by id."""
    return f"{LIBRARY_FILE}{int(now * 1000):012x}{uuid4().hex[12:]}" if keep else f"up-{uuid4().hex}"
