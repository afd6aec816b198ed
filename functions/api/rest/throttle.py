"""Limits how often one person may call a costly route."""

from http import HTTPStatus

import pytake.wiring.api as wiring
from pytake.wiring import shared
from rest.caller import Caller
from rest.problems import ProblemError


def throttle(who: Caller, route: str, most: int) -> None:
    """Raises the 429 problem `too_many_requests` when the person has called this route more than `most` times in this second."""
    if not wiring.request_slots().take(who.organization_id, who.subject, route, most, shared.clock()):
        detail = f"You may ask this {most} times a second. Wait a second and ask again."
        headers = {"Retry-After": "1"}
        raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", detail, headers=headers)
