"""`docs/flow-reference.md`: everything a flow document can contain, generated from the structs that parse it."""

import inspect
import json
import re
import types
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from local.json_layout import lay_out
from pytake.engine import limits
from pytake.engine.commands import OPT_OUT, WEAK_OPT_OUT
from pytake.engine.conditions import FINDERS, MATCHES, OPERATORS, WORDS
from pytake.engine.document import RawDocument
from pytake.engine.events import EVENTS
from pytake.engine.field_types import Validation
from pytake.engine.filters import FILTERS, IN_SETTING, Setting
from pytake.engine.filters.dates import DATE_FILTERS
from pytake.engine.filters.lists import LIST_FILTERS
from pytake.engine.filters.numbers import NUMBER_FILTERS
from pytake.engine.filters.texts import TEXT_FILTERS
from pytake.engine.flow_commands import FlowCommand
from pytake.engine.migrations import FORMAT
from pytake.engine.registry import node_types, validators
from pytake.engine.template import Expression, parse_template
from pytake.engine.texts import LANGUAGES, built_in_texts
from pytake.engine.values import plain_text
from pytake.whatsapp import limits as meta

EXAMPLES = Path(__file__).with_name("node_examples.json")

# What each operator means, and an example; the engine computes its outcome.
_OPERATORS: dict[str, tuple[str, Any, Any]] = {
    "==": ("equals the value", " SIM", "sim"),
    "!=": ("does not equal the value", "5", 5),
    ">": ("is greater, or comes later in text order", 10, "9"),
    "<": ("is less, or comes earlier in text order", "apple", "banana"),
    ">=": ("is greater or equal", 5, 5),
    "<=": ("is less or equal", 5, 4),
    "in": ("is one of a list, or of a comma-separated text", "b", "a, b, c"),
    "not_in": ("is not one of them", "b", ["a", "c"]),
    "contains": ("contains the text, or the item if it is a list", "I want a refund", "REFUND"),
    "not_contains": ("does not contain it", "I want a refund", "invoice"),
    "starts_with": ("starts with the text", "A-1234", "a-"),
    "ends_with": ("ends with the text", "ana@example.com", ".com"),
    "is_empty": ("is missing, blank, or an empty list or object", "  ", None),
    "is_not_empty": ("is not empty", "x", None),
}
# A text in which the operators find a value of this kind.
_FOUND = {
    "number": ("We are 4.", "finds 4"),
    "phone": ("Call +55 11 98765-4321!", "finds +5511987654321"),
    "email": ("It is ana@example.com.", "finds ana@example.com"),
    "date": ("On 2026-12-31?", "finds 2026-12-31"),
}
_CART = [{"name": "Mug", "price": 12.5}, {"name": "Cup", "price": 8}]
# Filters see an English flow of an organization in UTC, on 22 November 2026.
_SETTING = Setting(1_795_348_800, "UTC", "BR", "en", plain_text)
_FILTER_KINDS = {"text": TEXT_FILTERS, "list": LIST_FILTERS, "number": NUMBER_FILTERS, "date": DATE_FILTERS}
_FILTERS: dict[str, tuple[Any, str]] = {
    "upper": ("maria", "upper"),
    "lower": ("MARIA", "lower"),
    "title": ("maria da silva", "title"),
    "capitalize": ("maria da silva", "capitalize"),
    "trim": ("  maria ", "trim"),
    "default": (None, 'default("friend")'),
    "first_name": ("Maria da Silva", "first_name"),
    "first": (["a", "b", "c"], "first"),
    "last": (["a", "b", "c"], "last"),
    "join": (["a", "b", "c"], 'join(" and ")'),
    "length": ("maria", "length"),
    "digits": ("(11) 98765-4321", "digits"),
    "replace": ("a-b-c", 'replace("-", "/")'),
    "truncate": ("a rather long text", "truncate(10)"),
    "word": ("the second word", "word(2)"),
    "words": ("one two three", "words"),
    "split": ("a; b; c", 'split(";")'),
    "slice": ("123.456.789-00", "slice(1, 3)"),
    "remove_first_word": ("order 12 mugs", "remove_first_word"),
    "url_encode": ("São Paulo", "url_encode"),
    "json": (["a", 2, True], "json"),
    "phone": ("+5511987654321", 'phone("national")'),
    "item": (["a", "b", "c"], "item(2)"),
    "map": (_CART, 'map("name")'),
    "sum": (_CART, 'sum("price")'),
    "min": (_CART, 'min("price")'),
    "max": ([3, 12, 5], "max"),
    "lines": (_CART, 'lines("{index}. {name}: {price:2}")'),
    "round": (3.14159, "round(2)"),
    "abs": (-5, "abs"),
    "number": ("1,234.50", "number"),
    "decimals": (12.5, "decimals(2)"),
    "amount": (1234.5, "amount(2)"),
    "date": ("2026-12-31T18:30:00Z", 'date("dddd, DD/MM/YYYY HH:mm")'),
    "add_time": ("2026-12-31", 'add_time("7 days")'),
    "days_until": ("2026-12-31", "days_until"),
}
_COMMANDS = {
    "restart": "starts the conversation again",
    "stop": "opts the person out: the conversation ends, and nothing more is sent from any number of the organization",
    "human": "hands the conversation over to a human agent",
}
_BUILT_INS = {
    "contact.name": "the name of the WhatsApp profile, or what `save_contact` saved as `name`",
    "contact.phone": "the phone number, such as +5511987654321",
    "contact.id": "the id of the person in WhatsApp",
    "contact.tags": "a list",
    "contact.language": "the contact's language, such as `pt_BR`, if it is known",
    "contact.FIELD": "what `save_contact` saved as `FIELD`",
    "input.text": "the typed text, or the label of the chosen option, or the emoji of a reaction",
    "input.type": "`text`, `reply`, `media`, `location`, `form`, `contacts`, `order`, `reaction`, `timeout`",
    "input.reply_id": "the value of the tapped button or row",
    "input.media_id": "the id of the file; also `input.media.type`, `.mime_type`, `.caption`, `.filename`",
    "input.message_id": "the id of the person's message, for `reply_to` and `reaction`",
    "input.order.items": "what an order holds; also `.count`, `.totals.BRL`, `.total`, `.currency`, `.catalog_id`, `.note`",
    "input.contacts.0.name": "a contact card; also `.phones`, `.emails`, `.organization`",
    "input.location.latitude": "also `.longitude`, `.name`, `.address`",
    "input.response.FIELD": "a field of a WhatsApp Flow's response",
    "now": "the time in the organization's time zone, such as 2026-12-31T18:30:00-03:00",
    "today": "the date there, such as 2026-12-31",
    "answers": "a list of the questions answered so far, each with its `name` (the variable), `question` and `value`",
    "constants.NAME": "a constant of the organization, from its settings (`PUT /api/v1/organization`)",
    "secrets.NAME": "a secret of the organization (`pytake secret put NAME`), only in an `api_call`",
}


