"""RapidPro exports and flow definitions of goflow: spec 13 and 14, and the older ones, which are migrated first."""

from typing import Any

from pytake.importers.goflow.bundle import Bundle
from pytake.importers.goflow.flow_import import import_flows
from pytake.importers.goflow.legacy import is_legacy, migrate_legacy
from pytake.importers.goflow.starts import report_starts
from pytake.importers.reading import NODES, as_dict, as_text, dicts
from pytake.importers.registry import Format, register
from pytake.importers.report import ImportRefusedError, Report
from pytake.importers.sources import changed


def definitions_of(export: Any) -> list[dict[str, Any]]:
    """The flow definitions in an export: a single one, a list, the `flows` of a file, or those with a `definition`."""
    if isinstance(export, dict) and not is_definition(export):
        export = export.get("flows")
    found = dicts(export) if isinstance(export, list) else [export] if isinstance(export, dict) else []
    found = [_with_its_name(flow) if "definition" in flow else flow for flow in found]
    return [flow for flow in found if is_definition(flow)]


def _with_its_name(flow: dict[str, Any]) -> dict[str, Any]:
    """The definition inside a flow of an export, with what older exports write around it."""
    around: dict[str, Any] = {key: flow[key] for key in _AROUND if key in flow}
    definition = as_dict(flow.get("definition"))
    return changed(definition, {key: value for key, value in around.items() if key not in definition})


def is_definition(value: Any) -> bool:
    """Whether a value is a flow definition, new or old."""
    return isinstance(value, dict) and (
        ("nodes" in value and ("spec_version" in value or "uuid" in value) and "edges" not in value) or is_legacy(value)
    )


def recognise(export: Any) -> bool:
    """Whether an export is one of RapidPro or goflow."""
    return bool(definitions_of(export))


def read(export: Any, report: Report) -> list[dict[str, Any]]:
    """The documents of the export's flows."""
    return read_definitions(export, report, is_glific=False)


def read_definitions(export: Any, report: Report, *, is_glific: bool) -> list[dict[str, Any]]:
    """The documents of the export's flows, in the dialect of RapidPro or of Glific."""
    definitions = [migrate_legacy(flow, report) if is_legacy(flow) else flow for flow in definitions_of(export)]
    if not definitions:
        raise ImportRefusedError("The file has no flow definition.")
    if sum(len(dicts(flow.get("nodes"))) for flow in definitions) > NODES:
        raise ImportRefusedError(f"The flows have more than {NODES} nodes together. Export them in several files.")
    settings = as_dict(export)
    groups = {as_text(group.get("uuid")): as_text(group.get("name")) for group in dicts(settings.get("groups"))}
    groups |= _groups_of(definitions)
    bundle = Bundle(definitions, groups, settings)
    documents = import_flows(bundle, report, is_glific=is_glific)
    report_starts(settings, bundle, report)
    return documents


def _groups_of(definitions: list[dict[str, Any]]) -> dict[str, str]:
    """The names of the groups that the flows mention."""
    found = {}
    for flow in definitions:
        mentioned = [
            group
            for node in dicts(flow.get("nodes"))
            for action in dicts(node.get("actions"))
            for group in dicts(action.get("groups"))
        ]
        mentioned += dicts(as_dict(flow.get("_dependencies")).get("groups"))
        for group in mentioned:
            found[as_text(group.get("uuid"))] = as_text(group.get("name"))
    return {uuid: name for uuid, name in found.items() if uuid and name}


_AROUND = ("name", "uuid", "id", "flow_type", "expires", "keywords")
IGNORED = (
    r".*\.(uuid|_ui|vars|version|site|revision|spec_version|_dependencies|_category|_issues|saved_on|last_saved|x|y)"
    r"|.*\.(created_on|modified_on|exit_uuid|destination_type|destination_uuid|response_type|parent_refs|webhook_action)"
    r"|(\.flows\[\])?\.(groups|fields|type|id)|.*\.(categories|cases)\[\]\.(name|type)"
    r"|.*\.(groups|labels|contacts)\[\]\.(id|name|type|query|status|urns|count)|.*\.(field|flow)\.(name|type)"
    r"|.*\.actions\[\]\.name|.*\.test\.(test|base)|.*\.rules\[\]\.config|.*\.localization\.\*\.\*\.name"
)
"""Ids, versions, the editor's places, and the names of what is found by its id."""

register(Format("rapidpro", "RapidPro", recognise, read, rank=2, ignored=IGNORED))
