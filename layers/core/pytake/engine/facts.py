"""What compiling a node finds out about it, for the prover and for coverage: exits, edges, waits, jumps, what it reads and
writes. Node types tell it to their `NodeBuild`; nothing here is worked out that a conversation does not need."""

from typing import Any

from msgspec import Struct, field

from pytake.engine.conditions import Comparison
from pytake.engine.template import Expression
from pytake.engine.validation import Validation


class Edge(Struct, frozen=True):
    """A way out of a node: the exit's name, where it leads (None: the flow ends there) and the field that says so."""

    exit: str
    target: str | None
    field: str


class Read(Struct, frozen=True):
    """A place where a variable or a built-in is read. `after` of the node's writes have happened by then."""

    expression: Expression
    field: str
    after: int = 0
    asks_emptiness: bool = False


class Constant(Struct, frozen=True):
    """A value written in the document, with templates in it."""

    value: Any


class ValidatedAnswer(Struct, frozen=True):
    """An answer that this validation accepts."""

    validation: Validation


class SecretUse(Struct, frozen=True):
    """A place where a secret's value will be put in."""

    name: str
    field: str


class Write(Struct, frozen=True):
    """A variable that an exit assigns, and where the value comes from; None when nothing is known of it."""

    variable: str
    exit: str
    source: Constant | ValidatedAnswer | None = None


class BranchCondition(Struct, frozen=True):
    """An exit that is taken when all (or any) of the comparisons hold and no earlier exit is."""

    exit: str
    field: str
    comparisons: list[Comparison]
    any: bool = False


class LimitedText(Struct, frozen=True):
    """A text with templates that WhatsApp limits and that cannot go on in another message."""

    text: str
    limit: int
    field: str
    what: str


class NodeFacts(Struct):
    """What the prover knows of a node."""

    flow_id: str
    node_id: str
    type: str
    exits: list[str] = field(default_factory=list)  # every exit a step of this node may have
    edges: list[Edge] = field(default_factory=list)
    waits: bool = False
    ends: bool = False  # the flow may end here, or return from a sub-flow
    jumps_to: tuple[str, str] | None = None  # flow and node
    returns: bool = True  # a jump that comes back
    shares: bool = True  # a jump whose sub-flow has the same variables
    stops: bool = False  # the whole conversation may end here, from within a sub-flow too
    follows_next: list[str] = field(
        default_factory=list
    )  # exits without a target of their own: they lead where `next` does
    reads: list[Read] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    branch_conditions: list[BranchCondition] = field(default_factory=list)
    limited_texts: list[LimitedText] = field(default_factory=list)
    secrets: list[SecretUse] = field(default_factory=list)
    validation: Validation | None = None
