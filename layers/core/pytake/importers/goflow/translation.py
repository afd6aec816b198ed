"""Writes goflow's expressions as PyTake's.

PyTake's expressions have a head (a variable or arithmetic) and filters with fixed arguments. Whatever does not fit is computed
before: a `Step` stores a part in a variable of its own, or chooses between two values.
"""

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pytake.importers.goflow.expressions import (
    TOP_LEVELS,
    Call,
    Literal,
    Node,
    Operation,
    Path,
    SyntaxProblemError,
    parse_text,
)


class UntranslatableError(ValueError):
    """PyTake has no expression for this; the message names what is missing."""


class Written(Struct, frozen=True):
    """A value of the imported flow: `head` and `filters` as they stand between the braces, or a `constant`."""

    head: str = ""
    filters: str = ""
    constant: Any = None

    @property
    def is_constant(self) -> bool:
        """Whether the value is the same in every conversation."""
        return not self.head

    @property
    def template(self) -> Any:
        """The value as a template."""
        return self.constant if self.is_constant else "{{" + self.head + self.filters + "}}"

    def piped(self, filter_: str) -> "Written":
        """The value after one more filter."""
        return Written(self.head, f"{self.filters} | {filter_}")


class Assign(Struct, frozen=True):
    """Store a value in a variable before an expression is used."""

    variable: str
    value: Any


class Choose(Struct, frozen=True):
    """Take the first steps if the comparisons hold, else the second ones."""

    comparisons: list[dict[str, Any]]
    any_of: bool
    then: list["Step"]
    otherwise: list["Step"]


class Draw(Struct, frozen=True):
    """Store one of some values, drawn at random."""

    variable: str
    values: list[Any]


class Perform(Struct, frozen=True):
    """Do an action of PyTake, such as `append`."""

    action: dict[str, Any]


Step = Assign | Choose | Draw | Perform


def assigned_by(steps: list[Step]) -> set[str]:
    """The variables that steps assign."""
    found: set[str] = set()
    for step in steps:
        match step:
            case Assign(variable) | Draw(variable):
                found.add(variable)
            case Perform(action):
                found.add(str(action.get("variable")))
            case Choose():
                found |= assigned_by(step.then) | assigned_by(step.otherwise)
    return found


