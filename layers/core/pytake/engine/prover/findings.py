"""The findings about variables, branches and text lengths that follow from the data-flow analysis."""

from collections.abc import Iterator

from msgspec import Struct, field

from pytake.engine.facts import LimitedText, NodeFacts, Read
from pytake.engine.filters import FILTERS
from pytake.engine.problems import Problem, problem
from pytake.engine.prover.abstract_values import ALWAYS
from pytake.engine.prover.dataflow import Analysis
from pytake.engine.prover.evaluation import longest_text
from pytake.engine.prover.graph import NodeRef

_DEFAULT = FILTERS["default"].apply


class NodeObservations(Struct):
    """What the analysis found at one node, joined over all contexts."""

    assigned: dict[int, int] = field(default_factory=dict)  # by the index of the read
    outside: set[int] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)  # exits
    never: dict[str, tuple[str, str]] = field(default_factory=dict)  # by exit: the field and the reason
    lengths: dict[int, int | None] = field(default_factory=dict)  # by the index of the limited text
    culprits: dict[int, list[str]] = field(default_factory=dict)


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
                environments = analysis.environments_within(node, environment) if facts.reads else []
                for index, read in enumerate(facts.reads):
                    known = environments[read.after][read.expression.path[0]]
                    seen.assigned[index] = seen.assigned.get(index, 0) | known.assigned
                    if known.outside:
                        seen.outside.add(index)
                for transition in analysis.transitions(context, node):
                    if transition.environment is not None:
                        seen.taken.add(transition.edge.exit)
                    elif facts.branch_conditions:
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
            name = read.expression.path[0]
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
                code = "variable_from_outside"
                message = (
                    f"Nothing in this flow assigns `{name}`, so it is empty unless a flow that jumps here passes it. "
                    f"Correct the name, assign it before, or write {default}.{_near(name, written)}"
                )
            yield problem(code, message, flow_id=facts.flow_id, node_id=facts.node_id, field=read.field)


def _near(name: str, written: set[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(written), n=1, cutoff=0.75)
    return f" Did you mean `{near[0]}`?" if near else ""


def _expects_nothing(read: Read) -> bool:
    return read.asks_emptiness or any(apply is _DEFAULT for apply, _ in read.expression.filters)


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
        return problem("may_be_too_long", message, **location)
    if longest > limited.limit:
        message = (
            f"{limited.what} may have {limited.limit} characters; with the longest {names} it has {longest}, so the text may be "
            f"cut off. {correction}"
        )
        return problem("too_long_after_substitution", message, **location)
    return None
