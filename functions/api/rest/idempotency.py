"""The header `Idempotency-Key` of requests that queue something, and the answer when the queue does not accept it."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler.openapi.params import Header

from rest.problems import ProblemError


def idempotency_key(does: str) -> Any:
    """The declaration of the header; `does` is what a repeated request does not do again."""
    return Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description=f"A repeated request with the same key {does} nothing twice",
    )


def queue_unavailable(detail: str, request_id: str) -> ProblemError:
    """The error to raise; the client repeats the request with this id as its key."""
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "queue_unavailable", detail, idempotency_key=request_id)
