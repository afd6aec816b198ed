"""The statements in `sql/`: Athena's SQL with named parameters (`:flow_id`, `$timezone`) and shared parts.

`{{sessions}}` stands for the file `sessions.sql`. `:flow_id` becomes a `?`, and its value an execution parameter. Athena takes a
`?` only in the WHERE clause ("Use parameterized queries" in its user guide); elsewhere `$timezone` becomes a literal.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

Value = str | int | date | datetime

_FOLDER = Path(__file__).parent / "sql"
_PART = re.compile(r"\{\{(\w+)\}\}")
_COMMENT = re.compile(r"^\s*--.*\n", re.MULTILINE)
_NAME = re.compile(r"'(?:[^']|'')*'|([:$])(\w+)")


class Query(NamedTuple):
    """A statement and the literals for its question marks, in their order."""

    sql: str
    parameters: list[str]


def query(name: str, values: Mapping[str, Value]) -> Query:
    """The statement of `sql/{name}.sql` with these values. Raises KeyError for a name that has no value."""
    return bind(statement(name), values)


def bind(sql: str, values: Mapping[str, Value]) -> Query:
    """A statement with named parameters, with these values. Raises KeyError for a name that has no value."""
    names: list[str] = []

    def place(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        if found[1] == "$":
            return literal(values[found[2]])
        names.append(found[2])
        return "?"

    placed = _NAME.sub(place, sql)
    return Query(placed, [literal(values[name]) for name in names])


def names(sql: str) -> list[str]:
    """The distinct named parameters of a statement, in order."""
    return list(dict.fromkeys(found[2] for found in _NAME.finditer(sql) if found[2]))


def literal(value: Value) -> str:
    """A value as an SQL literal; times are in UTC, to the millisecond."""
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}'"
    if isinstance(value, date):
        return f"'{value:%Y-%m-%d}'"
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


@cache
def statement(name: str) -> str:
    """The text of `sql/{name}.sql` with its parts inserted, without comments."""
    text = _COMMENT.sub("", (_FOLDER / f"{name}.sql").read_text())
    return _PART.sub(lambda found: statement(found[1]).rstrip(), text)
