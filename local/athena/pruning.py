"""Which partitions a statement can need, from the literals that its WHERE compares with partition keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from local.athena.catalogue import Column, Table
from local.athena.types import INTEGERS

E = exp.Expr


@dataclass(frozen=True)
class Condition:
    """What one reference to a table requires of a partition key.

    Attributes:
        column: the key.
        holds: whether a value can satisfy it.
        values: the only values that can, if it names them.
    """

    column: str
    holds: Callable[[str], bool]
    values: frozenset[str] | None = None


References = list[list[Condition]]
"""For each place where a statement reads a table, the conditions there; a partition is needed if one place needs it."""


def conditions(statement: E, tables: Mapping[tuple[str, str], Table]) -> dict[tuple[str, str], References]:
    """Return what a statement requires of the partition keys of each of its tables.

    Args:
        statement: with every table's database (`translation.resolve_tables`), not yet translated.
        tables: those it reads.
    """
    found: dict[tuple[str, str], References] = {place: [] for place in tables}
    for node in statement.find_all(exp.Table):
        place = (node.db, node.name)
        if place in tables:
            found[place].append(_of_reference(node, tables[place]))
    return found


def _of_reference(node: exp.Table, table: Table) -> list[Condition]:
    select = node.find_ancestor(exp.Select)
    where = select.args.get("where") if select else None
    if select is None or where is None or not isinstance(node.parent, exp.From | exp.Join):
        return []
    alone = not select.args.get("joins")
    keys = {key.name: key for key in table.partition_keys}
    made = []
    for part in _conjuncts(where.this):
        column = part.this
        if not isinstance(column, exp.Column) or column.name.lower() not in keys:
            continue
        if column.table.lower() != node.alias_or_name.lower() if column.table else not alone:
            continue
        condition = _condition(part, keys[column.name.lower()])
        if condition:
            made.append(condition)
    return made


def _conjuncts(node: E) -> list[E]:
    node = node.unnest()
    if isinstance(node, exp.And):
        return [*_conjuncts(node.left), *_conjuncts(node.right)]
    return [node]


def _condition(part: E, key: Column) -> Condition | None:
    if isinstance(part, exp.In):
        values = [_value(item, key) for item in part.expressions]
        if not values or None in values:
            return None
        texts = frozenset(value[0] for value in values if value)
        keyed = {value[1] for value in values if value}
        return Condition(key.name, lambda value: _comparable(value, key) in keyed, texts)
    if isinstance(part, exp.Between):
        low, high = _value(part.args["low"], key), _value(part.args["high"], key)
        if low is None or high is None:
            return None
        return Condition(key.name, lambda value: low[1] <= _comparable(value, key) <= high[1])  # type: ignore[operator]
    if not isinstance(part, exp.EQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        return None
    limit = _value(part.expression, key)
    if limit is None:
        return None
    text, bound = limit
    if isinstance(part, exp.EQ):
        return Condition(key.name, lambda value: _comparable(value, key) == bound, frozenset([text]))
    compare: dict[type[E], Callable[[str | int], bool]] = {
        exp.GT: lambda value: value > bound,  # type: ignore[operator]
        exp.GTE: lambda value: value >= bound,  # type: ignore[operator]
        exp.LT: lambda value: value < bound,  # type: ignore[operator]
        exp.LTE: lambda value: value <= bound,  # type: ignore[operator]
    }
    holds = compare[type(part)]
    return Condition(key.name, lambda value: holds(_comparable(value, key)))


def _comparable(text: str, key: Column) -> str | int:
    return int(text) if key.duckdb_type in INTEGERS else text


def _value(node: E, key: Column) -> tuple[str, str | int] | None:
    """A literal of the key's own type, as text and as it compares; anything else decides nothing here."""
    if isinstance(node, exp.Cast) and key.duckdb_type == "DATE" and node.to.is_type("date"):
        node = node.this
        return (node.this, node.this) if isinstance(node, exp.Literal) and node.is_string else None
    if not isinstance(node, exp.Literal):
        return None
    if key.duckdb_type in INTEGERS and node.is_int:
        return node.name, int(node.name)
    if key.hive_type.lower() == "string" and node.is_string:
        return node.name, node.name
    return None
