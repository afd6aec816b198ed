"""Glific exports: flows in goflow's form, with Glific's own actions, expressions and interactive messages."""

from typing import Any

from pytake.importers.formats.rapidpro import IGNORED, definitions_of, read_definitions
from pytake.importers.goflow.legacy import is_legacy
from pytake.importers.reading import as_text, dicts
from pytake.importers.registry import Format, register
from pytake.importers.report import Report

_OWN_ACTIONS = frozenset(
    {"send_interactive_msg", "wait_for_time", "wait_for_result", "set_contact_profile", "link_google_sheet"}
)
_OWN_PARTS = frozenset({"interactive_templates", "contact_field", "collections"})


def recognise(export: Any) -> bool:
    """Whether an export is one of Glific: it has lists or actions that only Glific has, or definitions with `vars`."""
    if isinstance(export, dict) and _OWN_PARTS & export.keys() and "flows" in export:
        return True
    definitions = [flow for flow in definitions_of(export) if not is_legacy(flow)]
    return any("vars" in flow or _acts_like_glific(flow) for flow in definitions)


def _acts_like_glific(flow: dict[str, Any]) -> bool:
    actions = [action for node in dicts(flow.get("nodes")) for action in dicts(node.get("actions"))]
    return any(as_text(action.get("type")) in _OWN_ACTIONS or action.get("method") == "FUNCTION" for action in actions)


def read(export: Any, report: Report) -> list[dict[str, Any]]:
    """The documents of the export's flows."""
    return read_definitions(export, report, is_glific=True)


register(Format("glific", "Glific", recognise, read, rank=1, ignored=IGNORED))
