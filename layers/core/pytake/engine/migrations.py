"""The format of flow documents, and the migrations from older formats.

Drafts and published versions are stored as they were written, forever, and migrated each time they are read. An incompatible
change gets the next format number and a function in `MIGRATIONS`, which turns a document of the previous format into one of the
new format, whatever else is wrong with the document. The function may modify its argument, which is a copy.
"""

from collections.abc import Callable
from typing import Any

from pytake.engine.problems import FlowError, problem

FORMAT = 1
"""The newest format. A document without a format has the first one, as existing PyTake flows do."""

FIRST = 1

Migration = Callable[[dict[str, Any]], dict[str, Any]]

MIGRATIONS: dict[int, Migration] = {}
"""By the format a migration starts from; it leads to the next one."""


def migrated(raw: dict[str, Any]) -> dict[str, Any]:
    """The document in the newest format. Raises FlowError if no migration leads there."""
    version = raw.get("format", FIRST)
    if version == FORMAT and version is not True:
        return raw
    known = type(version) is int and FIRST <= version < FORMAT
    if not known or not all(step in MIGRATIONS for step in range(version, FORMAT)):
        message = f"This version of PyTake reads flows of format {FORMAT}, not {version!r}. Set `format` to {FORMAT}."
        raise FlowError([problem("unsupported_format", message, field="format", flow_id=_id(raw))])
    from copy import deepcopy  # only documents of older formats need it

    document = deepcopy(raw)
    for step in range(version, FORMAT):
        try:
            document = {**MIGRATIONS[step](document), "format": step + 1}
        except Exception as error:
            message = f"The document cannot be migrated from format {step} to {step + 1} ({error}). Correct it by hand."
            raise FlowError([problem("unreadable_document", message, flow_id=_id(raw))]) from error
    return document


def _id(raw: dict[str, Any]) -> str | None:
    found = raw.get("id")
    return found if isinstance(found, str) else None
