"""WhatsApp Flow JSON (Meta's forms): a document that sends the form and keeps its answers."""

from typing import Any

from pytake.importers.draft import FlowDraft
from pytake.importers.names import slug, variable_name
from pytake.importers.reading import as_dict, as_text, dicts
from pytake.importers.registry import Format, register
from pytake.importers.report import Report


def recognise(export: Any) -> bool:
    """Whether an export has screens with layouts."""
    return isinstance(export, dict) and any("layout" in screen for screen in dicts(export.get("screens")))


def read(export: Any, report: Report) -> list[dict[str, Any]]:
    """A document with the form as one node. Meta keeps the form itself, so its id is entered after it is published there."""
    form = as_dict(export)
    screens = dicts(form.get("screens"))
    first = screens[0] if screens else {}
    title = as_text(first.get("title")) or "Form"
    draft = FlowDraft(report, slug(title, "form"), title, "en")
    chain = draft.chain("form")
    data: dict[str, Any] = {
        "flow_id": "ID_OF_THE_FORM",
        "cta": "Open",
        "variable": "form",
        "text": title,
        "screen": as_text(first.get("id")) or None,
    }
    node = chain.add("whatsapp_flow", {name: value for name, value in data.items() if value}, "form")
    draft.lose(
        "form_id", "note", "screens", "Publish the form in WhatsApp Manager, and enter its id as `flow_id`.", node["id"]
    )
    if "routing_model" in form or "data_api_version" in form:
        message = "The form asks an endpoint for its data. PyTake has no such endpoint; only fixed data can be sent."
        draft.lose("form_endpoint", "blocker", "data_api_version", message, node["id"])
    for name in _answers(screens):
        chain.set(variable_name(name), "{{form." + name + "}}")
    chain.go(None)
    return [draft.finish("form")]


def _answers(screens: list[dict[str, Any]]) -> list[str]:
    """The names of the answers that the form sends when it is completed."""
    found: dict[str, None] = {}
    waiting: list[Any] = list(screens)
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, dict):
            if item.get("name") == "complete":
                found.update(
                    dict.fromkeys(name for name in as_dict(item.get("payload")) if name.replace("_", "a").isalnum())
                )
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return list(found)


register(Format("whatsapp-flow", "WhatsApp Flow", recognise, read, rank=3, ignored=r"\.(version|screens\[\]\..*)"))
