"""The bot that is imported: its variables, its edges, and the texts between them."""

import re
from typing import Any

from pytake.importers.draft import Chain, FlowDraft, Ref
from pytake.importers.goflow.place import run_steps
from pytake.importers.goflow.translation import UntranslatableError
from pytake.importers.javascript import parse_expression
from pytake.importers.names import UniqueNames, variable_name
from pytake.importers.reading import as_dict, as_text, dicts
from pytake.importers.report import Severity
from pytake.importers.scripts import ScriptWriter

_SLOT = re.compile(r"\{\{(=?)([^{}]*?)(=?)\}\}")


class Bot:
    """A bot of Typebot while it is imported."""

    def __init__(self, document: dict[str, Any], draft: FlowDraft) -> None:
        self.document = document
        self.draft = draft
        self.name = draft.name
        names = UniqueNames()
        self.by_id: dict[str, str] = {}
        self.by_name: dict[str, str] = {}
        self.defaults: dict[str, str] = {}
        for variable in dicts(document.get("variables")):
            name = names.take(variable_name(as_text(variable.get("name")), "variable"))
            self.by_id[as_text(variable.get("id"))] = name
            self.by_name.setdefault(as_text(variable.get("name")).strip(), name)
            value = variable.get("value")
            if isinstance(value, str) and value:
                self.defaults[name] = value
        self.edges = {as_text(edge.get("id")): edge for edge in dicts(document.get("edges"))}
        self.read: set[str] = set()
        self.written: set[str] = set()
        self.transcript = False
        self._names = names
        self.scripts = ScriptWriter(self.named, lambda hint: names.take(hint))

    def variable(self, id_: Any, default: str = "answer") -> str:
        """The variable with an id of the source."""
        return self.by_id.get(as_text(id_), default)

    def store(self, id_: Any, default: str = "answer") -> str:
        """The variable with an id, which is assigned here."""
        name = self.variable(id_, default)
        self.written.add(name)
        return name

    def named(self, name: str) -> str:
        """The variable with a name of the source, in a script or a text."""
        found = self.by_name.get(name.strip()) or variable_name(name, "variable")
        self.read.add(found)
        return found

    def target(self, edge_id: Any) -> Ref | None:
        """Where an edge leads."""
        to = as_dict(as_dict(self.edges.get(as_text(edge_id))).get("to"))
        return self.place(to.get("groupId"), to.get("blockId"))

    def place(self, group_id: Any, block_id: Any) -> Ref | None:
        """A block of a group, or the group's first one."""
        if as_text(block_id):
            return Ref(f"block:{as_text(block_id)}")
        return Ref(f"group:{as_text(group_id)}") if as_text(group_id) else None

    def lose(
        self, chain: Chain, block: dict[str, Any], code: str, severity: Severity, message: str, *, ahead: bool = False
    ) -> None:
        """Report a loss of a block, at the last node or at the next one (`ahead`)."""
        chain.lose(
            code, severity, f"block {as_text(block.get('id'))} ({as_text(block.get('type'))})", message, ahead=ahead
        )

    def question_about(self, list_: str, variable: str) -> dict[str, Any] | None:
        """The data of the question whose options come from a list and whose answer is stored in a variable."""
        for node in reversed(self.draft.nodes):
            options = as_dict(node["data"].get("options_from"))
            if options.get("list") == list_ and node["data"]["variable"] == variable:
                data: dict[str, Any] = node["data"]
                return data
        return None

    def list_paths(self, first: str, second: str) -> tuple[dict[str, Any], str, str, str] | None:
        """If two lists are parts of the same objects of a response: the call, the objects' path, and the names of the parts."""
        for node in reversed(self.draft.nodes):
            paths = as_dict(node["data"].get("response_map"))
            one, other = (as_text(paths.get(name)).rpartition("[*].") for name in (first, second))
            if one[1] and other[1] and one[0] == other[0]:
                return node["data"], one[0], one[2], other[2]
        return None

    def text(self, chain: Chain, block: dict[str, Any], text: str) -> str:
        """A text of the source in PyTake's form: `{{Name}}` and inline code `{{= ... =}}`."""

        def slot(found: re.Match[str]) -> str:
            if found[1]:
                return self._computed(chain, block, found[2])
            name = found[2].strip()
            if name not in self.by_name:
                return ""  # Typebot shows an unknown variable as an empty text
            return "{{" + self.named(name) + "}}"

        return _SLOT.sub(slot, text)

    def _computed(self, chain: Chain, block: dict[str, Any], code: str) -> str:
        translator = self.scripts.translator()
        try:
            written = translator.value(parse_expression(code))
        except UntranslatableError as error:
            self.lose(
                chain,
                block,
                "code",
                "blocker",
                f"{error} Source: `{code[:100]}`. Compute the value by hand.",
                ahead=True,
            )
            return ""
        run_steps(chain, translator.steps)
        return str(written.template if written.template is not None else "")
