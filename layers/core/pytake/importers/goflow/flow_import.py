"""Imports one flow in goflow's form (RapidPro spec 13 and 14, Glific) into one document."""

from typing import Any

from pytake.importers.draft import FlowDraft, Ref
from pytake.importers.goflow.actions import import_action
from pytake.importers.goflow.asking import Asking, ask
from pytake.importers.goflow.bundle import Bundle, SourceFlow
from pytake.importers.goflow.place import FlowPlace, Place
from pytake.importers.goflow.routing import answer_variable, route
from pytake.importers.languages import pytake_language
from pytake.importers.reading import as_dict, as_float, as_list, as_text, dicts
from pytake.importers.report import Report
from pytake.importers.starts import keywords_loss

_LONGEST_SESSION_HOURS = 720


def import_flows(bundle: Bundle, report: Report, *, is_glific: bool) -> list[dict[str, Any]]:
    """The documents of all flows of an export."""
    entries: dict[str, str] = {}
    documents = [_import_flow(bundle, flow, report, entries, is_glific=is_glific) for flow in bundle.flows.values()]
    for document in documents:
        for node in document["nodes"]:
            target = entries.get(node["data"].get("target_flow_id", ""))
            if node["type"] == "jump" and target is not None:
                node["data"]["target_node_id"] = target
    return documents + bundle.more_documents


def _import_flow(
    bundle: Bundle, flow: SourceFlow, report: Report, entries: dict[str, str], *, is_glific: bool
) -> dict[str, Any]:
    """The document of a flow. `entries`: the nodes that jumps enter, where that is not the start."""
    definition = flow.definition
    language = pytake_language(as_text(definition.get("language")), "en")
    draft = FlowDraft(report, flow.flow_id, flow.name, language)
    draft.extra["merge_texts"] = False
    minutes = as_float(definition.get("expire_after_minutes"))
    if minutes and minutes > 0:
        draft.extra["session_ttl_hours"] = min(round(minutes / 60, 4), _LONGEST_SESSION_HOURS)
    if as_text(definition.get("type")) in ("voice", "messaging_offline"):
        kind = "a voice flow" if definition["type"] == "voice" else "a flow for a survey app"
        message = f"This is {kind}. Its texts are imported as messages. Check that they make sense in a chat."
        draft.lose("not_messaging", "blocker", f"flow {flow.name}", message)
    words = keywords_loss(as_list(definition.get("keywords")))
    if words is not None:
        draft.lose(words[0], words[1], f"flow {flow.name}", words[2])
    place = FlowPlace(bundle, flow, draft, is_glific=is_glific)
    nodes = {as_text(node.get("uuid")): node for node in dicts(definition.get("nodes"))}
    for key, node in nodes.items():
        _import_node(place, key, node, nodes)
    asked = f"{flow.key}:asked"
    document = draft.finish(_start(place, nodes), keep=asked)
    entry = draft.resolve(Ref(asked))
    if entry is not None:
        entries[flow.flow_id] = entry
    return document


def _start(flow: FlowPlace, nodes: dict[str, dict[str, Any]]) -> str:
    """Where the flow starts. A flow that begins with a wait takes the message that starts it as the answer, as in goflow.

    As a sub-flow it waits: the jumps to it enter at its question.
    """
    first = next(iter(nodes), "")
    node = nodes.get(first, {})
    router = as_dict(node.get("router"))
    if not as_dict(router.get("wait")) or dicts(node.get("actions")):
        return first
    chain = flow.draft.chain(f"{first}:started")
    chain.set(answer_variable(Place(flow, first, node, chain), router), "{{input.text}}")
    chain.go(Ref(f"{first}:route"))
    if flow.source.parents:
        flow.draft.enter_at(f"{flow.source.key}:asked", Ref(first))
    return f"{first}:started"


def _import_node(flow: FlowPlace, key: str, node: dict[str, Any], nodes: dict[str, dict[str, Any]]) -> None:
    chain = flow.draft.chain(key)
    actions, router = dicts(node.get("actions")), as_dict(node.get("router"))
    place = Place(flow, key, node, chain)
    if flow.counts_visits(node):
        chain.act({"type": "add", "variable": flow.visits(key), "by": 1}, "count_visit")
    waiting = _waiting_node(key, node, nodes)
    if waiting is not None and waiting != key and flow.counts_visits(nodes[waiting]):
        waiting = None
    said = actions[-1] if waiting is not None and actions and _can_ask(actions[-1]) else None
    for action in actions[:-1] if said is not None else actions:
        if chain.closed:
            return
        import_action(place, action)
    if chain.closed:
        return
    if waiting is not None and (said is not None or waiting == key):
        asked = nodes[waiting]
        ask(Asking(Place(flow, waiting, asked, chain), said, as_dict(asked.get("router"))), source=place)
        if waiting != key:
            flow.draft.merged.add(waiting)
            return
        chain = flow.draft.chain(f"{key}:route")
        place = Place(flow, key, node, chain)
    if router:
        route(place, router)
    else:
        chain.go(place.exit_target(_first_exit(node)))


def _first_exit(node: dict[str, Any]) -> str:
    exits = dicts(node.get("exits"))
    return as_text(exits[0].get("uuid")) if exits else ""


def _waiting_node(key: str, node: dict[str, Any], nodes: dict[str, dict[str, Any]]) -> str | None:
    """The node whose wait follows: this one, or the next one if it only waits."""
    router = as_dict(node.get("router"))
    if router:
        return key if as_dict(router.get("wait")) else None
    exits = dicts(node.get("exits"))
    target = as_text(exits[0].get("destination_uuid")) if len(exits) == 1 else ""
    following = nodes.get(target)
    if following is None or as_list(following.get("actions")) or target == key:
        return None
    return target if as_dict(as_dict(following.get("router")).get("wait")) else None


def _can_ask(action: dict[str, Any]) -> bool:
    return action.get("type") in ("send_msg", "send_interactive_msg", "say_msg")
