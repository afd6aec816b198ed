"""A lake in the embedded AWS: the template's own tables and work group, files written by DuckDB."""

import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import msgspec

from local.expanded_template import expanded
from pytake.aws.athena import AthenaQueries
from pytake.aws.lake import object_key
from pytake.conversation.lake_events import COLUMNS, LakeEvent
from tests.stack import TEMPLATE

DATABASE, WORK_GROUP = "pytake_test", "pytake-test"
HOUR = 3600

DUCKDB_TYPES = {
    "string": "VARCHAR", "int": "INTEGER", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP_MS",
    "map<string,string>": "MAP(VARCHAR, VARCHAR)",
}  # fmt: skip


class LakeOnAws:
    """One bucket with the template's tables over it."""

    def __init__(self, client: Any, bucket: str, database: str = DATABASE, work_group: str = WORK_GROUP) -> None:
        """Create bucket, database, tables and work group; `client` makes boto3's clients by name."""
        self.bucket, self.database, self.work_group = bucket, database, work_group
        self.s3, self.athena, glue = client("s3"), client("athena"), client("glue")
        self.s3.create_bucket(Bucket=bucket)
        glue.create_database(DatabaseInput={"Name": database})
        resources = expanded(TEMPLATE)["Resources"]
        for resource in resources.values():
            if resource["Type"] == "AWS::Glue::Table":
                table = self._resolved(resource["Properties"]["TableInput"])
                glue.create_table(DatabaseName=database, TableInput=table)
        group = self._resolved(resources["WorkGroup"]["Properties"]["WorkGroupConfiguration"])
        group["BytesScannedCutoffPerQuery"] = 10_000_000_000
        del group["ResultConfiguration"]["ExpectedBucketOwner"]
        self.athena.create_work_group(Name=work_group, Configuration=group)
        self._connection = duckdb.connect()

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) == {"Fn::Sub"}:
                return value["Fn::Sub"].replace("${StoredBucket.Value}", self.bucket).replace("${!", "${")
            return {name: self._resolved(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._resolved(inner) for inner in value]
        return value

    def queries(self, wait_seconds: float = 60) -> AthenaQueries:
        """The product's own adapter."""
        return AthenaQueries(self.athena, self.work_group, self.database, wait_seconds)

    def put(self, organization_id: str, events: Iterable[LakeEvent]) -> None:
        """Write events into the files of their hours, which are written again."""
        with TemporaryDirectory() as name:
            folder, lines = Path(name, "files"), Path(name, "events.jsonl")
            lines.write_bytes(msgspec.json.Encoder().encode_lines(list(events)))
            columns = {name: DUCKDB_TYPES[kind] for name, kind in COLUMNS.items()}
            read = columns | {name: "BIGINT" for name, kind in COLUMNS.items() if kind == "timestamp"}
            shown = ", ".join(
                f"make_timestamp_ms({name}) AS {name}" if columns[name] == "TIMESTAMP_MS" else name for name in columns
            )
            self._connection.execute(
                f"COPY (SELECT {shown}, happened_at // {HOUR * 1000} * {HOUR} AS hour "  # noqa: S608
                f"FROM read_json('{lines}', format = 'newline_delimited', columns = {json.dumps(read)}) ORDER BY hour) "
                f"TO '{folder}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (hour))"
            )
            for path in sorted(folder.rglob("*.parquet")):
                hour = int(path.parent.name.removeprefix("hour="))
                self.s3.upload_file(str(path), self.bucket, object_key(organization_id, hour))
