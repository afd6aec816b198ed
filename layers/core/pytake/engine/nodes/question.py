from collections.abc import Callable
from typing import Any, ClassVar

from msgspec import structs

from pytake.engine.execution import CompiledNode, Execution, Handler, NodeHandlers, Say
from pytake.engine.facts import Constant, Source, ValidatedAnswer, Write
from pytake.engine.field_types import Button, Validation
from pytake.engine.limits import DELAY_SECONDS
from pytake.engine.node_build import NodeBuild
from pytake.engine.options import Offering, Options
from pytake.engine.options_from import ListOptions, OptionsFrom
from pytake.engine.reactions import answers_by_emoji
from pytake.engine.registry import Check, NodeData, node_type
from pytake.engine.sending import MediaSpec, Offer, asking_for_place, compile_frame, offering, saying
from pytake.engine.several_options import Multiple, SeveralOptions
from pytake.engine.turn import Step
from pytake.engine.validation import REFUSED, choice_texts, compile_validation, error_text
from pytake.whatsapp import limits as meta


@node_type("question")
class Question(NodeData):
    """Asks a question, waits for the answer, validates it, and stores it in `variable` in normalised form.

    After an invalid answer the bot sends `validation.error_message` (or a built-in text) and keeps waiting. After `max_attempts`
    invalid answers the path continues at `max_attempts_next_node_id`; if that is not set, the conversation ends with a built-in
    text. After `timeout_seconds` without an answer the path continues at `timeout_next_node_id`; if that is not set, the
    conversation ends. Each invalid answer restarts the timeout.

    With `buttons`, a tap is an answer, and so is a typed value, label or position. A button's `next_node_id` takes precedence
    over the node's. Other answers count only if `validation` accepts them. After a tap on a button of an older message the bot
    says that the option is no longer available and asks again, without counting an attempt. `options_from` takes the options from
    a list, and with `multiple` several can be chosen.

    `reactions` says which answer a reaction stands for: `{"👍": "yes", "👎": "no"}`. A reaction to the question then answers
    it as if the person had typed that. Any other reaction is only recorded: it is never a wrong answer.

    Without a `question` (and `media`), the text that was said last in the turn is the question; options appear under it.
    """

    TEXTS: ClassVar = (
        "question",
        "validation.error_message",
        "validation.choices.[].label?",
        "buttons.[].label",
        "buttons.[].description",
        "buttons.[].section",
        "options_from.label?",
        "options_from.description?",
        "options_from.section?",
        "multiple.done_label",
        "list_button",
        "media.caption",
        "media.link?",
        "media.id?",
        "media.filename?",
        "header",
        "footer",
    )

    variable: str
    question: str | None = None
    media: MediaSpec | None = None
    header: str | None = None
    footer: str | None = None
    validation: Validation | None = None
    buttons: list[Button] | None = None
    options_from: OptionsFrom | None = None
    multiple: Multiple | None = None
    reactions: dict[str, str] | None = None
    list_button: str | None = None
    max_attempts: int | None = None
    max_attempts_next_node_id: str | None = None
    timeout_seconds: float | None = None
    timeout_next_node_id: str | None = None
    next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the question, the check of answers, and every exit."""
        node, following = build.node, build.target(self.next_node_id, "next_node_id")
        options = self._options(build)
        several = SeveralOptions(self.multiple, options, self.variable, build) if self.multiple and options else None
        empty = self._empty(build)
        ask = self._asking(options, build)
        check = self._check(options, build)
        refuse = self._refusal(options, several, build)
        build.facts.validation = self.validation
        build.question(self.variable, self.question, "question")
        store = self._storing(build)
        timeout, most = self._timeout(build), self._most_attempts(build)
        wait_step, next_step = build.step("wait"), build.step("next", possible=self._accepts_more_than_options())
        invalid = build.step("invalid", possible=most != 1)
        begin: Say = ask if several is None else lambda run: ask(run, *several.begin(run))

        def wait(run: Execution) -> None:
            run.waiting = node
            run.due_at = None if timeout is None else run.context.now + timeout

        def enter(run: Execution) -> CompiledNode | None:
            if empty is not None and options is not None and not options.shown(run):
                run.path.append(empty[0])
                return empty[1]
            begin(run)
            run.path.append(wait_step)
            run.attempts = 0
            wait(run)
            return None

        refuse_tap = self._refusing_taps(ask, several, wait, build)
        late, give_up = self._late(build), self._giving_up(build)
        pick = self._picking(options, several, store, following, build)
        takes_taps = self.validation is not None and self.validation.type in ("any", "choice")

        def answer(run: Execution) -> CompiledNode | None:
            if pick is not None:
                target = pick(run)
                if target is not None:
                    return target
                if several is not None and run.path:  # it took a step, and more options can be chosen
                    wait(run)
                    return None
            if run.input.reply_id is not None and not takes_taps:
                return refuse_tap(run)
            value = check(run)
            if value is not REFUSED:
                store(run, value)
                run.path.append(next_step)
                return following
            if run.input.reply_id is not None:
                return refuse_tap(run)
            run.attempts += 1
            if most and run.attempts >= most:
                return give_up(run)
            run.path.append(invalid)
            refuse(run)
            wait(run)
            return None

        reactions = answers_by_emoji(self.reactions, options, build, options_only=not self._accepts_more_than_options())
        offered = (options.typed if options is not None else frozenset()) | choice_texts(self.validation)
        takes_opening = build.facts.silent_question and self.multiple is None
        enters = _taking_opening(enter, answer, node, options) if takes_opening else enter
        return NodeHandlers(
            enters, answer, late, offered=offered, reactions=reactions, accepts=_accepting(options, check)
        )

    def _storing(self, build: NodeBuild) -> Callable[[Execution, Any], None]:
        answers: Source = ValidatedAnswer(self.validation or Validation())
        if self.multiple is not None:
            answers = Constant([""]) if self.multiple.least else None
        return build.variable(self.variable, "variable", source=answers)

    def _most_attempts(self, build: NodeBuild) -> int:
        """The number of invalid answers that ends the question; 0: no number does."""
        most = self.max_attempts or 0
        if most < 0:
            build.problem("invalid_value", "max_attempts", "Enter a number of 1 or more, or leave it out.")
        return most

    def _refusing_taps(
        self, ask: Offer, several: SeveralOptions | None, wait: Callable[[Execution], None], build: NodeBuild
    ) -> Handler:
        """A function that answers a tap on a button of an older message."""
        takes_every_tap = self.validation is not None and self.validation.type == "any"
        text, step = build.built_in_text("stale_option"), build.step("stale", possible=not takes_every_tap)
        node_id = build.node_id

        def refuse_tap(run: Execution) -> CompiledNode | None:
            run.path.append(step)
            run.emit("stale_reply", node_id=node_id, reply_id=run.input.reply_id)
            run.say(text)
            ask(run, *(several.left_out(run) if several is not None else ()))
            wait(run)
            return None

        return refuse_tap

    def _giving_up(self, build: NodeBuild) -> Handler:
        """A function that continues after too many invalid answers."""
        target = build.optional_target(
            self.max_attempts_next_node_id, "max_attempts_next_node_id", "max_attempts", follows_next=False
        )
        possible = (self.max_attempts or 0) > 0
        node, step = build.node, build.step("max_attempts", possible=possible)
        text = build.built_in_text("attempts_exceeded")
        build.facts.stops = build.facts.stops or (possible and target is None)

        def give_up(run: Execution) -> CompiledNode | None:
            run.path.append(step)
            run.emit("attempts_exceeded", node_id=node.node_id, attempts=run.attempts)
            if target is not None:
                return target
            if run.stack and (go_on := run.abandoning("attempts_exceeded")) is not None:
                return go_on(run)
            run.say(text)
            run.stack.clear()
            return run.complete(node)

        return give_up

    def _late(self, build: NodeBuild) -> Handler | None:
        """A function that continues when the answer did not come in time; None: the question waits."""
        target = build.optional_target(self.timeout_next_node_id, "timeout_next_node_id", "timeout", follows_next=False)
        if self.timeout_seconds is None:
            return None
        node, step = build.node, build.step("timeout")
        build.facts.stops = build.facts.stops or target is None

        def timer(run: Execution) -> CompiledNode | None:
            run.path.append(step)
            run.emit("timed_out", node_id=node.node_id)
            if target is not None:
                return target
            if run.stack and (go_on := run.abandoning("timeout")) is not None:
                return go_on(run)
            run.stack.clear()
            return run.complete(node)

        return timer

    def _picking(
        self,
        options: Offering | None,
        several: SeveralOptions | None,
        store: Callable[[Execution, Any], None],
        following: CompiledNode,
        build: NodeBuild,
    ) -> Handler | None:
        """A function that takes an answer for one of the options. It takes a step, or none if the answer is not an option.

        It gives the node to enter next, or None if the node goes on waiting.
        """
        if options is None:
            return None
        if several is not None:
            return several.picking(store, following, build)
        if isinstance(options, ListOptions):
            step = build.step("option")
            build.facts.follows_next.append("option")
            build.facts.writes.append(
                Write(self.variable, "option", ValidatedAnswer(Validation(max_length=meta.ROW_ID)))
            )
            offered = options

            def pick_item(run: Execution) -> CompiledNode | None:
                choice = offered.match(run)
                if choice is None:
                    return None
                item = offered.item(run, choice)
                store(run, choice.value)
                offered.keep_item(run, item)
                run.path.append(step)
                return following

            return pick_item
        exits: dict[str, tuple[Step, CompiledNode]] = {}
        for choice in options.choices if isinstance(options, Options) else ():
            exits[choice.value] = build.step(f"button:{choice.value}"), choice.target or following
            source = Constant(choice.value) if "{{" not in choice.value else None
            build.facts.writes.append(Write(self.variable, f"button:{choice.value}", source))
        match = options.match

        def pick(run: Execution) -> CompiledNode | None:
            choice = match(run)
            if choice is None:
                return None
            store(run, choice.value)
            step, target = exits[choice.value]
            run.path.append(step)
            return target

        return pick

    def _asking(self, options: Offering | None, build: NodeBuild) -> Offer:
        text = self.question
        build.facts.says = bool((text and text.strip()) or self.media)
        build.facts.silent_question = not build.facts.says
        frame = compile_frame(self.header, self.footer, self.media, build)
        if options is not None:
            return offering(text, "question", options, frame, build, under_last_text=True)
        if self.validation is not None and self.validation.type == "location":
            return asking_for_place(text, "question", frame, build, under_last_text=True)
        return saying(text, "question", frame, build)

    def _accepts_more_than_options(self) -> bool:
        if not self.buttons and not self.options_from:
            return True
        return self.validation is not None and (self.validation.type != "choice" or bool(self.validation.choices))

    def _check(self, options: Offering | None, build: NodeBuild) -> Check:
        if self.validation is None:
            return (lambda _: REFUSED) if options is not None else compile_validation(Validation(), build)
        if self.validation.type == "choice" and options is None and not self.validation.choices:
            build.problem("missing_field", "validation.choices", "A `choice` needs `choices` or `buttons`. Add some.")
        return compile_validation(self.validation, build)

    def _refusal(self, options: Offering | None, several: SeveralOptions | None, build: NodeBuild) -> Say:
        """A function that answers an invalid answer: an error text, with the options if it is a built-in one."""
        validation = self.validation or Validation(type="choice" if options is not None else "text")
        own = build.say(validation.error_message, "validation.error_message")
        if own is not None:
            return own
        text = error_text(validation, build)
        if options is None:
            return lambda run: run.say(text(run))
        offered = options
        if several is not None:
            chosen = several.left_out
            return lambda run: offered.offer(run, text(run), None, None, *chosen(run))
        return lambda run: offered.offer(run, text(run))

    def _options(self, build: NodeBuild) -> Offering | None:
        more = 1 if self.multiple is not None else 0
        if self.buttons and self.options_from:
            message = "Options come from either `buttons` or `options_from`. Remove one of the two."
            build.problem("conflicting_fields", "options_from", message)
        if not self.buttons and not self.options_from:
            for name in ("multiple", "list_button"):
                if getattr(self, name):
                    message = f"`{name}` needs `buttons` or `options_from`. Add them, or remove `{name}`."
                    build.problem("missing_field", "buttons", message)
            return None
        if self.multiple is not None and (
            self.validation is not None or any(button.next_node_id for button in self.buttons or ())
        ):
            message = "With `multiple`, there is neither a `validation` nor a `next_node_id` of an option. Remove it."
            build.problem("conflicting_fields", "multiple", message)
        if self.multiple is not None and self.reactions:
            message = "A reaction gives one answer, so a question with `multiple` has no `reactions`. Remove them."
            build.problem("conflicting_fields", "reactions", message)
        if self.buttons:
            return Options(self.buttons, build, self.list_button, more=more)
        spec = self.options_from or OptionsFrom(list="")
        return ListOptions(spec, build, self.list_button, most=meta.LIST_ROWS - more)

    def _empty(self, build: NodeBuild) -> tuple[Step, CompiledNode] | None:
        """The exit that is taken at once when the list of the options is empty."""
        if self.options_from is None:
            return None
        target = build.target(self.options_from.empty_next_node_id, "options_from.empty_next_node_id", "empty")
        build.facts.passes.append("empty")
        return build.step("empty"), target

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


def _accepting(options: Offering | None, check: Check) -> Callable[[Execution], bool]:
    """A function that says whether the input is an answer."""
    return lambda run: (options is not None and options.match(run) is not None) or check(run) is not REFUSED


def _taking_opening(enter: Handler, answer: Handler, node: CompiledNode, options: Offering | None) -> Handler:
    """The entry of a question without a text: the answer to the template that opened the conversation answers it.

    What a quick reply of the template sends need not be the value of an option: then its label counts.
    """

    def take(run: Execution) -> CompiledNode | None:
        if not run.opening or run.messages:
            return enter(run)
        run.opening, run.attempts, run.at = False, 0, node
        if run.input.is_template_reply and (options is None or options.match(run) is None):
            run.input = structs.replace(run.input, type="text", reply_id=None)
        return answer(run)

    return take
