"""One embedded AWS for these tests, with the local Athena before it, and a small lake in it."""
# ruff: noqa: S608  the statements are what is tested

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest

from local.embedded_aws import EmbeddedAws

BUCKET = "lake"
RESULTS = "s3://lake/athena/"

EVENTS = """
    SELECT * FROM (VALUES
        ('s1', 'started',   NULL, 10, 1.5,  TIMESTAMP '2026-01-01 01:00:00', ['a', 'b'], '{"age": 31}',  'acme',  '2026-01-01'),
        ('s1', 'completed', 'ok', 20, 2.5,  TIMESTAMP '2026-01-01 23:30:00', ['b'],      '{"age": "x"}', 'acme',  '2026-01-01'),
        ('s2', 'started',   NULL, 30, NULL, TIMESTAMP '2026-01-02 02:00:00', [],         NULL,           'acme',  '2026-01-02'),
        ('s3', 'started',   NULL, 99, 9.0,  TIMESTAMP '2026-01-01 12:00:00', NULL,       NULL,           'other', '2026-01-01'),
        ('s0', 'started',   NULL, 77, 7.0,  TIMESTAMP '2024-12-31 12:00:00', NULL,       NULL,           'acme',  '2024-12-31')
    ) AS t(session_id, type, exit, value, score, "at", tags, variables, organization_id, dt)
"""


@dataclass
class Aws:
    """Clients of the embedded AWS; `endpoint_url` is its one address."""

    endpoint_url: str
    environment: dict[str, str]

    def client(self, service: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    folder = tmp_path_factory.mktemp("aws")
    embedded = EmbeddedAws(folder, folder / "logs")
    asyncio.run(embedded.start())
    try:
        yield Aws(embedded.endpoint_url, embedded.client_environment)
    finally:
        asyncio.run(embedded.stop())


@pytest.fixture(scope="session")
def lake(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Aws:
    folder = tmp_path_factory.mktemp("lake")
    s3, glue = aws.client("s3"), aws.client("glue")
    s3.create_bucket(Bucket=BUCKET)
    duckdb.sql(EVENTS).query(
        "events",
        f"COPY (SELECT * REPLACE (CAST(score AS DOUBLE) AS score) FROM events) TO '{folder}' "
        "(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (organization_id, dt))",
    )
    for path in sorted(Path(folder).rglob("*.parquet")):
        s3.upload_file(str(path), BUCKET, f"events/{path.relative_to(folder)}")
    glue.create_database(DatabaseInput={"Name": "pytake"})
    columns = [
        ("session_id", "string"), ("type", "string"), ("exit", "string"), ("value", "int"), ("score", "double"),
        ("at", "timestamp"), ("tags", "array<string>"), ("variables", "string"), ("added_later", "string"),
    ]  # fmt: skip
    glue.create_table(
        DatabaseName="pytake",
        TableInput={
            "Name": "events",
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": "organization_id", "Type": "string"}, {"Name": "dt", "Type": "string"}],
            "Parameters": {
                "projection.enabled": "true",
                "projection.organization_id.type": "injected",
                "projection.dt.type": "date",
                "projection.dt.format": "yyyy-MM-dd",
                "projection.dt.range": "2026-01-01,NOW+1YEARS",
                "storage.location.template": "s3://lake/events/organization_id=${organization_id}/dt=${dt}/",
            },
            "StorageDescriptor": {
                "Columns": [{"Name": name, "Type": kind} for name, kind in columns],
                "Location": "s3://lake/events/",
                "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
            },
        },
    )
    return aws


@dataclass
class Athena:
    """boto3's client, with the waiting that every caller does."""

    client: Any

    def run(self, sql: str, *parameters: str, **more: Any) -> dict[str, Any]:
        """Run a statement and return its execution when it has ended."""
        given = {"ExecutionParameters": list(parameters)} if parameters else {}
        id_ = self.client.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": "pytake"},
            ResultConfiguration={"OutputLocation": RESULTS},
            **given,
            **more,
        )["QueryExecutionId"]
        return self.ended(id_)

    def ended(self, id_: str) -> dict[str, Any]:
        while True:
            execution: dict[str, Any] = self.client.get_query_execution(QueryExecutionId=id_)["QueryExecution"]
            if execution["Status"]["State"] not in {"QUEUED", "RUNNING"}:
                return execution

    def rows(self, sql: str, *parameters: str, **more: Any) -> list[list[str | None]]:
        """Run a query that succeeds and return its rows without the header."""
        execution = self.run(sql, *parameters, **more)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"].get("StateChangeReason")
        answer = self.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
        rows = [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]]
        return rows[1:] if execution["StatementType"] == "DML" else rows

    def reason(self, sql: str, *parameters: str, **more: Any) -> str:
        """Run a query that fails and return why."""
        execution = self.run(sql, *parameters, **more)
        assert execution["Status"]["State"] == "FAILED", execution["Status"]
        assert execution["Status"]["AthenaError"]["ErrorMessage"] == execution["Status"]["StateChangeReason"]
        reason: str = execution["Status"]["StateChangeReason"]
        return reason


@pytest.fixture(scope="session")
def athena(lake: Aws) -> Athena:
    return Athena(lake.client("athena"))
