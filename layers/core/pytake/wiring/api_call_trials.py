"""The test of an API call, which the REST API performs itself."""

import time
from typing import TYPE_CHECKING, NoReturn

from pytake.conversation.api_call_trial import TryApiCall
from pytake.wiring import api, shared
from pytake.wiring.http_calls import http_caller

if TYPE_CHECKING:
    from pytake.effects.performer import HttpCaller


def try_api_call() -> TryApiCall:
    """Made for each request: a secret may be corrected between two tests, and a caller keeps secrets for minutes."""
    # Imported when the first request is tested: most instances of the function never call an API.
    from pytake.effects.performer import NetworkEffectPerformer

    def call() -> "HttpCaller":
        settings = api.settings()
        return http_caller(settings.secrets_prefix, allow_private=settings.api_call_allow_private)

    performer = NetworkEffectPerformer(call, _refuse, _refuse)
    return TryApiCall(shared.tenants(), performer, shared.operator_events(), shared.clock, time.monotonic)


def _refuse() -> NoReturn:
    raise NotImplementedError("only API calls are tested")
