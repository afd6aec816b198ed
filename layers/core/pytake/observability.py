"""Logs and metrics of the functions. Logs carry ids and codes; never a message's text, a phone number or a token."""

import logging
import os
from collections.abc import Callable, Collection
from functools import cache, wraps
from traceback import extract_tb
from typing import Any, Self

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import EphemeralMetrics

NAMESPACE = "PyTake"

_REDACTED_LIBRARIES = ("httpx", "httpcore", "botocore", "urllib3")

Handler = Callable[[dict[str, Any], Any], Any]


class PublicError(Exception):
    """An error whose text contains only the program's own words and names, so it may be logged and shown."""


class FunctionFailedError(Exception):
    """What Lambda and X-Ray see of an unhandled exception: its type, and the log line with its location."""


def logger() -> Logger:
    """The function's structured logger; level and service name come from LOG_LEVEL and POWERTOOLS_SERVICE_NAME."""
    for name in _REDACTED_LIBRARIES:
        # Their debug and info lines contain addresses and bodies, and so what people wrote. Setting a level clears the caches of
        # all loggers, a tenth of the time of a message, so it is set only if it differs.
        library = logging.getLogger(name)
        if library.level != logging.WARNING:
            library.setLevel(logging.WARNING)
    return _logger(os.environ.get("POWERTOOLS_SERVICE_NAME"), os.environ.get("LOG_LEVEL", "INFO"))


class _RedactingFormatter(LambdaPowertoolsFormatter):
    """Logs the location and the type of an exception, but not its text: texts quote values, which may be what a person wrote, an
    address with their phone number, or a header with a token."""

    def __init__(self) -> None:
        super().__init__(serialize_stacktrace=False)

    def formatException(self, ei: Any) -> str:  # noqa: N802  logging's own name
        lines: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None:
            frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
            lines += [*frames, _described(error)]
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
    # Otherwise logging prints a record that it cannot write, with the text of the current exception.
    logging.raiseExceptions = False
    log = Logger(service=service, logger_formatter=_RedactingFormatter())
    # On Lambda, Powertools uses the level of Lambda's own filter, which has to let metrics through (template.yaml).
    logging.getLogger(log.name).setLevel(level)
    return log


def aws_error_code(error: BaseException | None) -> str | None:
    """AWS's code of an SDK error (`AccessDenied`, `ThrottlingException`); None for other errors, and without a response."""
    response = getattr(error, "response", None)  # None for a timeout
    return response.get("Error", {}).get("Code") if isinstance(response, dict) else None


def _described(error: BaseException) -> str:
    """The description of an exception: its class, its AWS code, and the text of a `PublicError`."""
    code = aws_error_code(error)
    text = f": {error}" if isinstance(error, PublicError) else ""
    return f"{type(error).__module__}.{type(error).__name__}" + (f" ({code})" if code else "") + text


def set_correlation_id(correlation_id: str | None) -> None:
    """Puts this id on every log line from now on. The webhook gives each message one when it arrives."""
    logger().set_correlation_id(correlation_id)


def safe_handler(handler: Handler) -> Handler:
    """Wraps a Lambda handler: its log lines have a correlation id, and its exceptions reveal no data. The correlation id is the
    invocation's until the handler sets another.

    Lambda's runtime client writes the text of an unhandled exception into the log and the trace, and returns it to the caller.
    Libraries quote their input in such texts. So the exception is logged as `function.failed`, and Lambda, which has to know that
    the invocation failed, only sees a `FunctionFailedError`.
    """

    @wraps(handler)
    def guarded(event: dict[str, Any], context: Any) -> Any:
        set_correlation_id(context.aws_request_id)
        try:
            return handler(event, context)
        except Exception as error:
            logger().exception("function.failed")
            failed = (
                f"{_described(error)}. Where: log line function.failed, correlation_id {logger().get_correlation_id()}"
            )
        # Outside of `except`, so that the new exception does not refer to the old one.
        raise FunctionFailedError(failed)

    return guarded


FULL_METRICS = frozenset(
    (
        "ApiCalls",
        "BillableMessages",
        "CampaignRecipientsClaimed",
        "GraphMilliseconds",
        "InboundWaitMilliseconds",
        "OutboundWaitMilliseconds",
        "TurnMilliseconds",
        "Turns",
    )
)
"""Volumes and durations, which no alarm of the tier `basic` watches. Each is billed per month."""


class Metrics:
    """What an invocation measured, as one line that CloudWatch turns into metrics (its embedded metric format).

    Used as a context: the line is written at its end, also when the invocation fails, or none when nothing was measured. It
    needs no request and does not depend on the log level. Every metric has the one dimension `stage`: CloudWatch bills a
    metric per combination of dimensions.
    """

    def __init__(self, stage: str, *, without: Collection[str] = ()) -> None:
        """`without`: the names of metrics that are not recorded."""
        self._without = without
        self._metrics = EphemeralMetrics(namespace=NAMESPACE, service="")  # no service: it would be a second dimension
        self._metrics.set_default_dimensions(stage=stage)

    def record_metric(self, name: str, value: float) -> None:
        """Records a value. The end of the name gives the unit: Milliseconds, Seconds, else a count."""
        if name not in self._without:
            self._metrics.add_metric(name, _unit(name), round(value, 3))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._metrics.metric_set:
            self._metrics.flush_metrics()


def _unit(name: str) -> str:
    return next((unit for unit in ("Milliseconds", "Seconds") if name.endswith(unit)), "Count")
