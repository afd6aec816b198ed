"""Tables as Glue describes them."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from local.athena.errors import QueryError, not_supported
from local.athena.types import duckdb_type_of_hive

PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
PARQUET_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
PARQUET_OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"


@dataclass(frozen=True)
class Column:
    """A column's name and Hive type."""

    name: str
    hive_type: str

    @property
    def duckdb_type(self) -> str:
        """The type in DuckDB."""
        return duckdb_type_of_hive(self.hive_type)


@dataclass(frozen=True)
class Table:
    """One table of Parquet files."""

    database: str
    name: str
    columns: list[Column]
    partition_keys: list[Column]
    location: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def all_columns(self) -> list[Column]:
        """In the order of `SELECT *`: the partition keys are last."""
        return [*self.columns, *self.partition_keys]

    @property
    def is_projected(self) -> bool:
        """Whether partitions are computed instead of registered."""
        return self.parameters.get("projection.enabled", "").strip().lower() == "true"


class Catalogue:
    """Databases, tables and registered partitions, read and written through the Glue API."""

    def __init__(self, glue: Any) -> None:
        """Take boto3's client."""
        self._glue = glue

    def database_names(self) -> list[str]:
        """Return the databases in the order of their names."""
        pages = self._glue.get_paginator("get_databases").paginate()
        return sorted(database["Name"] for page in pages for database in page["DatabaseList"])

    def table_names(self, database: str) -> list[str]:
        """Return the tables of a database in the order of their names.

        Raises:
            QueryError: SCHEMA_NOT_FOUND.
        """
        try:
            pages = list(self._glue.get_paginator("get_tables").paginate(DatabaseName=database))
        except self._glue.exceptions.EntityNotFoundException as problem:
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist") from problem
        return sorted(table["Name"] for page in pages for table in page["TableList"])

    def table(self, database: str, name: str) -> Table:
        """Return a table.

        Raises:
            QueryError: TABLE_NOT_FOUND, or NOT_SUPPORTED for a view or files other than Parquet.
        """
        try:
            found = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
        except self._glue.exceptions.EntityNotFoundException as problem:
            message = f"Table 'awsdatacatalog.{database}.{name}' does not exist"
            raise QueryError("TABLE_NOT_FOUND", message) from problem
        storage = found.get("StorageDescriptor", {})
        serde = storage.get("SerdeInfo", {}).get("SerializationLibrary", "")
        if found.get("TableType") == "VIRTUAL_VIEW":
            raise not_supported(f"the view {database}.{name}")
        if "parquet" not in f"{serde} {storage.get('InputFormat', '')}".lower():
            raise not_supported(f"the files of {database}.{name}: only Parquet")
        return Table(
            database,
            name,
            [Column(column["Name"].lower(), column["Type"]) for column in storage["Columns"]],
            [Column(column["Name"].lower(), column["Type"]) for column in found.get("PartitionKeys", [])],
            storage["Location"].rstrip("/") + "/",
            found.get("Parameters", {}),
        )

    def partitions(self, table: Table) -> Iterator[tuple[tuple[str, ...], str]]:
        """Return the registered partitions: their values and locations."""
        pages = self._glue.get_paginator("get_partitions").paginate(DatabaseName=table.database, TableName=table.name)
        for page in pages:
            for partition in page["Partitions"]:
                location = partition["StorageDescriptor"]["Location"].rstrip("/") + "/"
                yield tuple(partition["Values"]), location

    def create_database(self, name: str, *, or_keep: bool) -> None:
        """Create a database.

        Raises:
            QueryError: it exists, and `or_keep` is false.
        """
        try:
            self._glue.create_database(DatabaseInput={"Name": name})
        except self._glue.exceptions.AlreadyExistsException as problem:
            if not or_keep:
                raise QueryError("SCHEMA_ALREADY_EXISTS", f"Database {name} already exists") from problem

    def drop_database(self, name: str, *, if_exists: bool) -> None:
        """Drop a database.

        Raises:
            QueryError: it does not exist, or it has tables.
        """
        try:
            if self.table_names(name):
                raise QueryError("SCHEMA_NOT_EMPTY", f"Database {name} is not empty")
            self._glue.delete_database(Name=name)
        except QueryError as problem:
            if problem.code != "SCHEMA_NOT_FOUND" or not if_exists:
                raise

    def create_table(self, table: Table, *, or_keep: bool = False) -> None:
        """Create a table.

        Raises:
            QueryError: TABLE_ALREADY_EXISTS or SCHEMA_NOT_FOUND.
        """
        try:
            self._glue.create_table(DatabaseName=table.database, TableInput=_glue_input(table))
        except self._glue.exceptions.AlreadyExistsException as problem:
            if not or_keep:
                message = f"Table '{table.database}.{table.name}' already exists"
                raise QueryError("TABLE_ALREADY_EXISTS", message) from problem
        except self._glue.exceptions.EntityNotFoundException as problem:
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{table.database}' does not exist") from problem

    def drop_table(self, database: str, name: str, *, if_exists: bool) -> None:
        """Drop a table; its files stay.

        Raises:
            QueryError: TABLE_NOT_FOUND.
        """
        try:
            self._glue.delete_table(DatabaseName=database, Name=name)
        except self._glue.exceptions.EntityNotFoundException as problem:
            if not if_exists:
                raise QueryError("TABLE_NOT_FOUND", f"Table '{database}.{name}' does not exist") from problem

    def add_partition(self, table: Table, values: tuple[str, ...], location: str) -> None:
        """Register a partition, if it is not registered yet."""
        storage = {**_storage(table.columns), "Location": location}
        with contextlib.suppress(self._glue.exceptions.AlreadyExistsException):
            self._glue.create_partition(
                DatabaseName=table.database,
                TableName=table.name,
                PartitionInput={"Values": list(values), "StorageDescriptor": storage},
            )


def _storage(columns: list[Column]) -> dict[str, Any]:
    return {
        "Columns": _glue_columns(columns),
        "InputFormat": PARQUET_INPUT,
        "OutputFormat": PARQUET_OUTPUT,
        "SerdeInfo": {"SerializationLibrary": PARQUET_SERDE, "Parameters": {"serialization.format": "1"}},
    }


def _glue_columns(columns: list[Column]) -> list[dict[str, str]]:
    return [{"Name": column.name, "Type": column.hive_type} for column in columns]


def _glue_input(table: Table) -> dict[str, Any]:
    return {
        "Name": table.name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet", **table.parameters},
        "PartitionKeys": _glue_columns(table.partition_keys),
        "StorageDescriptor": {**_storage(table.columns), "Location": table.location},
    }
