"""The expression language of goflow (RapidPro from spec 13, Glific): `Hi @contact.name, @(upper(results.city))`.

A text is parsed into literal texts and expressions. An expression is a tree of the structs of this module.
"""

import re

from msgspec import Struct

TOP_LEVELS = frozenset(
    (
        "child",
        "contact",
        "fields",
        "globals",
        "global",
        "input",
        "legacy_extra",
        "locals",
        "node",
        "parent",
        "resume",
        "results",
        "run",
        "ticket",
        "trigger",
        "urns",
        "webhook",
        "calendar",
        "flow",
    )
)


class SyntaxProblemError(ValueError):
    """An expression cannot be parsed."""


class Literal(Struct, frozen=True):
    """A text, a number, a boolean, or null."""

    value: str | int | float | bool | None


class Path(Struct, frozen=True):
    """A name with its properties: `contact.fields.age`."""

    parts: tuple[str, ...]


class Call(Struct, frozen=True):
    """A function and its arguments. A property of a call's result is the function `.`: `urn_parts(x).path`."""

    name: str
    arguments: tuple["Node", ...]


class Operation(Struct, frozen=True):
    """`left operator right`; a negation has no left side."""

    operator: str
    left: "Node | None"
    right: "Node"


class Function(Struct, frozen=True):
    """An anonymous function: `(x) => upper(x)`."""

    parameters: tuple[str, ...]
    body: "Node"


Node = Literal | Path | Call | Operation | Function

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>"(?:[^"\\]|\\.|"")*")|(?P<name>[^\W\d][\w]*)"""
    r"""|(?P<mark>=>|<=|>=|!=|<>|[-+*/^&=<>(),.\[\]]))""",
    re.UNICODE,
)
_NAME = re.compile(r"[^\W\d]\w*(?:\.\w+)*")
_LONGEST = 10_000
_DEEPEST = 40
_BINARY = {"=": 1, "!=": 1, "<>": 1, "<": 2, ">": 2, "<=": 2, ">=": 2, "&": 3, "+": 4, "-": 4, "*": 5, "/": 5, "^": 6}


def parse_text(text: str, top_levels: frozenset[str] = TOP_LEVELS) -> list[str | Node]:
    """The literal texts and the expressions of a template. An expression that cannot be parsed raises SyntaxProblemError."""
    parts: list[str | Node] = []
    literal, position = [], 0
    while (at := text.find("@", position)) >= 0:
        literal.append(text[position:at])
        if text.startswith("@@", at):
            literal.append("@")
            position = at + 2
            continue
        found, position = _expression_at(text, at, top_levels)
        if found is None:
            literal.append("@")
            continue
        if "".join(literal):
            parts.append("".join(literal))
        literal = []
        parts.append(found)
    literal.append(text[position:])
    if "".join(literal):
        parts.append("".join(literal))
    return parts


def _expression_at(text: str, at: int, top_levels: frozenset[str]) -> tuple[Node | None, int]:
    if text.startswith("@(", at):
        end = _closing(text, at + 1)
        if end < 0:
            return None, at + 1
        return parse_expression(text[at + 2 : end]), end + 1
    name = _NAME.match(text, at + 1)
    # An e-mail address is not an expression.
    if name is None or (at and (text[at - 1].isalnum())) or name[0].split(".")[0].lower() not in top_levels:
        return None, at + 1
    return Path(tuple(name[0].lower().split("."))), name.end()


def _closing(text: str, start: int) -> int:
    depth, quoted, position = 0, False, start
    while position < len(text):
        character = text[position]
        if quoted and character == "\\":
            position += 1
        elif character == '"':
            quoted = not quoted
        elif not quoted and character in "()":
            depth += 1 if character == "(" else -1
            if not depth:
                return position
        position += 1
    return -1


