"""What the data flow tells about variables, branches and the lengths of texts."""

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
    """What was found at one node over all the ways a conversation can be there."""

    assigned: dict[int, int] = field(default_factory=dict)  # by the index of the read
    outside: set[int] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)  # exits
    never: dict[str, tuple[str, str]] = field(default_factory=dict)  # exit: field, why
    lengths: dict[int, int | None] = field(default_factory=dict)  # by the index of the limited text
    culprits: dict[int, list[str]] = field(default_factory=dict)


class Findings:
    """The findings of a finished analysis, joined over all contexts.

    `entered`: other flows are known to jump into the root. What they pass is looked at where they are the root.
    """

    def __init__(self, analysis: Analysis, *, entered: bool = False) -> None:
        self.analysis = analysis
        self._entered = entered
        self.seen: dict[NodeRef, NodeObservations] = {}
        for context in analysis.contexts():
            for place in context.before:
                seen = self.seen.setdefault(place, NodeObservations())
                facts, state = analysis.facts[place], context.before[place]
                states = analysis.states_within(place, state) if facts.reads else []
                for index, read in enumerate(facts.reads):
                    known = states[read.after][read.expression.path[0]]
                    seen.assigned[index] = seen.assigned.get(index, 0) | known.assigned
                    if known.outside:
                        seen.outside.add(index)
                for passing in analysis.transitions(context, place):
                    if passing.state is not None:
                        seen.taken.add(passing.way.exit)
                    elif facts.branch_conditions:
                        seen.never[passing.way.exit] = passing.way.field, passing.why
                for index, limited in enumerate(facts.limited_texts):
                    longest, culprits = longest_text(limited.text, state, analysis.write[place[0]])
                    earlier = seen.lengths.get(index, 0)
                    seen.lengths[index] = None if longest is None or earlier is None else max(earlier, longest)
                    seen.culprits[index] = culprits

    def problems(self) -> Iterator[Problem]:
        """Every problem, node by node in the order of the documents."""
        written = {write.variable for facts in self.analysis.facts.values() for write in facts.writes}
        for place, facts in self.analysis.facts.items():
            seen = self.seen.get(place)
            if seen is None:
                continue  # no conversation comes here; that is another finding
            yield from self._variables(facts, seen, written)
            yield from _branches(facts, seen)
            for index, limited in enumerate(facts.limited_texts):
                found = _length(facts, limited, seen.lengths[index], seen.culprits[index])
                if found is not None:
                    yield found

    def taken(self, place: NodeRef, exit: str) -> bool:
        """Whether a conversation can take this way out of the node."""
        seen = self.seen.get(place)
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
                    f"Not every path that leads here assigns `{name}`, so it may be empty. Assign it on every path, or "
                    f"write {default}."
                )
            elif name in written or index not in seen.outside:
                code = "variable_never_assigned"
                message = f"No path that leads here assigns `{name}`: it is always empty. Assign it before, or write {default}."
            else:
                code = "variable_from_outside"
                message = (
                    f"Nothing in this flow assigns `{name}`: it is empty unless a flow that jumps here passes it. "
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
    for exit_, (place, why) in seen.never.items():
        if exit_ in seen.taken or exit_ == "default":  # a condition must have a default, even when its branches are all
            continue
        reason = why or "what would lead here cannot happen"
        message = f"This way is never taken: {reason}. Correct the condition, or do without it."
        yield problem("branch_never_taken", message, flow_id=facts.flow_id, node_id=facts.node_id, field=place)
    for edge in facts.edges:
        if edge.exit == "max_attempts" and edge.exit not in facts.exits:
            message = "This way is never taken: `max_attempts` is not set. Set it, or take this out."
            yield problem("branch_never_taken", message, flow_id=facts.flow_id, node_id=facts.node_id, field=edge.field)


def _length(facts: NodeFacts, limited: LimitedText, longest: int | None, culprits: list[str]) -> Problem | None:
    place = {"flow_id": facts.flow_id, "node_id": facts.node_id, "field": limited.field}
    names = " and ".join(f"`{{{{{name}}}}}`" for name in dict.fromkeys(culprits))
    mend = f"Shorten it, or write `{{{{{culprits[0] if culprits else 'name'} | truncate(...)}}}}`."
    if longest is None:
        message = f"{limited.what} may have {limited.limit} characters, and {names} may be of any length: it would be cut. {mend}"
        return problem("may_be_too_long", message, **place)
    if longest > limited.limit:
        message = (
            f"{limited.what} may have {limited.limit} characters; with the longest {names} this has {longest} and would be "
            f"cut. {mend}"
        )
        return problem("too_long_after_substitution", message, **place)
    return None