_PLAIN = {"upper": "upper", "lower": "lower", "title": "title", "trim": "trim", "clean": "trim", "length": "length"}
_PLAIN |= {"count": "length", "abs": "abs", "url_encode": "url_encode", "json": "json", "number": "number"}
_PLAIN |= {"remove_first_word": "remove_first_word", "sum": "sum"}
_SAME = frozenset({"text", "date", "datetime", "parse_datetime", "format", "format_input", "parse_json", "boolean"})
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">": "<=", "<=": ">", ">=": "<", "is_empty": "is_not_empty"}
_OPPOSITE |= {"is_not_empty": "is_empty", "contains": "not_contains", "in": "not_in", "not_in": "in"}
_COMPARED = {"=": "==", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


class ExpressionTranslator:
    """Translates the templates of one place. `steps` are what must be done before."""

    def __init__(self, resolve: Callable[[tuple[str, ...]], Written], name: Callable[[str], str]) -> None:
        self.resolve = resolve
        self.new_name = name
        self.steps: list[Step] = []
        self.errors: list[UntranslatableError] = []

    def text(self, template: str, top_levels: frozenset[str] = TOP_LEVELS) -> str:
        """The template in PyTake's form. An expression that cannot be translated is left out and added to `errors`."""
        try:
            parts = self._parsed(template, top_levels)
        except UntranslatableError as error:
            self.errors.append(error)
            return ""
        return "".join(part.replace("{{", "{ {") if isinstance(part, str) else self._shown(part) for part in parts)

    def _shown(self, node: Node) -> str:
        before = list(self.steps)
        try:
            return as_written(self.value(node).template)
        except UntranslatableError as error:
            self.steps = before
            self.errors.append(error)
            return ""

    def operand(self, template: str, top_levels: frozenset[str] = TOP_LEVELS) -> str:
        """The variable that has the template's value. Raises UntranslatableError."""
        parts = self._parsed(template, top_levels)
        if len(parts) == 1 and not isinstance(parts[0], str):
            return self.variable(self.value(parts[0]))
        return self.stored(self.text(template, top_levels))

    def variable(self, value: Written) -> str:
        """A variable that has a value: the one it is, or a new one."""
        if value.head and not value.filters and re.fullmatch(r"[\w.-]+", value.head) and not value.head[0].isdigit():
            return value.head
        return self.stored(value.template)

    def _parsed(self, template: str, top_levels: frozenset[str]) -> list[str | Node]:
        try:
            return parse_text(template, top_levels)
        except SyntaxProblemError as error:
            raise UntranslatableError(f"The expression `{template[:80]}` cannot be read: {error}.") from None

    def stored(self, value: Any) -> str:
        name = self.new_name("value")
        self.steps.append(Assign(name, value))
        return name

    def value(self, node: Node) -> Written:
        """The value of an expression. Raises UntranslatableError."""
        match node:
            case Literal(value):
                return Written(constant=value)
            case Path(parts):
                return self.resolve(parts)
            case Operation(operator, left, right):
                return self.operation(operator, left, right)
            case Call(name, arguments):
                return self._call(name, arguments)
        raise UntranslatableError("PyTake has no functions without a name.")

    def operation(self, operator: str, left: Node | None, right: Node) -> Written:
        if operator == "&" and left is not None:
            joined = as_written(self.value(left).template) + as_written(self.value(right).template)
            return Written(self.stored(joined)) if "{{" in joined else Written(constant=joined)
        if operator in ("+", "-", "*", "/"):
            first = self.term(left) if left is not None else "0"
            return Written(f"{first} {operator} {self.term(right)}")
        if operator in _COMPARED:
            return self.chosen(Operation(operator, left, right), Literal("true"), Literal("false"))
        raise UntranslatableError(f"PyTake has no operator `{operator}`.")

    def term(self, node: Node) -> str:
        """A side of an arithmetic operation: a number or a variable."""
        value = self.value(node)
        number = number_in(value.constant) if value.is_constant else None
        if number is not None:
            return str(number) if number >= 0 else self.stored(number)
        return self.variable(value)

    def _call(self, name: str, arguments: tuple[Node, ...]) -> Written:
        found = self.function(name, arguments)
        if found is not None:
            return found
        if name == "." and isinstance(arguments[1], Literal):
            return self.property_of(arguments[0], as_written(arguments[1].value))
        if name in _SAME and arguments:
            return self.value(arguments[0])
        if name == "json" and arguments and arguments[0] in (Path(("results",)), Path(("run", "results"))):
            return Written(self.stored(self.resolve(("results", "*")).constant), " | json")
        if name in _PLAIN and len(arguments) == 1:
            return self.piped(arguments[0], _PLAIN[name])
        return self.missing(name)

    def function(self, name: str, arguments: tuple[Node, ...]) -> Written | None:
        """The value of one of goflow's functions that needs more than a filter; None if there is no such function."""
        del name, arguments
        return None

    def missing(self, name: str) -> Written:
        what = {".": "a property of a function's result", "[]": "a position that is computed"}.get(name)
        raise UntranslatableError(f"PyTake has no expression for {what or f'the function `{name}`'}.")

    def piped(self, node: Node, filter_: str) -> Written:
        value = self.value(node)
        head = value if value.head else Written(self.stored(value.constant))
        return head.piped(filter_)

    def chosen(self, test: Node, yes: Node, no: Node) -> Written:
        comparisons, any_of = self.condition(test)
        name, before = self.new_name("value"), self.steps
        branches: list[list[Step]] = []
        for branch in (yes, no):
            self.steps = []
            stored = self.value(branch).template
            branches.append([*self.steps, Assign(name, stored)])
        self.steps = [*before, Choose(comparisons, any_of, branches[0], branches[1])]
        return Written(name)

    def condition(self, test: Node) -> tuple[list[dict[str, Any]], bool]:
        """A test as comparisons, and whether any of them is enough. Raises UntranslatableError."""
        match test:
            case Operation(operator, left, right) if operator in _COMPARED and left is not None:
                variable, value = self.variable(self.value(left)), self.value(right).template
                if value in (None, ""):
                    return [comparison(variable, "is_empty" if operator == "=" else "is_not_empty")], False
                return [comparison(variable, _COMPARED[operator], value)], False
            case Call("and" | "or" as joined, arguments) if arguments:
                parts = [self.condition(argument) for argument in arguments]
                if any(len(found) != 1 for found, _ in parts):
                    raise UntranslatableError("PyTake has no `and` inside of `or`.")
                return [found[0] for found, _ in parts], joined == "or"
            case Call("is_error", (argument,)):
                return [comparison(self.variable(self.value(argument)), "is_empty")], False
            case Call("not", (argument,)):
                comparisons, any_of = self.condition(argument)
                return self._negated(comparisons, any_of=any_of)
            case Call("includes" | "starts_with" | "ends_with" as method, (text, part)):
                operator = "contains" if method == "includes" else str(method)
                return [comparison(self.variable(self.value(text)), operator, self.value(part).template)], False
            case Call("or_else", arguments):
                return self.condition(Call("or", arguments))
            case Path(_):
                return [comparison(self.variable(self.value(test)), "is_not_empty")], False
            case Call("has_text" | "boolean", (argument,)):
                return [comparison(self.variable(self.value(argument)), "is_not_empty")], False
        value = self.value(test)
        if value.is_constant:
            name = self.stored("true" if value.constant else "")
            return [comparison(name, "is_not_empty")], False
        return [comparison(self.variable(value), "not_in", ["", "false", "0"])], False

    def _negated(self, comparisons: list[dict[str, Any]], *, any_of: bool) -> tuple[list[dict[str, Any]], bool]:
        if any(one["operator"] not in _OPPOSITE for one in comparisons):
            raise UntranslatableError("PyTake has no opposite of this condition.")
        return [{**one, "operator": _OPPOSITE[one["operator"]]} for one in comparisons], not any_of and len(
            comparisons
        ) > 1

    def property_of(self, value: Node, name: str) -> Written:
        if isinstance(value, Call) and value.name == "urn_parts" and name == "path":
            return self.value(value)
        if isinstance(value, Path):
            return self.resolve((*value.parts, name.lower()))
        return Written(f"{self.variable(self.value(value))}.{name}")

    def fixed_int(self, node: Node) -> int:
        number = number_in(self.value(node).constant)
        if number is None or number != int(number):
            raise UntranslatableError("An argument of a function that is computed has no expression in PyTake.")
        return int(number)

    def fixed_text(self, node: Node) -> str:
        value = self.value(node)
        if not value.is_constant:
            raise UntranslatableError("An argument of a function that is computed has no expression in PyTake.")
        return as_written(value.constant)


def comparison(variable: str, operator: str, value: Any = None) -> dict[str, Any]:
    found = {"variable": variable, "operator": operator}
    return found if value is None else {**found, "value": value}


def number_in(value: Any) -> int | float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if number.is_integer() else number


def as_written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def argument(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    text = as_written(value)
    if '"' not in text:
        return f'"{text}"'
    if "'" not in text:
        return f"'{text}'"
    raise UntranslatableError("A text with both kinds of quotes cannot be the argument of a filter.")