def flow_reference() -> str:
    """The page."""
    examples = json.loads(EXAMPLES.read_bytes())
    parts = [
        "<!-- Generated by `make docs`. -->\n",
        "# The flow document\n",
        f"A flow is one JSON document of format {FORMAT}. Its JSON schema is `docs/flow.schema.json`. `docs/prover.md` lists "
        "what is checked before a flow is published.\n",
        "\n".join(_text(RawDocument).splitlines()[2:]) + "\n",
        _table(RawDocument),
        f"**`FlowCommand`**. {_one_line(_text(FlowCommand))}\n",
        _table(FlowCommand),
        'A node is `{"id", "type", "label"?, "position"?: {"x", "y"}, "data": {...}}`. A path that leads nowhere ends the flow. '
        "Types that a table names are described below it. `null` is the same as leaving a field out.\n",
        "## Node types\n",
        *(_node(name, kind, examples[name]) for name, kind in node_types().items()),
        "## Validation\n",
        _text(Validation) + "\n",
        _table(Validation),
        "| type | accepts |",
        "|---|---|",
        *(f"| `{name}` | {_one_line(inspect.getdoc(check) or '')} |" for name, check in sorted(validators().items())),
        "",
        *_conditions(),
        *_templates(),
        *_commands_and_texts(),
        *_limits(),
        "## Events\n",
        "What a turn reports besides its messages.\n",
        "| event | |",
        "|---|---|",
        *(f"| `{name}` | {meaning} |" for name, meaning in EVENTS.items()),
    ]
    return "\n".join(parts) + "\n"


