"""The event log, the lake and its queries, and the runs of scheduled jobs."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from pytake.conversation.lake_events import ErasedTurn, LakeEvent, Pseudonyms
from pytake.conversation.lake_records import ExportProgress, LakePart, LogEntry, LoggedTurn, RetentionProgress


class QueryNotReadyError(Exception):
    """The query takes longer than a caller can wait, or too many queries run at once. It continues: ask again."""


class QueryTooLargeError(Exception):
    """A query would read more of the lake than the operator allows."""


class QueryFailedError(Exception):
    """A query ended in an error; the text is Athena's reason."""


class EventLog(Protocol):
    """The turns of all organizations by the hour, and the progress of their export. An hour is given by its first second."""

    def entries(
        self, hour: int, organization_id: str | None = None, since: tuple[str, int] | None = None
    ) -> Iterable[LogEntry]:
        """The hour's entries, grouped by organization, each group in the order of time (eventually consistent).

        `organization_id` selects one organization. `since` (an organization and `at`) starts at that entry.
        """

    def turns(self, hour: int, entries: Iterable[LogEntry]) -> Iterable[LoggedTurn | ErasedTurn]:
        """The hour's turns that start with these entries, always in the same order."""

    def pseudonyms(self, organization_id: str, contact_ids: Iterable[str], now: float) -> dict[str, Pseudonyms]:
        """The pseudonyms of each contact. Their random key is created on first use, and outlives the records that need it."""

    def record_reported_hour(self, organization_id: str, contact_ids: Iterable[str], hour: int) -> None:
        """Record that the lake's file of this hour contains answers of these contacts, who have keys."""

    def progress(self) -> ExportProgress: ...

    def put_progress(self, progress: ExportProgress) -> None: ...

    def acquire_lease(self, now: float, seconds: float) -> bool:
        """Acquire the exclusive right to export, for at most `seconds`. False when another run has it."""

    def release_lease(self) -> None: ...

    def delete_turns(self, organization_id: str, hour: int) -> int:
        """Delete the organization's turns of an hour with their deliveries; returns the number of turns.

        A conversation is deleted with its last turn, unless its session is open.
        """

    def retention_progress(self, organization_id: str) -> RetentionProgress | None: ...

    def put_retention_progress(self, organization_id: str, progress: RetentionProgress) -> None: ...

    def settled_through(self) -> str | None:
        """The last day (`2026-11-20`, UTC) whose daily aggregates are final."""

    def put_settled_through(self, day: str) -> None: ...


class Lake(Protocol):
    """Files of events. An organization's hour has one file, or one per part when very much happened in it."""

    def organizations(self) -> list[str]:
        """The organizations that have files."""

    def days(self, organization_id: str) -> list[str]:
        """The UTC days (`2026-11-25`) for which the organization has files, oldest first."""

    def delete_day(self, organization_id: str, day: str) -> None:
        """Delete the organization's files of a day, with all their old versions."""

    def part(self, organization_id: str, hour: int, begins: int) -> LakePart | None:
        """The part whose file begins at that moment (in milliseconds), or None."""

    def put(self, part: LakePart, events: Iterable[LakeEvent]) -> bool:
        """Write a part's events: all of them, or nothing changes. False when the file already held exactly these."""

    def redact(self, organization_id: str, hour: int, contacts: Collection[str]) -> None:
        """Remove the answers of these contacts (pseudonyms) from the files of an hour. The rows stay, so counts hold."""

    def delete_old_versions(self, organization_id: str, hour: int) -> None:
        """Delete the previous versions of an hour's files."""

    def delete_query_results(self) -> None:
        """Delete the results of all queries, because they may contain a person's answers."""


class JobRuns(Protocol):
    """The runs of scheduled jobs. The clock may fire twice, and runs may die."""

    def begin(self, job: str, scheduled_time: str, run: str, now: float, seconds: float) -> bool:
        """Start a run, for at most `seconds`. False when it is done or another process is running it.

        `run` is the same when Lambda retries an invocation. The earlier attempt is dead then, so the retry may start.
        """

    def finish(self, job: str, scheduled_time: str, now: float) -> None:
        """Record that the run is done, so that it never starts again."""


class LakeQueries(Protocol):
    """SQL over the lake."""

    def rows(self, sql: str, parameters: Sequence[str], version: str) -> list[dict[str, str | None]]:
        """A query's rows; values are text. `parameters` are SQL literals for the statement's question marks.

        The result of the same question with the same `version` may be reused. Raises `QueryNotReadyError`,
        `QueryTooLargeError` and `QueryFailedError`.
        """


class DayInProgress(Struct, frozen=True):
    """A day of an organization whose query runs. `run` and `execution` are private to the adapter."""

    organization_id: str
    day: str
    source: str
    run: str
    execution: str


class DailyAggregates(Protocol):
    """One file of daily aggregates per organization and day. Days are written `2026-11-20` and end at midnight UTC."""

    def source(self, organization_id: str, day: str) -> str:
        """A digest of the day's event files: it changes when any of them changes."""

    def made_from(self, organization_id: str, day: str) -> str | None:
        """The `source` that the day's aggregates were made from; None when there are none."""

    def start(self, organization_id: str, day: str, sql: str, parameters: Sequence[str], source: str) -> DayInProgress:
        """Start the query whose rows become the day's aggregates. Raises `QueryNotReadyError` when too many queries run."""

    def wait(self, days: Sequence[DayInProgress], out_of_time: Callable[[], bool]) -> list[Exception | None]:
        """Wait for the queries of all these days; what went wrong with each, as `LakeQueries.rows` raises it.

        The error of a query that still runs when time is up is `QueryNotReadyError`.
        """

    def finish(self, day: DayInProgress, error: Exception | None) -> None:
        """Store the rows as the day's aggregates: all of them, or nothing changes. After an error, remove what it left."""
