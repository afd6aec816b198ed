"""EventBridge Scheduler invokes this handler: `{"job": name, "scheduled_time": ISO time}`. A rule of the event bus also
does, with an event that starts a conversation."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

import pytake.wiring.scheduled as wiring
from pytake.conversation.start_by_event import DETAIL_TYPE
from pytake.observability import PublicError, logger, safe_handler, set_correlation_id
from pytake.wiring import shared

RESERVE_MILLISECONDS = 5_000
"""A job accepts no further work this long before Lambda would stop it; the next run continues."""


class UnknownJobError(PublicError):
    """There is no such job: the schedule is wrong, and its alarm should ring."""


class JobRun(NamedTuple):
    """What a job may need to know about its run. `id` is on its log lines."""

    id: str
    scheduled_time: str
    seconds_left: float
    out_of_time: Callable[[], bool]


@safe_handler
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Runs one job, once per scheduled time: EventBridge may fire twice."""
    if event.get("detail-type") == DETAIL_TYPE:
        return _start(event)
    job, scheduled_time = event.get("job"), event.get("scheduled_time")
    run = _JOBS.get(str(job))
    if run is None:
        raise UnknownJobError(f"There is no such job as the event's; jobs are: {', '.join(_JOBS)}")
    seconds_left = context.get_remaining_time_in_millis() / 1000
    if scheduled_time and not wiring.job_runs().begin(
        str(job), scheduled_time, context.aws_request_id, time.time(), seconds_left
    ):
        logger().info("job.skipped", job=job, scheduled_time=scheduled_time)
        return {"job": job, "skipped": True}

    def out_of_time() -> bool:
        return bool(context.get_remaining_time_in_millis() < RESERVE_MILLISECONDS)

    with shared.metrics():
        done = run(JobRun(context.aws_request_id, str(scheduled_time or ""), seconds_left, out_of_time))
    if scheduled_time:
        wiring.job_runs().finish(str(job), scheduled_time, time.time())
    logger().info("job.done", job=job, scheduled_time=scheduled_time, **done)
    return {"job": job, **done}


def _start(event: dict[str, Any]) -> dict[str, Any]:
    set_correlation_id(str(event["id"]))
    with shared.metrics():
        queued = wiring.start_by_event()(str(event["id"]), event.get("detail"))
    logger().info("start.done", queued=queued is not None)
    return {"queued": queued is not None}


def _due(run: JobRun) -> dict[str, Any]:
    return {
        "timers_fired": wiring.fire_due_timers()(run.out_of_time, run.id),
        "turns_released": wiring.release_waiting_turns()(run.out_of_time),
        "events_published": wiring.publish_late_events()(run.out_of_time),
        "follow_ups": msgspec.to_builtins(wiring.run_follow_ups()(run.out_of_time)),
    }


def _export(run: JobRun) -> dict[str, Any]:
    done: dict[str, Any] = msgspec.to_builtins(wiring.export_to_lake()(run.seconds_left, run.out_of_time))
    return done


def _imports(run: JobRun) -> dict[str, Any]:
    done: dict[str, Any] = msgspec.to_builtins(wiring.run_imports()(run.out_of_time))
    return done


def _aggregate(run: JobRun) -> dict[str, Any]:
    scheduled_at = datetime.fromisoformat(run.scheduled_time) if run.scheduled_time else datetime.now(UTC)
    done: dict[str, Any] = msgspec.to_builtins(wiring.aggregate_days()(scheduled_at, run.out_of_time))
    return done


def _retention(run: JobRun) -> dict[str, Any]:
    done: dict[str, Any] = msgspec.to_builtins(wiring.apply_retention()(run.out_of_time))
    return done


def _campaigns(run: JobRun) -> dict[str, Any]:
    return {
        "recipients_claimed": wiring.tick_campaigns()(run.out_of_time),
        "parts_recounted": wiring.recount_audience()(run.out_of_time),
    }


_JOBS = {
    "due": _due,
    "campaigns": _campaigns,
    "export": _export,
    "imports": _imports,
    "aggregate": _aggregate,
    "retention": _retention,
}
