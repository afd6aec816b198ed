"""What compiling a node finds out about it: exits, edges, waits, jumps, reads and writes.

The prover and the coverage of flow tests use these facts; a conversation does not. Node types record them through their
`NodeBuild`.
"""

from typing import Any

from msgspec import Struct, field

from pytake.engine.field_types import Comparison, Validation
from pytake.engine.template import Expression, Term


class Edge(Struct, frozen=True):
    """Where an exit leads (`target` None: the flow ends there) and the field that says so."""

    exit: str
    target: str | None
    field: str


class Interrupt(Struct, frozen=True):
    """A command of the flow at a waiting node: its exit, where it leads, and whether the end of that path leads back."""

    exit: str
    target: str
    returns: bool


class Read(Struct, frozen=True):
    """A read of a variable or built-in value. The first `after` of the node's writes precede it."""

    expression: Expression
    field: str
    after: int = 0
    asks_emptiness: bool = False


class TermUse(Struct, frozen=True):
    """An expression with arithmetic or filters. The first `after` of the node's writes precede it."""

    term: Term
    field: str
    after: int = 0


class StoredText(Struct, frozen=True):
    """A text with templates that is stored in a variable. The first `after` of the node's writes precede it."""

    text: str
    field: str
    after: int = 0


class Constant(Struct, frozen=True):
    """A value written in the document. It may contain templates."""

    value: Any


class ValidatedAnswer(Struct, frozen=True):
    """An answer that this validation accepts."""

    validation: Validation


class Computed(Struct, frozen=True):
    """The value of an expression."""

    term: Term


class Appended(Struct, frozen=True):
    """The list in a variable with this value, which may contain templates, at its end."""

    value: Any


class Cleared(Struct, frozen=True):
    """No value: what the variable held before does not apply any more. To read it is as good as reading it unassigned."""


Source = Constant | Cleared | ValidatedAnswer | Computed | Appended | None
"""Where a value comes from; None when nothing is known about it."""


class SecretUse(Struct, frozen=True):
    """A place where the value of a secret is inserted."""

    name: str
    field: str


class StartedFlow(Struct, frozen=True):
    """A flow that is started for another person, with the names of the parameters that it gets."""

    flow_id: str
    parameters: frozenset[str]
    field: str
    parameters_field: str


class EmailTo(Struct, frozen=True):
    """The recipients of an e-mail. The first `after` of the node's writes precede it."""

    text: str
    field: str
    after: int = 0


class SentTemplate(Struct, frozen=True):
    """A message template that a node sends, with Meta's components, which may contain expressions."""

    name: str
    language: str
    components: list[dict[str, Any]]


class FileUse(Struct, frozen=True):
    """A library file that a node sends as this kind."""

    file_id: str
    kind: str
    field: str


class ConstantUse(Struct, frozen=True):
    """A place where a constant of the organization is read."""

    name: str
    field: str


class SetLanguage(Struct, frozen=True):
    """A language that an action sets."""

    code: str
    field: str


class Write(Struct, frozen=True):
    """A variable that an exit assigns, and where its value comes from."""

    variable: str
    exit: str
    source: Source = None


class BranchCondition(Struct, frozen=True):
    """The condition of an exit: it is taken when all (or any) of the comparisons hold and no earlier exit was taken."""

    exit: str
    field: str
    comparisons: list[Comparison]
    any: bool = False


class LimitedText(Struct, frozen=True):
    """A text with templates whose length WhatsApp limits and that cannot be continued in another message."""

    text: str
    limit: int
    field: str
    what: str


class NodeFacts(Struct):
    """The facts of one node."""

    flow_id: str
    node_id: str
    type: str
    exits: list[str] = field(default_factory=list)  # every exit a step of this node can have
    edges: list[Edge] = field(default_factory=list)
    waits: bool = False
    interrupts: list[Interrupt] = field(default_factory=list)  # the flow's commands that work here
    ends: bool = False  # the flow can end here, or return from a sub-flow
    jumps_to: tuple[str, str] | None = None  # flow and node
    returns: bool = True  # the jump's sub-flow returns to it
    abandoned_exits: list[str] = field(
        default_factory=list
    )  # the exits of a jump whose sub-flow a person leaves unfinished
    shares: bool = True  # the jump's sub-flow has the same variables
    stops: bool = False  # the whole conversation can end here, even inside a sub-flow
    follows_next: list[str] = field(
        default_factory=list
    )  # exits without a target of their own: they lead where `next` does
    reads: list[Read] = field(default_factory=list)
    terms: list[TermUse] = field(default_factory=list)
    stored_texts: list[StoredText] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    branch_conditions: list[BranchCondition] = field(default_factory=list)
    shown_if: dict[str, BranchCondition] = field(default_factory=dict)  # by exit: the option is offered only then
    passes: list[str] = field(default_factory=list)  # exits that a waiting node takes without waiting
    silent_question: bool = False  # it asks without a text of its own
    opened_by_template: bool = False  # the flow begins with the answer to what a template asked
    says: bool = False  # a path that enters the node sends something
    limited_texts: list[LimitedText] = field(default_factory=list)
    timetable: str | None = None  # the organization's timetable that the node asks
    secrets: list[SecretUse] = field(default_factory=list)
    effects: int = 0  # how many calls one visit makes
    started_flows: list[StartedFlow] = field(default_factory=list)
    emails: list[EmailTo] = field(default_factory=list)
    template: SentTemplate | None = None
    files: list[FileUse] = field(default_factory=list)
    constants: list[ConstantUse] = field(default_factory=list)
    request_host: str | None = None  # where an api_call always sends its request; None: an expression decides
    languages: list[SetLanguage] = field(default_factory=list)
    validation: Validation | None = None
