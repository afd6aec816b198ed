"""From flow documents to something that runs: every decision that can be taken before a turn is taken here.

Compiling also finds what is wrong with a flow and collects the facts (edges, waits, jumps, reads and writes of
variables) on which the prover reasons, so that no rule is written twice.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pytake.engine.document import FlowDocument, read_document
from pytake.engine.execution import CompiledNode, Execution, Say, TimerInput
from pytake.engine.facts import Constant, Edge, LimitedText, NodeFacts, Read, ValidatedAnswer, Write
from pytake.engine.limits import SESSION_HOURS, VALUE_CHARACTERS
from pytake.engine.problems import FlowError, Problem, problem
from pytake.engine.state import State
from pytake.engine.template import (
    NAMESPACES,
    Expression,
    TemplateError,
    is_unclosed,
    parse_path,
    parse_template,
)
from pytake.engine.texts import Language, built_in_text, language_of
from pytake.engine.turn import Event, Step
from pytake.engine.values import TEXT_PRESERVING_FORMATTERS, value_at, value_formatter
from pytake.whatsapp import limits as meta
from pytake.whatsapp.outbound import Text

Getter = Callable[[Execution], Any]
Render = Callable[[Execution], str]
Matches = Callable[[str], bool]


class Flow:
    """A compiled bundle: the root flow and every document its jumps reach, pinned together. Immutable; share it freely."""

    __slots__ = ("documents", "id", "language", "merge_texts", "nodes", "session_ttl_hours", "start", "version")

    def __init__(
        self,
        root: FlowDocument,
        version: int,
        nodes: dict[tuple[str, str], CompiledNode],
        documents: dict[str, FlowDocument],
        language: Language,
    ) -> None:
        self.id = root.id
        self.version = version
        self.nodes = nodes
        self.documents = documents
        self.language = language
        self.merge_texts = root.merge_texts
        self.session_ttl_hours = root.session_ttl_hours
        self.start = nodes[root.id, root.start_node_id]

    def timer_input(self, state: State) -> TimerInput:
        """The type of the input that says that this state's time has come: a question's `timeout`, a delay's `resume`."""
        node = self.nodes.get((state.sub_flow_id or self.id, state.node_id))
        return node.timer_input if node is not None else "timeout"


class Compilation:
    """A bundle being compiled: the nodes by flow and node, the problems and facts found so far."""

    def __init__(self, documents: Mapping[str, bytes | str | Mapping[str, Any] | FlowDocument], root: str) -> None:
        self.sources = documents
        self.root = root
        self.problems: list[Problem] = []
        self.documents: dict[str, FlowDocument] = {}
        self.nodes: dict[tuple[str, str], CompiledNode] = {}
        self.facts: dict[tuple[str, str], NodeFacts] = {}
        self.languages: dict[str, Language] = {}
        if self.open(root) is None and not self.problems:
            self.problems.append(problem("unknown_flow", f"There is no flow `{root}`.", flow_id=root))
        self._compile_opened()

    def open(self, flow_id: str) -> FlowDocument | None:
        """The document `flow_id` of the bundle, read when it is first asked for; None when there is none."""
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
        if document is None:
            return None
        if document.id != flow_id:
            message = f"This document is given as the flow `{flow_id}`, but its `id` is `{document.id}`. Make them one."
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
        hours = document.session_ttl_hours
        if hours is not None and not 0 < hours <= SESSION_HOURS:
            message = f"Write a number of hours above 0, up to {SESSION_HOURS}."
            self._problem("invalid_value", message, document, field="session_ttl_hours")
        for node in document.nodes:
            if (document.id, node.id) in self.nodes:
                message = f"Two nodes have the id `{node.id}`. Give one of them another id."
                self._problem("duplicate_id", message, document, node_id=node.id, field="id")
            self.nodes[document.id, node.id] = CompiledNode(document.id, node.id)
        if not document.start_node_id:
            message = "Set `start_node_id` to the id of the node where the flow begins."
            self._problem("missing_start", message, document, field="start_node_id")
        elif (document.id, document.start_node_id) not in self.nodes and not any(
            found.flow_id == document.id and found.fatal for found in self.problems
        ):
            message = f"The flow starts at `{document.start_node_id}`, which is no node of it. Correct `start_node_id`."
            self._problem("missing_start", message, document, field="start_node_id")

    def _problem(self, code: str, message: str, document: FlowDocument, **place: str) -> None:
        self.problems.append(problem(code, message, flow_id=document.id, **place))

    def _compile_opened(self) -> None:
        done: set[str] = set()
        while waiting := [document for key, document in self.documents.items() if key not in done]:
            done |= self.documents.keys()
            for document in waiting:
                for node in document.nodes:
                    build = NodeBuild(self, document, node.id, node.type)
                    handlers = node.data.compile(build)
                    self.nodes[document.id, node.id].fill(handlers)
                    build.facts.waits = handlers.result is None and (handlers.answer or handlers.timer) is not None
                    self.facts[document.id, node.id] = build.facts


