"""Queries over a projected table in the embedded AWS, as boto3 and PyAthena send them."""
# ruff: noqa: S608  the statements are what is tested

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyathena
import pytest

from tests.local.athena.conftest import RESULTS, Athena, Aws

ACME = "organization_id = 'acme'"


def test_rows_header_types_and_the_csv_file(athena: Athena, lake: Aws) -> None:
    execution = athena.run(
        "SELECT session_id, exit, value, score, at, tags, added_later, dt, count(*) OVER () "
        f"FROM events WHERE {ACME} AND dt = '2026-01-01' ORDER BY value"
    )
    answer = athena.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]
    rows = [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer["Rows"]]
    assert rows == [
        ["session_id", "exit", "value", "score", "at", "tags", "added_later", "dt", "_col8"],
        ["s1", None, "10", "1.5", "2026-01-01 01:00:00.000", "[a, b]", None, "2026-01-01", "2"],
        ["s1", "ok", "20", "2.5", "2026-01-01 23:30:00.000", "[b]", None, "2026-01-01", "2"],
    ]
    kinds = [column["Type"] for column in answer["ResultSetMetadata"]["ColumnInfo"]]
    assert kinds == ["varchar", "varchar", "integer", "double", "timestamp", "array", "varchar", "varchar", "bigint"]

    bucket, key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").split("/", 1)
    lines = lake.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()
    assert lines[1] == '"s1",,"10","1.5","2026-01-01 01:00:00.000","[a, b]",,"2026-01-01","2"'


def test_only_needed_partitions_are_read_and_counted(athena: Athena) -> None:
    def scanned(where: str) -> int:
        execution = athena.run(f"SELECT count(*) FROM events WHERE {where}")
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        size: int = execution["Statistics"]["DataScannedInBytes"]
        return size

    days = [scanned(f"{ACME} AND dt = '{day}'") for day in ("2026-01-01", "2026-01-02")]
    assert scanned(ACME) == sum(days)
    assert scanned(f"{ACME} AND dt BETWEEN '2026-01-02' AND '2026-02-01'") == days[1]
    assert scanned(f"{ACME} AND dt > '2026-01-02'") == 0


def test_a_partition_outside_the_projected_range_does_not_exist(athena: Athena) -> None:
    assert athena.rows(f"SELECT count(*) FROM events WHERE {ACME}") == [["3"]]


def test_an_injected_key_must_be_named(athena: Athena) -> None:
    assert athena.reason("SELECT count(*) FROM events").startswith("CONSTRAINT_VIOLATION: ")
    both = (
        "SELECT organization_id, count(*) FROM events WHERE organization_id IN ('acme', 'other') GROUP BY 1 ORDER BY 1"
    )
    assert athena.rows(both) == [["acme", "3"], ["other", "1"]]


def test_parameters_take_the_places_of_the_text_and_are_only_literals(athena: Athena) -> None:
    sql = "SELECT count(*) FROM events WHERE organization_id = ? AND value > ? AND type <> '?' AND type <> ?"
    assert athena.rows(sql, "'acme'", "15", "'it''s'") == [["2"]]
    assert "expected 3 but found 1" in athena.reason(sql, "'acme'")
    for injected in ("'acme' OR 1 = 1", "(SELECT 1)", "value", "1, 2", "1) OR (1 = 1"):
        reason = athena.reason("SELECT 1 FROM events WHERE organization_id = ?", injected)
        assert reason.startswith("INVALID_PARAMETER_USAGE: ")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ?",
        "SELECT count(*) FILTER (WHERE type = ?) FROM events WHERE organization_id = 'acme'",
        "SELECT 1 FROM events AS a INNER JOIN events AS b ON a.type = ? WHERE a.organization_id = 'acme'",
        "SELECT type FROM events WHERE organization_id = 'acme' GROUP BY type HAVING count(*) > ?",
        "SELECT 1 FROM events WHERE organization_id IN (SELECT ?)",
        "SELECT 1 FROM events WHERE organization_id = 'acme' LIMIT ?",
        "SELECT 1 FROM UNNEST(split(?, ',')) AS t (x)",
        "WITH a AS (SELECT CAST(? AS bigint) AS b) SELECT b FROM a",
        "UNLOAD (SELECT ? AS a) TO 's3://x/y/' WITH (format = 'PARQUET')",
    ],
)
def test_a_parameter_outside_the_where_clause_is_refused(athena: Athena, sql: str) -> None:
    reason = athena.reason(sql, "1")
    assert reason.startswith("SYNTAX_ERROR: ")
    assert "only in the WHERE clause" in reason


