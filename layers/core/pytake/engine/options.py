"""Buttons and list rows: how options are offered, and how an answer is matched to one of them.

Up to 3 options become reply buttons, 4 to 10 a list. The id that WhatsApp knows is the option's `value`. A tap is matched by
that id, a typed answer by value, label or position (`2`), ignoring case, accents and spacing.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from pytake.engine.execution import CompiledNode, Execution
from pytake.engine.field_types import Button
from pytake.engine.node_build import NodeBuild
from pytake.engine.normalize import normalize_text
from pytake.engine.text_split import truncate
from pytake.whatsapp import limits as meta
from pytake.whatsapp.input import Input
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


class Options:
    """The compiled options of one node."""

    def __init__(self, buttons: Sequence[Button], build: NodeBuild, field: str = "buttons") -> None:
        self._build = build
        self._is_list = len(buttons) > meta.BUTTONS
        self._label_limit = meta.ROW_TITLE if self._is_list else meta.BUTTON_TITLE
        self.body_limit = meta.LIST_BODY if self._is_list else meta.INTERACTIVE_BODY
        if len(buttons) > meta.LIST_ROWS:
            message = f"WhatsApp shows at most {meta.LIST_ROWS} options; there are {len(buttons)}. Split the question."
            build.problem("too_many", field, message)
        self._labels = [self._label(button, f"{field}[{index}]") for index, button in enumerate(buttons)]
        self._descriptions = [
            build.rendering(button.description, f"{field}[{index}].description") if button.description else None
            for index, button in enumerate(buttons)
        ]
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
        self._table = matcher(self.choices, build, field)
        self.typed = frozenset(self._table)
        self._list_label = build.built_in_text("see_options")
        self._no_body = build.built_in_text("choose_option")
        self._check(field)
        self._rows: list[Row] = []
        self._buttons: list[WireButton] = []
        if not self._dynamic:
            self._rows = [Row(c.value, c.label) for c in self.choices] if self._is_list else []
            self._buttons = [] if self._is_list else [WireButton(c.value, c.label) for c in self.choices]

    def _label(self, button: Button, field: str) -> str | Callable[[Execution], str]:
        what = "A list row" if self._is_list else "A button's label"
        self._build.limit(button.label, self._label_limit, f"{field}.label", what)
        self._build.limit(button.description, meta.ROW_DESCRIPTION, f"{field}.description", "A description")
        label = self._build.template(button.label, f"{field}.label")
        if isinstance(label, str) and not label.strip():
            self._build.problem("invalid_value", f"{field}.label", "The label is empty. Enter one.")
        return label

    def _check(self, field: str) -> None:
        id_limit = meta.ROW_ID if self._is_list else meta.BUTTON_ID
        values: set[str] = set()
        labels: set[str] = set()
        for index, choice in enumerate(self.choices):
            option = f"{field}[{index}]"
            if len(choice.value) > id_limit:
                message = f"A value may have {id_limit} characters; this one has {len(choice.value)}. Shorten it."
                self._build.problem("too_long", f"{option}.value", message)
            if choice.value in values:
                message = f"Two options have the value `{choice.value}`. Give each option its own value."
                self._build.problem("duplicate_value", f"{option}.value", message)
            elif choice.label in labels:
                message = f"Two options have the label `{choice.label}`. Give each option its own label."
                self._build.problem("duplicate_label", f"{option}.label", message)
            values.add(choice.value)
            labels.add(choice.label)

    def match(self, run: Execution) -> Choice | None:
        """The choice that the input selects. A tap is matched by its id only, a typed text by its content."""
        answer: Input = run.input
        if answer.reply_id is not None:
            chosen = self._by_id.get(answer.reply_id) or self._by_id.get(answer.reply_id.strip())
            if chosen is not None and not answer.text:
                run.input = structs.replace(answer, text=chosen.label)  # `{{input.text}}` is the chosen label
            return chosen
        if answer.type != "text":
            return None
        found = self._by_id.get(answer.text)
        if found is not None:
            return found
        table = self._table
        if self._dynamic:
            titles = self._titles(run)
            table = matcher([Choice(c.value, title, c.target) for c, title in zip(self.choices, titles, strict=True)])
        return table.get(normalize_text(answer.text))

    def _titles(self, run: Execution) -> list[str]:
        titles: list[str] = []
        for position, label in enumerate(self._labels, 1):
            title = label if isinstance(label, str) else label(run)
            title = truncate(" ".join(title.split()) or str(position), self._label_limit)
            plain, mark = title, ""
            while title in titles:  # Meta rejects two options with the same title
                mark += f" {position}"
                title = truncate(plain, self._label_limit - len(mark)) + mark
            titles.append(title)
        return titles

    def fixed(self, body: str) -> OutboundMessage | None:
        """The message with this body if it is the same in every turn; None otherwise."""
        if self._dynamic or not body.strip() or len(body) > self.body_limit:
            return None
        if self._is_list:
            return OptionList(body, self._list_label, self._rows)
        return ReplyButtons(body, self._buttons)

    def offer(
        self, run: Execution, body: str, header: str | MediaHeader | None = None, footer: str | None = None
    ) -> None:
        """Send the options under this body. A list cannot have media as its header; the caller sends that before."""
        header = header or None
        footer = footer or None
        text = run.body(body if body.strip() else self._no_body, self.body_limit, merge=header is None)
        rows, buttons = self._rows, self._buttons
        if self._dynamic:
            titles = self._titles(run)
            if self._is_list:
                details = [detail(run) if detail else None for detail in self._descriptions]
                rows = [
                    Row(choice.value, title, truncate(detail, meta.ROW_DESCRIPTION) if detail else None)
                    for choice, title, detail in zip(self.choices, titles, details, strict=True)
                ]
            else:
                buttons = [WireButton(c.value, title) for c, title in zip(self.choices, titles, strict=True)]
        if self._is_list:
            run.send(OptionList(text, self._list_label, rows, header if isinstance(header, str) else None, footer))
        else:
            run.send(ReplyButtons(text, buttons, header, footer))
