"""What the tests of the local Athena expect of expressions and statements, asked of a Trino (`make judges`)."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import tests.local.athena
from tests.judges.trino_client import Trino, TrinoError

# ruff: noqa: S608  the statements are what is tested

RECORDED: list[dict[str, Any]] = [
    json.loads(line) for line in Path(tests.local.athena.__path__[0], "trino.jsonl").read_text().splitlines()
]
_LITERALS = [
    (re.compile(r"map \{\}"), "map()"),
    (re.compile(r"(?<![\w\]])\["), "ARRAY["),
    (re.compile(r"\btrue\b"), "true"),
]


def _type(duckdb: str) -> str:
    """The Trino type of a DuckDB type."""
    if duckdb.endswith("[]"):
        return f"array({_type(duckdb[:-2])})"
    if duckdb.startswith("MAP("):
        return f"map({', '.join(map(_type, duckdb[4:-1].split(', ')))})"
    return "timestamp(3)" if duckdb == "TIMESTAMP" else duckdb.lower()


def _row(duckdb: str) -> str:
    """A row of DuckDB's literals as Trino writes it; texts stay as they are."""
    parts = re.split(r"('(?:[^']|'')*')", duckdb)
    for index in range(0, len(parts), 2):
        for pattern, trino in _LITERALS:
            parts[index] = pattern.sub(trino, parts[index])
    return "".join(parts)


@pytest.fixture(scope="module")
def trino() -> Iterator[Trino]:
    with closing(Trino(os.environ["TRINO_URL"])) as client:
        for line in RECORDED:
            if "columns" in line:
                casts = ", ".join(f"CAST({name} AS {_type(kind)}) AS {name}" for name, kind in line["columns"])
                names = ", ".join(name for name, _ in line["columns"])
                rows = ", ".join(map(_row, line["rows"]))
                place = f"external_location = 'local:///expressions/{line['table']}'"
                values = f"SELECT {casts} FROM (VALUES {rows}) AS v({names})"
                client.ask(f"CREATE TABLE {line['table']} WITH ({place}) AS {values}")
        yield client


@pytest.mark.parametrize(
    "line", [line for line in RECORDED if "answers" in line], ids=lambda line: next(iter(line["answers"]))
)
def test_expressions(trino: Trino, line: dict[str, Any]) -> None:
    place = f" FROM {line['table']} ORDER BY id" if line["table"] else ""
    rows = trino.ask(f"SELECT {', '.join(line['answers'])}{place}").rows
    found = {one: [row[index] for row in rows] for index, one in enumerate(line["answers"])}
    assert found == line["answers"]


@pytest.mark.parametrize("line", [line for line in RECORDED if "sql" in line], ids=lambda line: line["sql"])
def test_queries(trino: Trino, line: dict[str, Any]) -> None:
    found, expected = [list(row) for row in trino.ask(line["sql"]).rows], line["rows"]
    if "ORDER BY" not in line["sql"]:
        found, expected = sorted(found, key=str), sorted(expected, key=str)
    assert found == expected


@pytest.mark.parametrize("line", [line for line in RECORDED if "error" in line], ids=lambda line: line["error"])
def test_errors(trino: Trino, line: dict[str, Any]) -> None:
    found = {}
    for sql in line["statements"]:
        with pytest.raises(TrinoError) as caught:
            trino.ask(sql)
        found[sql] = caught.value.name
    assert found == dict.fromkeys(line["statements"], line["error"])