@pytest.mark.parametrize(
    "condition",
    [
        "organization_id = ?",
        "organization_id IN (?)",
        "organization_id = 'acme' AND CASE WHEN type = ? THEN FALSE ELSE TRUE END",
        "organization_id = 'acme' AND element_at(split(?, ','), 1) IS NOT DISTINCT FROM 'acme'",
        "organization_id IN (SELECT organization_id FROM events WHERE organization_id = ?)",
    ],
)
def test_a_parameter_may_be_anywhere_in_the_where_clause(athena: Athena, condition: str) -> None:
    sql = f"WITH e AS (SELECT * FROM events WHERE organization_id = 'acme' AND {condition}) SELECT count(*) FROM e"
    assert athena.rows(sql, "'acme'") == athena.rows(f"SELECT count(*) FROM events WHERE {ACME}")


def test_comments_and_a_semicolon_change_nothing(athena: Athena) -> None:
    assert athena.rows("-- why\n/* and\nhow */ SELECT 1 -- what\n;") == [["1"]]


def test_local_days(athena: Athena) -> None:
    rows = athena.rows(
        "SELECT CAST(at AT TIME ZONE 'America/Sao_Paulo' AS date) AS day, count(*) "
        f"FROM events WHERE {ACME} GROUP BY 1 ORDER BY 1"
    )
    assert rows == [["2025-12-31", "1"], ["2026-01-01", "2"]]


def test_lists_json_and_windows(athena: Athena) -> None:
    rows = athena.rows(
        "WITH e AS (SELECT *, row_number() OVER (PARTITION BY session_id ORDER BY at) AS n FROM events WHERE "
        f"{ACME}) SELECT e.session_id, n, tag, json_extract_scalar(variables, '$.age') FROM e "
        "CROSS JOIN UNNEST(tags) AS u(tag) ORDER BY n, tag"
    )
    assert rows == [["s1", "1", "a", "31"], ["s1", "1", "b", "31"], ["s1", "2", "b", "x"]]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELEC 1", "NOT_SUPPORTED"),
        ("SELECT FROM events WHERE", "SYNTAX_ERROR"),
        ("SELECT 1; SELECT 2", "SYNTAX_ERROR"),
        ("SELECT nosuch FROM events WHERE organization_id = 'acme'", "COLUMN_NOT_FOUND"),
        ("SELECT * FROM nosuch", "TABLE_NOT_FOUND"),
        ("SELECT * FROM nosuch.events", "TABLE_NOT_FOUND"),
        ("SELECT * FROM other_catalog.pytake.events", "CATALOG_NOT_FOUND"),
        ("SELECT nosuch(1)", "NOT_SUPPORTED"),  # Athena may have it
        ("SELECT upper(1)", "FUNCTION_NOT_FOUND"),
        ("SELECT date_trunc('fortnight', current_date)", "INVALID_FUNCTION_ARGUMENT"),
        ("SELECT date_parse('x', '%Y')", "INVALID_FUNCTION_ARGUMENT"),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO"),
        ("SELECT value / (value - value) FROM events WHERE organization_id = 'acme'", "DIVISION_BY_ZERO"),
        ("SELECT CAST(type AS integer) FROM events WHERE organization_id = 'acme'", "INVALID_CAST_ARGUMENT"),
        ("SELECT value = '1' FROM events WHERE organization_id = 'acme'", "TYPE_MISMATCH"),
        ("SELECT type FROM events WHERE organization_id = 'acme' GROUP BY dt", "EXPRESSION_NOT_AGGREGATE"),
        ("SELECT 9223372036854775807 + 1", "NUMERIC_VALUE_OUT_OF_RANGE"),
        ("SELECT * FROM events MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS true)", "NOT_SUPPORTED"),
        ("CREATE VIEW v AS SELECT 1", "NOT_SUPPORTED"),
        ("EXPLAIN SELECT 1", "NOT_SUPPORTED"),
    ],
)
def test_errors_are_athenas(athena: Athena, sql: str, code: str) -> None:
    assert athena.reason(sql).startswith(f"{code}: ")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "/etc/passwd"',
        "SELECT * FROM TABLE(read_text('/etc/passwd'))",
        "SELECT read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT getenv('HOME')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM information_schema.tables",
        "COPY (SELECT 1) TO '/tmp/x'",
        "ATTACH '/tmp/x.db'",
        "SET memory_limit = '1TB'",
        "INSTALL httpfs",
        "PRAGMA version",
        "SELECT COLUMNS('.*') FROM events",
        "SELECT 1 FROM events WHERE organization_id = 'acme' AND EXISTS (SELECT * FROM read_blob('/etc/passwd'))",
    ],
)
def test_a_statement_reaches_nothing_but_its_tables(athena: Athena, sql: str) -> None:
    assert athena.reason(sql)


