"""Statements that make tables, write files and remember statements."""

from collections.abc import Iterator

import pytest

from tests.local.athena.conftest import Athena, Aws

# ruff: noqa: S608  the statements are what is tested


def keys(lake: Aws, prefix: str) -> list[str]:
    found = lake.client("s3").list_objects_v2(Bucket="lake", Prefix=prefix)
    return [content["Key"] for content in found.get("Contents", [])]


@pytest.fixture
def table(athena: Athena, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a table of this test alone, with its own place, dropped after it."""
    name = f"t_{abs(hash(request.node.name)) % 10**9}"
    yield name
    athena.run(f"DROP TABLE IF EXISTS {name}")


def create(athena: Athena, table: str, more: str = "") -> None:
    execution = athena.run(
        f"CREATE EXTERNAL TABLE {table} (id int, name string) PARTITIONED BY (dt string) STORED AS PARQUET "
        f"LOCATION 's3://lake/{table}/' {more}"
    )
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    assert execution["StatementType"] == "DDL"


def test_a_table_is_made_filled_read_described_and_dropped(athena: Athena, lake: Aws, table: str) -> None:
    create(athena, table)
    assert athena.rows(f"SELECT * FROM {table}") == []
    inserted = athena.run(f"INSERT INTO {table} VALUES (1, 'a', '2026-01-01'), (2, NULL, '2026-01-02')")
    assert athena.client.get_query_results(QueryExecutionId=inserted["QueryExecutionId"])["UpdateCount"] == 2
    athena.run(f"INSERT INTO {table} (dt, id) SELECT dt, id + 10 FROM {table} WHERE dt = '2026-01-01'")

    assert athena.rows(f"SELECT * FROM {table} ORDER BY id") == [
        ["1", "a", "2026-01-01"],
        ["2", None, "2026-01-02"],
        ["11", None, "2026-01-01"],
    ]
    assert athena.rows(f"SHOW PARTITIONS {table}") == [["dt=2026-01-01"], ["dt=2026-01-02"]]
    assert athena.rows(f"DESCRIBE {table}")[:2] == [["id", "int", ""], ["name", "string", ""]]
    assert [table] in athena.rows("SHOW TABLES")
    assert len(keys(lake, f"{table}/dt=2026-01-01/")) == 2
    athena.run(f"DROP TABLE {table}")
    assert athena.reason(f"SELECT * FROM {table}").startswith("TABLE_NOT_FOUND")
    assert athena.reason(f"DROP TABLE {table}").startswith("TABLE_NOT_FOUND")


def test_partitions_that_are_not_registered_are_not_there_until_repaired(athena: Athena, lake: Aws, table: str) -> None:
    athena.run(f"UNLOAD (SELECT 1 AS id, 'a' AS name) TO 's3://lake/{table}/dt=2026-01-01/' WITH (format = 'PARQUET')")
    create(athena, table)
    assert athena.rows(f"SELECT count(*) FROM {table}") == [["0"]]
    athena.run(f"MSCK REPAIR TABLE {table}")
    assert athena.rows(f"SELECT * FROM {table}") == [["1", "a", "2026-01-01"]]


def test_insert_checks_types(athena: Athena, table: str) -> None:
    create(athena, table)
    assert athena.reason(f"INSERT INTO {table} VALUES ('x', 'a', '2026-01-01')").startswith("TYPE_MISMATCH")
    assert athena.reason(f"INSERT INTO {table} VALUES (1, 'a')").startswith("TYPE_MISMATCH")


def test_create_table_as(athena: Athena, lake: Aws, table: str) -> None:
    made = athena.run(
        f"CREATE TABLE {table} WITH (format = 'PARQUET', write_compression = 'ZSTD', partitioned_by = ARRAY['dt'], "
        f"external_location = 's3://lake/{table}/') AS "
        "SELECT session_id, CAST(value AS double) AS value, at, tags, dt FROM events WHERE organization_id = 'acme'"
    )
    assert made["Status"]["State"] == "SUCCEEDED", made["Status"]
    assert athena.rows(f"SELECT dt, sum(value), max(at), count(tags) FROM {table} GROUP BY dt ORDER BY dt") == [
        ["2026-01-01", "30.0", "2026-01-01 23:30:00.000", "2"],
        ["2026-01-02", "30.0", "2026-01-02 02:00:00.000", "1"],
    ]
    manifest = made["Statistics"]["DataManifestLocation"].removeprefix("s3://lake/")
    listed = lake.client("s3").get_object(Bucket="lake", Key=manifest)["Body"].read().decode().splitlines()
    assert listed == [f"s3://lake/{key}" for key in keys(lake, f"{table}/")]
    again = f"CREATE TABLE {table} AS SELECT 1 AS x"
    assert athena.reason(again).startswith("TABLE_ALREADY_EXISTS")
    assert athena.reason("CREATE TABLE unnamed AS SELECT 1").startswith("MISSING_COLUMN_NAME")


def test_a_failing_insert_writes_nothing(athena: Athena, lake: Aws, table: str) -> None:
    create(athena, table)
    failing = f"INSERT INTO {table} SELECT 1 / (value - 30), type, dt FROM events WHERE organization_id = 'acme'"
    assert athena.reason(failing).startswith("DIVISION_BY_ZERO")
    assert keys(lake, f"{table}/") == []


def test_prepared_statements(athena: Athena) -> None:
    athena.run(
        "PREPARE by_type FROM SELECT type FROM events WHERE type <> ? AND organization_id = ? AND value > ? ORDER BY value"
    )
    assert athena.rows("EXECUTE by_type USING 'x, y', 'acme', 15") == [["completed"], ["started"]]
    assert athena.rows("EXECUTE by_type", "'x'", "'acme'", "25") == [["started"]]
    listed = athena.client.list_prepared_statements(WorkGroup="primary")["PreparedStatements"]
    assert [statement["StatementName"] for statement in listed] == ["by_type"]
    dropped = athena.run("DEALLOCATE PREPARE by_type")
    assert dropped["Status"]["State"] == "SUCCEEDED", dropped["Status"]
    assert "was not found" in athena.reason("EXECUTE by_type USING 1")

    athena.client.create_prepared_statement(
        StatementName="api",
        WorkGroup="primary",
        QueryStatement="SELECT 42 FROM events WHERE organization_id = 'acme' AND value = ?",
    )
    assert athena.rows("EXECUTE api USING 30") == [["42"]]
    athena.client.delete_prepared_statement(StatementName="api", WorkGroup="primary")


def test_databases(athena: Athena) -> None:
    athena.run("CREATE DATABASE IF NOT EXISTS scratch")
    assert ["scratch"] in athena.rows("SHOW DATABASES")
    assert athena.reason("CREATE DATABASE scratch").startswith("SCHEMA_ALREADY_EXISTS")
    athena.run("DROP DATABASE scratch")
    assert ["scratch"] not in athena.rows("SHOW DATABASES")


def test_a_changed_file_is_read_again(athena: Athena, lake: Aws, table: str) -> None:
    create(athena, table)
    athena.run(f"INSERT INTO {table} VALUES (1, 'old', '2026-01-01')")
    assert athena.rows(f"SELECT name FROM {table}") == [["old"]]
    (old,) = keys(lake, f"{table}/")
    athena.run(f"INSERT INTO {table} VALUES (1, 'new', '2026-01-01')")
    (new,) = set(keys(lake, f"{table}/")) - {old}
    s3 = lake.client("s3")
    s3.copy_object(Bucket="lake", Key=old, CopySource={"Bucket": "lake", "Key": new})
    s3.delete_object(Bucket="lake", Key=new)
    assert athena.rows(f"SELECT name FROM {table}") == [["new"]]


def test_a_column_of_another_type_in_the_file_is_bad_data(athena: Athena, table: str) -> None:
    athena.run(f"UNLOAD (SELECT 1.5e0 AS id) TO 's3://lake/{table}/' WITH (format = 'PARQUET')")
    athena.run(f"CREATE EXTERNAL TABLE {table} (id int) STORED AS PARQUET LOCATION 's3://lake/{table}/'")
    assert athena.reason(f"SELECT id FROM {table}").startswith("HIVE_BAD_DATA")
