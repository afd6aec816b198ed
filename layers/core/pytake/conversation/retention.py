"""The deletion of what is older than its organization keeps."""

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from pytake.conversation.lake_records import RetentionProgress
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.lake import EventLog, Lake
from pytake.conversation.ports.media import StoredMedia
from pytake.conversation.retention_policy import DAY, RetentionPolicy

HOUR = 3600


class RetentionResult(Struct, frozen=True):
    """What a run deleted: days of the lake, turns whose retention was shortened, and files."""

    days: int = 0
    turns: int = 0
    files: int = 0
    finished: bool = False


class ApplyRetention:
    """The scheduled function's `retention` job. Calling it again is safe.

    Items in the table expire by themselves, after the retention that held when they were written. When an organization
    shortens its retention, this job deletes the items that the new setting no longer allows.
    """

    def __init__(
        self,
        log: EventLog,
        lake: Lake,
        media: StoredMedia,
        retention: RetentionPolicy,
        clock: Clock,
        record_metric: Callable[[str, float], None],
    ) -> None:
        self._log = log
        self._lake = lake
        self._media = media
        self._retention = retention
        self._clock = clock
        self._record_metric = record_metric

    def __call__(self, out_of_time: Callable[[], bool] = lambda: False) -> RetentionResult:
        """Delete what is too old, until `out_of_time()`; the next run continues.

        Records the metric `RetentionLagSeconds` first: how long the oldest day of the lake is overdue.
        """
        now, days, turns = self._clock(), 0, 0
        overdue = [
            (organization_id, day, now - self._retention(organization_id) - _end_of(day))
            for organization_id in self._lake.organizations()
            for day in self._lake.days(organization_id)
        ]
        self._record_metric("RetentionLagSeconds", max((lag for _, _, lag in overdue if lag > 0), default=0))
        for organization_id, day, lag in overdue:
            if lag <= 0:
                continue
            if out_of_time():
                return RetentionResult(days, turns)
            self._lake.delete_day(organization_id, day)
            days += 1
        for organization_id in dict.fromkeys(organization_id for organization_id, _, _ in overdue):
            removed, finished = self._shorten(organization_id, now, out_of_time)
            turns += removed
            if not finished:
                return RetentionResult(days, turns)
        files = 0
        for organization_id in self._media.organizations():
            if out_of_time():
                return RetentionResult(days, turns, files)
            files += self._media.delete_before(organization_id, now - self._retention(organization_id))
        return RetentionResult(days, turns, files, finished=True)

    def _shorten(self, organization_id: str, now: float, out_of_time: Callable[[], bool]) -> tuple[int, bool]:
        """Delete turns that were written under a longer retention; returns how many, and whether all are deleted."""
        seconds = self._retention(organization_id)
        cutoff = int(now - seconds) // HOUR * HOUR
        known = self._log.retention_progress(organization_id)
        if known is None or known.seconds <= seconds:
            self._log.put_retention_progress(organization_id, RetentionProgress(seconds))
            return 0, True
        removed = 0
        first = int(now - known.seconds) // HOUR * HOUR
        for hour in range(max(first, known.through or first), cutoff, HOUR):
            if out_of_time():
                self._log.put_retention_progress(organization_id, RetentionProgress(known.seconds, hour))
                return removed, False
            removed += self._log.delete_turns(organization_id, hour)
        self._log.put_retention_progress(organization_id, RetentionProgress(seconds))
        return removed, True


def _end_of(day: str) -> float:
    """The end of a UTC day (`2026-11-25`) in seconds since the epoch."""
    return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() + DAY
