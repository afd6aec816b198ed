"""The clock, metrics and the error that every repository shares."""

from collections.abc import Callable

Clock = Callable[[], float]
"""Returns seconds since the epoch."""

RecordMetric = Callable[[str, float], None]
"""Records a value under a metric's name. The name's suffix is the unit: Milliseconds, Seconds, otherwise a count."""


def no_metrics(name: str, value: float) -> None:
    """Records nothing."""


class ConflictError(Exception):
    """Another writer was faster. Load again and decide again."""
