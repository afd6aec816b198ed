"""The lake's files on S3: Parquet, one complete object per organization and hour or part of an hour."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import file_digest
from importlib import import_module
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError
from msgspec.structs import replace

from pytake.conversation.lake_events import COLUMNS, LakeEvent
from pytake.conversation.lake_records import LakePart

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROWS_PER_GROUP = 100_000
BATCH_ROWS = 8_192
LINES_AT_ONCE = 1_000
HOUR = 3600
_encode_lines = msgspec.json.Encoder().encode_lines


EVENTS, DAILY = "events/", "daily/"
RESULTS = "athena/"


def object_key(organization_id: str, hour: int, begins: int | None = None) -> str:
    """The key of an organization's events of an hour, or of a part of it. The folders are the table's partitions.

    The first object is named after the hour. A later part also has the millisecond of the hour at which it begins.
    """
    part = f"-{begins - hour * 1000:07d}" if begins is not None and begins != hour * 1000 else ""
    return f"{_hour_prefix(organization_id, hour)}{part}.parquet"


def _hour_prefix(organization_id: str, hour: int) -> str:
    return f"{_organization(organization_id)}dt={datetime.fromtimestamp(hour, UTC):%Y-%m-%d/%H}"


def day_folder(organization_id: str, day: str) -> str:
    """The folder of an organization's events of a day. The folders are the table's partitions."""
    return f"{_organization(organization_id)}dt={day}/"


def aggregates_folder(organization_id: str, day: str) -> str:
    """The folder of an organization's daily aggregates, a partition of the table `daily`."""
    return f"{DAILY}organization_id={organization_id}/dt={day}/"


def _organization(organization_id: str) -> str:
    return f"{EVENTS}organization_id={organization_id}/"


def object_metadata(client: "S3Client", bucket: str, key: str) -> dict[str, str] | None:
    """The metadata of an object; None if it does not exist."""
    try:
        return client.head_object(Bucket=bucket, Key=key)["Metadata"]
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise


class NotRemovedError(Exception):
    """S3 did not delete an object; the deletion must be retried."""


class UnreadableFileError(Exception):
    """A file of the lake is not Parquet, or incomplete."""


def remove_versions(client: "S3Client", bucket: str, prefix: str, wanted: Callable[[Any], bool]) -> int:
    """Delete the wanted versions below a prefix for good; returns how many. Raises `NotRemovedError`.

    In a versioned bucket, a plain deletion only hides an object.
    """
    removed = 0
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        names: Any = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in versions if wanted(v)]
        if not names:
            continue
        answer = client.delete_objects(Bucket=bucket, Delete={"Objects": names, "Quiet": True})
        if errors := answer.get("Errors"):
            raise NotRemovedError(f"{len(errors)} objects of the bucket: {errors[0].get('Code')}")
        removed += len(names)
    return removed


class S3Lake:
    """Implements `pytake.conversation.ports.lake.Lake`."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def part(self, organization_id: str, hour: int, begins: int) -> LakePart | None:
        written = self._metadata(object_key(organization_id, hour, begins))
        if written is None:
            return None
        # An object without `until` may reach to the end of the hour.
        until, following = int(written.get("until", (hour + HOUR) * 1000)), written.get("next")
        return LakePart(organization_id, hour, begins, until, int(following) if following else None)

    def put(self, part: LakePart, events: Iterable[LakeEvent]) -> bool:
        metadata = {"until": str(part.until)} | ({"next": str(part.next)} if part.next is not None else {})
        return self._put(object_key(part.organization_id, part.hour, part.begins), events, metadata)

    def _put(self, key: str, events: Iterable[LakeEvent], metadata: dict[str, str]) -> bool:
        with TemporaryDirectory() as folder:
            lines, parquet = Path(folder, "events.jsonl"), Path(folder, "events.parquet")
            _write_lines(lines, events)
            write_parquet(lines, parquet)
            with parquet.open("rb") as file:
                metadata = {"sha256": file_digest(file, "sha256").hexdigest(), **metadata}
                if self._metadata(key) == metadata:
                    return False
                file.seek(0)
                self._client.put_object(Bucket=self._bucket, Key=key, Body=file, Metadata=metadata)
        return True

    def redact(self, organization_id: str, hour: int, contacts: Collection[str]) -> None:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=_hour_prefix(organization_id, hour)
        )
        for key in [found["Key"] for page in pages for found in page.get("Contents", [])]:
            self._redact(key, contacts)

    def _redact(self, key: str, contacts: Collection[str]) -> None:
        with TemporaryDirectory() as folder:
            before = Path(folder, "before.parquet")
            found = self._client.get_object(Bucket=self._bucket, Key=key)
            with before.open("wb") as file:
                file.writelines(found["Body"].iter_chunks())
            metadata = {name: value for name, value in found["Metadata"].items() if name != "sha256"}
            events = read_parquet(before)
            held = (replace(event, variables=None) if event.contact in contacts else event for event in events)
            self._put(key, held, metadata)

    def delete_old_versions(self, organization_id: str, hour: int) -> None:
        self._remove_versions(_hour_prefix(organization_id, hour), lambda version: not version["IsLatest"])

    def delete_query_results(self) -> None:
        self._remove_versions(RESULTS, lambda _: True)

    def organizations(self) -> list[str]:
        return self._folders(EVENTS)

    def days(self, organization_id: str) -> list[str]:
        return self._folders(_organization(organization_id))

    def delete_day(self, organization_id: str, day: str) -> None:
        # Aggregates first: `days` lists the days that have events.
        self._remove_versions(aggregates_folder(organization_id, day), lambda _: True)
        self._remove_versions(day_folder(organization_id, day), lambda _: True)

    def _folders(self, prefix: str) -> list[str]:
        """The partition values of the folders directly below a prefix."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        found = [folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", [])]
        return sorted(folder[len(prefix) : -1].partition("=")[2] for folder in found)

    def _remove_versions(self, prefix: str, wanted: Callable[[Any], bool]) -> None:
        remove_versions(self._client, self._bucket, prefix, wanted)

    def _metadata(self, key: str) -> dict[str, str] | None:
        return object_metadata(self._client, self._bucket, key)


