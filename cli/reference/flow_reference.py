"""`docs/flow-reference.md`: everything a flow document may hold, from the classes that read it."""

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

from pytake.engine import limits
from pytake.engine.conditions import MATCHES, OPERATORS
from pytake.engine.document import RawDocument
from pytake.engine.events import EVENTS
from pytake.engine.field_types import Validation
from pytake.engine.migrations import FORMAT
from pytake.engine.registry import node_types, validators
from pytake.engine.template import Expression, parse_template
from pytake.engine.texts import LANGUAGES, built_in_texts
from pytake.engine.values import plain_text
from pytake.whatsapp import limits as meta

_EXAMPLES = Path(__file__).with_name("node_examples.json")

# What each operator says, and a comparison that shows it; the outcome is worked out by the engine.
_OPERATORS: dict[str, tuple[str, Any, Any]] = {
    "==": ("is the same", " SIM", "sim"),
    "!=": ("is not the same", "5", 5),
    ">": ("is larger, or comes later as text", 10, "9"),
    "<": ("is smaller, or comes earlier as text", "apple", "banana"),
    ">=": ("is larger or the same", 5, 5),
    "<=": ("is smaller or the same", 5, 4),
    "in": ("is one of a list, or of a text with commas", "b", "a, b, c"),
    "not_in": ("is none of them", "b", ["a", "c"]),
    "contains": ("has the text in it, or the item when it is a list", "I want a refund", "REFUND"),
    "not_contains": ("has it not", "I want a refund", "invoice"),
    "starts_with": ("begins with the text", "A-1234", "a-"),
    "ends_with": ("ends with the text", "ana@example.com", ".com"),
    "is_empty": ("is missing, blank, or has nothing in it", "  ", None),
    "is_not_empty": ("is there and is not blank", "x", None),
}
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
    "round": (3.14159, "round(2)"),
    "truncate": ("a rather long text", "truncate(10)"),
}
_WORDS = {
    "restart": "begins the conversation anew",
    "stop": "opts out: nothing more is sent, and the conversation is over",
    "human": "hands the conversation to a person",
}
_BUILT_INS = {
    "contact.name": "the name of the profile, or what `save_contact` saved as `name`",
    "contact.phone": "the number, as +5511987654321",
    "contact.id": "what identifies the person to WhatsApp",
    "contact.tags": "a list",
    "contact.FIELD": "whatever `save_contact` saved",
    "input.text": "what was typed, or the label that was chosen",
    "input.type": "`text`, `reply`, `media`, `location`, `form`, `contacts`, `order`, `timeout`",
    "input.reply_id": "the value of the button or row that was tapped",
    "input.media_id": "the id of the file; also `input.media.type`, `.mime_type`, `.caption`, `.filename`",
    "input.location.latitude": "also `.longitude`, `.name`, `.address`",
    "input.response.FIELD": "what a WhatsApp Flow sent in",
    "secrets.NAME": "a secret of the organization (`pytake secret put NAME`), in an `api_call` only",
}


def flow_reference() -> str:
    """The page."""
    examples = json.loads(_EXAMPLES.read_bytes())
    parts = [
        "<!-- Made from the code by `make docs`. -->\n",
        "# The flow document\n",
        f"A flow is one JSON document of format {FORMAT}. `docs/flow.schema.json` is its JSON schema, `docs/prover.md` what is "
        "checked before it is published.\n",
        "\n".join(_text(RawDocument).splitlines()[2:]) + "\n",
        _table(RawDocument),
        'A node is `{"id", "type", "label"?, "data": {...}}`. A path that leads nowhere ends the flow. Where a field of '
        "another type is named, it is described below the table. `null` is the same as leaving a field out.\n",
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
        *_words_and_texts(),
        *_limits(),
        "## Events\n",
        "What a turn tells the outside world, besides its messages.\n",
        "| event | |",
        "|---|---|",
        *(f"| `{name}` | {meaning} |" for name, meaning in EVENTS.items()),
    ]
    return "\n".join(parts) + "\n"


def _node(name: str, kind: type[Struct], example: dict[str, Any]) -> str:
    shown = json.dumps({"id": f"my_{name}", "type": name, "data": example}, indent=2, ensure_ascii=False)
    parts = [f"### {name}\n", _text(kind) + "\n", _table(kind)]
    for inner in _structs_in(kind):
        if inner is not Validation:
            parts += [f"`{_name(inner)}`: {_text(inner)}\n", _table(inner)]
    return "\n".join([*parts, f"```json\n{shown}\n```\n"])