def parse_expression(text: str) -> Node:
    """The tree of an expression without its `@( )`. Raises SyntaxProblemError."""
    if len(text) > _LONGEST:
        raise SyntaxProblemError("the expression is too long")
    parser = _Parser(text)
    node = parser.binary(0, 0)
    if parser.kind:
        raise SyntaxProblemError(f"`{parser.value}` is unexpected")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._position = text, 0
        self.kind, self.value = "", ""
        self._advance()

    def _advance(self) -> None:
        rest = self._text[self._position :]
        if not rest.strip():
            self.kind, self.value = "", ""
            return
        match = _TOKEN.match(rest)
        if match is None:
            raise SyntaxProblemError(f"`{rest.strip()[:20]}` cannot be read")
        self.kind, self.value = match.lastgroup or "", match[match.lastgroup or 0]
        self._position += match.end()

    def _take(self, value: str) -> bool:
        if self.kind == "mark" and self.value == value:
            self._advance()
            return True
        return False

    def _expect(self, value: str) -> None:
        if not self._take(value):
            raise SyntaxProblemError(f"`{value}` is missing")

    def binary(self, least: int, depth: int) -> Node:
        if depth > _DEEPEST:
            raise SyntaxProblemError("the expression is nested too deeply")
        left = self._unary(depth)
        while self.kind == "mark" and (binding := _BINARY.get(self.value, 0)) > least:
            operator = "!=" if self.value == "<>" else self.value
            self._advance()
            left = Operation(operator, left, self.binary(binding, depth + 1))
        return left

    def _unary(self, depth: int) -> Node:
        if self._take("-"):
            right = self.binary(5, depth + 1)
            if isinstance(right, Literal) and isinstance(right.value, int | float):
                return Literal(-right.value)
            return Operation("-", None, right)
        return self._postfix(self._atom(depth), depth)

    def _atom(self, depth: int) -> Node:
        kind, value = self.kind, self.value
        if kind == "number":
            self._advance()
            return Literal(float(value) if "." in value else int(value))
        if kind == "text":
            self._advance()
            return Literal(_unquoted(value))
        if kind == "name":
            self._advance()
            if value.lower() in ("true", "false", "null"):
                return Literal({"true": True, "false": False}.get(value.lower()))
            return Path((value.lower(),))
        if self._take("("):
            return self._group(depth)
        raise SyntaxProblemError(f"`{value}` is unexpected" if value else "the expression ends too early")

    def _group(self, depth: int) -> Node:
        items: list[Node] = []
        if not self._take(")"):
            items.append(self.binary(0, depth + 1))
            while self._take(","):
                items.append(self.binary(0, depth + 1))
            self._expect(")")
        if self._take("=>"):
            names = tuple(item.parts[0] for item in items if isinstance(item, Path))
            return Function(names, self.binary(0, depth + 1))
        if len(items) != 1:
            raise SyntaxProblemError("`( )` is unexpected")
        return items[0]

    def _postfix(self, node: Node, depth: int) -> Node:
        while True:
            if self._take("."):
                if self.kind not in ("name", "number"):
                    raise SyntaxProblemError("a name is missing after `.`")
                name = self.value.lower()
                self._advance()
                for part in name.split("."):
                    node = _property(node, part)
            elif self._take("["):
                index = self.binary(0, depth + 1)
                self._expect("]")
                if isinstance(index, Literal) and index.value is not None:
                    node = _property(node, str(index.value))
                else:
                    node = Call("[]", (node, index))
            elif isinstance(node, Path) and self._take("("):
                node = Call(".".join(node.parts), self._arguments(depth))
            else:
                return node

    def _arguments(self, depth: int) -> tuple[Node, ...]:
        arguments: list[Node] = []
        if self._take(")"):
            return ()
        arguments.append(self.binary(0, depth + 1))
        while self._take(","):
            arguments.append(self.binary(0, depth + 1))
        self._expect(")")
        return tuple(arguments)


def _property(node: Node, name: str) -> Node:
    return Path((*node.parts, name)) if isinstance(node, Path) else Call(".", (node, Literal(name)))


def _unquoted(text: str) -> str:
    escapes = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(
        r'\\(.)|""', lambda found: escapes.get(found[1], found[1]) if found[1] else '"', text[1:-1], flags=re.S
    )
