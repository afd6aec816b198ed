"""What an editor can offer while a flow is written: its variables with what is known of their values, and the exits of nodes.

It is what the prover knows anyway, so the editor and the prover never disagree.
"""

from msgspec import Struct

from pytake.engine.compiler import Compilation
from pytake.engine.prover.abstract_values import ANYTHING, AbstractValue, Scalar, join
from pytake.engine.prover.dataflow import Analysis, exit_edges
from pytake.engine.prover.evaluation import evaluate_source
from pytake.engine.prover.graph import NodeRef

LISTED_VALUES = 20
LISTED_CHARACTERS = 200
"""Longer lists and longer values are of no use in an editor."""


class KnownVariable(Struct, frozen=True):
    """A variable that the flow assigns, and what it can hold after any of its assignments.

    `kinds`: text, number, missing (empty) or other (an object, a list, a boolean). `values` is None if it can have other values
    than a few. `minimum` and `maximum` bound numbers, `longest` is a text's number of characters; None means unbounded.
    """

    name: str
    kinds: list[str]
    values: list[str | int | float | bool | None] | None
    minimum: float | None
    maximum: float | None
    longest: int | None
    description: str
    assigned_by: list[NodeRef]


class KnownExit(Struct, frozen=True):
    """An exit of a node, the node it leads to (None: the flow ends), and the field that says so."""

    exit: str
    target: str | None
    field: str


class KnownNode(Struct, frozen=True):
    """A node of the flow or of a sub-flow. `waits`: it waits for the person, a timer or an event."""

    flow_id: str
    node_id: str
    type: str
    waits: bool
    exits: list[KnownExit]


class Completion(Struct, frozen=True):
    """Everything that can be offered, in the order of the documents."""

    variables: list[KnownVariable]
    nodes: list[KnownNode]


def completion_of(compilation: Compilation, analysis: Analysis | None) -> Completion:
    """What is known of a flow. Without an analysis (the flow has fatal errors) nothing is known of the variables' values."""
    nodes = [
        KnownNode(
            facts.flow_id,
            facts.node_id,
            facts.type,
            facts.waits,
            [KnownExit(edge.exit, edge.target[1] if edge.target else None, edge.field) for edge in exit_edges(facts)],
        )
        for facts in compilation.facts.values()
    ]
    places: dict[str, list[NodeRef]] = {}
    for node, facts in compilation.facts.items():
        for write in facts.writes:
            assigned_by = places.setdefault(write.variable, [])
            if node not in assigned_by:
                assigned_by.append(node)
    values = _values(analysis) if analysis is not None else {}
    variables = [_variable(name, values.get(name, ANYTHING), assigned_by) for name, assigned_by in places.items()]
    return Completion(variables, nodes)


def _values(analysis: Analysis) -> dict[str, AbstractValue]:
    """What each variable can hold after any of its assignments, in any context."""
    known: dict[str, AbstractValue] = {}
    for context in analysis.contexts():
        for node, environment in context.before.items():
            environments = analysis.environments_within(node, environment)
            for write, before in zip(analysis.facts[node].writes, environments, strict=False):
                value = evaluate_source(write.source, before, analysis.write[node[0]])
                if value is not None:
                    earlier = known.get(write.variable)
                    known[write.variable] = value if earlier is None else join(earlier, value)
    return known


def _variable(name: str, known: AbstractValue, assigned_by: list[NodeRef]) -> KnownVariable:
    return KnownVariable(
        name=name,
        kinds=sorted(known.kinds),
        values=_listed(known.values),
        minimum=known.numbers.low,
        maximum=known.numbers.high,
        longest=known.longest,
        description=known.describe(),
        assigned_by=assigned_by,
    )


def _listed(values: frozenset[Scalar] | None) -> list[str | int | float | bool | None] | None:
    if values is None or len(values) > LISTED_VALUES or any(len(str(value)) > LISTED_CHARACTERS for _, value in values):
        return None
    return [value for _, value in sorted(values, key=lambda entry: (entry[0], str(entry[1])))]
