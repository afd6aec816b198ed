"""The formats that can be imported. Each of them is one file in `formats/`."""

import importlib
import os
from collections.abc import Callable
from functools import cache
from typing import Any

from msgspec import Struct

from pytake.importers.report import Report

Recognise = Callable[[Any], bool]
Read = Callable[[Any, Report], list[dict[str, Any]]]


class Format(Struct, frozen=True):
    """A source format: whether an export is in it, and how it becomes documents.

    `read` raises ImportRefusedError if the export has no flow that can be imported. `ignored`: a pattern for the fields
    of an export that mean nothing to people and need no reader, such as positions and ids, with everything in them.
    """

    name: str
    title: str
    recognise: Recognise
    read: Read
    rank: int = 0
    ignored: str = ""


_formats: dict[str, Format] = {}


def register(format_: Format) -> Format:
    """Add a format."""
    _formats[format_.name] = format_
    return format_


@cache
def formats() -> dict[str, Format]:
    """Every format by name, in the order in which they are tried."""
    package = "pytake.importers.formats"
    folder = importlib.import_module(package).__path__[0]
    for name in sorted({entry.partition(".")[0] for entry in os.listdir(folder) if entry.endswith((".py", ".pyc"))}):
        if name != "__init__":
            importlib.import_module(f"{package}.{name}")
    return dict(sorted(_formats.items(), key=lambda item: (item[1].rank, item[0])))
