"""EventBridge Scheduler calls in here: `{"job": name, "scheduled_time": ISO time}`."""

from typing import Any

from pytake import bootstrap
from pytake.observability import logger

RESERVE_MILLISECONDS = 5_000
"""A job stops taking on work this long before Lambda would stop it; the next run goes on."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run one job. Raises ValueError for a job that does not exist: the schedule is wrong, its alarm should ring."""
    if event.get("job") != "due":
        raise ValueError(f"There is no job {event.get('job')!r}; jobs are: due")
    woken = bootstrap.wake_due()(lambda: context.get_remaining_time_in_millis() < RESERVE_MILLISECONDS)
    logger().info("due.done", scheduled_time=event.get("scheduled_time"), woken=woken)
    return {"job": "due", "woken": woken}
