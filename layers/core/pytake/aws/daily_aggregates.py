"""The files of daily aggregates on S3: written by Athena into a folder of the run, made visible by one copy (ADR 0011)."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pytake.aws.athena import AthenaQueries
from pytake.aws.lake import aggregates_folder, day_folder, merge_parquet, object_metadata
from pytake.conversation.ports.lake import DayInProgress

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STAGING = "athena/staging"
"""Below the folder of query results. Its lifecycle rule removes what an aborted run left behind."""


NOTHING = "_nothing"
"""The object of a day without aggregates. Athena ignores names that begin with `_`."""


def aggregates_key(organization_id: str, day: str) -> str:
    """The key of an organization's aggregates of a day."""
    return f"{aggregates_folder(organization_id, day)}figures.parquet"


def _folder(run: str) -> str:
    return f"{STAGING}/{run}/"


class S3DailyAggregates:
    """Implements `pytake.conversation.ports.lake.DailyAggregates`."""

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        queries: AthenaQueries,
        new_id: Callable[[], str] = lambda: uuid4().hex,
        merge: Callable[[Sequence[Path], Path], None] = merge_parquet,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._queries = queries
        self._new_id = new_id
        self._merge = merge

    def source(self, organization_id: str, day: str) -> str:
        files = self._objects(day_folder(organization_id, day))
        return sha256("\n".join(f"{file['Key']} {file['ETag']}" for file in files).encode()).hexdigest()

    def made_from(self, organization_id: str, day: str) -> str | None:
        for key in (aggregates_key(organization_id, day), f"{aggregates_folder(organization_id, day)}{NOTHING}"):
            written = object_metadata(self._client, self._bucket, key)
            if written is not None:
                return written.get("source")
        return None

    def start(self, organization_id: str, day: str, sql: str, parameters: Sequence[str], source: str) -> DayInProgress:
        run = self._new_id()
        # UNLOAD takes no parameter for its target. This one is our own bucket and a random id.
        place = f"s3://{self._bucket}/{_folder(run)}"
        unload = f"UNLOAD (\n{sql}\n) TO '{place}' WITH (format = 'PARQUET', compression = 'ZSTD')"
        execution = self._queries.start(unload, parameters, f"{run}{source}")
        return DayInProgress(organization_id, day, source, run, execution)

    def wait(self, days: Sequence[DayInProgress], out_of_time: Callable[[], bool]) -> list[Exception | None]:
        ended = self._queries.wait([day.execution for day in days], out_of_time)
        return [ended[day.execution] for day in days]

    def finish(self, day: DayInProgress, error: Exception | None) -> None:
        folder = _folder(day.run)
        try:
            if error is None:
                self._publish(folder, aggregates_key(day.organization_id, day.day), day.source)
        finally:
            self._clear(folder)

    def _publish(self, folder: str, key: str, source: str) -> None:
        """Publishes the files of a folder as one object, in one step."""
        files = [file["Key"] for file in self._objects(folder) if file["Size"]]
        if not files:  # a result without rows may have no file
            self._client.put_object(
                Bucket=self._bucket, Key=f"{key.rpartition('/')[0]}/{NOTHING}", Body=b"", Metadata={"source": source}
            )
            return
        if len(files) == 1:
            self._client.copy_object(
                Bucket=self._bucket,
                Key=key,
                CopySource={"Bucket": self._bucket, "Key": files[0]},
                Metadata={"source": source},
                MetadataDirective="REPLACE",
            )
            return
        # A sorted result is one file, but Athena does not guarantee that.
        with TemporaryDirectory() as place:
            paths = [Path(place, f"{number}.parquet") for number in range(len(files))]
            for file, path in zip(files, paths, strict=True):
                self._client.download_file(self._bucket, file, str(path))
            whole = Path(place, "whole.parquet")
            self._merge(paths, whole)
            with whole.open("rb") as content:
                self._client.put_object(Bucket=self._bucket, Key=key, Body=content, Metadata={"source": source})

    def _clear(self, folder: str) -> None:
        for file in self._objects(folder):
            self._client.delete_object(Bucket=self._bucket, Key=file["Key"])

    def _objects(self, prefix: str) -> Iterator[dict[str, Any]]:
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            yield from page.get("Contents", ())  # type: ignore[misc]
