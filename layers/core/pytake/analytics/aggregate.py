"""Makes the daily aggregates: the rows of the table `daily`, one file per organization and day (ADR 0011)."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from pytake.analytics.queries import query
from pytake.conversation.export import HOUR
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.lake import DailyAggregates, DayInProgress, EventLog, Lake, QueryNotReadyError

MAX_ACTIVE_QUERIES = 40
"""Queries that run or wait at Athena at the same time. It allows an account 20 and more to run, and queues the others."""

MAX_WORKERS = 8
"""Concurrent requests to S3 and to start queries. Athena allows a burst of 80 starts, and 20 a second."""

DAY = timedelta(days=1)


class AggregationResult(Struct, frozen=True):
    """The result of a run: days checked and rebuilt (per organization), failures, and whether it reached its end."""

    checked: int = 0
    made: int = 0
    failed: int = 0
    settled_through: str | None = None
    finished: bool = False


class AggregateDays:
    """The scheduled function's `aggregate` job.

    Rebuilds the aggregates of every day before the scheduled one whose events have changed since. Settled days, which were
    exported for the last time, are not checked again once all organizations have their aggregates: reports read these
    instead of events. A repeated run for the same scheduled time rebuilds nothing twice.
    """

    def __init__(
        self,
        log: EventLog,
        lake: Lake,
        aggregates: DailyAggregates,
        clock: Clock,
        record_metric: Callable[[str, float], None],
    ) -> None:
        self._log = log
        self._lake = lake
        self._aggregates = aggregates
        self._clock = clock
        self._record_metric = record_metric

    def __call__(self, scheduled_at: datetime, out_of_time: Callable[[], bool] = lambda: False) -> AggregationResult:
        """Rebuilds what is due, until `out_of_time()`. Raises the first error after all other days are done.

        Finally records `DailyLagSeconds`: the time since the end of the last settled day that reports can read.
        """
        today = scheduled_at.astimezone(UTC).date()
        settled = self._settled_day()
        through = self._log.settled_through()
        checked = made = 0
        errors: list[Exception] = []
        blocked = False
        with ThreadPoolExecutor(MAX_WORKERS) as pool:
            for day, organizations in self._due(through, today).items():
                results, complete = self._refresh(pool, organizations, day, out_of_time)
                checked += len(results)
                made += results.count(True)
                errors += [result for result in results if isinstance(result, Exception)]
                if not complete:
                    blocked = True
                    break
                if not errors and settled is not None and day <= settled:
                    self._log.put_settled_through(day)
                    through = day
        if not errors and not blocked and settled is not None and (through is None or through < settled):
            self._log.put_settled_through(settled)
            through = settled
        if through is not None:
            ended = datetime.combine(date.fromisoformat(through) + DAY, datetime.min.time(), UTC)
            self._record_metric("DailyLagSeconds", self._clock() - ended.timestamp())
        if errors:
            raise errors[0]
        return AggregationResult(checked, made, len(errors), through, not blocked)

    def _settled_day(self) -> str | None:
        """The last day with all its hours exported for the last time."""
        hour = self._log.progress().through.get("settled")
        if hour is None:
            return None
        return (datetime.fromtimestamp(hour + HOUR, UTC) - DAY).date().isoformat()

    def _due(self, through: str | None, today: date) -> dict[str, list[str]]:
        """The days to check, in order, each with the organizations that have events on it."""
        due: dict[str, list[str]] = {}
        for organization_id in self._lake.organizations():
            for day in self._lake.days(organization_id):
                if (through is None or day > through) and day < today.isoformat():
                    due.setdefault(day, []).append(organization_id)
        return dict(sorted(due.items()))

    def _refresh(
        self, pool: ThreadPoolExecutor, organizations: Sequence[str], day: str, out_of_time: Callable[[], bool]
    ) -> tuple[list[bool | Exception], bool]:
        """Rebuild a day of these organizations where its events have changed.

        Returns for each whether it was rebuilt, or what went wrong; and whether there was time for all.
        """
        results: list[bool | Exception] = []
        for start in range(0, len(organizations), MAX_ACTIVE_QUERIES):
            if out_of_time():
                return results, False
            batch = organizations[start : start + MAX_ACTIVE_QUERIES]
            started = list(pool.map(lambda organization_id: self._start(organization_id, day), batch))
            running = [one for one in started if isinstance(one, DayInProgress)]
            outcomes = self._wait(running, out_of_time)
            results += [one for one in started if not isinstance(one, DayInProgress)]
            results += pool.map(self._finish, running, outcomes)
            if any(isinstance(error, QueryNotReadyError) for error in outcomes) and out_of_time():
                return [one for one in results if not isinstance(one, QueryNotReadyError)], False
        return results, True

    def _wait(self, days: Sequence[DayInProgress], out_of_time: Callable[[], bool]) -> Sequence[Exception | None]:
        try:
            return self._aggregates.wait(days, out_of_time) if days else []
        except Exception as error:
            return [error] * len(days)

    def _start(self, organization_id: str, day: str) -> DayInProgress | bool | Exception:
        """The query of a day whose events have changed; False if they have not; what went wrong."""
        try:
            source = self._aggregates.source(organization_id, day)
            if self._aggregates.made_from(organization_id, day) == source:
                return False
            asked = query("daily", {"organization_id": organization_id, "events_from": day, "events_to": day})
            return self._aggregates.start(organization_id, day, asked.sql, asked.parameters, source)
        except Exception as error:
            return error

    def _finish(self, day: DayInProgress, error: Exception | None) -> bool | Exception:
        try:
            self._aggregates.finish(day, error)
        except Exception as failure:
            return error or failure
        return error or True
