"""Options that come from a list in a variable."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pytake.engine.execution import Execution
from pytake.engine.node_build import NodeBuild
from pytake.engine.options import Choice, Offering, Shown, unique_titles
from pytake.engine.rendering import Render
from pytake.engine.text_split import truncate
from pytake.whatsapp import limits as meta

ITEM = "item"


class OptionsFrom(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The first 10 items of a list as options.

    `list` is the variable or path. `{{item}}`, or `{{item.name}}`, is an item in `label`, `value` (the label when left out),
    `description` and `section`. `item_variable` stores the whole chosen item. If the list is empty, the path continues at
    `empty_next_node_id` without asking.
    """

    list: str
    label: str = "{{item}}"
    value: str | None = None
    description: str | None = None
    section: str | None = None
    item_variable: str | None = None
    empty_next_node_id: str | None = None


class ListOptions(Offering):
    """The compiled options of a list. `items` are as many as the list has, at most `most`."""

    def __init__(
        self, spec: OptionsFrom, build: NodeBuild, list_button: str | None = None, *, most: int = meta.LIST_ROWS
    ) -> None:
        super().__init__(build, is_list=True, list_button=list_button)
        self._items = build.reading(spec.list, "options_from.list")
        self._most = most
        self._label = _of_item(spec.label, "label", build)
        self._value = _of_item(spec.value, "value", build) if spec.value else self._label
        self._detail = _of_item(spec.description, "description", build) if spec.description else None
        self._section = _of_item(spec.section, "section", build) if spec.section else None
        self._keep = (
            build.variable(spec.item_variable, "options_from.item_variable", "option") if spec.item_variable else None
        )

    def item(self, run: Execution, chosen: Choice) -> Any:
        """The item that was chosen. Ask before the answer is stored: it may replace the list."""
        return self._values(run)[chosen.value] if self._keep is not None else None

    def keep_item(self, run: Execution, item: Any) -> None:
        """Store the item that was chosen, if the node wants it."""
        if self._keep is not None:
            self._keep(run, item)

    def shown(self, run: Execution) -> list[Shown]:
        found = self._values(run)
        titles = unique_titles([_render(self._label, run, item) for item in found.values()], self.label_limit)
        return [
            Shown(
                Choice(value, title),
                title,
                truncate(text, meta.ROW_DESCRIPTION) if (text := _render(self._detail, run, item)) else None,
                truncate(_render(self._section, run, item) or "–", meta.ROW_TITLE) if self._section else None,
            )
            for (value, item), title in zip(found.items(), titles, strict=True)
        ]

    def _values(self, run: Execution) -> dict[str, Any]:
        """The items that can be offered, by their values, which are different."""
        items = self._items(run)
        items = items if isinstance(items, list) else [] if items is None or items == "" else [items]
        found: dict[str, Any] = {}
        for item in items:
            value = _render(self._value, run, item)[: meta.ROW_ID]
            if value and len(found) < self._most:
                found.setdefault(value, item)
        return found


def _of_item(text: str | None, name: str, build: NodeBuild) -> Render:
    """The renderer of a text about an item. The prover need not look for a variable `item`."""
    before = len(build.facts.reads)
    found = build.rendering(text, f"options_from.{name}")
    build.facts.reads[before:] = [read for read in build.facts.reads[before:] if read.expression.path[0] != ITEM]
    return found


def _render(text: Callable[[Execution], str] | None, run: Execution, item: Any) -> str:
    if text is None:
        return ""
    variables = run.variables
    run.variables = {**variables, ITEM: item}
    rendered = " ".join(text(run).split())
    run.variables = variables
    return rendered
