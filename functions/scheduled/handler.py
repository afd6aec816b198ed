"""EventBridge Scheduler calls in here: `{"job": name, "scheduled_time": ISO time}`."""

from typing import Any

import msgspec

from pytake import bootstrap
from pytake.observability import logger

RESERVE_MILLISECONDS = 5_000
"""A job stops taking on work this long before Lambda would stop it; the next run goes on."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run one job. Raises ValueError for a job that does not exist: the schedule is wrong, its alarm should ring."""

    def out_of_time() -> bool:
        return bool(context.get_remaining_time_in_millis() < RESERVE_MILLISECONDS)

    job = event.get("job")
    if job == "due":
        done: dict[str, Any] = {"woken": bootstrap.wake_due()(out_of_time)}
    elif job == "export":
        seconds_left = context.get_remaining_time_in_millis() / 1000
        done = msgspec.to_builtins(bootstrap.export_to_lake()(seconds_left, out_of_time))
    else:
        raise ValueError(f"There is no job {job!r}; jobs are: due, export")
    logger().info("job.done", job=job, scheduled_time=event.get("scheduled_time"), **done)
    return {"job": job, **done}
