"""Statements with the answers of a real Trino 483, which were recorded once (`trino.jsonl`): ADR 0016."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.athena.engine import Engine, Limits, quoted
from local.athena.errors import QueryError
from local.athena.parsing import parse_query
from local.athena.results import ResultColumn, texts
from local.athena.translation import resolve_tables, translate

# ruff: noqa: S608  the statements are what is tested

RECORDED: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("trino.jsonl").read_text().splitlines()
]
"""A line has a `table` with `columns` (name, DuckDB type) and `rows` (literals); a `table` with `answers`: expressions and what
they are in its rows, by `id`; `sql` and `rows`; or an `error` and the `statements` that fail with it."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("engine"), Limits(memory="256MB", threads=1))
    made = [line for line in RECORDED if "columns" in line]
    engine.make_tables({("d", line["table"]): line["columns"] for line in made})
    for line in made:
        engine.execute(f"INSERT INTO d.{quoted(line['table'])} VALUES {', '.join(line['rows'])}")
    yield engine
    engine.close()


def answer(engine: Engine, sql: str) -> list[list[str | None]]:
    statement = parse_query(sql)
    resolve_tables(statement, "d")
    cursor = engine.execute(translate(statement))
    columns = [ResultColumn(name, str(kind)) for name, kind, *_ in cursor.description or []]
    return [list(row) for row in texts(cursor.fetchall(), columns)]


@pytest.mark.parametrize(
    "line", [line for line in RECORDED if "answers" in line], ids=lambda line: next(iter(line["answers"]))
)
def test_expressions_are_what_they_are_in_trino(engine: Engine, line: dict[str, Any]) -> None:
    place = f" FROM {line['table']} ORDER BY id" if line["table"] else ""
    found = {
        expression: [row[0] for row in answer(engine, f"SELECT {expression}{place}")] for expression in line["answers"]
    }
    assert found == line["answers"]


@pytest.mark.parametrize("line", [line for line in RECORDED if "sql" in line], ids=lambda line: line["sql"])
def test_queries_answer_as_in_trino(engine: Engine, line: dict[str, Any]) -> None:
    found = answer(engine, line["sql"])
    if "ORDER BY" not in line["sql"]:
        found, line["rows"] = sorted(found, key=str), sorted(line["rows"], key=str)
    assert found == line["rows"]


@pytest.mark.parametrize("line", [line for line in RECORDED if "error" in line], ids=lambda line: line["error"])
def test_what_trino_refuses_fails_with_its_error(engine: Engine, line: dict[str, Any]) -> None:
    found = {}
    for sql in line["statements"]:
        with pytest.raises(QueryError) as caught:
            answer(engine, sql)
        found[sql] = caught.value.code
    assert found == dict.fromkeys(line["statements"], line["error"])


@pytest.mark.parametrize(
    "sql",
    [
        # what depends on the version of Trino
        "SELECT 1.5 / 2", "SELECT 100.0 * count(s) / count(*) FROM t", "SELECT CAST(1.5e0 AS varchar)",
        "SELECT TRY_CAST(' 42 ' AS integer)", "SELECT CAST(ts AS varchar) FROM t",
        # what DuckDB would answer differently
        "SELECT avg(p) FROM t", "SELECT round(p, 1) FROM t", "SELECT approx_percentile(i, 0.5) FROM t",
        "SELECT approx_distinct(i) FROM t", "SELECT reverse(s) FROM t", "SELECT try(1 / 0)", "SELECT corr(x, b) FROM t",
        "SELECT levenshtein_distance(s, 'a') FROM t", "SELECT regexp_extract(s, '(a)|(b)', 1) FROM t",
        "SELECT regexp_replace(s, 'x*', '-') FROM t", "SELECT regexp_like(s, s) FROM t",
        "SELECT regexp_like(s, '\\p{L}') FROM t",
        "SELECT json_extract_scalar(s, '$.*') FROM t",
        "SELECT json_extract_scalar('{\"a\": 1, bad', '$.a')", "SELECT ARRAY[1, NULL] = ARRAY[1, NULL]",
        "SELECT TRY_CAST('1d' AS double)",
        "SELECT date_format(d, '%v') FROM t", "SELECT date_parse(s, '%e') FROM t",
        "SELECT with_timezone(ts, 'Asia/Tokyo') FROM t", "SELECT TIMESTAMP '2026-01-02 03:04:05 America/Sao_Paulo'",
        "SELECT from_iso8601_timestamp('2026-01-01T10:00:00-03:00')", "SELECT ts AT TIME ZONE 'America/Sao_Paulo' FROM t",
        "SELECT date_add('hour', 1, ts AT TIME ZONE 'America/Sao_Paulo') FROM t",
        "SELECT CAST(ts AT TIME ZONE 'EST' AS date) FROM t",
        "SELECT CAST(ts AT TIME ZONE '+01:00' AS date) FROM t", "SELECT slice(l, -2, 1) FROM t", "SELECT max(l) FROM t",
        "SELECT INTERVAL '2' MONTH", "SELECT ts - ts > INTERVAL '1' DAY FROM t",
        # what has no rule
        "SELECT reduce(l, 0, (a, x) -> a + x, a -> a) FROM t", "SELECT map_agg(s, i) FROM t", "SELECT list_sum(l) FROM t",
        "SELECT strftime(ts, '%Y') FROM t", "SELECT trino_same(1, 2)", "SELECT read_text('/etc/passwd')", "SELECT nosuch(1)",
        "SELECT CAST(m AS json) FROM t", "SELECT CAST(i AS decimal(10, 2)) FROM t", "SELECT ROW(1, 2)",
        "SELECT (1, 2) = (1, 2)",
        "SELECT i FROM t TABLESAMPLE BERNOULLI (10)",
        "SELECT * EXCEPT (i) FROM t", "SELECT i FROM t NATURAL JOIN t AS o", "SELECT i FROM t WHERE s ILIKE 'A'",
        "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a WHERE n < 5) SELECT * FROM a",
        "SELECT * FROM UNNEST(ARRAY[1], ARRAY[2]) AS u(a, b)", "SELECT * FROM t PIVOT (sum(i) FOR s IN ('a'))",
    ],
)  # fmt: skip
def test_what_is_not_supported_says_so(engine: Engine, sql: str) -> None:
    with pytest.raises(QueryError, match="not supported by the local Athena") as caught:
        answer(engine, sql)
    assert caught.value.code == "NOT_SUPPORTED"
