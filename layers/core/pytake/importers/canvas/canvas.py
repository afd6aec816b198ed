"""A canvas of nodes and edges, as earlier versions of PyTake stored their flows, and the names of their fields."""

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pytake.importers.draft import Chain, FlowDraft, Ref
from pytake.importers.names import UniqueNames
from pytake.importers.reading import as_dict, as_list, as_text, dicts
from pytake.importers.report import Severity
from pytake.importers.scripts import Products, ScriptWriter

_EACH = re.compile(r"\{\{#each\s+([\w.]+)\s*\}\}(.*?)\{\{/each\}\}", re.DOTALL)
_IF = re.compile(r"\{\{[#/](?:if|unless|else)[^}]*\}\}")
_SETTING = re.compile(r"\{\{\s*([A-Z][A-Z0-9_]{2,})\s*\}\}")


def first(data: dict[str, Any], *names: str) -> Any:
    """The first field that is filled in. The dialects name the same field differently."""
    for name in names:
        value = data.get(name)
        if value not in (None, "", [], {}):
            return value
    return None


def text_of(data: dict[str, Any], *names: str) -> str:
    """The text of the first field that is filled in; a text may be inside of an object."""
    value = first(data, *names)
    if isinstance(value, dict):
        value = first(value, "text", "body", "message", "content", "content_text", "bodyText")
        if isinstance(value, dict):
            value = first(value, "text", "body")
    return as_text(value)


class Canvas:
    """A flow of a canvas while it is imported."""

    def __init__(self, nodes: list[dict[str, Any]], edges: list[dict[str, Any]], draft: FlowDraft) -> None:
        self.nodes = nodes
        self.draft = draft
        self._edges: dict[str, list[dict[str, Any]]] = {}
        for edge in edges:
            self._edges.setdefault(as_text(edge.get("source")), []).append(edge)
        self.names = UniqueNames()
        scripts = [text_of(as_dict(node.get("data")), "script", "scriptCode", "code") for node in nodes]
        self.scripts = ScriptWriter(lambda name: name, self.names.take, Products.of(scripts))

    def following(self, node: dict[str, Any], *handles: str) -> Ref | None:
        """Where an exit of a node leads; without a handle, its only edge or the one without a name."""
        edges = self._edges.get(as_text(node.get("id")), [])
        wanted = {handle.strip().lower() for handle in handles if handle}
        for edge in edges:
            names = {
                as_text(edge.get(name)).strip().lower() for name in ("sourceHandle", "label", "condition", "branch")
            }
            if wanted & names:
                return Ref(as_text(edge.get("target")))
        if wanted:
            return None
        plain = [edge for edge in edges if as_text(edge.get("sourceHandle")).lower() in _DEFAULT_HANDLES] or edges
        return Ref(as_text(plain[0].get("target"))) if plain else None

    def exits(self, node: dict[str, Any]) -> list[dict[str, Any]]:
        """The edges of a node."""
        return self._edges.get(as_text(node.get("id")), [])

    def lose(
        self, chain: Chain, node: dict[str, Any], code: str, severity: Severity, message: str, *, ahead: bool = False
    ) -> None:
        """Report a loss of a node, at the last node of the chain or at the next one (`ahead`)."""
        label = as_text(as_dict(node.get("data")).get("label"))
        chain.lose(code, severity, f"node {as_text(node.get('id'))} {label}".strip(), message, ahead=ahead)

    def text(self, chain: Chain, node: dict[str, Any], text: str) -> str:
        """A text with its loops as `lines`. Settings of the server (`{{API_URL}}`) become constants of the organization."""
        text = _EACH.sub(lambda found: self._each(chain, node, found), text)
        if _IF.search(text):
            self.lose(
                chain,
                node,
                "text_condition",
                "blocker",
                "PyTake's texts have no `{{#if}}`. Use a condition and two texts.",
            )
            text = _IF.sub("", text)
        text = re.sub(r"\{\{\{([^{}]*)\}\}\}", r"{{\1}}", text)
        return _SETTING.sub(lambda found: "{{constants." + found[1].lower() + "}}", text)

    def _each(self, chain: Chain, node: dict[str, Any], found: re.Match[str]) -> str:
        inside = re.sub(r"\{\{\s*(?:this\.|@)?(\w+)\s*\}\}", r"{\1}", found[2])
        if "{{" in inside or '"' in inside:
            self.lose(
                chain, node, "text_loop", "blocker", "PyTake cannot write this loop. Use the filter `lines` by hand."
            )
            return ""
        inside = inside.removeprefix("\n")
        return "{{" + found[1] + ' | lines("' + inside + '", "")}}'

    def address(self, chain: Chain, node: dict[str, Any], url: str) -> str:
        """An address. A setting of the server in place of the host becomes a host that the builder replaces."""
        found = re.match(r"\{\{\s*([A-Z][A-Z0-9_]*)\s*\}\}", url)
        if found is None:
            return as_text(self.setting(url))
        host = f"https://{found[1].lower().replace('_', '-')}.example.com"
        message = f"`{found[1]}` was a setting of the server. Replace {host} by its value."
        self.lose(chain, node, "server_setting", "note", message, ahead=True)
        return host + as_text(self.setting(url[found.end() :]))

    def setting(self, value: Any) -> Any:
        """A value of an API call: settings of the server become secrets, which only such calls can use."""
        if isinstance(value, str):
            return _SETTING.sub(lambda found: "{{secrets." + found[1].lower() + "}}", value)
        if isinstance(value, list):
            return [self.setting(item) for item in value]
        if isinstance(value, dict):
            return {as_text(name): self.setting(item) for name, item in value.items()}
        return value

    def pairs(self, value: Any) -> dict[str, Any]:
        """Headers or parameters: an object, or a list of `key` and `value`."""
        if isinstance(value, dict):
            return {as_text(name): self.setting(item) for name, item in value.items() if as_text(name)}
        found = {text_of(item, "key", "name"): self.setting(item.get("value")) for item in dicts(as_list(value))}
        return {name: item for name, item in found.items() if name}


class At(Struct):
    """A node of the canvas that is imported, and the chain that it is added to."""

    canvas: Canvas
    chain: Chain
    node: dict[str, Any]
    data: dict[str, Any]

    def with_data(self, data: dict[str, Any]) -> "At":
        """The same node with other data."""
        return At(self.canvas, self.chain, self.node, data)

    def lose(self, code: str, severity: Severity, message: str, *, ahead: bool = False) -> None:
        """Report a loss here, or at the next node (`ahead`)."""
        self.canvas.lose(self.chain, self.node, code, severity, message, ahead=ahead)

    def text(self, text: str) -> str:
        """A text in PyTake's form."""
        return self.canvas.text(self.chain, self.node, text)

    def following(self, *handles: str) -> Ref | None:
        """Where an exit of the node leads."""
        return self.canvas.following(self.node, *handles)


Add = Callable[[At], None]

_DEFAULT_HANDLES = ("", "default", "output", "source", "out", "next", "bottom", "right", "success")


def hint_of(data: dict[str, Any], default: str) -> str:
    """What the id of a node is made of."""
    return as_text(data.get("label")) or default


def label_of(data: dict[str, Any]) -> str:
    """The label of a node."""
    return as_text(data.get("label"))
