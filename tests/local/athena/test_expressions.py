"""Expressions with the answers that Trino gives, as its documentation and its own tests state them."""

import logging
from collections.abc import Iterator

import pytest

from local.athena.engine import Engine, Limits
from local.athena.errors import QueryError
from local.athena.parsing import parse_query
from local.athena.results import ResultColumn, texts
from local.athena.translation import resolve_tables, translate

# ruff: noqa: S608  the statements are what is tested

TABLE = {
    ("d", "t"): [
        ("i", "INTEGER"), ("b", "BIGINT"), ("x", "DOUBLE"), ("s", "VARCHAR"), ("l", "INTEGER[]"),
        ("m", "MAP(VARCHAR, INTEGER)"), ("ts", "TIMESTAMP"), ("d", "DATE"), ("dt", "VARCHAR"), ("p", "DECIMAL(10, 2)"),
    ],
}  # fmt: skip
ROWS = """
    (1, 10, 1.5, 'a', [3, 1, 2], MAP {'k': 7}, TIMESTAMP '2026-01-01 01:30:00', DATE '2026-01-31', '2026-01-01', 1.25),
    (2, 20, 2.5, 'b', [],        MAP {'k': 8}, TIMESTAMP '2026-01-01 23:30:00', DATE '2026-02-28', '2026-01-01', 2.25),
    (3, 35, NULL, NULL, NULL,    NULL,         NULL,                            NULL,              '2026-01-02', NULL)
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    engine = Engine(tmp_path_factory.mktemp("engine"), Limits(memory="256MB", threads=1))
    engine.make_tables(TABLE)
    engine.execute(f"INSERT INTO d.t VALUES {ROWS}")
    yield engine
    engine.close()


def answer(engine: Engine, sql: str) -> list[tuple[str | None, ...]]:
    statement = parse_query(sql)
    resolve_tables(statement, "d")
    cursor = engine.execute(translate(statement, engine.argument_types))
    columns = [ResultColumn(name, str(kind)) for name, kind, *_ in cursor.description or []]
    return texts(cursor.fetchall(), columns)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # numbers: whole numbers divide to whole numbers, toward zero
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("7 / 2e0", "3.5"),
        ("7e0 / 2", "3.5"),
        ("1e0 / 0", "Infinity"),
        ("-1e0 / 0", "-Infinity"),
        ("0e0 / 0", "NaN"),
        ("1.5 / 2", "0.8"),
        ("100.0 * 1 / 3", "33.3"),
        ("10.25 / 0.5", "20.50"),
        ("-1.5 / 2", "-0.8"),
        ("1.5 * 2.25", "3.375"),
        ("1.5 + 2", "3.5"),
        ("CAST(1 AS double) / 3", "0.3333333333333333"),
        ("round(2.5e0)", "3.0"),
        ("round(-2.5e0)", "-3.0"),
        ("round(1.455e0, 1)", "1.5"),
        ("truncate(-2.7e0)", "-2.0"),
        ("ceil(1.2e0)", "2.0"),
        ("floor(-1.2e0)", "-2.0"),
        ("abs(-5)", "5"),
        ("mod(-5, 3)", "-2"),
        ("power(2, 10)", "1024.0"),
        ("sqrt(16)", "4.0"),
        ("greatest(1, 3, 2)", "3"),
        ("greatest(1, NULL, 2)", None),
        ("least(1, NULL)", None),
        ("1e10", "1.0E10"),
        ("1.5e-5", "1.5E-5"),
        ("12345678.9e0", "1.23456789E7"),
        ("1234567.25e0", "1234567.25"),
        ("is_nan(nullif(1e0, 1e0))", None),
        ("wilson_interval_lower(1250, 1310, 1.96e0)", "0.9414883725395894"),
        # casts
        ("CAST(2.5e0 AS integer)", "3"),
        ("CAST(-2.5e0 AS bigint)", "-3"),
        ("CAST(2.5 AS integer)", "3"),
        ("CAST('42' AS bigint)", "42"),
        ("TRY_CAST('1.5' AS integer)", None),
        ("TRY_CAST('x' AS double)", None),
        ("CAST('1e3' AS double)", "1000.0"),
        ("CAST(1.5e0 AS varchar)", "1.5"),
        ("CAST(true AS varchar)", "true"),
        ("CAST(DATE '2026-01-02' AS varchar)", "2026-01-02"),
        ("CAST(TIMESTAMP '2026-01-02 03:04:05' AS varchar)", "2026-01-02 03:04:05.000"),
        ("CAST('abcdef' AS varchar(3))", "abc"),
        ("CAST('2026-01-02' AS date)", "2026-01-02"),
        ("CAST('2026-01-02 03:04' AS timestamp)", "2026-01-02 03:04:00.000"),
        ("CAST(TIMESTAMP '2026-01-02 23:04:05' AS date)", "2026-01-02"),
        ("TIMESTAMP '2026-01-02 03:04:05 America/Sao_Paulo'", "2026-01-02 06:04:05.000 UTC"),
        # texts
        ("concat('a', NULL)", None),
        ("'a' || 'b'", "ab"),
        ("substr('hello', 2)", "ello"),
        ("substr('hello', 2, 3)", "ell"),
        ("substr('hello', -3)", "llo"),
        ("substr('hello', 0)", ""),
        ("substr('hello', -9)", ""),
        ("substr('hello', 9)", ""),
        ("strpos('hello', 'l')", "3"),
        ("strpos('hello', 'z')", "0"),
        ("position('l' IN 'hello')", "3"),
        ("split('a,b,c', ',')", "[a, b, c]"),
        ("split_part('a-b', '-', 2)", "b"),
        ("split_part('a-b', '-', 3)", None),
        ("length('ação')", "4"),
        ("upper('ação')", "AÇÃO"),
        ("trim('  a ')", "a"),
        ("trim(BOTH 'x' FROM 'xxaxx')", "a"),
        ("lpad('7', 3, '0')", "007"),
        ("replace('aXbX', 'X', '')", "ab"),
        ("reverse('abc')", "cba"),
        ("'a_c' LIKE 'a\\_c' ESCAPE '\\'", "true"),
        ("'abc' LIKE 'a_c'", "true"),
        ("'ABC' LIKE 'abc'", "false"),
        ("regexp_like('1a 2b 14m', '\\d+b')", "true"),
        ("regexp_extract('1a 2b 14m', '\\d+')", "1"),
        ("regexp_extract('1a 2b 14m', '(\\d+)([a-z]+)', 2)", "a"),
        ("regexp_extract('abc', 'x')", None),
        ("regexp_extract_all('1a 2b 14m', '\\d+')", "[1, 2, 14]"),
        ("regexp_replace('1a 2b 14m', '(\\d+)([ab]) ', '3c$2 ')", "3ca 3cb 14m"),
        ("regexp_replace('1a 2b 14m', '\\d+[ab] ')", "14m"),
        ("levenshtein_distance('kitten', 'sitting')", "3"),
        # JSON
        ("""json_extract_scalar('{"a": {"b": 1.0}}', '$.a.b')""", "1.0"),
        ("""json_extract_scalar('{"a": {"b": 1}}', '$.a')""", None),
        ("""json_extract_scalar('[1, 2, 3]', '$[2]')""", "3"),
        ("""json_extract_scalar('{"a b": "x"}', '$["a b"]')""", "x"),
        ("""json_extract_scalar('{"a": null}', '$.a')""", None),
        ("""json_extract_scalar('{"a": true}', '$.a')""", "true"),
        ("json_extract_scalar('not json', '$.a')", None),
        ("""json_array_length('[1, 2, 3]')""", "3"),
        ("""json_array_length('{"a": 1}')""", None),
        ("""CAST(json_extract('{"a": 5}', '$.a') AS bigint)""", "5"),
        ("""CAST(json_extract('{"a": "x"}', '$.a') AS varchar)""", "x"),
        ("""CAST(json_parse('["a", "b"]') AS array(varchar))""", "[a, b]"),
        # dates and times
        ("date_diff('day', DATE '2026-01-01', DATE '2026-03-01')", "59"),
        ("date_diff('hour', TIMESTAMP '2026-01-01 00:59:00', TIMESTAMP '2026-01-01 02:00:00')", "1"),
        ("date_diff('day', TIMESTAMP '2026-01-01 23:00:00', TIMESTAMP '2026-01-02 01:00:00')", "0"),
        ("date_diff('month', DATE '2026-01-31', DATE '2026-02-27')", "0"),
        ("date_diff('year', DATE '2025-06-01', DATE '2026-05-31')", "0"),
        ("date_diff('second', TIMESTAMP '2026-01-01 00:00:01', TIMESTAMP '2026-01-01 00:00:00')", "-1"),
        ("date_add('month', 1, DATE '2026-01-31')", "2026-02-28"),
        ("date_add('minute', -90, TIMESTAMP '2026-01-01 01:00:00')", "2025-12-31 23:30:00.000"),
        ("date_add('quarter', 1, DATE '2026-01-31')", "2026-04-30"),
        ("DATE '2026-01-31' + INTERVAL '1' MONTH", "2026-02-28"),
        ("DATE '2026-01-01' - INTERVAL '1' DAY", "2025-12-31"),
        ("TIMESTAMP '2026-01-01 00:00:00' + INTERVAL '90' MINUTE", "2026-01-01 01:30:00.000"),
        ("DATE '2026-01-03' - DATE '2026-01-01'", "2 00:00:00.000"),
        ("TIMESTAMP '2026-01-02 01:00:00' - TIMESTAMP '2026-01-01 00:00:00'", "1 01:00:00.000"),
        ("date_trunc('week', DATE '2026-01-01')", "2025-12-29"),
        ("date_trunc('month', TIMESTAMP '2026-01-15 10:00:00')", "2026-01-01 00:00:00.000"),
        ("day_of_week(DATE '2026-01-04')", "7"),
        ("EXTRACT(DOW FROM DATE '2026-01-04')", "7"),
        ("week(DATE '2026-01-01')", "1"),
        ("year_of_week(DATE '2024-12-30')", "2025"),
        ("day_of_year(DATE '2026-02-01')", "32"),
        ("quarter(DATE '2026-05-01')", "2"),
        ("EXTRACT(HOUR FROM TIMESTAMP '2026-01-01 17:00:00')", "17"),
        ("date_format(TIMESTAMP '2026-01-02 03:04:05', '%Y-%m-%d %H:%i:%s')", "2026-01-02 03:04:05"),
        ("date_format(DATE '2026-01-02', '%d %b %Y, %W')", "02 Jan 2026, Friday"),
        ("date_parse('2026-01-02 03', '%Y-%m-%d %H')", "2026-01-02 03:00:00.000"),
        ("format_datetime(TIMESTAMP '2026-01-02 03:04:05', 'yyyy-MM-dd''T''HH:mm')", "2026-01-02T03:04"),
        ("from_unixtime(0)", "1970-01-01 00:00:00.000 UTC"),
        ("to_unixtime(TIMESTAMP '2026-01-01 00:00:00')", "1.7672256E9"),
        ("from_iso8601_timestamp('2026-01-01T10:00:00-03:00')", "2026-01-01 13:00:00.000 UTC"),
        ("from_iso8601_date('2026-01-02')", "2026-01-02"),
        ("to_iso8601(DATE '2026-01-02')", "2026-01-02"),
        ("last_day_of_month(DATE '2026-02-03')", "2026-02-28"),
        ("CAST(TIMESTAMP '2026-01-01 01:30:00' AT TIME ZONE 'America/Sao_Paulo' AS date)", "2025-12-31"),
        ("hour(TIMESTAMP '2026-01-01 01:30:00 UTC' AT TIME ZONE 'America/Sao_Paulo')", "22"),
        ("CAST(date_trunc('day', TIMESTAMP '2026-01-01 01:30:00' AT TIME ZONE 'Asia/Tokyo') AS date)", "2026-01-01"),
        ("CAST(at_timezone(TIMESTAMP '2026-01-01 01:30:00 UTC', 'America/Sao_Paulo') AS date)", "2025-12-31"),
        (
            "CAST(at_timezone(with_timezone(TIMESTAMP '2026-01-01 18:30:00', 'UTC'), 'Asia/Kathmandu') AS date)",
            "2026-01-02",
        ),
        ("with_timezone(TIMESTAMP '2026-01-01 01:30:00', 'Asia/Tokyo')", "2025-12-31 16:30:00.000 UTC"),
        # lists and maps
        ("ARRAY[1, 2, 3][2]", "2"),
        ("element_at(ARRAY[1, 2, 3], -1)", "3"),
        ("element_at(ARRAY[1, 2, 3], 9)", None),
        ("element_at(MAP(ARRAY['a'], ARRAY[1]), 'b')", None),
        ("MAP(ARRAY['a', 'b'], ARRAY[1, 2])", "{a=1, b=2}"),
        ("MAP(ARRAY['a'], ARRAY[1])['a']", "1"),
        ("cardinality(ARRAY[1, 2])", "2"),
        ("cardinality(MAP(ARRAY['a'], ARRAY[1]))", "1"),
        ("contains(ARRAY[1, 2], 2)", "true"),
        ("array_join(ARRAY['a', 'b'], '-')", "a-b"),
        ("array_sort(ARRAY[3, 1, 2])", "[1, 2, 3]"),
        ("slice(ARRAY[1, 2, 3, 4], 2, 2)", "[2, 3]"),
        ("sequence(1, 3)", "[1, 2, 3]"),
        ("sequence(DATE '2026-01-31', DATE '2026-02-01')", "[2026-01-31, 2026-02-01]"),
        ("transform(ARRAY[1, 2, 5], x -> x / 2)", "[0, 1, 2]"),
        ("filter(ARRAY[5, -6, 7], x -> x > 0)", "[5, 7]"),
        ("any_match(ARRAY[1, 2], x -> x > 1)", "true"),
        ("all_match(ARRAY[], x -> x > 1)", "true"),
        ("none_match(ARRAY[1, 2], x -> x > 2)", "true"),
        # conditions
        ("if(1 > 2, 'a')", None),
        ("CASE WHEN NULL THEN 1 ELSE 2 END", "2"),
        ("coalesce(NULL, 3)", "3"),
        ("nullif(1, 1)", None),
        ("try(1 / 0)", None),
        ("try(CAST('x' AS integer))", None),
        ("NULL = NULL", None),
        ("NULL IS NOT DISTINCT FROM NULL", "true"),
        ("1 IN (2, NULL)", None),
        ("NOT (1 BETWEEN 2 AND 3)", "true"),
    ],
)
def test_an_expression(engine: Engine, expression: str, expected: str | None) -> None:
    assert answer(engine, f"SELECT {expression}") == [(expected,)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT sum(i) / count(*) FROM t", [("2",)]),
        ("SELECT sum(b) / 2, avg(b), avg(i) FROM t", [("32", "21.666666666666668", "2.0")]),
        ("SELECT 100.0 * count(s) / count(*) FROM t", [("66.7",)]),
        ("SELECT sum(p) / 2 FROM t", [("1.75",)]),
        ("SELECT count(*), count(s), count(DISTINCT dt), approx_distinct(dt), count_if(i > 1) FROM t",
         [("3", "2", "2", "2", "2")]),
        ("SELECT count_if(s > 'z'), count_if(CAST(NULL AS boolean)), count_if(i > 1) FILTER (WHERE i < 3) FROM t",
         [("0", "0", "1")]),
        ("SELECT count_if(i > 1) FROM t WHERE i > 9", [("0",)]),
        ("SELECT array_agg(s ORDER BY i) FROM t", [("[a, b, null]",)]),
        ("SELECT max_by(s, i), min_by(s, i), arbitrary(dt) FROM t WHERE i < 4", [(None, "a", "2026-01-01")]),
        ("SELECT approx_percentile(b, 0.5), approx_percentile(b, ARRAY[0.1, 0.9]) FROM t", [("20", "[10, 35]")]),
        ("SELECT listagg(s, ',') WITHIN GROUP (ORDER BY i DESC) FROM t", [("b,a",)]),
        ("SELECT bool_and(i > 0), every(i > 1), bool_or(i > 2) FROM t", [("true", "false", "true")]),
        ("SELECT x FROM t ORDER BY x", [("1.5",), ("2.5",), (None,)]),
        ("SELECT x FROM t ORDER BY x DESC", [("2.5",), ("1.5",), (None,)]),
        ("SELECT i, sum(i) FILTER (WHERE i > 1) OVER (ORDER BY i) / 2 FROM t ORDER BY 1",
         [("1", None), ("2", "1"), ("3", "2")]),
        ("SELECT lag(s) IGNORE NULLS OVER (ORDER BY i), first_value(i) OVER (ORDER BY i DESC) FROM t ORDER BY i",
         [(None, "3"), ("a", "3"), ("b", "3")]),
        ("SELECT dt, count(*) FROM t GROUP BY ROLLUP (dt) ORDER BY 2, 1",
         [("2026-01-02", "1"), ("2026-01-01", "2"), (None, "3")]),
        ("SELECT i / 2, count(*) FROM t GROUP BY 1 HAVING count(*) > 1", [("1", "2")]),
        ("SELECT i, v, n FROM t CROSS JOIN UNNEST(l) WITH ORDINALITY AS u(v, n) ORDER BY n",
         [("1", "3", "1"), ("1", "1", "2"), ("1", "2", "3")]),
        ("SELECT s, v FROM t LEFT JOIN UNNEST(l) AS u(v) ON true WHERE i = 2", [("b", None)]),
        ("SELECT i FROM t WHERE EXISTS (SELECT 1 FROM t o WHERE o.i / 2 = t.i)", [("1",)]),
        ("SELECT (SELECT max(o.b) / 3 FROM t o WHERE o.dt = t.dt) FROM t WHERE i = 1", [("6",)]),
        ("WITH a AS (SELECT dt, sum(b) AS n FROM t GROUP BY dt), c AS (SELECT max(n) / 4 AS q FROM a) SELECT q / 2 FROM c",
         [("4",)]),
        ("SELECT a.i, o.i FROM t a JOIN t o ON a.i / 2 = o.i AND o.dt = '2026-01-01' ORDER BY 1", [("2", "1"), ("3", "1")]),
        ("SELECT i FROM t UNION ALL SELECT 9 ORDER BY 1 DESC LIMIT 2", [("9",), ("3",)]),
        ("SELECT i FROM t ORDER BY i OFFSET 1 LIMIT 1", [("2",)]),
        ("SELECT v.a, v.b FROM (VALUES (1, 'x'), (2, 'y')) AS v(a, b) WHERE v.a > 1", [("2", "y")]),
        ("SELECT CAST(ts AT TIME ZONE 'America/Sao_Paulo' AS date), count(*) FROM t WHERE i < 3 GROUP BY 1 ORDER BY 1",
         [("2025-12-31", "1"), ("2026-01-01", "1")]),
        # in ORDER BY an alias comes before a column, elsewhere after it
        ("SELECT -i AS i FROM t ORDER BY i", [("-3",), ("-2",), ("-1",)]),
        ("SELECT -i AS i FROM t ORDER BY i + 0", [("-3",), ("-2",), ("-1",)]),
        ("SELECT b + 1 AS i, i AS j FROM t WHERE i = 1", [("11", "1")]),
        ("SELECT DISTINCT dt FROM t ORDER BY dt", [("2026-01-01",), ("2026-01-02",)]),
        ("SELECT l[1], m['k'], p * 2 FROM t WHERE i = 1", [("3", "7", "2.50")]),
    ],
)  # fmt: skip
def test_a_query(engine: Engine, sql: str, expected: list[tuple[str | None, ...]]) -> None:
    assert answer(engine, sql) == expected


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("CAST('1.5' AS integer)", "INVALID_CAST_ARGUMENT"),
        ("CAST(s AS integer)", "INVALID_CAST_ARGUMENT"),
        ("CAST('x' AS date)", "INVALID_CAST_ARGUMENT"),
        ("CAST('2026-01-01 10:00:00' AS date)", "INVALID_CAST_ARGUMENT"),
        ("l[9]", "INVALID_FUNCTION_ARGUMENT"),
        ("m['nosuch']", "INVALID_FUNCTION_ARGUMENT"),
        ("element_at(l, 0)", "INVALID_FUNCTION_ARGUMENT"),
        ("split_part('a', '-', 0)", "INVALID_FUNCTION_ARGUMENT"),
        ("DATE '2026-01-01' + INTERVAL '1' HOUR", "INVALID_FUNCTION_ARGUMENT"),
        ("1.5 / 0", "DIVISION_BY_ZERO"),
        ("i / 0", "DIVISION_BY_ZERO"),
        ("2147483647 + i", "NUMERIC_VALUE_OUT_OF_RANGE"),
        ("s = 1", "TYPE_MISMATCH"),
        ("d = '2026-01-31'", "TYPE_MISMATCH"),
        ("i IN ('1')", "TYPE_MISMATCH"),
        ("i BETWEEN '1' AND '2'", "TYPE_MISMATCH"),
        ("s || i", "TYPE_MISMATCH"),
        ("d + 1", "TYPE_MISMATCH"),
        ("upper(i)", "TYPE_MISMATCH"),
        ("concat(s, i)", "FUNCTION_NOT_FOUND"),
        ("year(s)", "FUNCTION_NOT_FOUND"),
        ("sum(s)", "FUNCTION_NOT_FOUND"),
        ("count(DISTINCT i, b)", "FUNCTION_NOT_FOUND"),
        ("row_number()", "EXPRESSION_NOT_SCALAR"),
        ("ts AT TIME ZONE 'America/Sao_Paulo'", "NOT_SUPPORTED"),
        ("at_timezone(ts, 'America/Sao_Paulo')", "NOT_SUPPORTED"),
        ("with_timezone(d, 'UTC')", "FUNCTION_NOT_FOUND"),
        ("avg(p)", "NOT_SUPPORTED"),
        ("regexp_extract(s, '(a)|(b)', 1)", "NOT_SUPPORTED"),
        ("regexp_like(s, s)", "NOT_SUPPORTED"),
        ("json_extract(s, '$.*')", "NOT_SUPPORTED"),
        ("date_format(d, '%v')", "NOT_SUPPORTED"),
        ("CAST(m AS json)", "NOT_SUPPORTED"),
        ("CAST(l AS varchar)", "NOT_SUPPORTED"),
        ("reduce(l, 0, (a, x) -> a + x, a -> a)", "FUNCTION_NOT_FOUND"),
        ("map_agg(s, i)", "FUNCTION_NOT_FOUND"),
        ("list_sum(l)", "FUNCTION_NOT_FOUND"),
        ("'a' 'b'", "SYNTAX_ERROR"),
    ],
)
def test_what_fails_in_trino_or_is_not_known_to_be_the_same_fails(engine: Engine, expression: str, code: str) -> None:
    with pytest.raises(QueryError) as caught:
        answer(engine, f"SELECT {expression} FROM t WHERE i = 1")
    assert caught.value.code == code, str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT i FROM t QUALIFY row_number() OVER (ORDER BY i) = 1",
        "SELECT DISTINCT ON (i) i FROM t",
        "SELECT * EXCEPT (i) FROM t",
        "SELECT i FROM t TABLESAMPLE BERNOULLI (10)",
        "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a WHERE n < 5) SELECT * FROM a",
        "SELECT * FROM UNNEST(ARRAY[1], ARRAY[2]) AS u(a, b)",
        "SELECT i FROM t NATURAL JOIN t AS o",
        "SELECT * FROM t PIVOT (sum(i) FOR s IN ('a'))",
        "SELECT i FROM t WHERE s ILIKE 'A'",
    ],
)
def test_grammar_that_is_not_in_the_list_fails(engine: Engine, sql: str) -> None:
    with pytest.raises(QueryError):
        answer(engine, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT i + 1 AS n FROM t WHERE n = 2",
        "SELECT i + 1 AS n, count(*) FROM t GROUP BY n",
        "SELECT dt, count(*) AS n FROM t GROUP BY dt HAVING n > 1",
        "SELECT i + 1 AS n, n * 2 FROM t",
    ],
)
def test_an_alias_is_no_column(engine: Engine, sql: str) -> None:
    with pytest.raises(QueryError) as caught:
        answer(engine, sql)
    assert caught.value.code == "COLUMN_NOT_FOUND"
