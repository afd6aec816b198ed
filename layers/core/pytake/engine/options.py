"""Buttons and list rows: how options are offered, and how an answer is matched to one of them.

Up to 3 options become reply buttons; more options, sections or a text for the list's button make a list. The id that WhatsApp
knows is the option's `value`. A tap is matched by that id, a typed answer by value, label or position (`2`), ignoring case,
accents and spacing.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct, structs

from pytake.engine.conditions import Test, compile_comparison
from pytake.engine.execution import CompiledNode, Execution
from pytake.engine.facts import BranchCondition
from pytake.engine.field_types import Button, Comparison
from pytake.engine.node_build import NodeBuild
from pytake.engine.normalize import normalize_text
from pytake.engine.text_split import truncate
from pytake.whatsapp import limits as meta
from pytake.whatsapp.outbound import Button as WireButton
from pytake.whatsapp.outbound import MediaHeader, OptionList, OutboundMessage, ReplyButtons, Row

Header = Callable[[Execution], str | MediaHeader | None]


class Choice(Struct, frozen=True):
    """A possible answer: the value to store, the label people see, and the node it leads to if it has its own target."""

    value: str
    label: str
    target: CompiledNode | None = None


def matcher(choices: Sequence[Choice], build: NodeBuild | None = None, field: str = "") -> dict[str, Choice]:
    """Choices by every normalised text that selects them: values first, then labels, then positions. The first match wins.

    With `build`, reports texts that select two choices.
    """
    table: dict[str, Choice] = {}
    for kind in ("value", "label"):
        for choice in choices:
            key = normalize_text(choice.value if kind == "value" else choice.label)
            other = table.setdefault(key, choice)
            if other is not choice and build is not None:
                message = f"A typed answer cannot tell `{choice.label}` from `{other.label}`. Make them different."
                build.problem("ambiguous_option", field, message)
    for position, choice in enumerate(choices, 1):
        table.setdefault(str(position), choice)
    return table


DONE = "_done"
"""The id of the extra option that ends a choice of several options."""
_NOTHING: frozenset[str] = frozenset()


class Shown(Struct, frozen=True):
    """An option as it is offered in a turn."""

    choice: Choice
    title: str
    detail: str | None = None
    section: str | None = None


class Offering:
    """The options of one node. `typed` holds the normalized texts that always select one."""

    typed: frozenset[str] = frozenset()

    def __init__(self, build: NodeBuild, *, is_list: bool, list_button: str | None) -> None:
        self.is_list = is_list
        self.body_limit = meta.LIST_BODY if is_list else meta.INTERACTIVE_BODY
        self.label_limit = meta.ROW_TITLE if is_list else meta.BUTTON_TITLE
        build.limit(list_button, meta.LIST_BUTTON, "list_button", "The button of a list")
        self._list_button = build.rendering(list_button, "list_button") if list_button else None
        self._list_label = build.built_in_text("see_options")
        self._no_body = build.built_in_text("choose_option")

    def shown(self, run: Execution) -> list[Shown]:
        """The options of this turn."""
        raise NotImplementedError

    def fixed(self, body: str) -> OutboundMessage | None:
        """The message with this body if it is the same in every turn; None otherwise."""
        del body
        return None

    def match(self, run: Execution, without: AbstractSet[str] = _NOTHING) -> Choice | None:
        """The choice that the input selects. A tap is matched by its id only, a typed text by its content."""
        answer = run.input
        if answer.reply_id is not None:
            ids = {one.choice.value: one.choice for one in self._left(run, without)}
            chosen = ids.get(answer.reply_id) or ids.get(answer.reply_id.strip())
            if chosen is not None and not answer.text:
                run.input = structs.replace(answer, text=chosen.label)  # `{{input.text}}` is the chosen label
            return chosen
        return self.find(run, answer.text, without) if answer.type == "text" else None

    def find(self, run: Execution, text: str, without: AbstractSet[str] = _NOTHING) -> Choice | None:
        """The choice that a typed text selects: by value, label or position."""
        left = self._left(run, without)
        found = next((one.choice for one in left if one.choice.value == text), None)
        if found is not None:
            return found
        choices = {one.choice.value: one.choice for one in left}
        table = matcher([structs.replace(one.choice, label=one.title) for one in left])
        selected = table.get(normalize_text(text))
        return None if selected is None else choices[selected.value]

    def _left(self, run: Execution, without: AbstractSet[str]) -> list[Shown]:
        found = self.shown(run)
        return [one for one in found if one.choice.value not in without] if without else found

    def offer(
        self,
        run: Execution,
        body: str,
        header: str | MediaHeader | None = None,
        footer: str | None = None,
        without: AbstractSet[str] = _NOTHING,
        extra: str | None = None,
    ) -> None:
        """Send the options under this body, except those in `without`, and `extra`, the title of the option DONE.

        A list cannot have media as its header; the caller sends that before.
        """
        found = self._left(run, without)
        self._send(run, body, header, footer, [*found, Shown(Choice(DONE, extra), extra)] if extra else found)

    def _send(
        self, run: Execution, body: str, header: str | MediaHeader | None, footer: str | None, found: list[Shown]
    ) -> None:
        text = run.body(body if body.strip() else self._no_body, self.body_limit, merge=not header)
        if not found:  # the list was emptied while the person thought; Meta refuses a message without options
            run.say(text)
        elif self.is_list:
            above = found[-2].section if len(found) > 1 else None  # the section of the option before DONE
            rows = [
                Row(one.choice.value, one.title, one.detail, above if one.choice.value == DONE else one.section)
                for one in found
            ]
            label = truncate(self._list_button(run).strip(), meta.LIST_BUTTON) if self._list_button else ""
            top = header if isinstance(header, str) and header else None
            run.send(OptionList(text, label or self._list_label, rows, top, footer or None))
        else:
            buttons = [WireButton(one.choice.value, one.title) for one in found]
            run.send(ReplyButtons(text, buttons, header or None, footer or None))


def unique_titles(labels: Sequence[str], limit: int) -> list[str]:
    """The labels within a limit and without duplicates, because Meta rejects two options with the same title."""
    titles: list[str] = []
    for position, label in enumerate(labels, 1):
        title = truncate(" ".join(label.split()) or str(position), limit)
        plain, mark = title, ""
        while title in titles:
            mark += f" {position}"
            title = truncate(plain, limit - len(mark)) + mark
        titles.append(title)
    return titles


class Options(Offering):
    """The compiled buttons of one node. `more` is the number of options that a choice of several adds."""

    def __init__(
        self, buttons: Sequence[Button], build: NodeBuild, list_button: str | None = None, *, more: int = 0
    ) -> None:
        sections = [button.section for button in buttons]
        is_list = len(buttons) + more > meta.BUTTONS or bool(list_button) or any(sections)
        super().__init__(build, is_list=is_list, list_button=list_button)
        field = "buttons"
        self._build = build
        if len(buttons) + more > meta.LIST_ROWS:
            message = (
                f"WhatsApp shows at most {meta.LIST_ROWS} options; there are {len(buttons) + more}. Split the question."
            )
            build.problem("too_many", field, message)
        if any(sections) and not all(sections):
            message = "Some options have a `section` and others have none. Give each option of the list one."
            build.problem(
                "missing_field", f"{field}[{sections.index(None) if None in sections else 0}].section", message
            )
        self._labels = [self._label(button, f"{field}[{index}]") for index, button in enumerate(buttons)]
        self._descriptions = [
            build.rendering(button.description, f"{field}[{index}].description") if button.description else None
            for index, button in enumerate(buttons)
        ]
        self._sections = [
            build.rendering(button.section, f"{field}[{index}].section") if button.section else None
            for index, button in enumerate(buttons)
        ]
        self._tests = [self._test(button.show_if, f"{field}[{index}].show_if") for index, button in enumerate(buttons)]
        self.choices = [
            Choice(
                button.value or button.label,
                button.label,
                build.optional_target(
                    button.next_node_id, f"{field}[{index}].next_node_id", f"button:{button.value or button.label}"
                ),
            )
            for index, button in enumerate(buttons)
        ]
        self._by_id = {choice.value: choice for choice in self.choices}
        self._dynamic = any(not isinstance(label, str) for label in self._labels) or any(self._descriptions)
        self._dynamic = self._dynamic or any(self._tests) or any(self._sections)
        self._table = matcher(self.choices, build, field)
        self.typed = frozenset(self._table)
        self._check(field)
        self._conditions(buttons, field)
        self._rows: list[Row] = []
        self._buttons: list[WireButton] = []
        if not self._dynamic:
            self._rows = [Row(c.value, c.label) for c in self.choices] if self.is_list else []
            self._buttons = [] if self.is_list else [WireButton(c.value, c.label) for c in self.choices]

    def _label(self, button: Button, field: str) -> str | Callable[[Execution], str]:
        what = "A list row" if self.is_list else "A button's label"
        self._build.limit(button.label, self.label_limit, f"{field}.label", what)
        self._build.limit(button.description, meta.ROW_DESCRIPTION, f"{field}.description", "A description")
        self._build.limit(button.section, meta.ROW_TITLE, f"{field}.section", "The title of a section")
        label = self._build.template(button.label, f"{field}.label")
        if isinstance(label, str) and not label.strip():
            self._build.problem("invalid_value", f"{field}.label", "The label is empty. Enter one.")
        return label

    def _test(self, show_if: Comparison | None, field: str) -> Test | None:
        if show_if is not None and show_if.keep_as:
            message = "An option is shown or not, and nothing is kept. Use `keep_as` in a condition; remove it here."
            self._build.problem("conflicting_fields", f"{field}.keep_as", message)
        return compile_comparison(show_if, self._build, field) if show_if is not None else None

    def _conditions(self, buttons: Sequence[Button], field: str) -> None:
        if all(button.show_if is not None for button in buttons):
            message = "Every option has a `show_if`. If none of them holds, all options are offered. Leave one option without it."
            self._build.problem("options_all_conditional", field, message)
            return
        for index, (button, choice) in enumerate(zip(buttons, self.choices, strict=True)):
            if button.show_if is not None:
                condition = BranchCondition(f"button:{choice.value}", f"{field}[{index}].show_if", [button.show_if])
                self._build.facts.shown_if[condition.exit] = condition

    def _check(self, field: str) -> None:
        id_limit = meta.ROW_ID if self.is_list else meta.BUTTON_ID
        values: set[str] = set()
        labels: set[str] = set()
        for index, choice in enumerate(self.choices):
            option = f"{field}[{index}]"
            if len(choice.value) > id_limit:
                message = f"A value may have {id_limit} characters; this one has {len(choice.value)}. Shorten it."
                self._build.problem("too_long", f"{option}.value", message, id_limit)
            if choice.value in values:
                message = f"Two options have the value `{choice.value}`. Give each option its own value."
                self._build.problem("duplicate_value", f"{option}.value", message)
            elif choice.label in labels:
                message = f"Two options have the label `{choice.label}`. Give each option its own label."
                self._build.problem("duplicate_label", f"{option}.label", message)
            values.add(choice.value)
            labels.add(choice.label)

    def match(self, run: Execution, without: AbstractSet[str] = _NOTHING) -> Choice | None:
        if self._dynamic or without:
            return super().match(run, without)
        answer = run.input
        if answer.reply_id is not None:
            chosen = self._by_id.get(answer.reply_id) or self._by_id.get(answer.reply_id.strip())
            if chosen is not None and not answer.text:
                run.input = structs.replace(answer, text=chosen.label)  # `{{input.text}}` is the chosen label
            return chosen
        if answer.type != "text":
            return None
        return self._by_id.get(answer.text) or self._table.get(normalize_text(answer.text))

    def shown(self, run: Execution) -> list[Shown]:
        titles = unique_titles([one if isinstance(one, str) else one(run) for one in self._labels], self.label_limit)
        found = [
            Shown(
                choice,
                title,
                truncate(text, meta.ROW_DESCRIPTION) if detail and (text := detail(run).strip()) else None,
                truncate(section(run).strip(), meta.ROW_TITLE) or None if section else None,
            )
            for choice, title, detail, section in zip(
                self.choices, titles, self._descriptions, self._sections, strict=True
            )
        ]
        if not any(self._tests):
            return found
        kept = [one for one, test in zip(found, self._tests, strict=True) if test is None or test(run)]
        return kept or found

    def fixed(self, body: str) -> OutboundMessage | None:
        if self._dynamic or self._list_button is not None or not body.strip() or len(body) > self.body_limit:
            return None
        if self.is_list:
            return OptionList(body, self._list_label, self._rows)
        return ReplyButtons(body, self._buttons)

    def offer(
        self,
        run: Execution,
        body: str,
        header: str | MediaHeader | None = None,
        footer: str | None = None,
        without: AbstractSet[str] = _NOTHING,
        extra: str | None = None,
    ) -> None:
        if self._dynamic or without or extra or self._list_button is not None:
            super().offer(run, body, header, footer, without, extra)
            return
        text = run.body(body if body.strip() else self._no_body, self.body_limit, merge=not header)
        if self.is_list:
            top = header if isinstance(header, str) and header else None
            run.send(OptionList(text, self._list_label, self._rows, top, footer or None))
        else:
            run.send(ReplyButtons(text, self._buttons, header or None, footer or None))
