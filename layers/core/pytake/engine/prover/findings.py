"""The findings about variables, branches and text lengths that follow from the data-flow analysis."""

import re
from collections.abc import Iterator

from msgspec import Struct, field, structs

from pytake.engine.facts import LimitedText, NodeFacts, Read, TermUse
from pytake.engine.filters import FILTERS
from pytake.engine.problems import Problem, problem
from pytake.engine.prover.abstract_values import ABSENT, ALWAYS, MISSING, NEVER, NUMBER, Environment
from pytake.engine.prover.dataflow import Analysis
from pytake.engine.prover.evaluation import evaluate_expression, longest_text, may_be_address
from pytake.engine.prover.graph import NodeRef
from pytake.engine.template import Calculation, parse_template, paths_in
from pytake.engine.values import as_number

_OPERAND = r"(?:\0|\d+(?:\.\d+)?)"
_ARITHMETIC = rf"{_OPERAND}(?: *[+*] *{_OPERAND}| +[-/] +{_OPERAND}| *[-/] *\d{{1,3}}(?!\d| *[-/]))+"
"""Numbers and values (`\0`) with operators between them. `\0/\0/2026` is a date, `\0-\0` a name."""
_DEFAULT = FILTERS["default"].apply


class NodeObservations(Struct):
    """What the analysis found at one node, joined over all contexts."""

    assigned: dict[int, int] = field(default_factory=dict)  # by the index of the read
    outside: set[int] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)  # exits
    never: dict[str, tuple[str, str]] = field(default_factory=dict)  # by exit: the field and the reason
    lengths: dict[int, int | None] = field(default_factory=dict)  # by the index of the limited text
    culprits: dict[int, list[str]] = field(default_factory=dict)
    empty: dict[int, bool] = field(default_factory=dict)  # by the index of the term: whether it never has a result
    addressed: set[int] = field(default_factory=set)  # the e-mails that may have a recipient
    arithmetic: dict[int, bool] = field(default_factory=dict)  # by the index of the stored text


class Findings:
    """The findings of a finished analysis, joined over all contexts.

    `entered`: other given flows jump into the root. What they pass is checked when they are validated as the root.
    """

    def __init__(self, analysis: Analysis, *, entered: bool = False) -> None:
        self.analysis = analysis
        self._entered = entered
        self.seen: dict[NodeRef, NodeObservations] = {}
        for context in analysis.contexts():
            for node in context.before:
                seen = self.seen.setdefault(node, NodeObservations())
                facts, environment = analysis.facts[node], context.before[node]
                environments = analysis.environments_within(node, environment)
                for index, read in enumerate(facts.reads):
                    known = environments[read.after][read.expression.path[0]]
                    seen.assigned[index] = seen.assigned.get(index, 0) | known.assigned
                    if known.outside:
                        seen.outside.add(index)
                for index, use in enumerate(facts.terms):
                    seen.empty[index] = seen.empty.get(index, True) and _is_empty(use, environments[use.after])
                for index, stored in enumerate(facts.stored_texts):
                    outside = _is_arithmetic(stored.text, environments[stored.after])
                    seen.arithmetic[index] = seen.arithmetic.get(index, False) or outside
                for index, email in enumerate(facts.emails):
                    if may_be_address(email.text, environments[email.after], analysis.write[node[0]]):
                        seen.addressed.add(index)
                for transition in analysis.transitions(context, node):
                    if transition.environment is not None:
                        seen.taken.add(transition.edge.exit)
                    elif facts.branch_conditions or facts.shown_if:
                        seen.never[transition.edge.exit] = transition.edge.field, transition.why
                for index, limited in enumerate(facts.limited_texts):
                    longest, culprits = longest_text(limited.text, environment, analysis.write[node[0]])
                    earlier = seen.lengths.get(index, 0)
                    seen.lengths[index] = None if longest is None or earlier is None else max(earlier, longest)
                    seen.culprits[index] = culprits

    def problems(self) -> Iterator[Problem]:
        """Every problem, in the order of the nodes in the documents."""
        written = {write.variable for facts in self.analysis.facts.values() for write in facts.writes}
        for node, facts in self.analysis.facts.items():
            seen = self.seen.get(node)
            if seen is None:
                continue  # unreachable, which is reported separately
            yield from self._variables(facts, seen, written)
            yield from _branches(facts, seen)
            yield from _calculations(facts, seen)
            yield from _unaddressed(facts, seen)
            for index, limited in enumerate(facts.limited_texts):
                found = _length(facts, limited, seen.lengths[index], seen.culprits[index])
                if found is not None:
                    yield found

    def taken(self, node: NodeRef, exit: str) -> bool:
        """Whether a conversation can take this exit of the node."""
        seen = self.seen.get(node)
        return seen is not None and exit in seen.taken

    def _variables(self, facts: NodeFacts, seen: NodeObservations, written: set[str]) -> Iterator[Problem]:
        for index, read in enumerate(facts.reads):
            assigned = seen.assigned[index]
            if assigned == ALWAYS or _expects_nothing(read) or (self._entered and index in seen.outside):
                continue
            name, near = read.expression.path[0], None
            default = f'`{{{{{name} | default("...")}}}}`'
            if assigned & ALWAYS:
                code = "variable_maybe_unassigned"
                message = (
                    f"Not every path to this node assigns `{name}`, so it may be empty. Assign it on every path, or "
                    f"write {default}."
                )
            elif name in written or index not in seen.outside:
                code = "variable_never_assigned"
                message = f"No path to this node assigns `{name}`, so it is always empty. Assign it before, or write {default}."
            else:
                code, near = "variable_from_outside", _near(name, written)
                message = (
                    f"Nothing in this flow assigns `{name}`, so it is empty unless a flow that jumps here passes it. "
                    f"Correct the name, assign it before, or write {default}."
                )
                if "-" in name and name.partition("-")[0] in written:
                    message, near = message + " To subtract, write spaces around `-`.", None
                elif near is not None:
                    message += f" Did you mean `{near}`?"
            location = {"flow_id": facts.flow_id, "node_id": facts.node_id, "field": read.field}
            yield problem(code, message, nearest=near, **location)


