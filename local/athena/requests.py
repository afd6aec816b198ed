"""The request to run a statement, and its outcome."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from local.athena.engine import Engine
from local.athena.results import ResultColumn, Row


class StoppedError(Exception):
    """The query was stopped, by its user or by its work group's limit; `str` says why."""


@dataclass
class Request:
    """The request to run a query.

    Attributes:
        sql: the statement.
        parameters: for its question marks, as literals.
        database: of tables named without one.
        output: where results of this query belong, `s3://…/<id>`.
        cutoff: the bytes it may scan, or None.
        work_group: the group whose prepared statements it may run.
    """

    sql: str
    parameters: Sequence[str]
    database: str
    output: str
    cutoff: int | None = None
    work_group: str = "primary"


@dataclass
class Run:
    """A running query, as far as another thread may see it."""

    scanned: int = 0
    stop_asked: threading.Event = field(default_factory=threading.Event)
    engine: Engine | None = None

    def stop(self) -> None:
        """Ask the query to end soon."""
        self.stop_asked.set()
        if (engine := self.engine) is not None:
            engine.interrupt()

    def check(self) -> None:
        """Raise `StoppedError` if the query was asked to stop."""
        if self.stop_asked.is_set():
            raise StoppedError("Query cancelled by user")


@dataclass
class Outcome:
    """The outcome of a statement.

    Attributes:
        kind: DML, DDL or UTILITY.
        files: the addresses of files it wrote.
        count: the rows it wrote.
    """

    kind: str
    columns: list[ResultColumn] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    count: int | None = None
