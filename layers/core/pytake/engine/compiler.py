"""Compiles flow documents. Everything that can be decided before a turn is decided here.

Compiling also reports what is wrong with a flow and collects the facts the prover reasons about (exits, edges, waits, jumps,
reads and writes of variables), so that each rule exists once.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from pytake.engine.document import FlowDocument, read_document, required_parameters
from pytake.engine.execution import CompiledNode, TimerInput
from pytake.engine.facts import NodeFacts
from pytake.engine.flow_commands import add_commands, command_problems, hidden_commands
from pytake.engine.limits import SESSION_HOURS
from pytake.engine.node_build import NodeBuild
from pytake.engine.normalize import plain_emoji
from pytake.engine.problems import FlowError, Problem, problem
from pytake.engine.rendering import Render
from pytake.engine.speeches import Speech, Speeches
from pytake.engine.state import State
from pytake.engine.texts import Language, best_match, language_code, language_of
from pytake.engine.translations import own_language, texts_by_node, translated

Source = bytes | str | Mapping[str, Any] | FlowDocument
"""A flow document: parsed, as decoded JSON, or as JSON."""


class Flow:
    """A compiled bundle: the root flow and every document its jumps reach. Immutable, so it can be shared freely."""

    __slots__ = (
        "documents",
        "id",
        "merge_texts",
        "nodes",
        "session_ttl_hours",
        "speech",
        "speeches",
        "start",
        "timetables",
        "version",
    )

    def __init__(
        self,
        root: FlowDocument,
        version: int,
        nodes: dict[tuple[str, str], CompiledNode],
        documents: dict[str, FlowDocument],
        speeches: Speeches,
        timetables: frozenset[str] = frozenset(),
    ) -> None:
        self.id = root.id
        self.version = version
        self.timetables = timetables
        self.nodes = nodes
        self.documents = documents
        self.speech = speeches.default
        self.speeches = speeches if speeches.others else None
        self.merge_texts = root.merge_texts
        self.session_ttl_hours = root.session_ttl_hours
        self.start = speeches.default.start

    @property
    def language(self) -> Language:
        """The language of the flow's own built-in texts."""
        return self.speech.language

    @property
    def required_parameters(self) -> list[str]:
        """The parameters without which this flow cannot be started."""
        return required_parameters(self.documents[self.id])

    def timer_input(self, state: State) -> TimerInput:
        """The input type that fires this state's timer: `timeout` for a question, `resume` for a delay.

        `handed_back` at a handoff that continues when an agent returns the conversation.
        """
        node = self.nodes.get((state.sub_flow_id or self.id, state.node_id))
        return node.timer_input if node is not None else "timeout"

    def takes_reaction(self, state: State, emoji: str) -> bool:
        """Whether the node at which this state waits lets a reaction with this emoji answer it."""
        node = self.nodes.get((state.sub_flow_id or self.id, state.node_id))
        return node is not None and plain_emoji(emoji) in node.reactions


