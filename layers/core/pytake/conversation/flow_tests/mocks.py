"""Scripted results of APIs and models, for runs without a network."""

from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlencode

from pytake.conversation.flow_tests.errors import FlowTestError
from pytake.engine import Effect, EffectResult, EmailRequest, HttpRequest, StartFlowRequest


class HttpMocks:
    """The results of APIs and models in a run, by `METHOD URL`, `URL`, `ai:MODEL`, `start_flow:FLOW` or
    `email:ADDRESS`; `*` matches anything.

    A result is `{"status", "json" | "body" | "error"}`, or any other JSON, which is a body with status 200. The results in a list
    are given one after another; the last one is repeated. Raises FlowTestError for a result of another form.
    """

    def __init__(self, answers: Any) -> None:
        if not isinstance(answers, dict):
            raise FlowTestError('the mocks must be a JSON object such as {"GET https://host/path": {"status": 200}}')
        self._answers: dict[str, list[EffectResult]] = {
            key: [_result(key, answer) for answer in (value if isinstance(value, list) and value else [value])]
            for key, value in answers.items()
        }

    def answer(self, effect: Effect) -> EffectResult:
        """The result of an effect. Without a mock a flow is started and an e-mail sent; anything else fails."""
        names = mock_keys(effect)
        for name in names:
            for pattern, answers in self._answers.items():
                if name == pattern or fnmatchcase(name, pattern):
                    return answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(effect, StartFlowRequest | EmailRequest):
            return EffectResult(ok=True)
        return EffectResult(ok=False, error=f"no mock for {names[0]}")


def mock_keys(effect: Effect) -> list[str]:
    """The keys under which an effect can be mocked, the most specific first."""
    if isinstance(effect, HttpRequest):
        effect = effect.with_secret_names()
        url = effect.url + (f"?{urlencode(effect.query_params)}" if effect.query_params else "")
        return [f"{effect.method} {url}", url, f"{effect.method} {effect.url}", effect.url]
    if isinstance(effect, StartFlowRequest):
        return [f"start_flow:{effect.flow_id}", "start_flow"]
    if isinstance(effect, EmailRequest):
        return [f"email:{','.join(effect.to)}", "send_email"]
    return [f"ai:{effect.model}", "ai_prompt"]


def mock_of(result: EffectResult) -> dict[str, Any]:
    """The mock that makes `HttpMocks` give this result."""
    if result.ok:
        return {"status": result.status or 200, "json": result.body}
    if result.status is not None:
        return {"status": result.status, "json": result.body}
    return {"error": result.error or "failed"}


def _result(key: str, answer: Any) -> EffectResult:
    if not (isinstance(answer, dict) and answer.keys() <= {"status", "json", "body", "error"} and answer):
        return EffectResult(ok=True, status=200, body=answer)
    try:
        status = int(answer.get("status", 200))
    except (TypeError, ValueError):
        raise FlowTestError(f"{key}: `status` must be a number such as 200") from None
    body = answer.get("json", answer.get("body"))
    if "error" in answer:
        return EffectResult(ok=False, error=str(answer["error"]))
    ok = 200 <= status < 300
    return EffectResult(ok=ok, status=status, body=body, error=None if ok else f"http_{status}")
