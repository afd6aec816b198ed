"""Calls the language model of an ai_prompt node through Amazon Bedrock's Converse API.

Errors begin with one of these codes:

prompt_empty, model_throttled, model_timeout, model_unavailable, model_unknown, model_access_denied, model_request_invalid,
model_refused (a guardrail or the model's own filter), model_answer_invalid, answer_too_large.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ParamValidationError, ReadTimeoutError

from pytake.effects.errors import CallFailedError
from pytake.effects.response import MAX_RESPONSE_BYTES
from pytake.engine import EffectResult, ModelRequest

MODEL_TIMEOUT_SECONDS = 20
"""The longest wait for a model. A function of the turn has 30 seconds (template.yaml: WorkerTimeoutSeconds)."""

DEFAULT_MAX_TOKENS = 1024
"""The limit for a node without one, about one WhatsApp message. The default of a model is its maximum."""

_ERRORS = {
    "ThrottlingException": ("model_throttled", "Too many requests were sent at the same time."),
    "ServiceQuotaExceededException": ("model_throttled", "The account's quota for the model is exhausted."),
    "ModelTimeoutException": ("model_timeout", "The model did not answer in time."),
    "ValidationException": ("model_request_invalid", "The model does not accept the prompt or its settings."),
    "ResourceNotFoundException": ("model_unknown", "There is no such model in this region."),
    "AccessDeniedException": ("model_access_denied", "The account or the function may not use the model."),
}
_TOOL = "answer"
_JSON_TYPES = {"text": "string", "number": "number", "boolean": "boolean"}
_UNAVAILABLE = ("model_unavailable", "The model is not available at the moment.")
_REFUSED = frozenset({"guardrail_intervened", "content_filtered"})
_COMPLETE = frozenset({"end_turn", "stop_sequence", "max_tokens"})  # max_tokens: the author's limit, not an error


class ConverseClient(Protocol):
    """The only method of a `bedrock-runtime` client that is used."""

    def converse(self, **request: Any) -> dict[str, Any]: ...


class BedrockModelCaller:
    """Performs `ModelRequest`s; safe to share between threads, made once per process."""

    def __init__(self, client: ConverseClient) -> None:
        self._client = client

    def perform(self, request: ModelRequest) -> EffectResult:
        """Calls the model once. `body` is the text that it wrote, or an object if the request has fields.

        `error` is `code: sentence`, with a code from above.

        A guardrail's replacement of a blocked answer is the body of the error result.
        """
        try:
            if not request.prompt.strip():
                raise CallFailedError("prompt_empty", "The prompt is empty.")
            answer = self._ask(request)
            text, stopped_by = _read(answer)
        except CallFailedError as failed:
            return EffectResult(ok=False, status=failed.status, error=str(failed))
        if stopped_by in _REFUSED:
            error = "model_refused: A guardrail or the model's filter stopped the answer."
            return EffectResult(ok=False, status=200, body=text or None, error=error)
        if request.fields:
            return _fields(answer)
        if stopped_by not in _COMPLETE or not text.strip():
            error = "model_answer_invalid: The model returned no usable text."
            return EffectResult(ok=False, status=200, error=error)
        return EffectResult(ok=True, status=200, body=text)

    def _ask(self, request: ModelRequest) -> dict[str, Any]:
        settings: dict[str, Any] = {"maxTokens": request.max_tokens or DEFAULT_MAX_TOKENS}
        if request.temperature is not None:
            settings["temperature"] = request.temperature
        question: dict[str, Any] = {
            "modelId": request.model,
            "messages": [
                *({"role": said.role, "content": [{"text": said.text}]} for said in request.history),
                {"role": "user", "content": [{"text": request.prompt}]},
            ],
            "inferenceConfig": settings,
        }
        if request.system and request.system.strip():
            question["system"] = [{"text": request.system}]
        if request.fields:
            question["toolConfig"] = _tool(request.fields)
        try:
            return self._client.converse(**question)
        except ClientError as error:
            code, sentence = _ERRORS.get(error.response.get("Error", {}).get("Code", ""), _UNAVAILABLE)
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            raise CallFailedError(code, sentence, status) from None
        except (ReadTimeoutError, ConnectTimeoutError):
            raise CallFailedError("model_timeout", "The model did not answer in time.") from None
        except ParamValidationError:
            raise CallFailedError(*_ERRORS["ValidationException"]) from None
        except BotoCoreError:
            raise CallFailedError(*_UNAVAILABLE) from None


def bedrock_client() -> ConverseClient:
    """A client that waits as long as a model may take, and does not retry: there is no time for a second attempt."""
    from botocore.config import Config
    from botocore.session import get_session

    retries: Any = {"mode": "standard", "total_max_attempts": 1}
    config = Config(connect_timeout=2, read_timeout=MODEL_TIMEOUT_SECONDS, retries=retries)
    client: Any = get_session().create_client("bedrock-runtime", config=config)
    return client  # type: ignore[no-any-return]


def _tool(fields: Mapping[str, str]) -> dict[str, Any]:
    """The tool that the model must call: its input are the fields. Converse has no other form for structured answers."""
    properties = {name: {"type": _JSON_TYPES[kind]} for name, kind in fields.items()}
    schema = {"type": "object", "properties": properties, "required": list(fields)}
    tool = {"name": _TOOL, "description": "Give the answer.", "inputSchema": {"json": schema}}
    return {"tools": [{"toolSpec": tool}], "toolChoice": {"tool": {"name": _TOOL}}}


def _fields(answer: dict[str, Any]) -> EffectResult:
    """The object with which the model called the tool."""
    content = answer.get("output", {}).get("message", {}).get("content", [])
    found = next((part["toolUse"].get("input") for part in content if "toolUse" in part), None)
    if not isinstance(found, dict):
        error = "model_answer_invalid: The model did not fill in the fields."
        return EffectResult(ok=False, status=200, error=error)
    if len(msgspec.json.encode(found)) > MAX_RESPONSE_BYTES:
        error = f"answer_too_large: The answer is larger than {MAX_RESPONSE_BYTES // 1024} KB."
        return EffectResult(ok=False, status=200, error=error)
    return EffectResult(ok=True, status=200, body=found)


def _read(answer: dict[str, Any]) -> tuple[str, str]:
    """The text that the model wrote, and why it stopped. Reasoning, tools and other content are left out."""
    message = answer.get("output", {}).get("message", {})
    text = "".join(part["text"] for part in message.get("content", []) if isinstance(part.get("text"), str))
    if len(text.encode()) > MAX_RESPONSE_BYTES:
        raise CallFailedError("answer_too_large", f"The answer is larger than {MAX_RESPONSE_BYTES // 1024} KB.", 200)
    return text, str(answer.get("stopReason", ""))