class Compilation:
    """A bundle being compiled: its nodes by flow id and node id, and the problems and facts found so far."""

    def __init__(self, documents: Mapping[str, Source], root: str) -> None:
        self.sources = documents
        self.root = root
        self.problems: list[Problem] = []
        self.documents: dict[str, FlowDocument] = {}
        self.nodes: dict[tuple[str, str], CompiledNode] = {}
        self.unreadable: set[tuple[str, str | None]] = set()
        self.facts: dict[tuple[str, str], NodeFacts] = {}
        self.languages: dict[str, Language] = {}
        self.translated: list[Translation] = []  # one for each language besides the documents' own
        self.questions: dict[str, Render] = {}
        self.merge_texts = True
        self.speeches = Speeches()
        document = self._open(root)
        if document is not None:
            self.merge_texts = document.merge_texts
        elif not self.problems:
            self.problems.append(problem("unknown_flow", f"There is no flow `{root}`.", flow_id=root))
        self._compile_documents()
        self._compile_translations()

    def start_of(self, flow_id: str) -> str | None:
        """The id of the node where a flow starts. Opens the flow's document; None when there is no such flow."""
        document = self._open(flow_id)
        return document.start_node_id if document is not None else None

    def required_parameters(self, flow_id: str, node_id: str) -> list[str]:
        """The variables that a jump to this node of an opened flow must pass."""
        nodes = self.documents[flow_id].nodes
        return next((node.data.required_parameters() for node in nodes if node.id == node_id), [])

    def _open(self, flow_id: str) -> FlowDocument | None:
        if flow_id in self.documents:
            return self.documents[flow_id]
        source = self.sources.get(flow_id)
        if source is None:
            return None
        if isinstance(source, FlowDocument):
            document: FlowDocument | None = source
        else:
            document, found = read_document(source)
            self.problems += found
            self.unreadable.update((flow_id, problem.node_id) for problem in found)
        if document is None:
            return None
        if document.id != flow_id:
            message = (
                f"This document was given as the flow `{flow_id}`, but its `id` is `{document.id}`. Make them equal."
            )
            self._problem("invalid_value", message, document, field="id")
            return None
        self.documents[flow_id] = document
        self._check_document(document)
        return document

    def _check_document(self, document: FlowDocument) -> None:
        language = language_of(document.language)
        if language is None:
            message = f"There are no built-in texts in `{document.language}`. Use pt_BR, en or es, or write every text."
            self._problem("unknown_language", message, document, field="language")
        self.languages[document.id] = language or "en"
        for code in document.languages:
            if language_code(code) is None:
                message = f"`{code}` is not a language code. Enter one such as pt_BR, en or es."
                self._problem("invalid_value", message, document, field="languages")
            elif language_of(code) is None and code != own_language(document):
                message = (
                    f"There are no built-in texts in `{code}`, so the English ones are used where a node has none."
                )
                self._problem("unknown_language", message, document, field="languages")
        hours = document.session_ttl_hours
        if hours is not None and not 0 < hours <= SESSION_HOURS:
            message = f"Enter a number of hours greater than 0 and at most {SESSION_HOURS}."
            self._problem("invalid_value", message, document, field="session_ttl_hours")
        for node in document.nodes:
            if (document.id, node.id) in self.nodes:
                message = f"Two nodes have the id `{node.id}`. Give one of them another id."
                self._problem("duplicate_id", message, document, node_id=node.id, field="id")
            self.nodes[document.id, node.id] = CompiledNode(document.id, node.id)
        self.problems += command_problems(document, self.nodes)
        if not document.start_node_id:
            message = "Set `start_node_id` to the id of the node where the flow starts."
            self._problem("missing_start", message, document, field="start_node_id")
        elif (document.id, document.start_node_id) not in self.nodes and not any(
            found.flow_id == document.id and found.fatal for found in self.problems
        ):
            message = f"`start_node_id` is `{document.start_node_id}`, but the flow has no such node. Correct it."
            self._problem("missing_start", message, document, field="start_node_id")

    def _problem(self, code: str, message: str, document: FlowDocument, **location: str) -> None:
        self.problems.append(problem(code, message, flow_id=document.id, **location))

    def _compile_documents(self) -> None:
        """Compile every node of every document. Compiling a jump opens the document it leads to."""
        done: set[str] = set()
        while waiting := [document for key, document in self.documents.items() if key not in done]:
            done |= self.documents.keys()
            for document in waiting:
                _compile_document(self, document, self.languages[document.id], self.facts)
                self.problems += hidden_commands(document, self.nodes)
                add_commands(document, self.nodes, self.facts)
        root = self.documents.get(self.root)
        start = self.nodes.get((root.id, root.start_node_id)) if root is not None else None
        if root is not None and start is not None:
            self.speeches.code = own_language(root)
            self.speeches.default = Speech(self.nodes, start, self.languages[root.id])

    def _compile_translations(self) -> None:
        """Compile every document once more for each language that one of them speaks besides its own."""
        if not self.speeches.default.nodes:
            return
        codes = dict.fromkeys(code for document in self.documents.values() for code in document.languages)
        for code in codes:
            if any(_spoken(document, code) != own_language(document) for document in self.documents.values()):
                translation = Translation(self, code)
                self.translated.append(translation)
                start = translation.nodes[self.root, self.documents[self.root].start_node_id]
                self.speeches.others[code] = Speech(translation.nodes, start, translation.languages[self.root])