def _table(kind: type[Struct]) -> str:
    """The fields of a class: name, type, and what holds when they are left out."""
    lines = ["| field | type | left out |", "|---|---|---|"]
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
    """A type in the words of JSON."""
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
    return {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any JSON"}.get(
        hint, str(hint)
    )


def _name(kind: type[Struct]) -> str:
    tag = kind.__struct_config__.tag
    return str(tag) if tag is not None else kind.__name__


def _structs_in(kind: type[Struct]) -> Iterator[type[Struct]]:
    """The classes that the fields of a class are made of, each once."""
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
        "Two numeric sides compare as numbers, otherwise as trimmed text whatever its case. A missing variable is empty. "
        "`variable` is a name or a path such as `contact.name`; templates work in `value`.\n"
    )
    yield "| operator | holds when the variable | for instance | |"
    yield "|---|---|---|---|"
    for name, test in OPERATORS.items():
        words, left, right = _OPERATORS[name]
        outcome = "holds" if test(left, right) else "does not hold"
        shown = f"`{json.dumps(left)} {name}{'' if right is None else ' ' + json.dumps(right)}`"
        yield f"| `{name}` | {words} | {shown} | {outcome} |"
    yield f'| `{MATCHES}` | has a place that matches the pattern (RE2) | `"A-12" matches "^A-[0-9]+$"` | holds |\n'


def _templates() -> Iterator[str]:
    from pytake.engine.filters import FILTERS

    yield "## Templates\n"
    yield (
        "`{{name}}` stands for a variable, `{{order.items.0.title}}` for a part of one. A missing value is empty. A value is "
        "never rendered again, whatever it contains. A text that is exactly one `{{...}}` keeps the type of its value where a "
        "value is stored or sent to an API.\n"
    )
    yield "| built in | |"
    yield "|---|---|"
    yield from (f"| `{{{{{name}}}}}` | {meaning} |" for name, meaning in _BUILT_INS.items())
    yield ""
    yield 'Filters follow a bar, one after the other: `{{contact.name | first_name | default("friend")}}`.\n'
    yield "| filter | for instance | gives |"
    yield "|---|---|---|"
    for name in FILTERS:
        value, call = _FILTERS[name]
        (expression,) = parse_template("{{x | " + call + "}}")
        assert isinstance(expression, Expression)  # noqa: S101 - for the type checker
        result = value
        for apply, arguments in expression.filters:
            result = apply(result, *arguments)
        yield f"| `{name}` | `{json.dumps(value, ensure_ascii=False)} \\| {call}` | `{plain_text(result)}` |"
    yield ""


def _words_and_texts() -> Iterator[str]:
    yield "## Words that always work\n"
    yield "Each number says which words mean what; they are compared whatever their case, accents and punctuation. The person"
    yield "types one, or taps a quick reply of a template whose label or payload is one. A tap on a flow's own button or row"
    yield "means what the flow says.\n"
    yield "| meaning | |"
    yield "|---|---|"
    yield from (f"| `{word}` | {meaning} |" for word, meaning in _WORDS.items())
    yield ""
    yield "## Built-in texts\n"
    yield "The flow's `language` picks one of these; a flow's own text always wins.\n"
    yield f"| text | {' | '.join(LANGUAGES)} |"
    yield "|---|" + "---|" * len(LANGUAGES)
    for name, texts in built_in_texts().items():
        yield f"| `{name}` | {' | '.join(texts[language] for language in LANGUAGES)} |"
    yield ""


def _limits() -> Iterator[str]:
    yield "## Limits\n"
    yield "The engine's own:\n"
    yield from _constants(limits)
    yield "WhatsApp's, in characters unless it says otherwise:\n"
    yield from _constants(meta)


def _constants(module: types.ModuleType) -> Iterable[str]:
    """The constants of a module, with the comments beside them."""
    yield "| limit | value | |"
    yield "|---|---|---|"
    for line in inspect.getsource(module).splitlines():
        found = re.match(r"([A-Z][A-Z_]+) = [^#]*(?:# (.*))?$", line)
        if found:
            yield f"| `{found[1]}` | {getattr(module, found[1])} | {found[2] or ''} |"
    yield ""
