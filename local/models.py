"""Scripted language models: Bedrock's Converse API, which `ai_prompt` calls.

Functions find it through `AWS_ENDPOINT_URL_BEDROCK_RUNTIME`, which every AWS SDK supports. Without a matching rule the
answer repeats the prompt, so that a flow can be tried without a script.
"""

import asyncio
import re
import uuid
from collections import deque
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field, structs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

PREFIX = "/_bedrock"
MAX_PROMPTS = 100
"""How many of the latest prompts `GET /_sim/models` shows."""

CHARACTERS_PER_TOKEN = 4
"""Roughly right for English; decides where `maxTokens` cuts an answer."""

ERRORS = {
    "AccessDeniedException": 403,
    "InternalServerException": 500,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelTimeoutException": 408,
    "ResourceNotFoundException": 404,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "ValidationException": 400,
}
"""The errors of Converse and their HTTP status (from botocore's service description)."""

ErrorName = Literal[
    "AccessDeniedException",
    "InternalServerException",
    "ModelErrorException",
    "ModelNotReadyException",
    "ModelTimeoutException",
    "ResourceNotFoundException",
    "ServiceUnavailableException",
    "ThrottlingException",
    "ValidationException",
]


class ModelRule(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Which prompts get which answer.

    A rule applies to a `model` (`*` is a wildcard) and to prompts that contain the text `contains` (case-insensitive) and
    match the regular expression `matches`; omitted conditions are always true. It waits `seconds`, then answers with the
    text `answer` or with `error`, `times` times (None: until it is removed).
    """

    model: str = "*"
    contains: str | None = None
    matches: str | None = None
    answer: str | None = None
    stop_reason: (
        Literal["end_turn", "max_tokens", "stop_sequence", "guardrail_intervened", "content_filtered"] | None
    ) = None
    error: ErrorName | None = None
    seconds: Annotated[float, Meta(ge=0, le=60)] = 0
    times: Annotated[int, Meta(ge=1)] | None = None

    def applies_to(self, model: str, prompt: str) -> bool:
        """Return whether this rule applies to a prompt."""
        return (
            fnmatchcase(model, self.model)
            and (self.contains is None or self.contains.casefold() in prompt.casefold())
            and (self.matches is None or re.search(self.matches, prompt) is not None)
        )


class ModelScript(Struct, forbid_unknown_fields=True):
    """The rules in order; the first that applies is used."""

    rules: list[ModelRule]


class ModelScriptError(ValueError):
    """An invalid script; the text says where and why."""


class AnsweredPrompt(Struct):
    """A prompt and its answer."""

    model: str
    system: str
    prompt: str
    answer: str | None
    error: str | None


class _Text(Struct):
    text: str = ""


class _Message(Struct):
    role: Literal["user", "assistant"]
    content: list[_Text]


class _Settings(Struct, rename="camel"):
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None


class _InputSchema(Struct):
    json: dict[str, Any]


class _ToolSpec(Struct, rename="camel"):
    name: str
    input_schema: _InputSchema


class _Tool(Struct, rename="camel"):
    tool_spec: _ToolSpec


class _ToolConfig(Struct):
    tools: Annotated[list[_Tool], Meta(min_length=1)]


class _ConverseRequest(Struct, rename="camel"):
    """The fields of a Converse request that affect the answer."""

    messages: Annotated[list[_Message], Meta(min_length=1)]
    system: list[_Text] = field(default_factory=list)
    inference_config: _Settings = field(default_factory=_Settings)
    tool_config: _ToolConfig | None = None


def read_script(text: bytes) -> list[ModelRule]:
    """Return the rules of `{"rules": [...]}`. Raises `ModelScriptError`."""
    try:
        rules = msgspec.json.decode(text, type=ModelScript).rules
    except msgspec.DecodeError as problem:
        raise ModelScriptError(f"Not a model script: {problem}") from problem
    for index, rule in enumerate(rules):
        if (rule.answer is None) == (rule.error is None):
            raise ModelScriptError(f"Not a model script: rules[{index}] needs either `answer` or `error`")
        try:
            re.compile(rule.matches or "")
        except re.error as problem:
            raise ModelScriptError(f"Not a model script: rules[{index}].matches: {problem}") from problem
    return rules


class ScriptedModels:
    """Answers for every Bedrock model by the given rules."""

    def __init__(self, rules: list[ModelRule] | None = None) -> None:
        """Start with `rules`; `DELETE /_sim/models` goes back to them."""
        self._initial_rules = rules or []
        self._rules = _copies(self._initial_rules)
        self._prompts: deque[AnsweredPrompt] = deque(maxlen=MAX_PROMPTS)

    def routes(self) -> list[BaseRoute]:
        """Return the routes of Converse and of `/_sim/models`."""
        return [
            Route(PREFIX + "/model/{model:path}/converse", self._converse, methods=["POST"]),
            Route("/_sim/models", self._show, methods=["GET"]),
            Route("/_sim/models", self._replace, methods=["PUT"]),
            Route("/_sim/models", self._add, methods=["POST"]),
            Route("/_sim/models", self._reset, methods=["DELETE"]),
        ]

    async def _converse(self, request: Request) -> Response:
        model: str = request.path_params["model"]
        try:
            question = msgspec.json.decode(await request.body(), type=_ConverseRequest)
        except msgspec.DecodeError as problem:
            return _error("ValidationException", str(problem))
        prompt = "\n".join(part.text for part in question.messages[-1].content)
        if question.messages[-1].role != "user" or not prompt.strip():
            return _error("ValidationException", "The text field in the ContentBlock object is blank")
        rule = self._matching_rule(model, prompt)
        answer = rule.answer if rule is not None else f"(No model runs here.) You wrote: {prompt}"
        system = "\n".join(part.text for part in question.system)
        self._prompts.append(AnsweredPrompt(model, system, prompt, answer, rule.error if rule is not None else None))
        if rule is not None and rule.seconds:
            await asyncio.sleep(rule.seconds)
        if answer is None:
            name = rule.error if rule is not None and rule.error is not None else "InternalServerException"
            return _error(name, "This error was requested at /_sim/models")
        if question.tool_config is not None:
            return _tool_answer(answer if rule is not None else prompt, question.tool_config.tools[0].tool_spec)
        return _converse_answer(
            answer, rule.stop_reason if rule is not None else None, prompt, question.inference_config.max_tokens
        )

    def _matching_rule(self, model: str, prompt: str) -> ModelRule | None:
        for rule in self._rules:
            if rule.applies_to(model, prompt):
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times == 0:
                        self._rules.remove(rule)
                return rule
        return None

    async def _show(self, _request: Request) -> Response:
        return _json({"rules": self._rules, "asked": list(self._prompts)})

    async def _replace(self, request: Request) -> Response:
        return await self._change(request, lambda rules: rules)

    async def _add(self, request: Request) -> Response:
        return await self._change(request, lambda rules: [*rules, *self._rules])

    async def _change(self, request: Request, change: Callable[[list[ModelRule]], list[ModelRule]]) -> Response:
        try:
            self._rules = change(read_script(await request.body()))
        except ModelScriptError as problem:
            return _json({"error": "bad_script", "message": str(problem)}, 422)
        return await self._show(request)

    async def _reset(self, request: Request) -> Response:
        self._rules = _copies(self._initial_rules)
        self._prompts.clear()
        return await self._show(request)


def _copies(rules: list[ModelRule]) -> list[ModelRule]:
    return [structs.replace(rule) for rule in rules]  # `times` counts down in the copies


def _converse_answer(text: str, stop_reason: str | None, prompt: str, max_tokens: int | None) -> Response:
    most = max_tokens * CHARACTERS_PER_TOKEN if max_tokens is not None else None
    if most is not None and len(text) > most:
        text, stop_reason = text[:most], stop_reason or "max_tokens"
    tokens_in, tokens_out = (-(-len(some) // CHARACTERS_PER_TOKEN) for some in (prompt, text))
    return _json(
        {
            "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
            "stopReason": stop_reason or "end_turn",
            "usage": {"inputTokens": tokens_in, "outputTokens": tokens_out, "totalTokens": tokens_in + tokens_out},
            "metrics": {"latencyMs": 1},
        }
    )


def _tool_answer(text: str, tool: _ToolSpec) -> Response:
    """The call of a tool: with the object in the text, or with the text in every field that can hold it."""
    try:
        given = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        samples = {"string": text, "number": 1, "boolean": True}
        given = {name: samples[kind["type"]] for name, kind in tool.input_schema.json["properties"].items()}
    use = {"toolUseId": str(uuid.uuid4()), "name": tool.name, "input": given}
    return _json(
        {
            "output": {"message": {"role": "assistant", "content": [{"toolUse": use}]}},
            "stopReason": "tool_use",
            "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
            "metrics": {"latencyMs": 1},
        }
    )


def _error(name: str, message: str) -> Response:
    return _json({"message": message}, ERRORS[name], {"x-amzn-ErrorType": name})


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(body),
        status,
        {"x-amzn-RequestId": str(uuid.uuid4()), **(headers or {})},
        media_type="application/json",
    )
