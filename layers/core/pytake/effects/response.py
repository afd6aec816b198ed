"""Reads an API's answer: never more than a turn's record can hold, whatever the other side sends."""

import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

from pytake.effects.errors import CallFailedError

MAX_RESPONSE_BYTES = 128 * 1024
"""Of an answer, both as it is sent and decompressed. It becomes part of the turn's record; a DynamoDB item ends at 400 KB."""

MAX_JSON_DEPTH = 100
"""Levels of a JSON answer. What is nested deeper stays text: whoever walks over the value may be recursive."""

_ENCODINGS = {"": False, "identity": False, "gzip": True, "x-gzip": True, "deflate": True}


def read_content(chunks: Iterable[bytes], encoding: str) -> bytes:
    """All of an answer's content, decompressed. Raises `CallFailedError` if it is too large or cannot be decompressed."""
    compressed = _ENCODINGS.get(encoding.strip().lower())
    if compressed is None:
        raise CallFailedError("answer_encoding", "The answer is compressed in a way that was not asked for.")
    content = b"".join(_capped(chunks))
    return _decompressed(content) if compressed and content else content


def read_body(content: bytes, content_type: str) -> Any:
    """The content as JSON if it is that, else as text; None if there is none."""
    if not content:
        return None
    if "json" in content_type.lower() or content.lstrip()[:1] in (b"{", b"["):
        try:
            value = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            pass
        else:
            if _is_shallow(value):
                return value
    return content.decode(_charset(content_type), errors="replace")


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """A header of an answer, several of one name joined; empty if there is none."""
    return ", ".join(value.decode("latin-1") for key, value in headers if key.lower() == name)


def _capped(chunks: Iterable[bytes]) -> Iterable[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_RESPONSE_BYTES:
            raise _too_large()
        yield chunk


def _decompressed(content: bytes) -> bytes:
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: gzip and deflate tell themselves apart
    try:
        found = decompressor.decompress(content, MAX_RESPONSE_BYTES + 1)
    except zlib.error:
        raise _broken() from None
    if len(found) > MAX_RESPONSE_BYTES:
        raise _too_large()
    if not decompressor.eof:
        raise _broken()
    return found


def _too_large() -> CallFailedError:
    return CallFailedError("answer_too_large", f"The answer is larger than {MAX_RESPONSE_BYTES // 1024} KB.")


def _broken() -> CallFailedError:
    return CallFailedError("answer_broken", "The answer is not complete, or not what it says it is.")


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [
            item
            for outer in level
            if isinstance(outer, list | dict)
            for item in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return False


def _charset(content_type: str) -> str:
    """UTF-8 but for the one other family that is still met; an answer cannot choose among Python's odder codecs."""
    latin = ("iso-8859-1", "latin1", "latin-1", "windows-1252", "cp1252")
    return "cp1252" if any(f"charset={name}" in content_type.lower().replace('"', "") for name in latin) else "utf-8"
