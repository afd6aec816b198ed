"""Performs a turn's effects, each by the adapter of its type."""

import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from logging import getLogger
from typing import Protocol

from pytake.conversation.records import ConversationKey
from pytake.engine import EffectResult, EmailRequest, HttpRequest, ModelRequest
from pytake.engine.effects import ServiceRequest


class HttpCaller(Protocol):
    """Sends the request of an api_call node (`pytake.effects.http_call`)."""

    def perform(self, organization_id: str, request: HttpRequest) -> EffectResult: ...


class ModelCaller(Protocol):
    """Asks the model of an ai_prompt node (`pytake.effects.model_call`)."""

    def perform(self, request: ModelRequest) -> EffectResult: ...


class EmailSender(Protocol):
    """Sends the e-mail of an action (`pytake.effects.email`)."""

    def perform(self, request: EmailRequest) -> EffectResult: ...


class NetworkEffectPerformer:
    """Implements `pytake.conversation.ports.conversations.EffectPerformer`.

    The callers are built once per process, when the first effect of their type comes: most flow runners need neither an HTTP
    client nor a Bedrock client, and importing them is a large part of a cold start. `meanwhile` gives a context for the time
    of a call, in which other threads go on; so callers must be safe to share between threads.
    """

    def __init__(
        self,
        http_caller: Callable[[], HttpCaller],
        model_caller: Callable[[], ModelCaller],
        email_sender: Callable[[], EmailSender],
        meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._meanwhile = meanwhile
        self._http_caller = cache(http_caller)
        self._model_caller = cache(model_caller)
        self._email_sender = cache(email_sender)

    def perform(self, key: ConversationKey, effect: ServiceRequest) -> EffectResult:
        """The result of the effect. Never raises: the turn must end and be recorded in any case."""
        try:
            call: Callable[[], EffectResult]
            if isinstance(effect, HttpRequest):
                call = partial(self._http_caller().perform, key.organization_id, effect)
            elif isinstance(effect, ModelRequest):
                call = partial(self._model_caller().perform, effect)
            else:
                call = partial(self._email_sender().perform, effect)
            with self._meanwhile():
                return call()
        except Exception as error:
            # A defect. Only its type and location are logged: the text of an unexpected error may contain a secret.
            *_, place = traceback.extract_tb(error.__traceback__)
            getLogger(__name__).error(
                "effect.failed_unexpectedly key=%s error=%s at=%s:%s",
                effect.key,
                type(error).__name__,
                place.name,
                place.lineno,
            )
            return EffectResult(ok=False, error="internal: The request could not be performed.")
