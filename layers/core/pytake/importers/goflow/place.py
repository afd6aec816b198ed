"""Where the import is: the flow, the node of the source, and the chain that its nodes are added to."""

import re
from typing import Any

from pytake.importers.draft import Chain, FlowDraft, Ref
from pytake.importers.goflow.bundle import Bundle, SourceFlow
from pytake.importers.goflow.context import Context
from pytake.importers.goflow.expressions import TOP_LEVELS
from pytake.importers.goflow.functions import Translator
from pytake.importers.goflow.translation import (
    Assign,
    Choose,
    Draw,
    Perform,
    Step,
    UntranslatableError,
    Written,
)
from pytake.importers.names import slug
from pytake.importers.reading import as_dict, as_list, as_text, dicts
from pytake.importers.report import Severity

_ONLY_GLIFIC = frozenset({"flow", "calendar", "global"})
_CODE = re.compile(r"<%=?(.*?)%>", re.DOTALL)


class FlowPlace:
    """The flow that is imported."""

    def __init__(self, bundle: Bundle, source: SourceFlow, draft: FlowDraft, *, is_glific: bool) -> None:
        self.bundle = bundle
        self.source = source
        self.draft = draft
        self.is_glific = is_glific
        self.context = Context(bundle, source)
        self.top_levels = TOP_LEVELS if is_glific else TOP_LEVELS - _ONLY_GLIFIC
        self.localization = as_dict(source.definition.get("localization"))
        self._names = 0

    def variable(self, hint: str) -> str:
        """A new variable for a value that is computed before."""
        self._names += 1
        return f"{hint}_{self._names}"

    def counts_visits(self, node: dict[str, Any]) -> bool:
        """Whether the node uses the number of its visits."""
        return self.bundle.counts_visits and "node.visit_count" in str(node)

    def visits(self, key: str) -> str:
        """The variable that counts the visits of a node."""
        return f"visits_{slug(key, 'node')[:8]}"


class Place:
    """A node of the source."""

    def __init__(self, flow: FlowPlace, key: str, node: dict[str, Any], chain: Chain) -> None:
        self.flow = flow
        self.key = key
        self.node = node
        self.chain = chain

    @property
    def source(self) -> str:
        """How the report names this place."""
        return f"flow {self.flow.source.name}, node {self.key}"

    def at(self, chain: Chain) -> "Place":
        """The same node of the source, with another chain."""
        return Place(self.flow, self.key, self.node, chain)

    def lose(self, code: str, severity: Severity, message: str, *, ahead: bool = False) -> None:
        """Report a loss at the last node, or at the next one (`ahead`)."""
        self.chain.lose(code, severity, self.source, message, ahead=ahead)

    def exit_target(self, uuid: str) -> Ref | None:
        """Where an exit of the node leads."""
        for found in dicts(self.node.get("exits")):
            if as_text(found.get("uuid")) == uuid:
                target = as_text(found.get("destination_uuid"))
                return Ref(target) if target else None
        return None

    def text(self, template: str) -> str:
        """A template in PyTake's form. What it needs before is added to the chain. Reports what cannot be translated."""
        translator = self._translator()
        found = translator.text(self._without_code(template), self.flow.top_levels)
        for error in translator.errors:
            self._not_translated(error, template)
        run_steps(self.chain, translator.steps)
        if "{{constants." in found:
            message = "The text has a constant of the organization. Enter its value in the organization's settings."
            self.lose("constant", "note", message, ahead=True)
        return found

    def _not_translated(self, error: UntranslatableError, template: str) -> None:
        message = f"{error} Source: `{template[:120]}`. Write the value by hand."
        self.lose("expression", "blocker", message, ahead=True)

    def operand(self, template: str) -> str | None:
        """The variable that has a template's value; None if it cannot be translated, which is reported."""
        translator = self._translator()
        try:
            found = translator.operand(self._without_code(template), self.flow.top_levels)
        except UntranslatableError as error:
            self._not_translated(error, template)
            return None
        for problem in translator.errors:
            self._not_translated(problem, template)
        run_steps(self.chain, translator.steps)
        return found

    def value(self, template: str) -> Any:
        """A template as a value: a text that is exactly one expression keeps the type of its value."""
        return self.text(template)

    def _translator(self) -> Translator:
        def resolve(parts: tuple[str, ...]) -> Any:
            if parts == ("node", "visit_count"):
                return Written(self.flow.visits(self.key))
            if parts == ("node", "categories"):
                router = as_dict(self.node.get("router"))
                return Written(constant=[as_text(one.get("name")) for one in dicts(router.get("categories"))])
            if parts in (("results",), ("run", "results")):
                return self._all_results(translator)
            return self.flow.context.resolve(parts)

        translator = Translator(resolve, self.flow.variable)
        return translator

    def _all_results(self, translator: Translator) -> Written:
        """The results of the flow as goflow writes them: a line `Name: value` for each that is set, in the order of the names."""
        name, mark = self.flow.variable("results"), self.flow.variable("mark")
        translator.steps += [Assign(name, ""), Assign(mark, "")]
        for title, variable in sorted(self.flow.source.titles.items()):
            line = "{{" + name + "}}{{" + mark + "}}" + title + ": {{" + variable + "}}"
            test = [{"variable": variable, "operator": "is_not_empty"}]
            translator.steps.append(Choose(test, False, [Assign(name, line), Assign(mark, "\n")], []))
        return Written(name)

    def _without_code(self, template: str) -> str:
        if self.flow.is_glific and _CODE.search(template):
            code = _CODE.search(template)
            inside = code[1].strip() if code is not None else ""
            raise_for = inside[:80]
            self.lose(
                "code",
                "blocker",
                f"PyTake runs no code. Source: `<%= {raise_for} %>`. Compute the value by hand.",
                ahead=True,
            )
            return _CODE.sub("", template)
        return template

    def translations(self, uuid: str, field: str) -> dict[str, list[str]]:
        """The translations of a field of an action or a case, by language of the source."""
        found = {}
        for language, items in self.flow.localization.items():
            texts = [as_text(text) for text in as_list(as_dict(as_dict(items).get(uuid)).get(field))]
            if any(texts):
                found[language] = texts
        return found


def run_steps(chain: Chain, steps: list[Step]) -> None:
    """Add the nodes of steps to a chain."""
    for step in steps:
        match step:
            case Assign(variable, value):
                chain.set(variable, value)
            case Perform(action):
                chain.act(action, as_text(action.get("type")))
            case Draw(variable, values):
                paths = [{"id": f"path_{value}", "next_node_id": Ref("")} for value in values]
                chain.add("random", {"paths": paths, "sticky": False}, "draw", follows=False)
                ends = []
                for path, value in zip(paths, values, strict=True):
                    action = {"actions": [{"type": "set_variable", "variable": variable, "value": value}]}
                    path["next_node_id"] = chain.draft.add_node("action", action, f"set_{variable}")["id"]
                    ends.append((action, "next_node_id"))
                chain.reopen(ends)
            case Choose(comparisons, any_of, then, otherwise):
                branch: dict[str, Any] = {"any" if any_of else "all": comparisons}
                data: dict[str, Any] = {"branches": [branch]}
                chain.add("condition", data, "check", follows=False)
                ends = []
                for place, inner in (((branch, "next_node_id"), then), ((data, "default_next_node_id"), otherwise)):
                    chain.reopen([place])
                    chain.last = None
                    run_steps(chain, inner)
                    ends += chain.take_open()
                chain.reopen(ends)
                chain.last = None