def compile_flow(
    documents: Mapping[str, bytes | str | Mapping[str, Any] | FlowDocument], root: str, version: int = 0
) -> Flow:
    """Compile the flow `root` and every document its jumps reach.

    `documents` holds parsed documents, decoded JSON or JSON, by flow id; those no jump reaches are not looked at.
    Raises FlowError with every problem that makes the flow impossible to run (`validate` finds the others too).
    """
    compilation = Compilation(documents, root)
    if any(found.fatal for found in compilation.problems):
        raise FlowError([found for found in compilation.problems if found.fatal])
    return Flow(
        compilation.documents[root],
        version,
        compilation.nodes,
        compilation.documents,
        compilation.languages[root],
    )


class NodeBuild:
    """What a node type compiles itself with. Everything it is given is checked; what is wrong becomes a problem."""

    def __init__(self, compilation: Compilation, document: FlowDocument, node_id: str, type: str) -> None:
        self.compilation = compilation
        self.flow_id = document.id
        self.node_id = node_id
        self.language: Language = compilation.languages[document.id]
        self.node = compilation.nodes[document.id, node_id]
        self.facts = NodeFacts(document.id, node_id, type)
        self.format_value = value_formatter(self.language)
        self.merge_texts = compilation.documents[compilation.root].merge_texts
        self._reported = frozenset(document.report_variables)

    def problem(self, code: str, field: str, message: str) -> None:
        """Report a problem of this node. `field` is the path in its data, `message` says how to mend it."""
        self.compilation.problems.append(
            problem(code, message, flow_id=self.flow_id, node_id=self.node_id, field=field)
        )

    def step(self, exit: str, *, possible: bool = True) -> Step:
        """The step of this node through this exit, made once. `possible` is false when the node's data rules it out."""
        if possible:
            self.facts.exits.append(exit)
        return Step(self.flow_id, self.node_id, exit)

    def built_in_text(self, name: str, **values: Any) -> str:
        """A built-in text in the flow's language."""
        return built_in_text(self.language, name, **values)

    def target(self, node_id: str | None, field: str, exit: str = "next", *, required: bool = False) -> CompiledNode:
        """The node an exit leads to. Nowhere is a node that ends the flow (or returns from the sub-flow)."""
        if node_id:
            self.facts.edges.append(Edge(exit, node_id, field))
            found = self.compilation.nodes.get((self.flow_id, node_id))
            if found is None:
                self.problem("unknown_target", field, f"There is no node `{node_id}`. Choose one that exists.")
                return self.node
            return found
        if required:
            message = "Nothing follows. Choose the node that comes next, or add an `end` node and lead there."
            self.problem("missing_target", field, message)
        self.facts.edges.append(Edge(exit, None, field))
        self.facts.ends = True
        return _road_end(self.node)

    def optional_target(
        self, node_id: str | None, field: str, exit: str, *, follows_next: bool = True
    ) -> CompiledNode | None:
        """The node an exit of its own leads to, None when the field is not set and another exit is taken instead.

        `follows_next` when that is `next`; otherwise the conversation ends.
        """
        if node_id:
            return self.target(node_id, field, exit)
        if follows_next:
            self.facts.follows_next.append(exit)
        return None

    def jump(self, flow_id: str, node_id: str | None, *, returns: bool, shares: bool) -> CompiledNode:
        """The node a jump into another document enters."""
        self.facts.returns, self.facts.shares = returns, shares
        document = self.compilation.open(flow_id)
        if document is None:
            if not any(found.flow_id == flow_id for found in self.compilation.problems):
                message = f"There is no flow `{flow_id}`. Choose one that exists, or publish it first."
                self.problem("unknown_flow", "target_flow_id", message)
            return self.node
        found = self.compilation.nodes.get((flow_id, node_id or document.start_node_id))
        if found is None:
            if node_id:
                message = f"The flow `{flow_id}` has no node `{node_id}`. Choose one that exists."
                self.problem("unknown_target", "target_node_id", message)
            return self.node
        self.facts.jumps_to = (flow_id, found.node_id)
        return found

    def limit(self, text: str | None, limit: int, field: str, what: str) -> None:
        """Check a text without templates against one of Meta's limits; the prover does those with templates."""
        if text and "{{" in text:
            self.facts.limited_texts.append(LimitedText(text, limit, field, what))
        elif text and len(text) > limit:
            message = f"{what} may have {limit} characters; this has {len(text)}. Shorten it."
            self.problem("too_long", field, message)

    def variable(
        self,
        name: str,
        field: str,
        exit: str = "next",
        source: Constant | ValidatedAnswer | None = None,
    ) -> Callable[[Execution, Any], None]:
        """What stores a value under this name, and reports it when the flow marks it for reporting; a value
        that is too large is not. `source` is where the value comes from, as far as that is known."""
        if not name or name in NAMESPACES or not all(c.isalnum() or c in "_-" for c in name):
            message = (
                f"`{name}` is a reserved name." if name in NAMESPACES else f"`{name}` cannot be a variable's name."
            )
            self.problem("invalid_variable", field, f"{message} Use letters, digits and _, such as `full_name`.")
        self.facts.writes.append(Write(name, exit, source))
        if name not in self._reported:

            def store(run: Execution, value: Any) -> None:
                if (type(value) is str and len(value) <= VALUE_CHARACTERS) or run.check_size(value, name):
                    run.variables[name] = value

            return store

        def store_and_report(run: Execution, value: Any) -> None:
            if not run.check_size(value, name):
                return
            run.variables[name] = value
            run.events.append(Event("variable_reported", {"name": name, "value": value}))

        return store_and_report

    def pattern(self, pattern: str, field: str) -> Matches | None:
        """What says whether RE2 finds the pattern in a text; None (and a problem) when RE2 does not accept it."""
        import re2  # type: ignore[import-untyped]  # loaded only by flows that have patterns

        options = re2.Options()
        options.log_errors = False
        options.never_capture = True
        try:
            # As bytes: for a str the library also works out where each group stands, which takes longer than the search.
            search = re2.compile(pattern.encode(), options).search
        except re2.error as error:
            reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
            message = (
                f"RE2 does not accept this pattern ({reason}). Look-around and back-references do not exist there."
            )
            self.problem("invalid_pattern", field, message)
            return None
        return lambda text: search(text.encode(errors="replace")) is not None

    def parts(self, text: str, field: str, *, secrets: bool = False) -> list[str | Expression]:
        """The parts of a template; problems of it are reported and the text taken as it stands."""
        if "{{" not in text:
            return [text] if text else []
        try:
            parts = parse_template(text)
        except TemplateError as error:
            self.problem("invalid_template", field, f"{error}.")
            return [text]
        if is_unclosed(text):
            self.problem("unclosed_template", field, "A `{{` has no `}}`. Close it, or take it out.")
        for part in parts:
            if isinstance(part, Expression):
                self._read(part, field, secrets=secrets)
        return parts

    def _read(self, expression: Expression, field: str, *, secrets: bool = False, asks_emptiness: bool = False) -> None:
        if expression.path[0] not in NAMESPACES:
            self.facts.reads.append(Read(expression, field, len(self.facts.writes), asks_emptiness))
        elif expression.path[0] == "secrets" and not secrets:
            message = "Secrets work only in an api_call; here this is always empty. Take it out."
            self.problem("secret_outside_api_call", field, message)

    def template(self, text: str | None, field: str, *, write: Callable[[Any], str] | None = None) -> str | Render:
        """The text itself when nothing in it changes, else what renders it. `write` says how values read as text."""
        parts = self.parts(text or "", field)
        if all(isinstance(part, str) for part in parts):
            return "".join(map(str, parts))
        return render(parts, write or self.format_value)

    def rendering(self, text: str | None, field: str) -> Render:
        """Like `template`, always something to call."""
        found = self.template(text, field)
        return (lambda _: found) if isinstance(found, str) else found

    def value(self, value: Any, field: str, *, as_text: bool = False) -> Getter:
        """A value of any JSON type with templates in its texts.

        A text that is one `{{...}}` keeps the type of its value, unless `as_text` asks for a text.
        """
        fixed, get = self.fixed_or_getter(value, field, as_text=as_text)
        return (lambda _: fixed) if get is None else get

    def fixed_or_getter(self, value: Any, field: str, *, as_text: bool = False) -> tuple[Any, Getter | None]:
        """Like `value`, but what never changes is given as it is: `(value, None)` or `(None, getter)`."""
        if isinstance(value, str):
            parts = self.parts(value, field)
            if len(parts) == 1 and isinstance(parts[0], Expression) and not as_text:
                return None, getter(parts[0])
            if all(isinstance(part, str) for part in parts):
                return "".join(map(str, parts)), None
            return None, render(parts, self.format_value)
        if isinstance(value, list):
            items = [
                self.fixed_or_getter(item, f"{field}[{index}]", as_text=as_text) for index, item in enumerate(value)
            ]
            if all(get is None for _, get in items):
                return value, None
            return None, lambda run: [fixed if get is None else get(run) for fixed, get in items]
        if isinstance(value, dict):
            entries = {
                key: self.fixed_or_getter(item, f"{field}.{key}", as_text=as_text) for key, item in value.items()
            }
            if all(get is None for _, get in entries.values()):
                return value, None
            return None, lambda run: {key: fixed if get is None else get(run) for key, (fixed, get) in entries.items()}
        return value, None

    def reading(self, variable: str, field: str, *, asks_emptiness: bool = False) -> Getter:
        """What reads a variable or a path such as `contact.name`, written with or without braces. `asks_emptiness` when
        a missing value is nothing unexpected."""
        text = variable.strip()
        if text.startswith("{{") and text.endswith("}}"):
            return self.value(text, field)
        try:
            path = parse_path(text)
        except TemplateError as error:
            self.problem("invalid_variable", field, f"{error}.")
            return lambda _: None
        self._read(Expression(path), field, asks_emptiness=asks_emptiness)
        return getter(Expression(path))

    def say(self, text: str | None, field: str) -> Say | None:
        """What says a text, None for no text. A text that never changes is a message made once."""
        found = self.template(text, field)
        if isinstance(found, str):
            if not found.strip():
                return None
            if not self.merge_texts and len(found) <= meta.TEXT_BODY:
                message = Text(found)
                return lambda run: run.messages.append(message)
            return lambda run: run.say(found)

        merge_texts = self.merge_texts

        def say(run: Execution) -> None:
            words = found(run)
            if not merge_texts and 0 < len(words) <= meta.TEXT_BODY and not words.isspace():
                run.messages.append(Text(words))  # the usual case of `run.say`, without the call
            else:
                run.say(words)

        return say


