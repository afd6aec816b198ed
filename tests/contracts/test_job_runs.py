"""The contract of the `JobRuns` port, on the adapter: a run happens once, and a dead run is repeated."""

from typing import Any

import pytest

from pytake.aws.job_runs import DynamoJobRuns

NOW = 1_770_000_000.0
TIME = "2026-11-25T03:45:00Z"


@pytest.fixture
def runs(table: Any) -> DynamoJobRuns:
    return DynamoJobRuns(table)


def test_a_clock_that_fires_twice_starts_one_run(runs: DynamoJobRuns) -> None:
    assert runs.begin("retention", TIME, "a", NOW, 300)
    assert not runs.begin("retention", TIME, "b", NOW + 1, 300)
    runs.finish("retention", TIME, NOW + 2)
    assert not runs.begin("retention", TIME, "b", NOW + 3, 300)
    assert not runs.begin("retention", TIME, "a", NOW + 3600, 300)


def test_other_times_and_other_jobs_are_other_runs(runs: DynamoJobRuns) -> None:
    assert runs.begin("retention", TIME, "a", NOW, 300)
    assert runs.begin("retention", "2026-11-26T03:45:00Z", "b", NOW, 300)
    assert runs.begin("due", TIME, "c", NOW, 300)


def test_a_run_that_died_begins_again_at_once_by_its_own_retry_and_later_by_anybody(runs: DynamoJobRuns) -> None:
    assert runs.begin("retention", TIME, "a", NOW, 300)
    assert runs.begin("retention", TIME, "a", NOW + 60, 300)
    assert not runs.begin("retention", TIME, "b", NOW + 359, 300)
    assert runs.begin("retention", TIME, "b", NOW + 361, 300)
