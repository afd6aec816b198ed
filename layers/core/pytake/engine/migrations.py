"""The format of flow documents, and the way from an older one to the newest.

Drafts and published versions are kept as they were written, for good; they are brought to the newest format whenever they
are read. A change that older documents cannot follow gets the next number, and a function in `MIGRATIONS` that takes a
document of the format before and gives it in the new one, whatever else is wrong with the document. It may change what it
is given: that is a copy.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from pytake.engine.problems import FlowError, problem

FORMAT = 1
"""The newest format. A document that names none is of the first, as existing PyTake flows are."""

FIRST = 1

Migration = Callable[[dict[str, Any]], dict[str, Any]]

MIGRATIONS: dict[int, Migration] = {}
"""By the format a migration begins at; it ends at the following one."""


def migrated(raw: dict[str, Any]) -> dict[str, Any]:
    """The document in the newest format. Raises FlowError when no migration leads there."""
    version = raw.get("format", FIRST)
    if version == FORMAT and version is not True:
        return raw
    known = type(version) is int and FIRST <= version < FORMAT
    if not known or not all(step in MIGRATIONS for step in range(version, FORMAT)):
        message = f"This version of PyTake reads flows of format {FORMAT}, not {version!r}. Set `format` to {FORMAT}."
        raise FlowError([problem("unsupported_format", message, field="format", flow_id=_id(raw))])
    document = deepcopy(raw)
    for step in range(version, FORMAT):
        try:
            document = {**MIGRATIONS[step](document), "format": step + 1}
        except Exception as error:
            message = f"The document cannot be brought from format {step} to {step + 1} ({error}). Correct it by hand."
            raise FlowError([problem("unreadable_document", message, flow_id=_id(raw))]) from error
    return document


def _id(raw: dict[str, Any]) -> str | None:
    found = raw.get("id")
    return found if isinstance(found, str) else None
