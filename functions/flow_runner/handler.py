"""SQS invokes this handler with inbound messages: one conversation per message group, in order."""

from typing import Any

import pytake.wiring.flow_runner as wiring
from pytake.observability import logger, safe_handler
from pytake.wiring import shared


@safe_handler
def handler(event: dict[str, Any], context: Any) -> Any:
    """Takes one turn per record."""
    with shared.metrics():
        return wiring.inbound_batches(logger())(event, context.get_remaining_time_in_millis)
