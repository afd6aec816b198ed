"""Every statement over the lake reads one organization only: each read of a table names it, with a bound value."""

import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from pytake.analytics import queries

SQL = Path(queries.__file__).parent / "sql"
FILES = {path.stem: path.read_text() for path in SQL.glob("*.sql")}
PARTS = {name for text in FILES.values() for name in re.findall(r"\{\{(\w+)\}\}", text)}
STATEMENTS = {name: queries.statement(name) for name in sorted(FILES.keys() - PARTS)}
SAVED = {f"saved/{path.stem}": path.read_text() for path in sorted((SQL / "saved").glob("*.sql"))}
ALL = STATEMENTS | SAVED
TABLES = {"events", "daily"}


def reads(sql: str) -> list[exp.Table]:
    tree = sqlglot.parse_one(sql, read="athena")
    own = {found.alias for found in tree.find_all(exp.CTE)}
    return [table for table in tree.find_all(exp.Table) if table.name not in own]


def names_its_organization(table: exp.Table) -> bool:
    select = table.find_ancestor(exp.Select)
    where = select.args.get("where") if select is not None else None
    conditions = list(where.this.flatten()) if where is not None and isinstance(where.this, exp.And) else []
    conditions += [where.this] if where is not None else []
    return any(
        isinstance(condition, exp.EQ)
        and condition.this.name == "organization_id"
        and isinstance(condition.expression, exp.Placeholder)
        for condition in conditions
    )


@pytest.mark.parametrize("name", ALL)
def test_each_read_of_a_table_names_the_organization(name: str) -> None:
    found = reads(ALL[name])
    assert found
    assert {table.name for table in found} <= TABLES
    for table in found:
        assert names_its_organization(table), f"{name} reads {table.name} of every organization"


def test_the_reports_do_read_tables() -> None:
    assert {table.name for sql in STATEMENTS.values() for table in reads(sql)} == TABLES
    assert SAVED