class Translation:
    """A bundle compiled for a language that is not its own."""

    def __init__(self, bundle: Compilation, code: str) -> None:
        self.code = code
        self.start_of, self.required_parameters = bundle.start_of, bundle.required_parameters
        self.speeches = bundle.speeches
        self.merge_texts = bundle.merge_texts
        self.problems: list[Problem] = []
        self.questions: dict[str, Render] = {}
        self.nodes = {place: CompiledNode(*place) for place in bundle.nodes}
        self.unreadable = bundle.unreadable
        self.facts: dict[tuple[str, str], NodeFacts] = {}
        self.languages: dict[str, Language] = {}
        self.keys: dict[tuple[str, str], dict[str, str]] = {}  # of each node: the keys of its translated texts by field
        for document in bundle.documents.values():
            spoken = _spoken(document, code)
            self.languages[document.id] = language_of(spoken) or "en"
            _compile_document(self, document, self.languages[document.id], self.facts, spoken)
            add_commands(document, self.nodes, self.facts)
        reported = {(found.code, found.flow_id, found.node_id, found.field) for found in bundle.problems}
        for found in self.problems:
            field = self.field(found.flow_id or "", found.node_id or "", found.field or "")
            if field is not None:
                bundle.problems.append(structs.replace(found, field=field))
            elif (found.code, found.flow_id, found.node_id, found.field) not in reported:
                bundle.problems.append(structs.replace(found, message=f"In the language `{code}`: {found.message}"))

    def field(self, flow_id: str, node_id: str, field: str) -> str | None:
        """The place in the document of a text that is translated; None for any other field of a node."""
        key = self.keys.get((flow_id, node_id), {}).get(field)
        return f"texts.{self.code}.{node_id}.{key}" if key is not None else None


def _spoken(document: FlowDocument, code: str) -> str:
    """The language that a document speaks to a contact with this language."""
    own = own_language(document)
    return best_match(code, (own, *document.languages)) or own


def _compile_document(
    bundle: "Compilation | Translation",
    document: FlowDocument,
    language: Language,
    facts: dict[tuple[str, str], NodeFacts],
    spoken: str | None = None,
) -> None:
    """Compile the nodes of a document; with `spoken`, with its texts in this language."""
    reported = frozenset(document.report_variables)
    spoken = None if spoken == own_language(document) else spoken
    texts = texts_by_node(document, spoken) if spoken is not None else {}
    for node in document.nodes:
        compiled, data, keys = bundle.nodes[document.id, node.id], node.data, _NO_KEYS
        if spoken is not None:
            data, keys = translated(data, texts.get(node.id, {}))
            if isinstance(bundle, Translation):
                bundle.keys[document.id, node.id] = keys
        build = NodeBuild(bundle, compiled, node.type, language, reported, spoken, keys)
        handlers = data.compile(build)
        compiled.fill(handlers)
        build.facts.waits = handlers.result is None and (handlers.answer or handlers.timer) is not None
        build.facts.effects = build.facts.effects or int(handlers.result is not None)
        facts[document.id, node.id] = build.facts


_NO_KEYS: dict[str, str] = {}


def compile_flow(documents: Mapping[str, Source], root: str, version: int = 0) -> Flow:
    """Compile the flow `root` and every document its jumps reach.

    `documents` holds the documents by flow id; those that no jump reaches are ignored. Raises FlowError with every problem
    that makes the flow impossible to run (`validate` finds the other problems too).
    """
    compilation = Compilation(documents, root)
    fatal = [found for found in compilation.problems if found.fatal]
    if fatal:
        raise FlowError(fatal)
    timetables = frozenset(facts.timetable for facts in compilation.facts.values() if facts.timetable)
    documents_ = compilation.documents
    return Flow(documents_[root], version, compilation.nodes, documents_, compilation.speeches, timetables)