def render(parts: list[str | Expression], write: Callable[[Any], str]) -> Render:
    """What renders these parts to text, each value written by `write`."""
    pieces = [part if isinstance(part, str) else _written(part, write) for part in parts]
    if all(isinstance(piece, str) for piece in pieces):
        text = "".join(map(str, pieces))
        return lambda _: text
    names = [_plain_name(part) for part in parts if isinstance(part, Expression)]
    if write in TEXT_PRESERVING_FORMATTERS and all(names):
        return _of_variables([part if isinstance(part, str) else None for part in parts], names, write)
    return lambda run: "".join([piece if isinstance(piece, str) else piece(run) for piece in pieces])


def _plain_name(expression: Expression) -> str:
    """The variable's name when the expression is nothing more, else nothing."""
    plain = len(expression.path) == 1 and not expression.filters and expression.path[0] not in NAMESPACES
    return expression.path[0] if plain else ""


def _of_variables(texts: list[str | None], names: list[str], write: Callable[[Any], str]) -> Render:
    """What renders texts with nothing but variables in them: by far the most usual templates, so it is the quickest."""
    pattern = "".join("%s" if text is None else text.replace("%", "%%") for text in texts)
    if len(names) == 1:
        name = names[0]

        def render_one(run: Execution) -> str:
            value = run.variables.get(name)
            return pattern % (value if type(value) is str else write(value),)

        return render_one

    def render_all(run: Execution) -> str:
        get = run.variables.get
        return pattern % tuple([value if type(value := get(name)) is str else write(value) for name in names])

    return render_all


