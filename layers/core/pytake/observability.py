"""Logs and metrics of the functions. Logs carry ids and codes; never a message's text, a phone number or a token."""

import os
import sys
from collections.abc import Callable
from functools import cache
from traceback import extract_tb
from types import TracebackType
from typing import Any, Self

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

NAMESPACE = "PyTake"

MOST_VALUES = 100
"""CloudWatch takes at most this many values of one metric from one line."""

_REDACTED_LIBRARIES = ("httpx", "httpcore", "botocore", "urllib3")
_UNITS = {"Milliseconds": "Milliseconds", "Seconds": "Seconds"}


def logger() -> Logger:
    """The function's structured logger; level and service name come from LOG_LEVEL and POWERTOOLS_SERVICE_NAME."""
    import logging

    for name in _REDACTED_LIBRARIES:
        # Their debug and info lines hold addresses and bodies, and with them what people wrote. To set a level makes every
        # logger forget what it knows, a tenth of what a message takes: so only where it is not so.
        library = logging.getLogger(name)
        if library.level != logging.WARNING:
            library.setLevel(logging.WARNING)
    return _logger(os.environ.get("POWERTOOLS_SERVICE_NAME"), os.environ.get("LOG_LEVEL", "INFO"))


class _DiscreetFormatter(LambdaPowertoolsFormatter):
    """Tells where an exception came from and what kind it is, but not its text: texts quote what was wrong, and that may be
    what a person wrote, an address with their number in it, or a header with a token."""

    def __init__(self) -> None:
        super().__init__(serialize_stacktrace=False)

    def formatException(self, ei: Any) -> str:  # noqa: N802  logging's own name
        lines: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None:
            code = getattr(error, "response", None)
            code = code.get("Error", {}).get("Code") if isinstance(code, dict) else None  # what AWS calls it
            frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
            lines += [*frames, f"{type(error).__module__}.{type(error).__name__}" + (f" ({code})" if code else "")]
            following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
            if following is not None:
                lines.append("because of")
            error = following
        return "\n".join(lines)

    def _extract_log_exception(self, log_record: Any) -> Any:
        text, name, _notes = super()._extract_log_exception(log_record)
        return text, name, None


@cache
def _logger(service: str | None, level: str) -> Logger:
    import logging

    log = Logger(service=service, logger_formatter=_DiscreetFormatter())
    # On Lambda, Powertools goes by the level of Lambda's own filter, which has to let metrics through (template.yaml).
    logging.getLogger(log.name).setLevel(level)
    return log


def correlate(correlation_id: str | None) -> None:
    """Put this id on every log line from now on: the one that the webhook gave a message when it came in."""
    logger().set_correlation_id(correlation_id)


class Figures:
    """What an invocation measured, as one line that CloudWatch makes metrics of (its embedded metric format).

    Used as a context: the line is written at its end, or none when nothing was measured. It needs no request and does not
    go by the log level. Every metric has the one dimension `stage`: a metric is billed per combination of dimensions.
    """

    def __init__(self, stage: str, clock: Callable[[], float]) -> None:
        self._stage = stage
        self._clock = clock
        self._values: dict[str, list[float]] = {}

    def measure(self, name: str, value: float) -> None:
        """Note a value. The unit follows from the name's end: Milliseconds, Seconds, else a count."""
        values = self._values.setdefault(name, [])
        values.append(round(value, 3))
        if len(values) == MOST_VALUES:
            self.flush()

    def flush(self) -> None:
        """Write what was measured and begin anew."""
        if not self._values:
            return
        values, self._values = self._values, {}
        metrics = [{"Name": name, "Unit": _unit(name)} for name in values]
        line: dict[str, Any] = {
            "_aws": {
                "Timestamp": int(self._clock() * 1000),
                "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["stage"]], "Metrics": metrics}],
            },
            "stage": self._stage,
            # A count is a sum already; of durations every value is kept, for their percentiles.
            **{name: sum(found) if _unit(name) == "Count" else found for name, found in values.items()},
        }
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.flush()


def _unit(name: str) -> str:
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "Count")