def _node(name: str, kind: type[Struct], example: dict[str, Any]) -> str:
    shown = lay_out({"id": f"my_{name}", "type": name, "data": example})
    parts = [f"### {name}\n", _text(kind) + "\n", _table(kind)]
    for inner in _structs_in(kind):
        if inner is not Validation:
            parts += [f"`{_name(inner)}`: {_text(inner)}\n", _table(inner)]
    return "\n".join([*parts, f"```json\n{shown}\n```\n"])


def _table(kind: type[Struct]) -> str:
    """The fields of a struct: name, type, and the default."""
    lines = ["| field | type | default |", "|---|---|---|"]
    hints = typing.get_type_hints(kind)
    config = kind.__struct_config__
    if config.tag is not None:
        lines.append(f'| `{config.tag_field}` | `"{config.tag}"` | required |')
    for found in msgspec.structs.fields(kind):
        if found.required:
            otherwise = "required"
        else:
            default = found.default_factory() if found.default is msgspec.NODEFAULT else found.default
            otherwise = "" if default is None else f"`{json.dumps(default)}`"
        lines.append(f"| `{found.encode_name}` | {_type(hints[found.name])} | {otherwise} |")
    return "\n".join(lines) + "\n"


def _type(hint: Any) -> str:
    """A type in JSON terms."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type(one) for one in arguments if one is not type(None)))
    if origin is typing.Literal:
        return ", ".join(f"`{json.dumps(value)}`" for value in arguments)
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return "object" if arguments[1] is Any else f"object of {_type(arguments[1])}"
    if isinstance(hint, type) and issubclass(hint, Struct):
        return f"`{_name(hint)}`"
    return {str: "string", int: "integer", float: "number", bool: "boolean", Any: "any JSON"}.get(hint, str(hint))


def _name(kind: type[Struct]) -> str:
    tag = kind.__struct_config__.tag
    return str(tag) if tag is not None else kind.__name__


def _structs_in(kind: type[Struct]) -> Iterator[type[Struct]]:
    """The structs used in the fields of a struct, each once."""
    seen: list[type[Struct]] = []
    waiting: list[Any] = list(typing.get_type_hints(kind).values())
    while waiting:
        hint = waiting.pop(0)
        waiting += typing.get_args(hint)
        if isinstance(hint, type) and issubclass(hint, Struct) and hint not in seen:
            seen.append(hint)
            yield hint
            if hint is not Validation:
                waiting += typing.get_type_hints(hint).values()


def _text(kind: Any) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _conditions() -> Iterator[str]:
    yield "## Operators\n"
    yield (
        "Two numbers are compared as numbers, anything else as trimmed text, ignoring case. A missing variable is empty. "
        "`variable` is a name or a path such as `contact.name`. `value` may contain templates.\n"
    )
    yield "| operator | holds if the variable | example | |"
    yield "|---|---|---|---|"
    for name, test in OPERATORS.items():
        meaning, left, right = _OPERATORS[name]
        outcome = "holds" if test(left, right) else "does not hold"
        shown = f"`{json.dumps(left)} {name}{'' if right is None else ' ' + json.dumps(right)}`"
        yield f"| `{name}` | {meaning} | {shown} | {outcome} |"
    yield f'| `{MATCHES}` | contains a match of the pattern (RE2) | `"A-12" matches "^A-[0-9]+$"` | holds |'
    yield (
        f"| `{WORDS}` | contains one of these words or phrases (a list, or a text with commas) as whole words; accents make no "
        f'difference | `"Quero a Azul!" {WORDS} "azul, verde"` | holds |'
    )
    for name, kind in FINDERS.items():
        example, found = _FOUND[kind]
        yield f"| `{name}` | contains a value that the validation `{kind}` accepts | `{json.dumps(example)} {name}` | {found} |"
    yield (
        "\n`keep_as` stores what the last five found, in normalised form. Later comparisons of an `all` see it, and it stays "
        "only if the whole branch holds.\n"
    )


def _templates() -> Iterator[str]:
    yield "## Templates\n"
    yield (
        "`{{name}}` is replaced by the value of a variable, `{{order.items.0.title}}` by a part of it. A missing value is "
        "empty. A rendered value is not rendered again, whatever it contains. A text that is exactly one `{{...}}` keeps the "
        "type of its value where a value is stored or sent to an API.\n"
    )
    yield "| built-in value | |"
    yield "|---|---|"
    yield from (f"| `{{{{{name}}}}}` | {meaning} |" for name, meaning in _BUILT_INS.items())
    yield ""
    yield (
        "Between the braces you can calculate with `+ - * /` and parentheses: `{{(price - discount) * quantity}}`. "
        "Write spaces around `-`, because a name can contain one. Arithmetic is decimal: `0.1 + 0.2` is `0.3`, `10 "
        "/ 4` is `2.5`. Texts show numbers as the flow's language writes them: in `pt_BR` and `es`, `{{0.1 + 0.2}}` is "
        "shown as `0,3`. A text that is not a number, a missing value and a division by zero give an empty value "
        "and the event `calculation_failed`. A filter applies to the whole calculation before it; parentheses "
        "apply it to a part: `{{(discount | default(0)) + 5}}`. A quoted text is a value too. A variable named "
        "`now`, `today`, `answers` or `constants` hides the built-in value.\n"
    )
    yield (
        "Dates are texts such as `2026-12-31` or `2026-12-31T18:30:00-03:00`. `date` writes them with `YYYY`, "
        "`YY`, `MMMM` (December), `MMM`, `MM`, `M`, `DD`, `D`, `dddd` (Thursday), `ddd`, `HH`, `H`, `hh`, `h`, "
        "`mm`, `ss`, `A` (PM), `Z` and text in `[brackets]`. `add_time` takes seconds, minutes, hours, days, "
        "weeks, months and years, as in `-1 month 2 hours`; its amount and the position of `item` may be a "
        'variable: `{{now | add_time(delay, "days")}}`, `{{slots | item(choice)}}`. Positions count from 1.\n'
    )
    yield 'Filters follow a vertical bar and are applied in order: `{{contact.name | first_name | default("friend")}}`.\n'
    yield "| filter | for | example | result |"
    yield "|---|---|---|---|"
    for name in FILTERS:
        value, call = _FILTERS[name]
        (expression,) = parse_template("{{x | " + call + "}}")
        assert isinstance(expression, Expression)  # noqa: S101 - for the type checker
        result = value
        for apply, arguments in expression.filters:
            result = apply(result, *arguments, **({"at": _SETTING} if apply in IN_SETTING else {}))
        shown = plain_text(result).replace("\n", "⏎")
        kind = next(kind for kind, filters in _FILTER_KINDS.items() if name in filters)
        yield f"| `{name}` | {kind} | `{json.dumps(value, ensure_ascii=False)} \\| {call}` | `{shown}` |"
    yield ""


def _commands_and_texts() -> Iterator[str]:
    yield "## Commands\n"
    yield "Commands work at any point of any flow. Each number sets the words for them; case, accents and punctuation do not"
    yield "matter. The person types such a word, or taps a template's quick reply whose label or payload is one. A flow's own"
    yield "buttons and rows are never commands.\n"
    yield "| command | |"
    yield "|---|---|"
    yield from (f"| `{command}` | {meaning} |" for command, meaning in _COMMANDS.items())
    yield ""
    always, weak = (", ".join(f"`{word}`" for word in sorted(words)) for words in (OPT_OUT, WEAK_OPT_OUT))
    yield f"These words always mean `stop`; a number can add words, never remove one: {always}. So do {weak}, unless the"
    yield 'number gives them another meaning or the flow offers them as an answer. "Please" makes no difference.\n'
    yield "## Built-in texts\n"
    yield "The flow's `language` selects one of these. A flow's own text takes precedence.\n"
    yield f"| text | {' | '.join(LANGUAGES)} |"
    yield "|---|" + "---|" * len(LANGUAGES)
    for name, texts in built_in_texts().items():
        yield f"| `{name}` | {' | '.join(texts[language] for language in LANGUAGES)} |"
    yield ""


def _limits() -> Iterator[str]:
    yield "## Limits\n"
    yield "Limits of the engine:\n"
    yield from _constants(limits)
    yield "Limits of WhatsApp, in characters unless stated otherwise:\n"
    yield from _constants(meta)


def _constants(module: types.ModuleType) -> Iterable[str]:
    """A table of a module's constants and their comments."""
    yield "| limit | value | |"
    yield "|---|---|---|"
    for line in inspect.getsource(module).splitlines():
        found = re.match(r"([A-Z][A-Z_]+) = [^#]*(?:# (.*))?$", line)
        if found:
            yield f"| `{found[1]}` | {getattr(module, found[1])} | {found[2] or ''} |"
    yield ""
