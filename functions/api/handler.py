"""API Gateway (HTTP API, payload 2.0, JWT authorizer) hands REST requests in here."""

from typing import Any

from pytake.observability import safe_handler, set_correlation_id
from rest.application import answer


@safe_handler
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Every route under /api/v1 but the webhook's. What is logged bears the id that an error's answer shows."""
    set_correlation_id(event["requestContext"]["requestId"])
    return answer(event, context)