def _is_empty(use: TermUse, environment: Environment) -> bool:
    """Whether arithmetic never has a result, although everything that it reads may have a value."""
    paths = [environment.get(path.path[0]) for path in paths_in(use.term)]
    if not isinstance(use.term, Calculation) or any(known is not None and known.assigned == NEVER for known in paths):
        return False
    return evaluate_expression(use.term, environment).values == ABSENT.values


def _is_arithmetic(text: str, environment: Environment) -> bool:
    """Whether a text that is stored is meant as a calculation, such as `{{score}} + 10`."""
    parts = parse_template(text)
    if re.fullmatch(_ARITHMETIC, "".join(part if isinstance(part, str) else "\0" for part in parts).strip()) is None:
        return False
    values = [evaluate_expression(part, environment) for part in parts if not isinstance(part, str)]
    with_number = any(character.isdigit() for part in parts if isinstance(part, str) for character in part)
    if any(
        known.values is not None and all(as_number(one) is None for one in known.listed() if one) for known in values
    ):
        return False
    return bool(values) and (with_number or all(known.kinds <= {NUMBER, MISSING} for known in values))


def _calculations(facts: NodeFacts, seen: NodeObservations) -> Iterator[Problem]:
    location = {"flow_id": facts.flow_id, "node_id": facts.node_id}
    for index, use in enumerate(facts.terms):
        if seen.empty[index]:
            message = "This calculation never has a result: a value in it is never a number, or it divides by zero. Correct it."
            yield problem("calculation_always_empty", message, field=use.field, **location)
    for index, stored in enumerate(facts.stored_texts):
        if seen.arithmetic[index]:
            inside = re.sub(r"\{\{|\}\}", "", stored.text).strip()
            message = (
                f"`{stored.text.strip()}` is a text, and nothing is calculated. Write the whole calculation between the "
                f"braces: `{{{{{inside}}}}}`."
            )
            yield problem("arithmetic_outside_braces", message, field=stored.field, **location)


def _near(name: str, written: set[str]) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, sorted(written), n=1, cutoff=0.75)), None)


def _expects_nothing(read: Read) -> bool:
    return read.asks_emptiness or any(apply is _DEFAULT for apply, _ in read.expression.filters)


def _unaddressed(facts: NodeFacts, seen: NodeObservations) -> Iterator[Problem]:
    for index, email in enumerate(facts.emails):
        if index not in seen.addressed:
            message = (
                f"`{email.text}` can never be an address, so nothing is sent. Ask for one with the validation `email`."
            )
            yield problem("never_an_address", message, flow_id=facts.flow_id, node_id=facts.node_id, field=email.field)


def _branches(facts: NodeFacts, seen: NodeObservations) -> Iterator[Problem]:
    for exit_, (field_path, why) in seen.never.items():
        if (
            exit_ in seen.taken or exit_ == "default"
        ):  # a condition needs a default even if its branches cover all cases
            continue
        reason = why or "its condition can never hold"
        message = f"This exit is never taken: {reason}. Correct the condition, or remove it."
        yield problem("branch_never_taken", message, flow_id=facts.flow_id, node_id=facts.node_id, field=field_path)
    for edge in facts.edges:
        if edge.exit == "max_attempts" and edge.exit not in facts.exits:
            message = "This exit is never taken, because `max_attempts` is not set. Set it, or remove this field."
            yield problem("branch_never_taken", message, flow_id=facts.flow_id, node_id=facts.node_id, field=edge.field)


def _length(facts: NodeFacts, limited: LimitedText, longest: int | None, culprits: list[str]) -> Problem | None:
    location = {"flow_id": facts.flow_id, "node_id": facts.node_id, "field": limited.field}
    names = " and ".join(f"`{{{{{name}}}}}`" for name in dict.fromkeys(culprits))
    correction = f"Shorten it, or write `{{{{{culprits[0] if culprits else 'name'} | truncate(...)}}}}`."
    if longest is None:
        message = (
            f"{limited.what} may have {limited.limit} characters, and {names} can have any length, so the text may be cut "
            f"off. {correction}"
        )
        return structs.replace(problem("may_be_too_long", message, **location), limit=limited.limit)
    if longest > limited.limit:
        message = (
            f"{limited.what} may have {limited.limit} characters; with the longest {names} it has {longest}, so the text may be "
            f"cut off. {correction}"
        )
        return structs.replace(problem("too_long_after_substitution", message, **location), limit=limited.limit)
    return None
