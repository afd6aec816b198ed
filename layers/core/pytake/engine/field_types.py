"""Structs that several node types use in their data. They only describe a document; compiling them happens elsewhere."""

from typing import Any

from msgspec import Struct


class Comparison(Struct, kw_only=True, forbid_unknown_fields=True):
    """One comparison: `variable` (a name or a path such as `contact.name`), `operator`, `value` (may contain templates).

    `keep_as` stores what `has_words`, `has_number`, `has_phone`, `has_email` or `has_date` found in this variable.
    """

    variable: str
    operator: str
    value: Any = None
    keep_as: str | None = None


class Button(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An option: `label` is shown, `value` is stored (the label when left out), `next_node_id` is where it leads.

    `description` and `section` (the title above it) appear in lists. With `show_if`, the option is offered only if the
    comparison holds; if it holds for none of a node's options, all are offered.
    """

    label: str
    value: str | None = None
    next_node_id: str | None = None
    description: str | None = None
    section: str | None = None
    show_if: Comparison | None = None


class ChoiceSpec(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A choice with a label: `value` is stored, `label` is what people type."""

    value: str
    label: str | None = None


class Validation(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`type` selects the validator, the other fields configure it. `error_message` replaces the built-in error text.

    `find` takes the value out of a sentence: of `It is 41, thanks` the number 41. It works for `number`, `date`, `email`,
    `phone` and `choice`; an answer that is only the value counts too. `integer` is for a `number` that must be whole.
    """

    type: str = "text"
    min_length: int | None = None
    max_length: int | None = None
    min: float | str | None = None
    max: float | str | None = None
    choices: list[str | ChoiceSpec] | None = None
    pattern: str | None = None
    country: str | None = None
    error_message: str | None = None
    integer: bool = False
    find: bool = False
