"""A choice of several options, one after the other or in one answer."""

import re
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from pytake.engine.execution import CompiledNode, Execution, Handler
from pytake.engine.node_build import NodeBuild
from pytake.engine.normalize import normalize_text
from pytake.engine.options import DONE, Offering
from pytake.whatsapp import limits as meta

_BETWEEN = r"\s*(?:[,;\n+&]|\s(?:e|and|y)\s)\s*"


class Multiple(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Several options can be chosen, from `least` to `most` of them; the list of their values is stored.

    They are tapped one after the other until `done_label`, or typed in one answer, as in `1, 3`. Until then the values are in
    `VARIABLE_chosen`.
    """

    least: int = 1
    most: int | None = None
    done_label: str | None = None


class SeveralOptions:
    """The compiled choice of several options."""

    def __init__(self, spec: Multiple, options: Offering, variable: str, build: NodeBuild) -> None:
        if spec.least < 0 or (spec.most is not None and spec.most < max(spec.least, 1)):
            message = "No answer can have that many options. Make `least` at most `most`, and both positive."
            build.problem("contradictory_validation", "multiple.least", message)
        build.limit(spec.done_label, options.label_limit, "multiple.done_label", "A list row")
        self._options, self._least, self._most = options, spec.least, spec.most or meta.LIST_ROWS
        self._done = build.template(spec.done_label, "multiple.done_label") or build.built_in_text("done")
        self._more = build.built_in_text("choose_more")
        self._name = f"{variable}_chosen"
        self._keep = build.variable(self._name, "variable", "choose")
        self._end = re.compile(_BETWEEN).split

    def begin(self, run: Execution) -> tuple[frozenset[str], str | None]:
        """Forget what was chosen at an earlier visit. Gives what `left_out` gives."""
        run.variables.pop(self._name, None)
        return self.left_out(run)

    def picking(
        self, store: Callable[[Execution, list[str]], None], following: CompiledNode, build: NodeBuild
    ) -> Handler:
        """A function that takes an answer: it ends the choice with the exit `next`, or offers the options that are left."""
        next_step, choose_step = build.step("next"), build.step("choose")

        def pick(run: Execution) -> CompiledNode | None:
            values = self.take(run)
            if values == "more":
                run.path.append(choose_step)
                without, extra = self.left_out(run)
                self._options.offer(run, self._more, None, None, without, extra)
            elif values is not None:
                store(run, values)
                run.path.append(next_step)
                return following
            return None

        return pick

    def left_out(self, run: Execution) -> tuple[frozenset[str], str | None]:
        """The values that were chosen already, and the title of the option that ends the choice if it is possible."""
        chosen = self._chosen(run)
        return frozenset(chosen), self._title(run) if len(chosen) >= self._least else None

    def take(self, run: Execution) -> list[str] | Literal["more"] | None:
        """The values when the choice has ended, `more` when it goes on, None when the answer is not an option.

        It also ends when the conditions of the options that are left do not hold any more.
        """
        chosen, answer = self._chosen(run), run.input
        if 0 < len(chosen) < self._least and not self._left(run, chosen):
            return self._finished(run, chosen)
        if answer.reply_id == DONE or (answer.type == "text" and self._is_done(run, answer.text)):
            return self._finished(run, chosen) if len(chosen) >= self._least else "more"
        one = self._options.match(run, frozenset(chosen))
        found = [one.value] if one is not None else self._typed(run, chosen)
        if not found:
            return None
        chosen = [*chosen, *found][: self._most]
        if len(chosen) >= self._most or not self._left(run, chosen) or (len(found) > 1 and len(chosen) >= self._least):
            return self._finished(run, chosen)
        self._keep(run, chosen)
        return "more"

    def _left(self, run: Execution, chosen: list[str]) -> set[str]:
        return {shown.choice.value for shown in self._options.shown(run)}.difference(chosen)

    def _typed(self, run: Execution, chosen: list[str]) -> list[str]:
        """The values of an answer that names several options; none if a part of it is not an option."""
        if run.input.type != "text":
            return []
        found = [self._options.find(run, part, frozenset(chosen)) for part in self._end(run.input.text) if part.strip()]
        values = [choice.value for choice in found if choice is not None]
        return list(dict.fromkeys(values)) if len(values) == len(found) else []

    def _finished(self, run: Execution, chosen: list[str]) -> list[str]:
        run.variables.pop(self._name, None)
        return chosen

    def _chosen(self, run: Execution) -> list[str]:
        found = run.variables.get(self._name)
        return found if isinstance(found, list) else []

    def _title(self, run: Execution) -> str:
        return self._done if isinstance(self._done, str) else self._done(run)

    def _is_done(self, run: Execution, text: str) -> bool:
        return normalize_text(text) == normalize_text(self._title(run))
