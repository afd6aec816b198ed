"""A night with a thousand organizations: Athena takes seconds for each query, and the function has five minutes."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import pytest

from pytake.analytics.aggregate import AggregateDays, AggregationResult
from pytake.aws.athena import AthenaQueries
from pytake.aws.daily_aggregates import S3DailyAggregates, aggregates_key
from tests.fakes import MemoryConversations, MemoryDeliveries
from tests.fakes.lake import MemoryEventLog

NOW = datetime(2026, 3, 10, 2, 15, tzinfo=UTC)
YESTERDAY = "2026-03-09"
RUN_SECONDS = 300
RESERVE_SECONDS = 5

QUERY_SECONDS = 3.0
RUNNING_AT_ONCE = 20
"""The lowest default of Athena's quota of active queries; the others wait in its queue."""

REQUEST_SECONDS = 0.1 / 8
"""A request to AWS takes 0.1 s, and eight run at the same time."""

ORGANIZATIONS = [f"org-{number:04d}" for number in range(1000)]


class Night:
    """The time, and Athena and S3 that take some of it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.objects: dict[str, dict[str, str]] = {}
        self.ends: dict[str, float] = {}
        self.most_active = 0
        self._lock = Lock()

    def spend(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds

    # Athena

    def start_query_execution(self, **call: Any) -> dict[str, str]:
        self.spend(REQUEST_SECONDS)
        with self._lock:
            active = sorted(end for end in self.ends.values() if end > self.now)
            free_at = active[-RUNNING_AT_ONCE] if len(active) >= RUNNING_AT_ONCE else self.now
            self.ends[call["ClientRequestToken"]] = max(self.now, free_at) + QUERY_SECONDS
            self.most_active = max(self.most_active, len(active) + 1)
            folder = call["QueryString"].partition(" TO 's3://lake/")[2].partition("'")[0]
            self.objects[f"{folder}part"] = {}
        return {"QueryExecutionId": call["ClientRequestToken"]}

    def batch_get_query_execution(self, QueryExecutionIds: Sequence[str]) -> dict[str, Any]:  # noqa: N803
        self.spend(REQUEST_SECONDS)
        return {
            "QueryExecutions": [
                {"QueryExecutionId": id_, "Status": {"State": "SUCCEEDED" if self.ends[id_] <= self.now else "RUNNING"}}
                for id_ in QueryExecutionIds
            ]
        }

    # S3

    def get_paginator(self, _: str) -> "Night":
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        self.spend(REQUEST_SECONDS)
        with self._lock:
            folder = Prefix if Prefix.startswith("athena/") else "events"
            keys = [key for key in list(self.objects) if key.startswith(folder)] if folder != "events" else ["hour"]
        yield {"Contents": [{"Key": key, "ETag": "1", "Size": 1} for key in keys]}

    def head_object(self, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        from botocore.exceptions import ClientError

        self.spend(REQUEST_SECONDS)
        if Key not in self.objects:
            raise ClientError({"ResponseMetadata": {"HTTPStatusCode": 404}}, "HeadObject")  # type: ignore[typeddict-item]
        return {"Metadata": self.objects[Key]}

    def copy_object(self, Key: str, Metadata: dict[str, str], **_: Any) -> None:  # noqa: N803
        self.spend(REQUEST_SECONDS)
        self.objects[Key] = Metadata

    def delete_object(self, Key: str, **_: Any) -> None:  # noqa: N803
        self.spend(REQUEST_SECONDS)
        with self._lock:
            self.objects.pop(Key, None)


class OneDay:
    """A lake in which all organizations have events of yesterday."""

    def organizations(self) -> list[str]:
        return ORGANIZATIONS

    def days(self, _: str) -> list[str]:
        return [YESTERDAY]


@pytest.fixture
def night() -> Night:
    return Night()


def run(night: Night, log: MemoryEventLog, out_of_time: Callable[[], bool]) -> AggregationResult:
    queries = AthenaQueries(night, "group", "lake", 120, sleep=night.spend)  # type: ignore[arg-type]
    aggregates = S3DailyAggregates(night, "lake", queries)  # type: ignore[arg-type]
    aggregate = AggregateDays(log, OneDay(), aggregates, lambda: NOW.timestamp(), lambda *_: None)  # type: ignore[arg-type]
    return aggregate(NOW, out_of_time)


def log() -> MemoryEventLog:
    return MemoryEventLog(MemoryConversations(), MemoryDeliveries())


def made(night: Night) -> set[str]:
    return {name for name in ORGANIZATIONS if aggregates_key(name, YESTERDAY) in night.objects}


def test_a_thousand_organizations_are_done_in_one_run(night: Night) -> None:
    done = run(night, log(), lambda: night.now > RUN_SECONDS - RESERVE_SECONDS)
    assert (done.made, done.finished) == (1000, True)
    assert made(night) == set(ORGANIZATIONS)
    assert night.now < RUN_SECONDS - RESERVE_SECONDS
    assert night.most_active > RUNNING_AT_ONCE, "the next queries wait at Athena, not here"


@pytest.mark.parametrize("seconds", [10, 11.3, 47])
def test_a_run_without_time_stops_within_seconds_and_the_next_one_makes_only_the_rest(
    night: Night, seconds: float
) -> None:
    progress = log()
    first = run(night, progress, lambda: night.now > seconds)
    assert night.now < seconds + RESERVE_SECONDS
    assert (first.finished, 0 < first.made < 1000, first.made) == (False, True, len(made(night)))
    second = run(night, progress, lambda: False)
    assert (second.made, second.finished) == (1000 - first.made, True)
    assert not [key for key in night.objects if key.startswith("athena/")]
