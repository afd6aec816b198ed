"""What a message of the canvas has beside its text: files, and the time before it is sent."""

from pytake.importers.canvas.canvas import At, first, text_of
from pytake.importers.reading import as_float, as_list, as_text

_KINDS = ("image", "video", "audio", "document", "sticker")


def before_message(at: At) -> None:
    """Report a pause before the message: the dialects do not say in which unit it is."""
    for name in ("delay", "typing_delay", "typingDelay"):
        pause = as_float(at.data.get(name))
        if pause:
            message = f"The message waits (`{name}`: {pause:g}). PyTake sends it at once: put a `delay` before it."
            at.lose("message_delay", "note", message, ahead=True)


def send_attachments(at: At) -> None:
    """Add a message for each file."""
    for item in as_list(first(at.data, "attachments", "files")):
        file = item if isinstance(item, dict) else {"url": as_text(item)}
        link = at.text(text_of(file, "url", "link", "src", "media_url", "mediaUrl"))
        kind = text_of(file, "type", "media_type", "mediaType", "mime_type", "mimeType").partition("/")[0].lower()
        if not link.strip():
            at.lose("attachment", "loss", "A file of the message has no address. Enter it.")
            continue
        media = {"type": kind if kind in _KINDS else "document", "link": link}
        caption, name = text_of(file, "caption"), text_of(file, "filename", "name")
        if caption:
            media["caption"] = at.text(caption)
        if name and media["type"] == "document":
            media["filename"] = name
        at.chain.add("message", {"media": media}, "file")
