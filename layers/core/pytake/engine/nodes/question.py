from typing import ClassVar

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers, Say
from pytake.engine.facts import Constant, ValidatedAnswer, Write
from pytake.engine.field_types import Button, Validation
from pytake.engine.limits import DELAY_SECONDS
from pytake.engine.node_build import NodeBuild
from pytake.engine.options import Options
from pytake.engine.registry import Check, NodeData, node_type
from pytake.engine.turn import Step
from pytake.engine.validation import REFUSED, choice_texts, compile_validation, error_text
from pytake.whatsapp import limits as meta
from pytake.whatsapp.outbound import LocationRequest


@node_type("question")
class Question(NodeData):
    """Asks a question, waits for the answer, validates it, and stores it in `variable` in normalised form.

    After an invalid answer the bot sends `validation.error_message` (or a built-in text) and keeps waiting. After `max_attempts`
    invalid answers the path continues at `max_attempts_next_node_id`; if that is not set, the conversation ends with a built-in
    text. After `timeout_seconds` without an answer the path continues at `timeout_next_node_id`; if that is not set, the
    conversation ends. Each invalid answer restarts the timeout.

    With `buttons`, a tap is an answer, and so is a typed value, label or position. A button's `next_node_id` takes precedence
    over the node's. Other answers count only if `validation` accepts them. After a tap on a button of an older message the bot
    says that the option is no longer available and asks again, without counting an attempt.
    """

    TEXTS: ClassVar = (
        "question",
        "validation.error_message",
        "validation.choices.[].label?",
        "buttons.[].label",
        "buttons.[].description",
    )

    question: str
    variable: str
    validation: Validation | None = None
    buttons: list[Button] | None = None
    max_attempts: int | None = None
    max_attempts_next_node_id: str | None = None
    timeout_seconds: float | None = None
    timeout_next_node_id: str | None = None
    next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the question, the check of answers, and every exit."""
        node, following = build.node, build.target(self.next_node_id, "next_node_id", required=True)
        options = Options(self.buttons, build) if self.buttons else None
        ask = self._asking(options, build)
        check = self._check(options, build)
        refuse = self._refusal(options, build)
        build.facts.validation = self.validation
        build.question(self.variable, self.question, "question")
        store = build.variable(self.variable, "variable", source=ValidatedAnswer(self.validation or Validation()))
        stale = build.built_in_text("stale_option")
        timeout = self._timeout(build)
        attempts_node = build.optional_target(
            self.max_attempts_next_node_id, "max_attempts_next_node_id", "max_attempts", follows_next=False
        )
        most = self.max_attempts or 0
        if most < 0:
            build.problem("invalid_value", "max_attempts", "Enter a number of 1 or more, or leave it out.")
        takes_taps = self.validation is not None and self.validation.type in ("any", "choice")
        stopped = build.built_in_text("attempts_exceeded")
        wait_step, next_step = build.step("wait"), build.step("next", possible=self._accepts_more_than_options())
        takes_every_tap = self.validation is not None and self.validation.type == "any"
        invalid = build.step("invalid", possible=most != 1)
        stale_step = build.step("stale", possible=not takes_every_tap)
        timeout_step = build.step("timeout", possible=timeout is not None)
        attempts_step = build.step("max_attempts", possible=most > 0)
        timeout_node = build.optional_target(
            self.timeout_next_node_id, "timeout_next_node_id", "timeout", follows_next=False
        )
        build.facts.stops = (most > 0 and attempts_node is None) or (timeout is not None and timeout_node is None)
        exits: dict[str, tuple[Step, CompiledNode]] = {}
        if options is not None:
            for choice in options.choices:
                exits[choice.value] = build.step(f"button:{choice.value}"), choice.target or following
                source = Constant(choice.value) if "{{" not in choice.value else None
                build.facts.writes.append(Write(self.variable, f"button:{choice.value}", source))

        def wait(run: Execution) -> None:
            run.status = "waiting"
            run.waiting = run.at = node
            run.due_at = None if timeout is None else run.context.now + timeout

        def enter(run: Execution) -> CompiledNode | None:
            ask(run)
            run.path.append(wait_step)
            run.attempts = 0
            wait(run)
            return None

        def answer(run: Execution) -> CompiledNode | None:
            if options is not None:
                choice = options.match(run)
                if choice is not None:
                    store(run, choice.value)
                    step, target = exits[choice.value]
                    run.path.append(step)
                    return target
            if run.input.reply_id is not None and not takes_taps:
                return expired(run)
            value = check(run)
            if value is not REFUSED:
                store(run, value)
                run.path.append(next_step)
                return following
            if run.input.reply_id is not None:
                return expired(run)
            run.attempts += 1
            if most and run.attempts >= most:
                run.path.append(attempts_step)
                run.emit("attempts_exceeded", node_id=node.node_id, attempts=run.attempts)
                if attempts_node is not None:
                    return attempts_node
                if run.stack and (go_on := run.abandoning("attempts_exceeded")) is not None:
                    return go_on(run)
                run.say(stopped)
                run.stack.clear()
                return run.complete(node)
            run.path.append(invalid)
            refuse(run)
            wait(run)
            return None

        def expired(run: Execution) -> CompiledNode | None:
            run.path.append(stale_step)
            run.emit("stale_reply", node_id=node.node_id, reply_id=run.input.reply_id)
            run.say(stale)
            ask(run)
            wait(run)
            return None

        def timer(run: Execution) -> CompiledNode | None:
            run.path.append(timeout_step)
            run.emit("timed_out", node_id=node.node_id)
            if timeout_node is not None:
                return timeout_node
            if run.stack and (go_on := run.abandoning("timeout")) is not None:
                return go_on(run)
            run.stack.clear()
            return run.complete(node)

        offered = (options.typed if options is not None else frozenset()) | choice_texts(self.validation)
        return NodeHandlers(enter, answer=answer, timer=timer if timeout is not None else None, offered=offered)

    def _asking(self, options: Options | None, build: NodeBuild) -> Say:
        text = build.template(self.question, "question")
        if isinstance(text, str) and not text.strip():
            build.problem("invalid_value", "question", "The question is empty. Enter its text.")
        if options is not None:
            offered = options
            fixed = options.fixed(text) if isinstance(text, str) and not build.merge_texts else None
            if fixed is not None:
                return lambda run: run.messages.append(fixed)
            body = build.rendering(self.question, "question")
            return lambda run: offered.offer(run, body(run))
        if self.validation is not None and self.validation.type == "location":
            body, otherwise = build.rendering(self.question, "question"), build.built_in_text("invalid_location")
            return lambda run: run.send(
                LocationRequest(run.body(asked if (asked := body(run)).strip() else otherwise, meta.INTERACTIVE_BODY))
            )
        return build.say(self.question, "question") or (lambda _: None)

    def _accepts_more_than_options(self) -> bool:
        if not self.buttons:
            return True
        return self.validation is not None and (self.validation.type != "choice" or bool(self.validation.choices))

    def _check(self, options: Options | None, build: NodeBuild) -> Check:
        if self.validation is None:
            return (lambda _: REFUSED) if options is not None else compile_validation(Validation(), build)
        if self.validation.type == "choice" and options is None and not self.validation.choices:
            build.problem("missing_field", "validation.choices", "A `choice` needs `choices` or `buttons`. Add some.")
        return compile_validation(self.validation, build)

    def _refusal(self, options: Options | None, build: NodeBuild) -> Say:
        """A function that answers an invalid answer: an error text, with the options if it is a built-in one."""
        validation = self.validation or Validation(type="choice" if options is not None else "text")
        own = build.say(validation.error_message, "validation.error_message")
        if own is not None:
            return own
        text = error_text(validation, build)
        if options is None:
            return lambda run: run.say(text)
        offered = options
        return lambda run: offered.offer(run, text)

    def _timeout(self, build: NodeBuild) -> float | None:
        if self.timeout_seconds is None:
            if self.timeout_next_node_id:
                build.problem(
                    "missing_field", "timeout_seconds", "`timeout_next_node_id` needs `timeout_seconds`. Add it."
                )
            return None
        if not 0 < self.timeout_seconds <= DELAY_SECONDS:
            message = f"Enter a number of seconds greater than 0 and at most {DELAY_SECONDS} (30 days)."
            build.problem("invalid_value", "timeout_seconds", message)
        return float(self.timeout_seconds)
