"""Scripts of other platforms as steps of a flow: what `javascript` reads, in the variables of PyTake."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pytake.importers.goflow.expressions import Call, Node, Operation, Path
from pytake.importers.goflow.functions import Translator
from pytake.importers.goflow.translation import (
    Assign,
    Choose,
    Perform,
    Step,
    UntranslatableError,
    Written,
)
from pytake.importers.javascript import Declare, If, Push, Return, Statement, SumOver, fields_of, parse_statements

_ITEMS = 100


class Products(Struct, frozen=True):
    """The products that scripts of a flow sum over a list, by the list's name: each becomes a field of its items."""

    by_list: dict[str, list[tuple[str, ...]]]

    @staticmethod
    def of(scripts: list[str]) -> "Products":
        """The products in some scripts. Scripts that cannot be read have none."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for script in scripts:
            try:
                statements = parse_statements(script)
            except UntranslatableError:
                continue
            for statement in statements:
                if isinstance(statement, SumOver) and len(statement.parts) > 1:
                    found.setdefault(statement.list, []).append(statement.parts)
        return Products(found)


class ScriptWriter:
    """Writes scripts as steps. `variable` gives the name of a variable of the source in PyTake."""

    def __init__(
        self, variable: Callable[[str], str], new_name: Callable[[str], str], products: Products | None = None
    ) -> None:
        self._variable = variable
        self._new_name = new_name
        self._products = products or Products({})

    def translator(self) -> Translator:
        """A translator of single expressions."""

        def resolve(parts: tuple[str, ...]) -> Written:
            name = parts[1] if parts[0] == "{{}}" else parts[0]
            rest = parts[2:] if parts[0] == "{{}}" else parts[1:]
            return Written(".".join((self._variable(name), *rest)))

        return Translator(resolve, self._new_name)

    def steps(self, script: str, output: str = "") -> list[Step]:
        """The steps of a script. `output` is the variable of what it returns. Raises UntranslatableError."""
        return self._block(parse_statements(script), output)

    def _block(self, statements: list[Statement], output: str) -> list[Step]:
        found: list[Step] = []
        for statement in statements:
            found += self._statement(statement, output)
        return found

    def _statement(self, statement: Statement, output: str) -> list[Step]:
        translator = self.translator()
        match statement:
            case Declare(name, operator, value):
                return self._assigned(name, operator, value)
            case If(test, then, otherwise):
                if _makes_empty_list(test, then):
                    return []  # an `append` begins the list by itself
                comparisons, any_of = translator.condition(test)
                inner = [self._block(branch, output) for branch in (then, otherwise)]
                return [*translator.steps, Choose(comparisons, any_of, inner[0], inner[1])]
            case Push(list_, value):
                return self._pushed(list_, value)
            case SumOver(list_, total, parts):
                field = _field_of(parts)
                target = self._variable(total)
                added = "{{" + self._variable(list_) + f' | sum("{field}")' + "}}"
                computed = self._new_name("sum")
                return [Assign(computed, added), Assign(target, "{{" + f"{target} + {computed}" + "}}")]
            case Return(value):
                return self._returned(value, output)

    def _assigned(self, name: tuple[str, ...], operator: str, value: Node) -> list[Step]:
        if len(name) > 1:
            raise UntranslatableError("PyTake cannot change a part of a value.")
        translator = self.translator()
        if operator != "=":
            value = Operation(operator, Path(name), value)
        written = translator.value(value)
        return [*translator.steps, Assign(self._variable(name[0]), written.template)]

    def _pushed(self, list_: str, value: Node) -> list[Step]:
        translator = self.translator()
        fields = fields_of(value)
        if fields is None:
            item: Any = translator.value(value).template
        else:
            item = {name: translator.value(part).template for name, part in fields.items()}
            for parts in self._products.by_list.get(list_, []):
                if not all(part in fields for part in parts):
                    raise UntranslatableError(f"The items of `{list_}` have no {' and '.join(parts)}.")
                product = fields[parts[0]]
                for part in parts[1:]:
                    product = Operation("*", product, fields[part])
                item[_field_of(parts)] = translator.value(product).template
        action = {"type": "append", "variable": self._variable(list_), "value": item, "most": _ITEMS}
        return [*translator.steps, Perform(action)]

    def _returned(self, value: Node, output: str) -> list[Step]:
        fields = fields_of(value)
        translator = self.translator()
        if fields is None:
            written = translator.value(value)
            return [*translator.steps, Assign(output, written.template)] if output else translator.steps
        found: list[Step] = []
        stored = {}
        for name, part in fields.items():
            target = self._variable(name)
            written = translator.value(part)
            if written != Written(target):
                translator.steps.append(Assign(target, written.template))
            stored[name] = "{{" + target + "}}"
        found += translator.steps
        if output and output not in stored:
            found.append(Assign(output, stored))
        return found


def _field_of(parts: tuple[str, ...]) -> str:
    return parts[0] if len(parts) == 1 else "_times_".join(parts)


def _makes_empty_list(test: Node, then: list[Statement]) -> bool:
    """`if (!cart) cart = [];`"""
    return (
        isinstance(test, Call)
        and test.name == "not"
        and len(then) == 1
        and isinstance(then[0], Declare)
        and then[0].value == Call("array", ())
        and test.arguments == (Path(then[0].name),)
    )
