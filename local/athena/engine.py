"""DuckDB as the engine: connections that can touch nothing but this Athena's own folder."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import duckdb

from local.athena.errors import from_duckdb
from local.athena.functions import definitions, part_macros


@dataclass(frozen=True)
class Limits:
    """What one query may use of this machine."""

    memory: str = "1GB"
    threads: int = 2
    spill: str = "4GB"


class Engine:
    """One DuckDB database in memory, for one query at a time.

    Statements are written by `translation`, which lets no file name and no table function pass. That DuckDB opens
    nothing outside the folder, loads nothing and keeps its limits is a second line of defence.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        """Open it; `folder` is the only place it reads and writes."""
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": limits.memory,
                "threads": limits.threads,
                "temp_directory": str(folder / "spill"),
                "max_temp_directory_size": limits.spill,
                "autoinstall_known_extensions": False,
                "allow_community_extensions": False,
                "python_enable_replacements": False,
            },
        )
        settings = [
            "SET TimeZone = 'UTC'",
            f"SET allowed_directories = [{literal(f'{folder}/')}]",
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        ]
        self._connection.execute(";".join([definitions(), part_macros(), *settings]))

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Run a statement of DuckDB's and return the cursor.

        Raises:
            QueryError: as Athena would put it.
            duckdb.InterruptException: `interrupt` was called.
        """
        try:
            return self._connection.execute(sql)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as problem:
            raise from_duckdb(problem) from problem

    def make_tables(self, tables: Mapping[tuple[str, str], Sequence[tuple[str, str]]]) -> None:
        """Make empty tables, over which statements can be bound: database and name, columns' names and types."""
        for (database, name), columns in tables.items():
            self.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(database)}")
            listed = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns)
            self.execute(f"CREATE TABLE {quoted(database)}.{quoted(name)} ({listed})")

    def fill_table(self, database: str, name: str, select: str) -> None:
        """Replace an empty table by a view."""
        place = f"{quoted(database)}.{quoted(name)}"
        self.execute(f"DROP TABLE {place}")
        self.execute(f"CREATE VIEW {place} AS {select}")

    def interrupt(self) -> None:
        """Stop the running query; called from another thread."""
        with suppress(duckdb.Error):
            self._connection.interrupt()

    def empty(self) -> None:
        """Drop every table and view."""
        rows = self._connection.execute(
            "SELECT DISTINCT schema_name FROM duckdb_schemas() WHERE NOT internal AND schema_name <> 'main'"
        ).fetchall()
        for (schema,) in rows:
            self._connection.execute(f"DROP SCHEMA {quoted(schema)} CASCADE")

    def close(self) -> None:
        """Free everything."""
        self._connection.close()


@dataclass
class Engines:
    """A pool of engines. Opening one takes longer than most queries."""

    folder: Path
    limits: Limits = field(default_factory=Limits)
    _idle: list[Engine] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def one(self) -> Iterator[Engine]:
        """Lend an engine."""
        with self._lock:
            engine = self._idle.pop() if self._idle else None
        engine = engine or Engine(self.folder, self.limits)
        try:
            yield engine
            engine.empty()
        except BaseException:
            engine.close()  # whatever state the last query left
            raise
        with self._lock:
            self._idle.append(engine)

    def close(self) -> None:
        """Close those that are idle."""
        with self._lock:
            for engine in self._idle:
                engine.close()
            self._idle.clear()


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
