"""Imports a file: recognises its format, reads it, and checks the documents."""

import re
from typing import Any

from msgspec import Struct

from pytake.engine import Problem, validate
from pytake.importers.draft import declare_parameters
from pytake.importers.reading import check_depth, read_export
from pytake.importers.registry import Format, formats
from pytake.importers.report import ImportRefusedError, Loss, Report
from pytake.importers.sources import as_plain, as_source, unread_fields

_UNASSIGNED = re.compile(r"assigns? `([\w-]+)`")
_SILENCE = "…"
_EXPECTED = frozenset({"unknown_flow"})
"""A flow that is not in the file has its own loss."""


class Import(Struct, frozen=True):
    """The documents of a file, by the order of the file, and what could not be brought along."""

    format: str
    documents: list[dict[str, Any]]
    losses: list[Loss]


def format_names() -> list[str]:
    """The names of the formats."""
    return sorted(formats())


def import_flows(raw: bytes, format_name: str | None = None) -> Import:
    """The flows of an export. The format is recognised when no name is given. Raises ImportRefusedError."""
    return import_export(read_export(raw), format_name)


def import_export(export: Any, format_name: str | None = None) -> Import:
    """The flows of an export that is already decoded. Raises ImportRefusedError."""
    check_depth(export)
    format_ = _format(export, format_name)
    report = Report()
    source = as_source(export)
    try:
        documents = as_plain(format_.read(source, report))
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
        message = f"The file is not a valid {format_.title} export ({type(error).__name__}: {str(error)[:120]})."
        raise ImportRefusedError(message) from error
    if not documents:
        raise ImportRefusedError(f"The {format_.title} export has no flow.")
    _check(documents, report)
    for field in unread_fields(source, format_.ignored):
        others = f", also at {field.more} other place{'s'[: field.more - 1]}" if field.more else ""
        message = f"The import does not know `{field.name}`{others}. See whether it matters for people."
        report.add(Loss("unread_field", "note", field.place, None, message))
    return Import(format_.name, documents, report.losses)


def _format(export: Any, name: str | None) -> Format:
    known = formats()
    if name is not None:
        found = known.get(name)
        if found is None:
            raise ImportRefusedError(f"There is no format `{name}`. The formats are {', '.join(sorted(known))}.")
        return found
    found = next((format_ for format_ in known.values() if format_.recognise(export)), None)
    if found is None:
        titles = ", ".join(sorted(format_.title for format_ in known.values()))
        raise ImportRefusedError(f"The format of the file is not known. Exports of these can be imported: {titles}.")
    return found


def _check(documents: list[dict[str, Any]], report: Report) -> None:
    """Report what the prover says against publishing the documents.

    What no path assigns is empty on the other platform too, unless it is given from outside: it becomes a parameter of the flow.
    """
    by_id = {document["id"]: document for document in documents}
    for found in _problems(by_id):
        name = _UNASSIGNED.search(found.message)
        if found.code == "variable_never_assigned" and name is not None and found.flow_id in by_id:
            declare_parameters(by_id[found.flow_id], {name[1]: ""})
            place = f"flow {by_id[found.flow_id]['name']}"
            message = (
                f"The flow uses `{name[1]}`, but does not set it. It is a parameter now, empty unless it is given."
            )
            report.add(Loss("never_set", "note", place, found.node_id, message, found.flow_id))
        elif found.code == "nothing_said":
            _break_silence(by_id, found, report)
    for found in _problems(by_id):
        place = f"{found.node_id or 'document'}/{found.field or ''}".rstrip("/")
        message = f"{found.message} The flow cannot be published before ({found.code})."
        report.add(Loss("not_publishable", "blocker", place, found.node_id, message, found.flow_id))


def _break_silence(documents: dict[str, dict[str, Any]], found: Problem, report: Report) -> None:
    """Give a text to a question that a path reaches with nothing said: people of a chat would not know that it is their turn."""
    document = documents.get(found.flow_id or "", {})
    node = next((node for node in document.get("nodes", ()) if node["id"] == found.node_id), None)
    if node is None or node["data"].get("question"):
        return
    shown = report.silent_texts.get((document["id"], node["id"]))
    node["data"]["question"] = shown or _SILENCE
    message = "The other platform waits here without saying anything. Write what the bot asks, in place of `…`."
    if shown:
        message = "The text in the input field became the question, because nothing else is said before."
    report.add(
        Loss("silent_wait", "note" if shown else "loss", f"question {node['id']}", node["id"], message, document["id"])
    )


def _problems(documents: dict[str, dict[str, Any]]) -> list[Problem]:
    """The errors of the prover, each once."""
    found: dict[Problem, None] = {}
    for flow_id in documents:
        problems = validate(documents, flow_id)
        found.update(dict.fromkeys(one for one in problems if one.severity == "error" and one.code not in _EXPECTED))
    return list(found)
