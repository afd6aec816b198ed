"""Logs and metrics of the functions. Logs carry ids and codes; never a message's text, a phone number or a token."""

from typing import Any

from aws_lambda_powertools import Logger

NAMESPACE = "PyTake"

_REDACTED_LIBRARIES = ("httpx", "httpcore", "botocore", "urllib3")


def logger() -> Logger:
    """The function's structured logger; level and service name come from Powertools' own variables."""
    import logging

    for name in _REDACTED_LIBRARIES:
        # Their debug and info lines hold addresses and bodies, and with them what people wrote.
        logging.getLogger(name).setLevel(logging.WARNING)
    return Logger()


def measure(stage: str, name: str, value: float, now: float) -> None:
    """Log a figure so that CloudWatch makes a metric of it (embedded metric format), by stage."""
    metric = {"Namespace": NAMESPACE, "Dimensions": [["stage"]], "Metrics": [{"Name": name}]}
    figure: dict[str, Any] = {name: value}
    timestamp = int(now * 1000)
    logger().info("measured", stage=stage, _aws={"Timestamp": timestamp, "CloudWatchMetrics": [metric]}, **figure)