def test_a_running_query_can_be_stopped(athena: Athena) -> None:
    numbers = "UNNEST(sequence(1, 10000))"
    sql = f"SELECT sum(a.x * b.x % c.x) FROM {numbers} a(x) CROSS JOIN {numbers} b(x) CROSS JOIN {numbers} c(x)"
    id_ = athena.client.start_query_execution(QueryString=sql, ResultConfiguration={"OutputLocation": RESULTS})[
        "QueryExecutionId"
    ]
    while athena.client.get_query_execution(QueryExecutionId=id_)["QueryExecution"]["Status"]["State"] == "QUEUED":
        pass
    with pytest.raises(athena.client.exceptions.InvalidRequestException, match="not yet finished"):
        athena.client.get_query_results(QueryExecutionId=id_)
    asked = time.monotonic()
    athena.client.stop_query_execution(QueryExecutionId=id_)
    assert athena.ended(id_)["Status"]["State"] == "CANCELLED"
    assert time.monotonic() - asked < 5


def test_the_work_group_says_where_results_go_and_how_much_may_be_scanned(
    athena: Athena, lake: Aws, tmp_path: Path
) -> None:
    athena.client.create_work_group(
        Name="analysts",
        Configuration={
            "ResultConfiguration": {"OutputLocation": "s3://lake/analysts/"},
            "EnforceWorkGroupConfiguration": True,
            "BytesScannedCutoffPerQuery": 10_000_000,  # the least that Athena accepts
        },
    )
    duckdb.sql(f"COPY (SELECT hash(x) AS h FROM range(1300000) t(x)) TO '{tmp_path}/big.parquet'")
    lake.client("s3").upload_file(str(tmp_path / "big.parquet"), "lake", "big/big.parquet")
    athena.run("CREATE EXTERNAL TABLE big (h bigint) STORED AS PARQUET LOCATION 's3://lake/big/'")

    free = athena.run("SELECT 1", WorkGroup="analysts")
    assert free["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/analysts/")
    stopped = athena.run("SELECT count(*) FROM big", WorkGroup="analysts")
    assert stopped["Status"]["State"] == "CANCELLED"
    assert stopped["Status"]["StateChangeReason"] == "Bytes scanned limit was exceeded"
    listed = athena.client.list_query_executions(WorkGroup="analysts")["QueryExecutionIds"]
    assert listed == [stopped["QueryExecutionId"], free["QueryExecutionId"]]


def test_calls_that_are_refused(athena: Athena) -> None:
    refused = athena.client.exceptions.InvalidRequestException
    with pytest.raises(refused, match="No output location"):
        athena.client.start_query_execution(QueryString="SELECT 1")
    with pytest.raises(refused, match="not found"):
        athena.client.start_query_execution(QueryString="SELECT 1", WorkGroup="nosuch")
    with pytest.raises(refused, match="was not found"):
        athena.client.get_query_execution(QueryExecutionId="nosuch")
    failed = athena.run("SELECT 1 / 0")["QueryExecutionId"]
    with pytest.raises(refused, match="did not finish successfully"):
        athena.client.get_query_results(QueryExecutionId=failed)
    batch = athena.client.batch_get_query_execution(QueryExecutionIds=[failed, "nosuch"])
    assert [found["QueryExecutionId"] for found in batch["QueryExecutions"]] == [failed]
    assert [unknown["QueryExecutionId"] for unknown in batch["UnprocessedQueryExecutionIds"]] == ["nosuch"]


