"""The part of JavaScript that builders write into flows, read into the trees of `goflow.expressions`.

Expressions: arithmetic, comparisons, `? :`, texts, properties, and the usual methods of texts, numbers and lists. Statements:
`let`, assignments, `if`, `push`, a sum by `forEach`, and `return`. Anything else is reported, never guessed.
"""

import re

from msgspec import Struct

from pytake.importers.goflow.expressions import Call, Literal, Node, Operation, Path
from pytake.importers.goflow.translation import UntranslatableError

_TOKEN = re.compile(
    r"""\s*(?:(?://[^\n]*|/\*.*?\*/)\s*)*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)"""
    r"""|(?P<slot>\{\{[^{}]*\}\})|(?P<name>[^\W\d]\w*|\$\w+)"""
    r"""|(?P<mark>===|!==|==|!=|<=|>=|&&|\|\||\+\+|--|\+=|-=|\*=|/=|=>|\?\?|\?\.|[-+*/%!<>=?:;,.(){}\[\]]))""",
    re.DOTALL,
)
_BINARY = {
    "??": 1, "||": 1, "&&": 2, "===": 3, "==": 3, "!==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5,
    "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_COMPARED = {"===": "=", "==": "=", "!==": "!=", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_METHODS = {
    "toUpperCase": "upper", "toLowerCase": "lower", "trim": "trim", "toString": "text", "toFixed": "format_number",
    "split": "split", "join": "join", "replaceAll": "replace", "replace": "replace", "slice": "text_slice",
    "substring": "text_slice", "includes": "includes", "startsWith": "starts_with", "endsWith": "ends_with",
    "toISOString": "text",
}  # fmt: skip
_FUNCTIONS = {"Number": "number", "parseFloat": "number", "parseInt": "number", "String": "text", "Boolean": "boolean"}
_MATH = {"round": "round", "abs": "abs", "max": "max", "min": "min"}
_LONGEST = 8_000
_DEEPEST = 40


class Declare(Struct, frozen=True):
    """`let x = value`, `x = value`; `operator` is that of `x += value`."""

    name: tuple[str, ...]
    operator: str
    value: Node


class If(Struct, frozen=True):
    """`if (test) ... else ...`."""

    test: Node
    then: list["Statement"]
    otherwise: list["Statement"]


class Push(Struct, frozen=True):
    """`list.push({...})`."""

    list: str
    value: Node


class SumOver(Struct, frozen=True):
    """`list.forEach(item => { total += item.a * item.b })`: the parts that are multiplied."""

    list: str
    total: str
    parts: tuple[str, ...]


class Return(Struct, frozen=True):
    """`return value`."""

    value: Node


Statement = Declare | If | Push | SumOver | Return


def parse_expression(text: str) -> Node:
    """The tree of a JavaScript expression. Raises UntranslatableError."""
    parser = _Parser(text)
    parser.take("return")
    node = parser.expression(0)
    parser.take(";")
    if parser.kind:
        parser.fail()
    return node


