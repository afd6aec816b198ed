"""The files of tables: found in S3, kept in a folder by ETag, shown to DuckDB as views."""

import hashlib
import itertools
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.athena.catalogue import Catalogue, Table
from local.athena.engine import Engine, literal, quoted
from local.athena.errors import QueryError
from local.athena.projection import Projected, projection_of
from local.athena.pruning import References
from local.athena.types import FLOATS, INTEGERS, kind_of

AT_A_TIME = 8
CHUNK = 1 << 20


@dataclass(frozen=True)
class StoredFile:
    """An object in S3 and the partition it belongs to."""

    bucket: str
    key: str
    etag: str
    size: int
    partition: tuple[str, ...]


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of `s3://bucket/key`.

    Raises:
        QueryError: the address has another form.
    """
    found = re.fullmatch(r"s3[an]?://([^/]+)/?(.*)", uri)
    if found is None:
        raise QueryError("HIVE_INVALID_LOCATION", f"Not an address in S3: {uri}")
    return found[1], found[2]


class TableFiles:
    """Finds, fetches and shows files."""

    def __init__(self, s3: Any, catalogue: Catalogue, folder: Path) -> None:
        """Take boto3's client, the tables, and the folder for files."""
        self._s3 = s3
        self._catalogue = catalogue
        self._folder = folder

    def find(self, table: Table, references: References, now: datetime) -> list[StoredFile]:
        """Return the files that a statement can need.

        Raises:
            QueryError: a value of an injected partition key is not named.
        """
        if not table.partition_keys:
            return [self._stored(bucket, found, ()) for bucket, found in self._list(table.location)]
        if table.is_projected:
            return list(self._projected(table, references, now))
        return [
            self._stored(bucket, found, values)
            for values, location in self._catalogue.partitions(table)
            if _needed(table, values, references)
            for bucket, found in self._list(location)
        ]

    def unregistered(self, table: Table) -> Iterator[tuple[tuple[str, ...], str]]:
        """Return the partitions in Hive's style below the table's location: their values and locations."""
        path = re.compile(
            re.escape(table.location) + "".join(f"{re.escape(k.name)}=([^/]+)/" for k in table.partition_keys)
        )
        seen = set()
        for bucket, found in self._list(table.location):
            match = path.match(f"s3://{bucket}/{found['Key']}")
            if match and match[0] not in seen:
                seen.add(match[0])
                yield match.groups(), match[0]

    def register(self, table: Table) -> None:
        """Add the partitions below a table's location to the catalogue."""
        for values, location in self.unregistered(table) if table.partition_keys else ():
            self._catalogue.add_partition(table, values, location)

    def show(self, engine: Engine, table: Table, files: Sequence[StoredFile]) -> None:
        """Replace the table by a view of the files.

        Raises:
            QueryError: HIVE_BAD_DATA, a column of the files has another type.
        """
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            paths = list(pool.map(lambda file: self._fetch(table, file), files))
        engine.fill_table(table.database, table.name, self._select(engine, table, paths))

    def _select(self, engine: Engine, table: Table, paths: Sequence[Path]) -> str:
        if not paths:
            nothing = (f"CAST(NULL AS {c.duckdb_type}) AS {quoted(c.name)}" for c in table.all_columns)
            return f"SELECT {', '.join(nothing)} WHERE false"
        listed = ", ".join(literal(str(path)) for path in paths)
        keys = ", ".join(f"{literal(key.name)}: VARCHAR" for key in table.partition_keys)
        hive = f"hive_partitioning = true, hive_types = {{{keys}}}" if keys else "hive_partitioning = false"
        source = f"read_parquet([{listed}], union_by_name = true, {hive})"
        stored = {name.lower(): (name, kind) for name, kind, *_ in engine.execute(f"DESCRIBE FROM {source}").fetchall()}
        columns = []
        for column in table.columns:
            name, kind = stored.get(column.name, (None, None))
            if name is None or kind is None:
                columns.append(f"CAST(NULL AS {column.duckdb_type}) AS {quoted(column.name)}")
                continue
            if not _readable_as(kind, column.duckdb_type):
                message = f"Field {column.name}'s type {kind} in parquet is incompatible with type {column.hive_type}"
                raise QueryError("HIVE_BAD_DATA", message)
            value = quoted(name)
            if column.duckdb_type == "TIMESTAMP" and kind != "TIMESTAMP_MS":
                value = f"date_trunc('millisecond', CAST({value} AS TIMESTAMP))"  # Athena's precision
            columns.append(f"CAST({value} AS {column.duckdb_type}) AS {quoted(column.name)}")
        for key in table.partition_keys:
            columns.append(f"CAST({quoted(key.name)} AS {key.duckdb_type}) AS {quoted(key.name)}")
        return f"SELECT {', '.join(columns)} FROM {source}"  # noqa: S608  names are quoted, texts escaped

    def _projected(self, table: Table, references: References, now: datetime) -> Iterator[StoredFile]:
        keys = [key.name for key in table.partition_keys]
        projected = {key: projection_of(table, key, now) for key in keys}
        named = {key: _named_values(references, key) for key in keys}
        for key, projection in projected.items():
            if projection.injected and named[key] is None:
                raise QueryError(
                    "CONSTRAINT_VIOLATION",
                    f"For the injected projected partition column {key}, the WHERE clause must contain only static "
                    "equality conditions, and at least one such condition must be present.",
                )
        template = table.parameters.get("storage.location.template")
        template = template or table.location + "/".join(f"{key}=${{{key}}}" for key in keys)
        path = _path(template.rstrip("/") + "/", projected)
        fixed = [key for key in keys if named[key] is not None]
        seen: set[str] = set()
        for values in itertools.product(*(sorted(named[key] or ()) for key in fixed)):
            start = template.rstrip("/") + "/"
            for key, value in zip(fixed, values, strict=True):
                start = start.replace(f"${{{key}}}", value)
            for bucket, found in self._list(start.split("${")[0]):
                uri = f"s3://{bucket}/{found['Key']}"
                match = path.match(uri)
                if match is None or uri in seen:
                    continue
                partition = tuple(match[key] for key in keys)
                if all(projected[key].has(match[key]) for key in keys) and _needed(table, partition, references):
                    seen.add(uri)
                    yield self._stored(bucket, found, partition)

    def _list(self, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
        bucket, prefix = split_uri(place)
        try:
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for found in page.get("Contents", []):
                    if found["Size"] and not found["Key"].rsplit("/", 1)[-1].startswith(("_", ".")):
                        yield bucket, found
        except self._s3.exceptions.NoSuchBucket as problem:
            raise QueryError("PERMISSION_DENIED", f"Access denied when reading {place}: no such bucket") from problem

    @staticmethod
    def _stored(bucket: str, found: dict[str, Any], partition: tuple[str, ...]) -> StoredFile:
        return StoredFile(bucket, found["Key"], found["ETag"].strip('"'), found["Size"], partition)

    def _fetch(self, table: Table, file: StoredFile) -> Path:
        """The values of the partition are in the path, from where DuckDB reads them."""
        names = (
            f"{key.name}={quote(value, safe='')}"
            for key, value in zip(table.partition_keys, file.partition, strict=True)
        )
        folder = self._folder.joinpath(hashlib.sha256(table.location.encode()).hexdigest()[:16], *names)
        path = folder / f"{hashlib.sha256(f'{file.bucket}/{file.key}'.encode()).hexdigest()[:16]}-{file.etag}.parquet"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.{id(file)}.part")
            try:
                with part.open("wb") as kept:
                    kept.writelines(self._s3.get_object(Bucket=file.bucket, Key=file.key)["Body"].iter_chunks(CHUNK))
            except self._s3.exceptions.ClientError as problem:
                part.unlink(missing_ok=True)
                message = f"s3://{file.bucket}/{file.key} went while it was read: {problem}"
                raise QueryError("HIVE_CANNOT_OPEN_SPLIT", message) from problem
            part.replace(path)
        return path


def _needed(table: Table, values: tuple[str, ...], references: References) -> bool:
    by_key = dict(zip((key.name for key in table.partition_keys), values, strict=True))
    return any(all(condition.holds(by_key[condition.column]) for condition in reference) for reference in references)


def _named_values(references: References, key: str) -> set[str] | None:
    """The only values of a key that any place of the statement can need; None if one place does not name them."""
    named: set[str] = set()
    for reference in references:
        values = [
            condition.values for condition in reference if condition.column == key and condition.values is not None
        ]
        if not values:
            return None
        named |= frozenset.intersection(*values)
    return named


def _path(template: str, projected: dict[str, Projected]) -> re.Pattern[str]:
    pattern = re.escape(template)
    for key, projection in projected.items():
        pattern = pattern.replace(re.escape(f"${{{key}}}"), f"(?P<{key}>{projection.pattern})", 1)
    return re.compile(pattern)


def _readable_as(stored: str, declared: str) -> bool:
    if stored in INTEGERS or stored.startswith("U"):
        return declared in INTEGERS
    if stored in FLOATS:
        return declared in FLOATS
    if stored.startswith("TIMESTAMP"):
        return declared == "TIMESTAMP"
    if stored.startswith("DECIMAL"):
        return declared.startswith("DECIMAL")
    return stored == declared or (
        kind_of(stored) == kind_of(declared) and kind_of(stored) in {"array", "map", "struct"}
    )
