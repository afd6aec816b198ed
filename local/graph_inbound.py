"""Messages of people as Meta posts them: taps, files, forms."""

import hashlib
import json
from base64 import b64decode
from typing import Any

from msgspec import Struct

from local.graph_phones import Choice, MediaFromPerson, Phone, ScreenEntry

Json = dict[str, Any]

_MIME_TYPES = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus",
    "document": "application/pdf",
    "sticker": "image/webp",
}

_BEGINNINGS = {
    "image": b"\xff\xd8\xff\xe0",
    "video": b"\0\0\0\x18ftypmp42",
    "audio": b"OggS",
    "document": b"%PDF-1.7",
    "sticker": b"RIFF\0\0\0\0WEBP",
}


class ReactionFromPerson(Struct, forbid_unknown_fields=True):
    """A reaction of a person, by default to the last message of the business. Without an emoji it is removed."""

    emoji: str = ""
    message_id: str | None = None


def reply_message(offer: ScreenEntry, choice: Choice) -> Json:
    """Meta's message when a person taps a button, a row or a quick reply of a template."""
    if offer.type == "template":
        return {"type": "button", "button": {"payload": choice.id, "text": choice.title}}
    kind = "button_reply" if offer.buttons else "list_reply"
    reply: Json = {"id": choice.id, "title": choice.title}
    if choice.description:
        reply["description"] = choice.description
    return {"type": "interactive", "interactive": {"type": kind, kind: reply}}


def reacted_entry(given: ReactionFromPerson, phone: Phone, phone_number_id: str | None) -> ScreenEntry | None:
    """The message to which the person reacts."""
    if given.message_id is not None:
        return phone.find(given.message_id)
    sent = (entry for entry in reversed(phone.entries()) if entry.direction == "out" and entry.type != "reaction")
    return next((entry for entry in sent if phone_number_id in (None, entry.phone_number_id)), None)


def reaction_message(given: ReactionFromPerson, target: ScreenEntry) -> Json:
    """Meta's message when a person reacts to a message, or takes the reaction back."""
    emoji = {"emoji": given.emoji} if given.emoji else {}
    return {"type": "reaction", "reaction": {"message_id": target.id, **emoji}}


def sent_file(media: MediaFromPerson) -> tuple[bytes, str]:
    """The contents and the MIME type of a person's file. Raises ValueError for contents that are not base64."""
    mime_type = media.mime_type or _MIME_TYPES[media.type]
    if media.content is not None:
        return b64decode(media.content, validate=True), mime_type
    return _BEGINNINGS[media.type] + b" of a simulated phone", mime_type


def media_message(media: MediaFromPerson, media_id: str, file: bytes) -> Json:
    """Meta's message when a person sends a file."""
    content: Json = {
        "mime_type": media.mime_type or _MIME_TYPES[media.type],
        "sha256": hashlib.sha256(file).hexdigest(),
        "id": media_id,
        "url": f"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid={media_id}",
    }
    if media.caption and media.type in {"image", "video", "document"}:
        content = {"caption": media.caption, **content}
    if media.type == "document":
        content["filename"] = media.filename or "document.pdf"
    if media.type == "audio":
        content["voice"] = media.voice
    if media.type == "sticker":
        content["animated"] = False
    return {"type": media.type, media.type: content}


def form_message(form: Json, offer: ScreenEntry | None) -> Json:
    """Meta's message when a person completes a form. `flow_token` is that of the offer unless the form has one."""
    token = offer.message["interactive"]["action"]["parameters"].get("flow_token") if offer else None
    response = {"flow_token": token, **form} if token else form
    reply = {"name": "flow", "body": "Sent", "response_json": json.dumps(response)}
    return {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": reply}}