def parse_statements(text: str) -> list[Statement]:
    """The statements of a script. Raises UntranslatableError."""
    parser = _Parser(text)
    found = []
    while parser.kind:
        if not parser.take(";"):
            found.append(parser.statement(0))
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise UntranslatableError("The script is too long.")
        self._text, self._position = text, 0
        self.kind = self.value = ""
        self._advance()

    def _advance(self) -> None:
        match = _TOKEN.match(self._text, self._position)
        if match is None or match.lastgroup is None:
            rest = re.sub(r"//[^\n]*|/\*.*?\*/", "", self._text[self._position :], flags=re.DOTALL).strip()
            if rest:
                raise UntranslatableError(f"PyTake cannot read `{rest[:40]}`.")
            self.kind = self.value = ""
            return
        self.kind, self.value, self._position = match.lastgroup, match[match.lastgroup], match.end()

    def fail(self) -> None:
        raise UntranslatableError(f"PyTake cannot read the script at `{self.value or 'its end'}`.")

    def take(self, value: str) -> bool:
        if self.kind in ("mark", "name") and self.value == value:
            self._advance()
            return True
        return False

    def expect(self, value: str) -> None:
        if not self.take(value):
            self.fail()

    def name(self) -> str:
        if self.kind != "name":
            self.fail()
        found = self.value
        self._advance()
        return found

    # Statements

    def statement(self, depth: int) -> Statement:
        if depth > _DEEPEST:
            raise UntranslatableError("The script is nested too deeply.")
        if self.take("if"):
            return self._if(depth)
        if self.take("return"):
            return Return(self.expression(depth))
        for word in ("let", "const", "var"):
            if self.take(word):
                name = self.name()
                value = self.expression(depth) if self.take("=") else Literal("")
                return Declare((name,), "=", value)
        return self._change(depth)

    def _block(self, depth: int) -> list[Statement]:
        if not self.take("{"):
            found = [self.statement(depth + 1)]
            self.take(";")
            return found
        found = []
        while not self.take("}"):
            if not self.kind:
                self.fail()
            if not self.take(";"):
                found.append(self.statement(depth + 1))
        return found

    def _if(self, depth: int) -> If:
        self.expect("(")
        test = self.expression(depth)
        self.expect(")")
        then = self._block(depth)
        self.take(";")
        return If(test, then, self._block(depth) if self.take("else") else [])

    def _change(self, depth: int) -> Statement:
        target = self._postfix(depth)
        if isinstance(target, Call) and target.name == "push" and isinstance(target.arguments[0], Path):
            return Push(target.arguments[0].parts[-1], target.arguments[1])
        if isinstance(target, Call) and target.name == "forEach":
            return self._summed(target)
        if not isinstance(target, Path):
            self.fail()
            raise AssertionError
        for operator in ("=", "+=", "-=", "*=", "/="):
            if self.take(operator):
                return Declare(target.parts, operator[:-1] or "=", self.expression(depth))
        if self.take("++"):
            return Declare(target.parts, "+", Literal(1))
        self.fail()
        raise AssertionError

    def _summed(self, call: Call) -> SumOver:
        source, item, body = call.arguments[0], call.arguments[1], call.arguments[2:]
        if len(body) == 2 and isinstance(source, Path) and isinstance(item, Path) and isinstance(body[0], Path):
            parts = _product(body[1], item.parts[0])
            if parts:
                return SumOver(source.parts[-1], body[0].parts[0], parts)
        raise UntranslatableError("PyTake has no loops.")

    # Expressions

    def expression(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise UntranslatableError("The script is nested too deeply.")
        test = self._binary(0, depth)
        if self.take("?"):
            yes = self.expression(depth + 1)
            self.expect(":")
            return Call("if", (test, yes, self.expression(depth + 1)))
        return test

    def _binary(self, least: int, depth: int) -> Node:
        if depth > _DEEPEST:
            raise UntranslatableError("The script is nested too deeply.")
        left = self._unary(depth)
        while self.kind == "mark" and _BINARY.get(self.value, 0) > least:
            operator = self.value
            self._advance()
            left = _operation(operator, left, self._binary(_BINARY[operator], depth + 1))
        return left

    def _unary(self, depth: int) -> Node:
        if self.take("!"):
            return Call("not", (self._unary(depth + 1),))
        if self.take("-"):
            right = self._unary(depth + 1)
            if isinstance(right, Literal) and isinstance(right.value, int | float):
                return Literal(-right.value)
            return Operation("-", None, right)
        if self.take("+"):
            return self._unary(depth + 1)
        return self._postfix(depth)

    def _atom(self, depth: int) -> Node:
        kind, value = self.kind, self.value
        if kind == "number":
            self._advance()
            return Literal(float(value) if "." in value else int(value))
        if kind == "text":
            self._advance()
            return _template(value) if value[0] == "`" else Literal(_unescaped(value[1:-1]))
        if kind == "slot":
            self._advance()
            return Path(("{{}}", value[2:-2].strip()))
        if self.take("("):
            found = self.expression(depth + 1)
            self.expect(")")
            return found
        if self.take("["):
            return Call("array", tuple(self._list("]", depth)))
        if self.take("{"):
            return self._object(depth)
        if kind == "name":
            self._advance()
            constants = {"true": True, "false": False, "null": None, "undefined": None}
            if value in constants:
                return Literal(constants[value])
            if value == "new":
                return self._new()
            return Path((value,))
        self.fail()
        raise AssertionError

    def _new(self) -> Node:
        if self.name() != "Date":
            self.fail()
        self.expect("(")
        self.expect(")")
        return Call("now", ())

    def _list(self, end: str, depth: int) -> list[Node]:
        items: list[Node] = []
        while not self.take(end):
            items.append(self.expression(depth + 1))
            if not self.take(",") and not (self.kind == "mark" and self.value == end):
                self.fail()
        return items

    def _object(self, depth: int) -> Node:
        pairs: list[Node] = []
        while not self.take("}"):
            if self.kind == "text":
                name = _unescaped(self.value[1:-1])
                self._advance()
            else:
                name = self.name()
            pairs += [Literal(name), self.expression(depth + 1) if self.take(":") else Path((name,))]
            if not self.take(",") and not (self.kind == "mark" and self.value == "}"):
                self.fail()
        return Call("object", tuple(pairs))

    def _postfix(self, depth: int) -> Node:
        node = self._atom(depth)
        while True:
            if self.take(".") or self.take("?."):
                node = self._member(node, self.name(), depth)
            elif self.take("["):
                index = self.expression(depth + 1)
                self.expect("]")
                node = Call("at", (node, index))
            elif isinstance(node, Path) and len(node.parts) == 1 and node.parts[0] in _FUNCTIONS and self.take("("):
                node = Call(_FUNCTIONS[node.parts[0]], tuple(self._list(")", depth)[:1]))
            else:
                return node

    def _member(self, node: Node, name: str, depth: int) -> Node:
        if not self.take("("):
            if name == "length":
                return Call("length", (node,))
            return Path((*node.parts, name)) if isinstance(node, Path) else Call(".", (node, Literal(name)))
        if node == Path(("Math",)):
            arguments = tuple(self._list(")", depth))
            if name not in _MATH:
                raise UntranslatableError(f"PyTake has no expression for `Math.{name}`.")
            return Call(_MATH[name], arguments)
        if name == "forEach":
            return self._for_each(node, depth)
        arguments = tuple(self._list(")", depth))
        if name == "push":
            return Call("push", (node, *arguments))
        if name not in _METHODS:
            raise UntranslatableError(f"PyTake has no expression for `.{name}()`.")
        return Call(_METHODS[name], (node, *arguments))

    def _for_each(self, node: Node, depth: int) -> Node:
        """`item => { total += ... }` as the arguments list, item, total, value."""
        parenthesis = self.take("(")
        item = self.name()
        if parenthesis:
            self.expect(")")
        self.expect("=>")
        body = self._block(depth)
        self.expect(")")
        if len(body) == 1 and isinstance(body[0], Declare) and body[0].operator == "+":
            return Call("forEach", (node, Path((item,)), Path(body[0].name), body[0].value))
        raise UntranslatableError("PyTake has no loops.")


def _operation(operator: str, left: Node, right: Node) -> Node:
    if operator in _COMPARED:
        return Operation(_COMPARED[operator], left, right)
    if operator == "&&":
        return Call("and", (left, right))
    if operator in ("||", "??"):
        return Call("or_else", (left, right))
    if operator == "%":
        raise UntranslatableError("PyTake has no operator `%`.")
    if operator == "+" and (_is_text(left) or _is_text(right)):
        return Operation("&", left, right)
    return Operation(operator, left, right)


def _is_text(node: Node) -> bool:
    if isinstance(node, Literal):
        return isinstance(node.value, str)
    if isinstance(node, Operation):
        return node.operator == "&"
    return isinstance(node, Call) and node.name in (
        "upper",
        "lower",
        "trim",
        "text",
        "format_number",
        "replace",
        "join",
    )


def _product(node: Node, item: str) -> tuple[str, ...]:
    """The parts of an item that a product multiplies: `item.price * item.quantity`."""
    if isinstance(node, Path) and len(node.parts) == 2 and node.parts[0] == item:
        return (node.parts[1],)
    if isinstance(node, Operation) and node.operator == "*" and node.left is not None:
        left, right = _product(node.left, item), _product(node.right, item)
        return (*left, *right) if left and right else ()
    return ()


def _template(text: str) -> Node:
    parts = re.split(r"\$\{([^{}]*)\}", text[1:-1])
    node: Node = Literal(_unescaped(parts[0]))
    for at in range(1, len(parts), 2):
        node = Operation("&", node, parse_expression(parts[at]))
        if parts[at + 1]:
            node = Operation("&", node, Literal(_unescaped(parts[at + 1])))
    return node


def _unescaped(text: str) -> str:
    marks = {"n": "\n", "t": "\t", "r": ""}
    return re.sub(r"\\(.)", lambda found: marks.get(found[1], found[1]), text, flags=re.DOTALL)


def fields_of(node: Node) -> dict[str, Node] | None:
    """The fields of an object that is written out; None for any other expression."""
    if not isinstance(node, Call) or node.name != "object":
        return None
    names = [name.value for name in node.arguments[::2] if isinstance(name, Literal)]
    return dict(zip(map(str, names), node.arguments[1::2], strict=True))
