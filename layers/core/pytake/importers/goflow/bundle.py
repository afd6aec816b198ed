"""The flows of one export and what they share: groups, names of results, and which flow enters which."""

import re
from typing import Any

from msgspec import Struct, field

from pytake.importers.names import UniqueNames, slug, variable_name
from pytake.importers.reading import as_dict, as_list, as_text, dicts

_PARTS = re.compile(r"results\.(\w+)\.(category|categories|input|extra|created_on)", re.IGNORECASE)
_READ = re.compile(r"@\(?[^@]*?results\.?(\w*)", re.IGNORECASE)
_OPERAND = re.compile(r"@\(?\s*(?:\w+\.)*results\.(\w+)\s*\)?", re.IGNORECASE)
_VISITS = "node.visit_count"


class SourceFlow(Struct):
    """A flow of the export, in the form of spec 13 or 14."""

    key: str
    name: str
    flow_id: str
    definition: dict[str, Any]
    results: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)


def key_of(result_name: str) -> str:
    """The key under which goflow keeps a result: `Favorite Color` is `favorite_color`."""
    return re.sub(r"[^\w]+", "_", result_name.strip().lower()).strip("_") or "result"


class Bundle:
    """All flows of an export, by uuid."""

    def __init__(self, definitions: list[dict[str, Any]], groups: dict[str, str], settings: dict[str, Any]) -> None:
        names = UniqueNames()
        self.groups = groups
        self.templates = {
            str(one[name]): one
            for one in dicts(settings.get("interactive_templates"))
            for name in ("id", "source_id")
            if isinstance(one.get(name), str | int)
        }
        self.flows: dict[str, SourceFlow] = {}
        self.more_documents: list[dict[str, Any]] = []
        self.names = names
        for number, definition in enumerate(definitions, 1):
            name = as_text(definition.get("name")) or f"Flow {number}"
            key = as_text(definition.get("uuid")) or f"flow-{number}"
            if key in self.flows:
                key = f"{key}#{number}"
            flow = SourceFlow(key, name, names.take(slug(name, "flow")), definition)
            self.flows[key] = flow
        self._name_results()
        self._connect()
        everything = "\n".join(_texts([flow.definition for flow in self.flows.values()]))
        self.used_parts = {(key.lower(), part.lower()) for key, part in _PARTS.findall(everything)}
        self.used_parts |= {
            (key, "category") for flow in self.flows.values() for key in _tested_categories(flow.definition)
        }
        self._read = {key.lower() for key in _READ.findall(everything)}
        self.counts_visits = _VISITS in everything
        self.uses_child_status = "child.status" in everything or "child.run.status" in everything

    def uses(self, key: str, part: str) -> bool:
        """Whether any flow reads this part of a result: `category`, `input`, `extra`."""
        return (key, part) in self.used_parts or (part == "category" and (key, "categories") in self.used_parts)

    def reads(self, key: str) -> bool:
        """Whether any flow reads a result."""
        return key in self._read or "" in self._read

    def find(self, reference: Any) -> SourceFlow | None:
        """The flow that an action names, by its uuid or else by its name."""
        reference = as_dict(reference)
        found = self.flows.get(as_text(reference.get("uuid")))
        if found is not None:
            return found
        name = as_text(reference.get("name")).strip().lower()
        return next((flow for flow in self.flows.values() if name and flow.name.strip().lower() == name), None)

    def _name_results(self) -> None:
        """Flows share their variables, so a result of two flows that differ gets the flow's name before its own."""
        owners: dict[str, set[str]] = {}
        for flow in self.flows.values():
            for name in _result_names(flow.definition):
                flow.results[key_of(name)] = ""
                owners.setdefault(key_of(name), set()).add(flow.key)
        for flow in self.flows.values():
            for key in flow.results:
                own = variable_name(key)
                flow.results[key] = own if len(owners[key]) == 1 else variable_name(f"{flow.flow_id[:24]}_{own}")
            flow.titles = {name: flow.results[key_of(name)] for name in _result_names(flow.definition)}

    def _connect(self) -> None:
        for flow in self.flows.values():
            for node in dicts(flow.definition.get("nodes")):
                for action in dicts(node.get("actions")):
                    child = self.find(action.get("flow")) if action.get("type") == "enter_flow" else None
                    if child is not None and child.key not in flow.children:
                        flow.children.append(child.key)
                        child.parents.append(flow.key)


def _tested_categories(definition: dict[str, Any]) -> list[str]:
    """The results whose categories a router tests with `has_category`."""
    found = []
    for node in dicts(definition.get("nodes")):
        router = as_dict(node.get("router"))
        operand = _OPERAND.fullmatch(as_text(router.get("operand")).strip())
        if operand is not None and any(case.get("type") == "has_category" for case in dicts(router.get("cases"))):
            found.append(operand[1].lower())
    return found


def intents_of(definition: dict[str, Any]) -> list[str]:
    """The names of the intents that the routers of a flow test."""
    names: dict[str, None] = {}
    for node in dicts(definition.get("nodes")):
        for case in dicts(as_dict(node.get("router")).get("cases")):
            arguments = as_list(case.get("arguments"))
            if as_text(case.get("type")) in ("has_intent", "has_top_intent") and arguments:
                names[as_text(arguments[0])] = None
    return list(names)


def _result_names(definition: dict[str, Any]) -> list[str]:
    names = []
    for node in dicts(definition.get("nodes")):
        router = as_dict(node.get("router"))
        names.append(as_text(router.get("result_name")))
        for action in dicts(node.get("actions")):
            names.append(as_text(action.get("result_name")))
            if action.get("type") == "set_run_result":
                names.append(as_text(action.get("name")))
    return [name for name in names if name.strip()]


def _texts(value: Any) -> list[str]:
    found: list[str] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            found.append(item)
        else:
            waiting.extend(item.values() if isinstance(item, dict) else as_list(item))
    return found
