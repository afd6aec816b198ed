"""What a node type uses to compile its data: it checks everything and turns it into functions that run during a turn."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from msgspec import structs

from pytake.engine.execution import CompiledNode, Execution, Handler, Say, implicit_end
from pytake.engine.facts import (
    Cleared,
    ConstantUse,
    Edge,
    LimitedText,
    NodeFacts,
    Read,
    Source,
    StoredText,
    TermUse,
    Write,
)
from pytake.engine.limits import VALUE_CHARACTERS
from pytake.engine.patterns import Matches, PatternError, compile_pattern
from pytake.engine.problems import Problem, problem
from pytake.engine.rendering import Getter, Place, Render, getter, render
from pytake.engine.speeches import Speeches
from pytake.engine.template import (
    BUILT_IN_VALUES,
    NAMESPACES,
    Expression,
    Literal,
    TemplateError,
    Term,
    is_unclosed,
    parse_path,
    parse_template,
    paths_in,
)
from pytake.engine.texts import Language, built_in_text
from pytake.engine.turn import Event, Step
from pytake.engine.values import as_number, value_formatter
from pytake.whatsapp import limits as meta
from pytake.whatsapp.outbound import Text


class Bundle(Protocol):
    """What a node sees of the documents that are compiled together."""

    nodes: dict[tuple[str, str], CompiledNode]
    """The nodes of every document opened so far, by flow id and node id."""
    unreadable: set[tuple[str, str | None]]
    """The flows and ids of nodes that could not be read: a problem of their own says why."""
    problems: list[Problem]
    speeches: Speeches
    merge_texts: bool
    """Whether consecutive texts of a turn are merged: the root document decides."""
    questions: dict[str, Render]
    """The texts of the questions, by the variable that stores the answer: what `{{answers}}` contains."""

    def start_of(self, flow_id: str) -> str | None:
        """The id of the node where a flow starts. Opens the flow's document; None when there is no such flow."""

    def required_parameters(self, flow_id: str, node_id: str) -> list[str]:
        """The variables that a jump to this node of an opened flow must pass."""


