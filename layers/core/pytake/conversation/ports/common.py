"""The clock, metrics and the error that every repository shares."""

from collections.abc import Callable
from typing import TypeVar

WRITE_ATTEMPTS = 4

Clock = Callable[[], float]
"""Returns seconds since the epoch."""

RecordMetric = Callable[[str, float], None]
"""Records a value under a metric's name. The name's suffix is the unit: Milliseconds, Seconds, otherwise a count."""


def no_metrics(name: str, value: float) -> None:
    """Records nothing."""


class ConflictError(Exception):
    """Another writer was faster. Load again and decide again."""


Written = TypeVar("Written")


def until_written(write: Callable[[], Written], what: str) -> Written:
    """What `write` returns. It loads, decides and writes; while others write the same, it is called again, four times in all.

    Raises `ConflictError`, which names `what` was not written.
    """
    for _ in range(WRITE_ATTEMPTS):
        try:
            return write()
        except ConflictError:
            continue
    raise ConflictError(f"{what} not written in {WRITE_ATTEMPTS} attempts")
