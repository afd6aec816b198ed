"""API Gateway (HTTP API, payload 2.0, JWT authorizer) passes REST requests to this handler."""

from typing import Any

import pytake.wiring.api as wiring
from pytake.observability import safe_handler, set_correlation_id
from rest.application import answer


@safe_handler
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Every route under /api/v1 except the webhook's. Log lines carry the request id that an error's response shows."""
    set_correlation_id(event["requestContext"]["requestId"])
    wiring.settings()
    return answer(event, context)