class NodeBuild:
    """The compilation of one node.

    Its methods check what they are given, report what is wrong as problems, and record facts for the prover. They never
    raise. `field` is always the path of the checked value inside the node's data, such as `buttons[0].label`.
    """

    def __init__(
        self,
        bundle: Bundle,
        node: CompiledNode,
        type: str,
        language: Language,
        reported: Collection[str] = (),
        spoken: str | None = None,
        translated: Mapping[str, str] = {},
    ) -> None:
        self.flow_id = node.flow_id
        self.node_id = node.node_id
        self.node = node
        self.language = language
        self.spoken = spoken  # the code of the language that is spoken instead of the document's
        self.translated = translated  # the keys of the replaced texts, by their field
        self.speeches = bundle.speeches
        self.facts = NodeFacts(node.flow_id, node.node_id, type)
        self.format_value = value_formatter(language)
        self.merge_texts = bundle.merge_texts
        self._bundle = bundle
        self._reported = reported

    def problem(self, code: str, field: str, message: str, limit: int | None = None) -> None:
        """Report a problem. `message` says what is wrong and how to correct it; `limit` is the allowed length of a text."""
        found = problem(code, message, flow_id=self.flow_id, node_id=self.node_id, field=field)
        self._bundle.problems.append(structs.replace(found, limit=limit))

    def step(self, exit: str, *, possible: bool = True) -> Step:
        """The step through this exit, created once. `possible` is false when the node's data rules the exit out."""
        if possible:
            self.facts.exits.append(exit)
        return Step(self.flow_id, self.node_id, exit)

    def built_in_text(self, name: str, **values: Any) -> str:
        """A built-in text in the flow's language."""
        return built_in_text(self.language, name, **values)

    def target(self, node_id: str | None, field: str, exit: str = "next", *, possible: bool = True) -> CompiledNode:
        """The node an exit leads to. Without a `node_id` the exit ends the flow (or returns from the sub-flow).

        `possible` is false when the node's data rules the exit out.
        """
        self.facts.edges.append(Edge(exit, node_id or None, field))
        if node_id:
            found = self._bundle.nodes.get((self.flow_id, node_id))
            if found is None:
                if (self.flow_id, node_id) not in self._bundle.unreadable:
                    self.problem("unknown_target", field, f"There is no node `{node_id}`. Choose an existing node.")
                return self.node
            return found
        self.facts.ends = self.facts.ends or possible
        return implicit_end(self.node)

    def optional_target(
        self, node_id: str | None, field: str, exit: str, *, follows_next: bool = True
    ) -> CompiledNode | None:
        """The node an exit with a field of its own leads to; None when the field is not set.

        The exit then leads where `next` leads, or ends the conversation when `follows_next` is false.
        """
        if node_id:
            return self.target(node_id, field, exit)
        if follows_next:
            self.facts.follows_next.append(exit)
        return None

    def jump(self, flow_id: str, node_id: str | None, *, returns: bool, shares: bool) -> CompiledNode:
        """The node that a jump into another flow enters: `node_id`, or the start of that flow."""
        self.facts.returns, self.facts.shares = returns, shares
        start = self._bundle.start_of(flow_id)
        if start is None:
            if not any(found.flow_id == flow_id for found in self._bundle.problems):
                message = f"There is no flow `{flow_id}`. Choose an existing flow, or publish this one first."
                self.problem("unknown_flow", "target_flow_id", message)
            return self.node
        found = self._bundle.nodes.get((flow_id, node_id or start))
        if found is None:
            if node_id and (flow_id, node_id) not in self._bundle.unreadable:
                message = f"The flow `{flow_id}` has no node `{node_id}`. Choose an existing node."
                self.problem("unknown_target", "target_node_id", message)
            return self.node
        self.facts.jumps_to = (flow_id, found.node_id)
        for name in self._bundle.required_parameters(flow_id, found.node_id):
            if shares:
                self.facts.reads.append(Read(Expression((name,)), "target_flow_id"))
            else:
                message = (
                    f"The flow `{flow_id}` requires `{name}`, but this jump passes no variables. Set `pass_variables`."
                )
                self.problem("variable_never_assigned", "pass_variables", message)
        return found

    def effect_result(
        self,
        keep: Callable[[Execution, Any], None],
        results: Sequence[str],
        error_variable: str,
        next_id: str | None,
        error_id: str | None,
    ) -> Handler:
        """A function that handles the result of the node's effect.

        After a success it calls `keep` with the body and takes the exit `next`. After a failure it clears the variables of
        `results`, stores the reason in `error_variable` and takes the exit `error`, which leads where `next` does if it has
        no target.
        """
        store_error = self.variable(error_variable, "output_variable", "error")
        self.facts.writes += [Write(name, "error", Cleared()) for name in results]
        self.facts.writes.append(Write(error_variable, "next", Cleared()))
        following = self.target(next_id, "next_node_id")
        error_target = self.optional_target(error_id, "error_next_node_id", "error") or following
        node_id, next_step, error_step = self.node_id, self.step("next"), self.step("error")

        def result(run: Execution) -> CompiledNode | None:
            found = run.effect_result
            if found is None or not found.ok:
                # None, not removed: a sub-flow's variables replace the parent's of the same name when it returns.
                run.variables.update(dict.fromkeys(results))
                reason = (found.error if found else None) or "failed"
                store_error(run, reason)
                run.emit("effect_failed", node_id=node_id, error=reason)
                run.path.append(error_step)
                return error_target
            if run.stack or error_variable in run.variables:
                run.variables[error_variable] = None  # of an earlier failure
            keep(run, found.body)
            run.path.append(next_step)
            return following

        return result

    def limit(self, text: str | None, limit: int, field: str, what: str) -> None:
        """Check the length of a text. The prover checks a text with templates, whose length depends on their values."""
        if text and "{{" in text:
            self.facts.limited_texts.append(LimitedText(text, limit, field, what))
        elif text and len(text) > limit:
            message = f"{what} may have {limit} characters; this one has {len(text)}. Shorten it."
            self.problem("too_long", field, message, limit)

    def variable(
        self, name: str, field: str, exit: str = "next", source: Source = None
    ) -> Callable[[Execution, Any], None]:
        """A function that stores a value in this variable, and reports it if the document lists the variable.

        A value that is too large is neither stored nor reported. `source` tells the prover where the value comes from.
        """
        if not name or name in NAMESPACES or not all(c.isalnum() or c in "_-" for c in name):
            wrong = "a reserved name" if name in NAMESPACES else "not a valid variable name"
            self.problem(
                "invalid_variable", field, f"`{name}` is {wrong}. Use letters, digits and _, such as `full_name`."
            )
        self.facts.writes.append(Write(name, exit, source))
        if name not in self._reported:

            def store(run: Execution, value: Any) -> None:
                kind = type(value)  # the common cases of `check_size`, without the call
                if (kind is str and len(value) <= VALUE_CHARACTERS) or kind is int or run.check_size(value, name):
                    run.variables[name] = value

            return store

        def store_and_report(run: Execution, value: Any) -> None:
            if not run.check_size(value, name):
                return
            run.variables[name] = value
            run.events.append(Event("variable_reported", {"name": name, "value": value}))

        return store_and_report

    def pattern(self, pattern: str, field: str) -> Matches | None:
        """A function that says whether RE2 finds the pattern in a text; None when RE2 does not accept the pattern."""
        try:
            return compile_pattern(pattern)
        except PatternError as error:
            message = f"RE2 does not accept this pattern ({error}). RE2 has no look-around and no back-references."
            self.problem("invalid_pattern", field, message)
            return None

    def question(self, variable: str, text: str | None, field: str) -> None:
        """Declare that the answer to this text is stored in a variable: `{{answers}}` contains both."""
        try:
            parts = parse_template(text or "")
        except TemplateError:
            parts = []  # the node reports it where it sends the text
        # Without questions: `{{answers}}` in a question would contain itself.
        text_of = render(parts, self.format_value, structs.replace(self.place(field), questions={}))
        self._bundle.questions.setdefault(variable, text_of)

    def timetable(self, name: str) -> None:
        """Declare that the node asks this timetable of the organization."""
        self.facts.timetable = name

    def place(self, field: str) -> Place:
        """The place of an expression in a field of this node."""
        return Place(self.node_id, field, self.language, self.format_value, self._bundle.questions)

    def parts(self, text: str, field: str, *, secrets: bool = False) -> list[str | Term]:
        """The parts of a template. A text with an invalid template is taken literally."""
        if "{{" not in text:
            return [text] if text else []
        try:
            parts = parse_template(text)
        except TemplateError as error:
            self.problem("invalid_template", field, f"{error}.")
            return [text]
        if is_unclosed(text):
            self.problem("unclosed_template", field, "A `{{` has no matching `}}`. Close it or remove it.")
        for part in parts:
            if not isinstance(part, str):
                self._uses(part, field, secrets=secrets)
        return parts

    def _uses(self, term: Term, field: str, *, secrets: bool = False) -> None:
        for path in paths_in(term):
            self._read(path, field, secrets=secrets and path is term)
        if not isinstance(term, Expression) or term.filters:
            self.facts.terms.append(TermUse(term, field, len(self.facts.writes)))

    def _read(self, expression: Expression, field: str, *, secrets: bool = False, asks_emptiness: bool = False) -> None:
        if expression.path[0] not in NAMESPACES and expression.path[0] not in BUILT_IN_VALUES:
            self.facts.reads.append(Read(expression, field, len(self.facts.writes), asks_emptiness))
        elif expression.path[0] == "constants":
            self.facts.constants += [ConstantUse(name, field) for name in expression.path[1:2]]
        elif expression.path[0] == "secrets" and not secrets:
            message = "Secrets work only in an api_call; here the value is always empty. Remove it."
            self.problem("secret_outside_api_call", field, message)

    def template(self, text: str | None, field: str) -> str | Render:
        """The text itself when it contains no expression, else a function that renders it."""
        parts = self.parts(text or "", field)
        if all(isinstance(part, str) for part in parts):
            return "".join(map(str, parts))
        return render(parts, self.format_value, self.place(field))

    def rendering(self, text: str | None, field: str) -> Render:
        """Like `template`, but always a function."""
        found = self.template(text, field)
        return (lambda _: found) if isinstance(found, str) else found

    def value(self, value: Any, field: str, *, as_text: bool = False) -> Getter:
        """A function that gives a JSON value with the templates in its texts rendered.

        A text that is exactly one `{{...}}` keeps the type of its value, unless `as_text` is true.
        """
        fixed, get = self.fixed_or_getter(value, field, as_text=as_text)
        return (lambda _: fixed) if get is None else get

    def stored_value(self, value: Any, field: str) -> Getter:
        """Like `value`, for a value that is stored in a variable: the prover looks for arithmetic outside the braces."""
        if isinstance(value, str) and "{{" in value:
            self.facts.stored_texts.append(StoredText(value, field, len(self.facts.writes)))
        return self.value(value, field)

    def fixed_or_getter(self, value: Any, field: str, *, as_text: bool = False) -> tuple[Any, Getter | None]:
        """Like `value`: `(value, None)` for a value without templates, `(None, getter)` for any other."""
        if isinstance(value, str):
            parts = self.parts(value, field)
            if len(parts) == 1 and not isinstance(parts[0], str) and not as_text:
                return None, getter(parts[0], self.place(field))
            if all(isinstance(part, str) for part in parts):
                return "".join(map(str, parts)), None
            return None, render(parts, self.format_value, self.place(field))
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

    def amount(self, text: str, field: str) -> Term:
        """The number or the template `{{...}}` in a text, as a term."""
        parts = self.parts(text.strip(), field)
        if len(parts) == 1 and not isinstance(parts[0], str):
            return parts[0]
        number = as_number(text)
        if number is None:
            self.problem("invalid_value", field, f"`{text}` is neither a number nor one `{{{{...}}}}`. Correct it.")
        return Literal(number)

    def reading(self, variable: str, field: str, *, asks_emptiness: bool = False) -> Getter:
        """A function that reads a variable or a path such as `contact.name`, written with or without braces.

        `asks_emptiness`: the reader expects that the value may be missing, so the prover does not warn about that.
        """
        text = variable.strip()
        if text.startswith("{{") and text.endswith("}}"):
            return self.value(text, field)
        try:
            path = parse_path(text)
        except TemplateError as error:
            self.problem("invalid_variable", field, f"{error}.")
            return lambda _: None
        self._read(Expression(path), field, asks_emptiness=asks_emptiness)
        return getter(Expression(path), self.place(field))

    def say(self, text: str | None, field: str) -> Say | None:
        """A function that sends a text; None for an empty text. A constant text becomes a message that is created once."""
        found = self.template(text, field)
        merge_texts = self.merge_texts
        if isinstance(found, str):
            if not found.strip():
                return None
            if not merge_texts and len(found) <= meta.TEXT_BODY:
                message = Text(found)
                return lambda run: run.messages.append(message)
            return lambda run: run.say(found)

        def say(run: Execution) -> None:
            rendered = found(run)
            if not merge_texts and 0 < len(rendered) <= meta.TEXT_BODY and not rendered.isspace():
                run.messages.append(Text(rendered))  # the common case of `run.say`, without the call
            else:
                run.say(rendered)

        return say