def test_the_same_token_is_the_same_query(athena: Athena) -> None:
    token = "0123456789abcdef0123456789abcdef"
    first, again = (athena.run("SELECT 1", ClientRequestToken=token)["QueryExecutionId"] for _ in range(2))
    assert first == again
    with pytest.raises(athena.client.exceptions.InvalidRequestException, match="do not match"):
        athena.run("SELECT 2", ClientRequestToken=token)


def test_results_come_in_pages(athena: Athena) -> None:
    id_ = athena.run("SELECT x FROM UNNEST(sequence(1, 2500)) AS t(x)")["QueryExecutionId"]
    pages = list(athena.client.get_paginator("get_query_results").paginate(QueryExecutionId=id_))
    assert [len(page["ResultSet"]["Rows"]) for page in pages] == [1000, 1000, 501]


def test_pyathena_prepares_binds_and_reads(lake: Aws) -> None:
    environment = lake.environment
    connection = pyathena.connect(
        s3_staging_dir=RESULTS,
        schema_name="pytake",
        endpoint_url=lake.endpoint_url,
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        poll_interval=0.01,
    )
    with connection, connection.cursor() as cursor:
        read: Any = cursor
        read.execute(
            "SELECT value, score, at, exit FROM events WHERE organization_id = %(org)s ORDER BY value", {"org": "acme"}
        )
        assert read.fetchone() == (10, 1.5, datetime(2026, 1, 1, 1), None)  # noqa: DTZ001  Athena's timestamp has no zone
        assert len(read.fetchall()) == 2
        read.execute("SELECT count(*) FROM events WHERE organization_id = ?", ["'acme'"], paramstyle="qmark")
        assert read.fetchall() == [(3,)]
        with pytest.raises(pyathena.error.OperationalError, match="COLUMN_NOT_FOUND"):
            read.execute("SELECT nosuch FROM events WHERE organization_id = 'acme'")


def test_what_the_emulator_answers_still_works(athena: Athena, lake: Aws) -> None:
    client = athena.client
    metadata = client.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="pytake", TableName="events")
    assert [key["Name"] for key in metadata["TableMetadata"]["PartitionKeys"]] == ["organization_id", "dt"]
    with pytest.raises(client.exceptions.MetadataException):
        client.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="pytake", TableName="nosuch")
    tables = client.list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="pytake")["TableMetadataList"]
    assert "events" in {table["Name"] for table in tables}
    databases = client.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]
    assert "pytake" in {database["Name"] for database in databases}
    assert client.get_work_group(WorkGroup="primary")["WorkGroup"]["State"] == "ENABLED"
    named = client.create_named_query(Name="n", Database="pytake", QueryString="SELECT 1")["NamedQueryId"]
    assert client.get_named_query(NamedQueryId=named)["NamedQuery"]["QueryString"] == "SELECT 1"
    assert lake.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_statement_comes_again_with_other_parameters_and_gets_its_own_answer(athena: Athena) -> None:
    sql = "SELECT count(*) FROM events WHERE organization_id = ? AND at >= ? AND type <> ?"
    moments = "TIMESTAMP '2026-01-01 02:00:00'", "TIMESTAMP '2026-01-02 00:00:00.000'"
    assert athena.rows(sql, "'acme'", moments[0], "'x'") == [["2"]]
    assert athena.rows(sql, "'acme'", moments[1], "'it''s §%Q\\${1}'") == [["1"]]
    assert athena.rows(sql, "'other'", moments[0], "'started'") == [["0"]]
    assert athena.rows(sql, "'acme'", moments[0], "'x'") == [["2"]]


def test_a_parameter_that_a_translation_looks_into_is_looked_into_each_time(athena: Athena) -> None:
    last = f"SELECT max(at) AS at FROM events WHERE {ACME}"
    sql = f"SELECT count(*) FROM ({last}) AS e WHERE date_format(at, ?) = ? AND regexp_replace('a1b2', ?, ?) = ?"
    assert athena.rows(sql, "'%H:%i'", "'02:00'", "'[0-9]'", "'<$0>'", "'a<1>b<2>'") == [["1"]]
    assert athena.rows(sql, "'%d.%m.'", "'02.01.'", "'[a-z]'", "''", "'12'") == [["1"]]
    assert "date format" in athena.reason(sql, "'%v'", "''", "'a'", "''", "''")
    assert "regular expression" in athena.reason(sql, "'%H'", "''", "'\\p{L}'", "''", "''")
