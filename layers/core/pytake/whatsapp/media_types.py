"""The files that WhatsApp takes: their types, their sizes, and how their contents begin.

Source: WhatsApp Cloud API reference, "Media" (November 2026).
"""

from collections.abc import Callable

from pytake.whatsapp.outbound import MediaKind

_MEGABYTE = 1024 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument."

LARGEST: dict[MediaKind, int] = {
    "image": 5 * _MEGABYTE,
    "video": 16 * _MEGABYTE,
    "audio": 16 * _MEGABYTE,
    "document": 100 * _MEGABYTE,
    "sticker": 500 * 1024,
}
"""In bytes."""

UNKNOWN_TYPE = "application/octet-stream"


def _begins(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(starts)


def _is_box(content: bytes) -> bool:
    return content[4:8] == b"ftyp"


def _is_webp(content: bytes) -> bool:
    return content.startswith(b"RIFF") and content[8:12] == b"WEBP"


def _is_mpeg_audio(content: bytes) -> bool:
    return content.startswith(b"ID3") or (len(content) > 1 and content[0] == 0xFF and content[1] & 0xE0 == 0xE0)


def _is_text(content: bytes) -> bool:
    return b"\0" not in content[:4096]


_ZIP, _OLE = _begins(b"PK\x03\x04"), _begins(b"\xd0\xcf\x11\xe0")

_TYPES: dict[str, tuple[MediaKind, Callable[[bytes], bool]]] = {
    "image/jpeg": ("image", _begins(b"\xff\xd8\xff")),
    "image/png": ("image", _begins(b"\x89PNG\r\n\x1a\n")),
    "image/webp": ("sticker", _is_webp),
    "video/mp4": ("video", _is_box),
    "video/3gpp": ("video", _is_box),
    "audio/aac": ("audio", _begins(b"\xff\xf1", b"\xff\xf9")),
    "audio/amr": ("audio", _begins(b"#!AMR")),
    "audio/mpeg": ("audio", _is_mpeg_audio),
    "audio/mp4": ("audio", _is_box),
    "audio/ogg": ("audio", _begins(b"OggS")),
    "text/plain": ("document", _is_text),
    "application/pdf": ("document", _begins(b"%PDF")),
    "application/msword": ("document", _OLE),
    "application/vnd.ms-excel": ("document", _OLE),
    "application/vnd.ms-powerpoint": ("document", _OLE),
    f"{_OFFICE}wordprocessingml.document": ("document", _ZIP),
    f"{_OFFICE}spreadsheetml.sheet": ("document", _ZIP),
    f"{_OFFICE}presentationml.presentation": ("document", _ZIP),
}


def base_type(mime_type: str) -> str:
    """The type without parameters: `audio/ogg` of `audio/ogg; codecs=opus`."""
    return mime_type.partition(";")[0].strip().lower()


def kind_of(mime_type: str) -> MediaKind | None:
    """The kind of message that a file of this type is sent as; None if WhatsApp does not take the type."""
    found = _TYPES.get(base_type(mime_type))
    return found[0] if found is not None else None


def is_of_type(content: bytes, mime_type: str) -> bool:
    """Whether the contents begin as those of the type do. False for a type that WhatsApp does not take."""
    found = _TYPES.get(base_type(mime_type))
    return found is not None and found[1](content)
