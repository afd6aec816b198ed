"""Reads an export: JSON of bounded size and depth."""

from typing import Any

import msgspec

from pytake.engine.values import exceeds_depth
from pytake.importers.report import ImportRefusedError

FILE_BYTES = 8_000_000
"""The largest export that is read. The largest real ones have about 2 MB."""
DEPTH = 60
NODES = 5_000
"""The most nodes, groups or blocks of one export."""


def read_export(raw: bytes) -> Any:
    """The decoded JSON of an export. Raises ImportRefusedError if it is too large or not JSON."""
    if len(raw) > FILE_BYTES:
        raise ImportRefusedError(f"The file has {len(raw)} bytes. At most {FILE_BYTES} can be imported.")
    try:
        document = msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise ImportRefusedError("The lists and objects of the file are nested too deeply to be read.") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ImportRefusedError(f"The file is not valid JSON: {error}.") from None
    return document


def check_depth(export: Any) -> None:
    """Raises ImportRefusedError if lists and objects are nested too deeply to be imported."""
    if exceeds_depth(export, DEPTH):
        raise ImportRefusedError(f"The lists and objects of the file are nested more than {DEPTH} levels deep.")


def as_dict(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one: a broken export must not stop the import of the rest."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [item for item in as_list(value) if isinstance(item, dict)]


def as_text(value: Any) -> str:
    """The value as a text: numbers as they are written, anything else that is not a text as an empty one."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


def as_float(value: Any) -> float | None:
    """The value as a number, also if it is written as a text; None if it is not a number."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < 1e15 else None
