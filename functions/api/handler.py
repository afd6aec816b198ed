"""API Gateway (HTTP API, payload 2.0, JWT authorizer) hands REST requests in here."""

from typing import Any

from rest.application import answer


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Every route under /api/v1 but the webhook's."""
    return answer(event, context)