def _written(expression: Expression, write: Callable[[Any], str]) -> Render:
    get = getter(expression)
    return lambda run: write(get(run))


def getter(expression: Expression) -> Getter:
    """What reads an expression's value, its filters applied."""
    get = _path_getter(expression.path)
    for apply, arguments in expression.filters:
        get = _filtered(get, apply, arguments)
    return get


def _filtered(get: Getter, apply: Callable[..., Any], arguments: tuple[Any, ...]) -> Getter:
    return lambda run: apply(get(run), *arguments)


def _path_getter(path: tuple[str, ...]) -> Getter:
    root, rest = path[0], path[1:]
    if root == "contact":
        return _contact_getter(rest)
    if root == "input":
        return _input_getter(rest)
    if root == "secrets":
        return lambda _: None
    if not rest:
        return lambda run: run.variables.get(root)
    return lambda run: value_at(run.variables.get(root), rest)


def _contact_getter(path: tuple[str, ...]) -> Getter:
    name, rest = (path[0] if path else ""), path[1:]
    match name:
        case "id" | "name" | "phone" | "tags" if not rest:
            return lambda run: getattr(run.contact, name)
    return lambda run: value_at(run.contact.fields, path)


def _input_getter(path: tuple[str, ...]) -> Getter:
    match path:
        case ("text",):
            return lambda run: run.input.text
        case ("type",):
            return lambda run: run.input.type
        case ("reply_id",):
            return lambda run: run.input.reply_id
        case ("media_id",):
            return lambda run: run.input.media.id if run.input.media else None
        case ("media", ("id" | "type" | "mime_type" | "caption" | "filename") as name):
            return lambda run: getattr(run.input.media, name, None)
        case ("location", ("latitude" | "longitude" | "name" | "address") as name):
            return lambda run: getattr(run.input.location, name, None)
        case ("response", *rest):
            keys = tuple(rest)
            return lambda run: value_at(run.input.response, keys)
        case ("payload", *rest):
            keys = tuple(rest)
            return lambda run: value_at(run.input.payload, keys)
    return lambda _: None


def _road_end(node: CompiledNode) -> CompiledNode:
    """A node in which a flow ends that says so nowhere."""
    end = CompiledNode(node.flow_id, node.node_id)
    end.enter = lambda run: run.complete(node)
    return end