def write_parquet(lines: Path, parquet: Path) -> None:
    """Writes JSON lines of `LakeEvent` as a Parquet file. The same lines give the same bytes. Memory holds one row group."""
    # By name: only the scheduled function's second layer contains these modules.
    arrow, files = import_module("arro3.core"), import_module("arro3.io")
    reader = files.read_json(lines, schema=_schema(arrow), batch_size=BATCH_ROWS)
    files.write_parquet(reader, parquet, compression="zstd(3)", max_row_group_size=ROWS_PER_GROUP)


def merge_parquet(parts: Sequence[Path], whole: Path) -> None:
    """Merges Parquet files into one, in their order. Raises an error, and leaves no complete file, if one cannot be read or has
    other columns than the first. The files of one Athena result have the same columns.
    """
    arrow, files = import_module("arro3.core"), import_module("arro3.io")
    tables = [_opened(part) for part in parts]
    batches = (batch for table in tables for batch in table)
    reader = arrow.RecordBatchReader.from_batches(tables[0].schema, batches)
    files.write_parquet(reader, whole, compression="zstd(3)", max_row_group_size=ROWS_PER_GROUP)


def read_parquet(parquet: Path) -> Iterator[LakeEvent]:
    """The events of a file written by `write_parquet`, in their order."""
    arrow = import_module("arro3.core")
    for batch in _opened(parquet):
        columns = []
        for name, type_ in COLUMNS.items():
            column = batch.column(name)
            columns.append((column.cast(arrow.DataType.int64()) if type_ == "timestamp" else column).to_pylist())
        for values in zip(*columns, strict=True):
            row = dict(zip(COLUMNS, values, strict=True))
            if row["variables"] is not None:
                row["variables"] = dict(row["variables"])
            yield LakeEvent(**row)


def _opened(parquet: Path) -> Any:
    try:
        return import_module("arro3.io").read_parquet(parquet)
    except BaseException as error:
        # A Rust panic is not an `Exception`: one broken file would end the job for all organizations.
        if type(error).__name__ != "PanicException":
            raise
        raise UnreadableFileError(f"{parquet.name} is not a complete Parquet file") from None


def _write_lines(path: Path, events: Iterable[LakeEvent]) -> None:
    with path.open("wb") as file:
        left = iter(events)
        while batch := list(islice(left, LINES_AT_ONCE)):
            file.write(_encode_lines(batch))


def _schema(arrow: Any) -> Any:
    kind, field = arrow.DataType, arrow.Field
    pairs = field("key", kind.string(), nullable=False), field("value", kind.string())
    types = {
        "string": kind.string(),
        "int": kind.int32(),
        "boolean": kind.bool(),
        "timestamp": kind.timestamp("ms"),
        "map<string,string>": kind.map(*pairs, False),
    }
    return arrow.Schema([field(name, types[type_]) for name, type_ in COLUMNS.items()])
