"""Templates such as `Hello {{contact.name | first_name | default("friend")}}!`: parsed once, rendered in one pass.

A rendered value is never rendered again, whatever it contains. A missing value is rendered as an empty text.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from msgspec import Struct, structs

from pytake.engine.calculation import Operator
from pytake.engine.filters import FILTERS
from pytake.engine.limits import EXPRESSION_PARTS

NAMESPACES = ("contact", "input", "secrets")
BUILT_IN_VALUES = ("now", "today", "answers", "constants")
"""Built-in values that a variable of the same name hides."""

Filters = tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...]
_NESTING = 20  # the deepest nesting of parentheses
_LEXEME = (
    r"\s*(?:(?P<text>\"[^\"]*\"|'[^']*'|“[^”]*”)|(?P<number>\d+(?:\.\d+)?)(?![\w.\[])"
    r"|(?P<path>[^\W\d](?:[\w-]*\w)?(?:\.(?:[\w-]*\w)|\[\w+\])*)|(?P<mark>[-+*/()]))"
)


class TemplateError(ValueError):
    """A template is invalid; the message says why."""


class Expression(Struct, frozen=True):
    """The value at a path, and the filters applied to it. An argument of a filter may be an expression too."""

    path: tuple[str, ...]
    filters: Filters = ()


class Literal(Struct, frozen=True):
    """A number or a text written in an expression."""

    value: Any
    filters: Filters = ()


class Calculation(Struct, frozen=True):
    """An arithmetic operation on two terms."""

    operator: Operator
    left: "Term"
    right: "Term"
    filters: Filters = ()


Term = Expression | Literal | Calculation
"""The content of a `{{...}}`."""


def paths_in(term: Term) -> Iterator[Expression]:
    """Every value that a term reads, in order."""
    if isinstance(term, Calculation):
        yield from paths_in(term.left)
        yield from paths_in(term.right)
    elif isinstance(term, Expression):
        yield term
    for _, arguments in term.filters:
        yield from (argument for argument in arguments if isinstance(argument, Expression))


def parse_template(text: str) -> list[str | Term]:
    """The literal texts and the expressions of a template, in order. Raises TemplateError."""
    parts: list[str | Term] = []
    position = 0
    while True:
        start = text.find("{{", position)
        end = _closing(text, start + 2) if start >= 0 else -1
        if end < 0:
            if position < len(text):
                parts.append(text[position:])
            return parts
        if start > position:
            parts.append(text[position:start])
        parts.append(parse_expression(text[start + 2 : end]))
        position = end + 2


def is_unclosed(text: str) -> bool:
    """Whether the text contains a `{{` without a matching `}}`, which is shown as it is."""
    start = text.rfind("{{")
    return start >= 0 and _closing(text, start + 2) < 0


def is_name(text: str) -> bool:
    """Whether a text is a valid part of a path: letters, digits, `_` and `-`."""
    return bool(text) and all(c.isalnum() or c in "_-" for c in text)


def parse_path(text: str) -> tuple[str, ...]:
    """A path such as `order.items.0.title` or `items[0].title`. Raises TemplateError."""
    path = tuple(text.strip().replace("[", ".").replace("]", "").split("."))
    if not all(map(is_name, path)):
        raise TemplateError(f"`{text.strip()}` is not a valid name; use letters, digits and _, separated by dots")
    return path


def parse_expression(text: str, nesting: int = 0) -> Term:
    """Parse the content of a `{{...}}`. Raises TemplateError."""
    head, *tails = _split(text, "|")
    if not head.strip():
        raise TemplateError("`{{}}` is empty; write the name of a variable between the braces")
    term = _term(head, nesting, filtered=bool(tails))
    filters = tuple(_filter(tail.strip()) for tail in tails)
    return structs.replace(term, filters=term.filters + filters) if filters else term


def _term(text: str, nesting: int, *, filtered: bool) -> Term:
    """A path, or an expression with arithmetic.

    `{{5}}` alone is a name, as it always was; `{{(5)}}` is the number, and so is a decimal number with a filter.
    """
    if text.strip()[:1].isdigit() and (nesting or (filtered and _is_decimal(text.strip()))):
        return _Arithmetic(text, nesting).parse()
    try:
        return Expression(parse_path(text))
    except TemplateError:
        if not any(mark in text for mark in "+-*/()\"'“"):
            raise
    return _Arithmetic(text, nesting).parse()


def _is_decimal(text: str) -> bool:
    whole, point, decimals = text.partition(".")
    return bool(point) and whole.isdecimal() and decimals.isdecimal()


class _Arithmetic:
    """The parser of an expression with numbers, texts, names, parentheses and `+ - * /`."""

    def __init__(self, text: str, nesting: int) -> None:
        if nesting > _NESTING:
            raise TemplateError(f"parentheses are nested more than {_NESTING} levels deep")
        self._text, self._position, self._nesting, self._parts = text.strip(), 0, nesting, 0
        self._lexeme = re.compile(_LEXEME).match

    def parse(self) -> Term:
        term = self._sum()
        if self._position < len(self._text):
            raise self._error()
        return term

    def _sum(self) -> Term:
        term = self._product()
        while operator := self._take("+", "-"):
            term = Calculation(cast("Operator", operator), term, self._product())
        return term

    def _product(self) -> Term:
        term = self._operand()
        while operator := self._take("*", "/"):
            term = Calculation(cast("Operator", operator), term, self._operand())
        return term

    def _operand(self) -> Term:
        if self._take("-"):
            found = self._operand()
            if isinstance(found, Literal) and isinstance(found.value, int | float):
                return Literal(-found.value, found.filters)
            return Calculation("-", Literal(0), found)
        if self._take("("):
            begin, self._position = self._position, _closing_parenthesis(self._text, self._position) + 1
            if not self._position:
                raise TemplateError(f"`{self._text}` has no closing parenthesis")
            return parse_expression(self._text[begin : self._position - 1], self._nesting + 1)
        lexeme = self._next()
        if lexeme is None or lexeme.lastgroup == "mark":
            raise self._error()
        self._position = lexeme.end()
        match lexeme.lastgroup:
            case "text":
                return Literal(lexeme["text"][1:-1])
            case "number":
                return Literal(float(lexeme["number"]) if "." in lexeme["number"] else int(lexeme["number"]))
        return Expression(parse_path(lexeme["path"]))

    def _next(self) -> re.Match[str] | None:
        self._parts += 1
        if self._parts > EXPRESSION_PARTS * 4:
            raise TemplateError(f"an expression has at most {EXPRESSION_PARTS} names, numbers and operators")
        return self._lexeme(self._text, self._position)

    def _take(self, *marks: str) -> str:
        lexeme = self._next()
        if lexeme is None or lexeme["mark"] not in marks:
            return ""
        self._position = lexeme.end()
        return lexeme["mark"]

    def _error(self) -> TemplateError:
        rest = self._text[self._position :].strip()
        where = f"at `{rest}`" if rest else "at its end"
        return TemplateError(
            f"`{self._text}` is not a valid expression {where}; it may contain names, numbers, quoted texts, parentheses, "
            "and + - * / with spaces around them"
        )


def _closing_parenthesis(text: str, position: int) -> int:
    """The position of the `)` that closes the parenthesis before `position`; -1 if there is none."""
    depth = 1
    for index, character in _outside_quotes(text, position):
        if character in "()":
            depth += 1 if character == "(" else -1
            if not depth:
                return index
    return -1


def _filter(text: str) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    name, parenthesis, rest = text.partition("(")
    name, rest = name.strip(), rest.strip()
    if parenthesis and not rest.endswith(")"):
        wrong = "put the filter in parentheses before you calculate" if ")" in rest else "no closing parenthesis"
        raise TemplateError(f"the filter `{text}` is not valid: {wrong}")
    inside = rest[:-1].strip() if parenthesis else ""
    found = FILTERS.get(name)
    if found is None:
        raise TemplateError(f"there is no filter `{name}`; the filters are {', '.join(FILTERS)}")
    arguments = tuple(_argument(part.strip(), reads=found.reads) for part in _split(inside, ",")) if inside else ()
    if not found.least <= len(arguments) <= found.most:
        raise TemplateError(f"the filter `{name}` takes {_count(found.least, found.most)}, not {len(arguments)}")
    return found.apply, arguments


def _count(least: int, most: int) -> str:
    numbers = str(least) if least == most else f"{least} to {most}"
    return f"{numbers} argument" + ("" if numbers == "1" else "s")


def _argument(text: str, *, reads: bool = False) -> Any:
    if len(text) >= 2 and text[0] in "\"'“" and text[-1] in "\"'”":
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        if reads:
            return Expression(parse_path(text))
        raise TemplateError(f"`{text}` is neither a quoted text nor a number") from None


def _closing(text: str, position: int) -> int:
    """The position of the `}}` that ends an expression, ignoring quoted braces; -1 if there is none."""
    quote = ""
    for index in range(position, len(text) - 1):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and _may_be_quoted(text[position:index]):
            quote = character
        elif character == "}" and text[index + 1] == "}":
            return index
        elif character == "{" and text[index + 1] == "{":
            return -1
    # An unclosed quote must not hide the closing braces.
    return text.find("}}", position) if quote else -1


def _may_be_quoted(before: str) -> bool:
    """Whether a quotation mark after this part of an expression can begin a text: after a filter's bar or an operator."""
    before = before.rstrip()
    return not before or "|" in before or before[-1] in "+-*/("


def _split(text: str, separator: str) -> list[str]:
    """The text split at separators that are not inside quotes or parentheses."""
    parts, start, depth = [], 0, 0
    for index, character in _outside_quotes(text, 0):
        if character in "()":
            depth += 1 if character == "(" else -1
        elif character == separator and depth <= 0:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return parts


def _outside_quotes(text: str, position: int) -> Iterator[tuple[int, str]]:
    """The characters from `position` on that are not inside quotes, with their positions."""
    quote = ""
    for index in range(position, len(text)):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            yield index, character
