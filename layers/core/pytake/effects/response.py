"""Reads an API's response, at most as much as a turn's record can hold."""

import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

from pytake.effects.errors import CallFailedError

MAX_RESPONSE_BYTES = 128 * 1024
"""The limit of a response, compressed and decompressed. It is stored in the turn's record, a DynamoDB item of up to 400 KB."""

MAX_JSON_DEPTH = 100
"""The nesting limit of a JSON response. A deeper one stays text, because readers of the value may be recursive."""

_ENCODINGS = {"": False, "identity": False, "gzip": True, "x-gzip": True, "deflate": True}


def read_content(chunks: Iterable[bytes], encoding: str) -> bytes:
    """The complete content of a response, decompressed. Raises `CallFailedError` if it is too large or cannot be decompressed."""
    compressed = _ENCODINGS.get(encoding.strip().lower())
    if compressed is None:
        raise CallFailedError("answer_encoding", "The response is compressed in a way that was not requested.")
    content = b"".join(_capped(chunks))
    return _decompressed(content) if compressed and content else content


def read_body(content: bytes, content_type: str) -> Any:
    """The content as JSON if possible, else as text; None if it is empty."""
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
    """A header of a response, joined if it occurs several times; empty if it is missing."""
    return ", ".join(value.decode("latin-1") for key, value in headers if key.lower() == name)


def _capped(chunks: Iterable[bytes]) -> Iterable[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_RESPONSE_BYTES:
            raise _too_large()
        yield chunk


def _decompressed(content: bytes) -> bytes:
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: detect gzip and deflate
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
    return CallFailedError("answer_too_large", f"The response is larger than {MAX_RESPONSE_BYTES // 1024} KB.")


def _broken() -> CallFailedError:
    return CallFailedError("answer_broken", "The response is incomplete, or its encoding is wrong.")


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
    """UTF-8, or the only other family in use. A response cannot select one of Python's special codecs."""
    latin = ("iso-8859-1", "latin1", "latin-1", "windows-1252", "cp1252")
    return "cp1252" if any(f"charset={name}" in content_type.lower().replace('"', "") for name in latin) else "utf-8"
