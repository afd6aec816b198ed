"""Types in four spellings: Hive's (Glue), Trino's (Athena), DuckDB's, and Athena's result metadata."""

import re
from dataclasses import dataclass
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from local.athena.errors import QueryError

INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
FLOATS = {"DOUBLE", "FLOAT"}
TIMES = {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}
NULL = '"NULL"'
OWN_NAMES = {"INT": "INTEGER", "TEXT": "VARCHAR", "REAL": "FLOAT"}
"""What DuckDB calls the types that sqlglot writes so."""


def kind_of(duckdb_type: str) -> str:
    """Return the family of a DuckDB type: values of different families are never stored in each other's columns."""
    if duckdb_type in INTEGERS | FLOATS or duckdb_type.startswith("DECIMAL"):
        return "number"
    if duckdb_type in TIMES:
        return "time"
    if duckdb_type == NULL:
        return "null"
    return "array" if duckdb_type.endswith("]") else duckdb_type.split("(")[0].lower()


@cache  # called for each column of each file
def duckdb_type_of_hive(hive_type: str) -> str:
    """Return DuckDB's type for a column of a Glue table.

    Raises:
        QueryError: Athena's tables do not have the type.
    """
    try:
        cast = sqlglot.parse_one(f"CAST(x AS {hive_type})", read="hive")
    except SqlglotError as problem:
        raise QueryError("HIVE_METASTORE_ERROR", f"Unknown column type: {hive_type}") from problem
    assert isinstance(cast, exp.Cast)  # noqa: S101  as written
    return re.sub(r"\b(INT|TEXT|REAL)\b", lambda found: OWN_NAMES[found[0]], cast.to.sql("duckdb"))


def hive_type_of_duckdb(duckdb_type: str) -> str:
    """Return the Hive type under which a result column is stored in a new table.

    Raises:
        QueryError: the type cannot be stored.
    """
    if duckdb_type == "TIMESTAMP WITH TIME ZONE" or kind_of(duckdb_type) in {"null", "json", "interval", "time zone"}:
        raise QueryError("NOT_SUPPORTED", f"Unsupported Hive type: {athena_type(duckdb_type).name}")
    cast = sqlglot.parse_one(f"CAST(x AS {duckdb_type})", read="duckdb")
    assert isinstance(cast, exp.Cast)  # noqa: S101  as written
    return cast.to.sql("hive").lower()


@dataclass(frozen=True)
class AthenaType:
    """A column's type as GetQueryResults describes it."""

    name: str
    precision: int = 0
    scale: int = 0


ATHENA_TYPES = {
    "BOOLEAN": AthenaType("boolean"),
    "TINYINT": AthenaType("tinyint", 3),
    "SMALLINT": AthenaType("smallint", 5),
    "INTEGER": AthenaType("integer", 10),
    "BIGINT": AthenaType("bigint", 19),
    "FLOAT": AthenaType("float", 17),
    "DOUBLE": AthenaType("double", 17),
    "VARCHAR": AthenaType("varchar", 2147483647),
    "JSON": AthenaType("json"),
    "DATE": AthenaType("date"),
    "TIMESTAMP": AthenaType("timestamp", 3),
    "TIMESTAMP WITH TIME ZONE": AthenaType("timestamp with time zone", 3),
    "BLOB": AthenaType("varbinary", 1073741824),
    "INTERVAL": AthenaType("interval day to second"),
    NULL: AthenaType("unknown"),
}


def athena_type(duckdb_type: str) -> AthenaType:
    """Return Athena's metadata of a result column.

    Raises:
        QueryError: DuckDB gave a type that Trino does not have.
    """
    if duckdb_type in ATHENA_TYPES:
        return ATHENA_TYPES[duckdb_type]
    if decimal := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", duckdb_type):
        return AthenaType("decimal", int(decimal[1]), int(decimal[2]))
    if duckdb_type.endswith("[]"):
        return AthenaType("array")
    if duckdb_type.startswith("MAP("):
        return AthenaType("map")
    if duckdb_type.startswith("STRUCT("):
        return AthenaType("row")
    raise QueryError("NOT_SUPPORTED", f"A result of type {duckdb_type} has no counterpart in Athena")
