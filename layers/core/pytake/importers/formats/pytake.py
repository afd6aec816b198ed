"""Flows of earlier PyTake versions (a canvas of nodes and edges, in four dialects), and this version's own documents.

A: templates with `flow_data.canvas_data`. B: the builder's nodes, whose data are in camel case. C: a bare `canvas_data`, or nodes
and edges alone. D: a chatbot with its `flows`.
"""

from typing import Any

from pytake.importers.canvas.canvas import Canvas
from pytake.importers.canvas.nodes import add_node
from pytake.importers.canvas.starts import report_triggers
from pytake.importers.draft import FlowDraft, Ref
from pytake.importers.names import UniqueNames, slug
from pytake.importers.reading import NODES, as_dict, as_text, dicts
from pytake.importers.registry import Format, register
from pytake.importers.report import ImportRefusedError, Report


def recognise(export: Any) -> bool:
    """Whether an export has a canvas, or is a document of this version."""
    return bool(_canvases(export)) or _is_document(export)


def _is_document(export: Any) -> bool:
    return (
        isinstance(export, dict) and isinstance(export.get("nodes"), list) and "edges" not in export and "id" in export
    )


def _canvases(export: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each canvas with what surrounds it: its name and its language."""
    if isinstance(export, list):
        return [found for item in export for found in _canvases(item) if isinstance(item, dict)]
    if not isinstance(export, dict):
        return []
    for name in ("flows", "templates"):
        if isinstance(export.get(name), list) and not isinstance(export.get("nodes"), list):
            return [found for item in dicts(export[name]) for found in _canvases(item)]
    for name in ("flow_data", "canvas_data", "flow", "canvas", "definition"):
        if isinstance(export.get(name), dict):
            inner = _canvases(export[name])
            return [(canvas, {**surrounding, **_about(export)}) for canvas, surrounding in inner]
    if isinstance(export.get("nodes"), list) and isinstance(export.get("edges"), list):
        return [(export, _about(export))]
    return []


def _about(export: dict[str, Any]) -> dict[str, Any]:
    return {name: export[name] for name in _ABOUT if export.get(name)}


def read(export: Any, report: Report) -> list[dict[str, Any]]:
    """The documents of the export's canvases; a document of this version as it is."""
    canvases = _canvases(export)
    if not canvases:
        if _is_document(export):
            return [export]
        raise ImportRefusedError("The file has no canvas with nodes and edges.")
    names = UniqueNames()
    return [_read_canvas(canvas, about, names, report) for canvas, about in canvases]


def _read_canvas(canvas: dict[str, Any], about: dict[str, Any], names: UniqueNames, report: Report) -> dict[str, Any]:
    nodes = [node for node in dicts(canvas.get("nodes")) if as_text(node.get("id"))]
    if len(nodes) > NODES:
        raise ImportRefusedError(f"The canvas has more than {NODES} nodes.")
    title = as_text(about.get("name")) or as_text(about.get("title")) or "Flow"
    written = as_text(about.get("id"))
    flow_id = names.take(slug(written if len(written) <= 64 else title, slug(title, "flow"), 64))
    language = as_text(as_dict(about.get("metadata")).get("language")) or as_text(about.get("language")) or "pt_BR"
    draft = FlowDraft(report, flow_id, title, language.replace("-", "_"))
    report_triggers(draft, about.get("triggers"))
    flow = Canvas(nodes, dicts(canvas.get("edges")), draft)
    for node in nodes:
        chain = draft.chain(as_text(node["id"]))
        add_node(flow, chain, node)
        if not chain.closed:
            chain.go(flow.following(node))
    starts = [node for node in nodes if "start" in (node.get("type"), as_dict(node.get("data")).get("nodeType"))]
    entry = starts or nodes
    return draft.finish(Ref(as_text(entry[0]["id"])) if entry else "")


_ABOUT = ("id", "name", "title", "language", "metadata", "triggers")
_IGNORED = (
    r".*\.(position|positionAbsolute|width|height|measured|selected|dragging|zIndex|style|viewport|targetHandle|animated)"
    r"|.*\.(createdAt|updatedAt|created_at|updated_at|created_by|organization_id|chatbot_id|markerEnd|sourcePosition)"
    r"|.*\.targetPosition|(?!.*\.nodes\[\]).*\.(description|category|subcategory|thumbnail_url|preview_image_url|tags)"
    r"|(?!.*\.nodes\[\]).*\.(complexity|estimated_setup_time|node_count|features|variables_used|requires_integrations)"
    r"|(?!.*\.nodes\[\]).*\.(version|author|rating|use_count|is_main|is_active|is_published|id|name|title|metadata)"
    r"|.*\.edges\[\]\.(id|type)|.*\.nodes\[\](\.data)?\.(label|icon|color|description|type|nodeType|customName)"
)
"""Ids, the editor's places, and what describes a template to those who choose one."""

register(Format("pytake", "PyTake", recognise, read, rank=5, ignored=_IGNORED))
