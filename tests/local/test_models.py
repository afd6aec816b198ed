"""Scripted language models, called by the flow runner's own adapter."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session
from starlette.applications import Starlette

from local import models
from local.models import ModelRule, ModelScriptError, ScriptedModels, read_script
from pytake.effects.model_call import BedrockModelCaller, bedrock_client
from pytake.engine import EffectResult, ModelRequest
from tests.local.asgi import AppClient

MODEL = "amazon.nova-lite-v1:0"


@pytest.fixture
def client() -> AppClient:
    return AppClient(Starlette(routes=ScriptedModels([ModelRule(contains="weather", answer="Sunny.")]).routes()))


@pytest.fixture
def ask(client: AppClient, monkeypatch: pytest.MonkeyPatch) -> Callable[..., EffectResult]:
    """Call as `ai_prompt` does: through boto3, which is connected to the application instead of a socket."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"http://127.0.0.1:8000{models.PREFIX}")

    def send(_session: URLLib3Session, request: Any) -> AWSResponse:
        headers = {name: value if isinstance(value, str) else value.decode() for name, value in request.headers.items()}
        answer = client.request(request.method, request.url, headers=headers, content=request.body)
        response = AWSResponse(request.url, answer.status_code, answer.headers, None)
        response._content = answer.content  # type: ignore[attr-defined]
        return response

    monkeypatch.setattr(URLLib3Session, "send", send)
    bedrock = BedrockModelCaller(bedrock_client())
    return lambda prompt, **more: bedrock.perform(ModelRequest(key="k", model=MODEL, prompt=prompt, **more))


def put(client: AppClient, *rules: dict[str, Any]) -> httpx.Response:
    return client.request("PUT", "/_sim/models", json={"rules": rules})


def test_without_a_rule_the_answer_repeats_the_prompt(ask: Callable[..., EffectResult]) -> None:
    answer = ask("How are you?")
    assert (answer.ok, answer.body) == (True, "(No model runs here.) You wrote: How are you?")
    assert ask("How are you?").body == answer.body


def test_the_first_rule_that_fits_answers(client: AppClient, ask: Callable[..., EffectResult]) -> None:
    put(
        client,
        {"contains": "PRICE", "answer": "Ten."},
        {"matches": "^(hi|hello)$", "answer": "Hello!"},
        {"model": "anthropic.*", "answer": "Never asked."},
        {"model": "amazon.*", "answer": "Anything else."},
    )
    assert [ask(prompt).body for prompt in ("The price?", "hello", "hello there")] == [
        "Ten.",
        "Hello!",
        "Anything else.",
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ThrottlingException", "model_throttled"),
        ("ModelTimeoutException", "model_timeout"),
        ("ResourceNotFoundException", "model_unknown"),
        ("AccessDeniedException", "model_access_denied"),
        ("ValidationException", "model_request_invalid"),
        ("ServiceUnavailableException", "model_unavailable"),
    ],
)
def test_an_error_by_the_script_is_bedrocks_own(
    client: AppClient, ask: Callable[..., EffectResult], name: str, code: str
) -> None:
    put(client, {"error": name})
    failed = ask("Hello")
    assert (failed.ok, failed.status, str(failed.error).partition(":")[0]) == (False, models.ERRORS[name], code)


def test_a_rule_is_used_up(client: AppClient, ask: Callable[..., EffectResult]) -> None:
    put(client, {"error": "ThrottlingException", "times": 2}, {"answer": "At last."})
    assert [ask("Hello").ok for _ in range(3)] == [False, False, True]
    assert client.get("/_sim/models").json()["rules"] == [{"answer": "At last."}]


def test_a_guardrail_may_stop_the_answer(client: AppClient, ask: Callable[..., EffectResult]) -> None:
    put(client, {"answer": "I cannot help.", "stop_reason": "guardrail_intervened"})
    assert str(ask("Hello").error).startswith("model_refused")


def test_max_tokens_cut_the_answer(client: AppClient, ask: Callable[..., EffectResult]) -> None:
    put(client, {"answer": "x" * 100})
    assert ask("Hello", max_tokens=5).body == "x" * 20


def test_what_was_asked_can_be_looked_at_and_forgotten(client: AppClient, ask: Callable[..., EffectResult]) -> None:
    ask("The weather?", system="Be brief.")
    shown = client.get("/_sim/models").json()
    assert shown["asked"] == [
        {"model": MODEL, "system": "Be brief.", "prompt": "The weather?", "answer": "Sunny.", "error": None}
    ]
    put(client)
    assert client.request("DELETE", "/_sim/models").json() == {
        "rules": [{"contains": "weather", "answer": "Sunny."}],
        "asked": [],
    }


def test_a_rule_can_be_put_before_the_others(client: AppClient, ask: Callable[..., EffectResult]) -> None:
    client.post("/_sim/models", json={"rules": [{"contains": "weather", "answer": "Rain.", "times": 1}]})
    assert [ask("The weather?").body, ask("The weather?").body] == ["Rain.", "Sunny."]


def test_a_rule_may_take_its_time(client: AppClient, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    put(client, {"answer": "Slowly.", "seconds": 7})
    body = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
    assert client.post(f"{models.PREFIX}/model/{MODEL}/converse", json=body).status_code == 200
    assert waited == [7]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"messages": []}',
        b'{"messages": [{"role": "user", "content": [{"text": " "}]}]}',
        b'{"messages": [{"role": "assistant", "content": [{"text": "Hi"}]}]}',
        b'{"messages": [{"role": "user", "content": [{"text": "Hi"}]}], "inferenceConfig": {"temperature": 2}}',
    ],
)
def test_what_bedrock_refuses_is_refused(client: AppClient, body: bytes) -> None:
    refused = client.post(f"{models.PREFIX}/model/{MODEL}/converse", content=body)
    assert (refused.status_code, refused.headers["x-amzn-errortype"]) == (400, "ValidationException")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "Expected `object`"),
        ('{"rules": [{}]}', "rules[0] needs either"),
        ('{"rules": [{"answer": "a", "error": "ThrottlingException"}]}', "rules[0] needs either"),
        ('{"rules": [{"answer": "a", "matches": "("}]}', "rules[0].matches"),
        ('{"rules": [{"answer": "a", "contain": "b"}]}', "contain"),
        ('{"rules": [{"error": "Oops"}]}', "Oops"),
    ],
)
def test_a_script_that_cannot_be_played_says_where(client: AppClient, text: str, said: str) -> None:
    with pytest.raises(ModelScriptError) as refused:
        read_script(text.encode())
    assert said in str(refused.value)
    answer = client.request("PUT", "/_sim/models", content=text)
    assert (answer.status_code, answer.json()["message"]) == (422, str(refused.value))
    assert len(client.get("/_sim/models").json()["rules"]) == 1


def test_a_model_fills_in_fields_from_the_rule_or_from_the_prompt(
    client: AppClient, ask: Callable[..., EffectResult]
) -> None:
    fields = {"city": "text", "people": "number"}
    assert ask("Recife", fields=fields).body == {"city": "Recife", "people": 1}
    put(client, {"answer": '{"city": "Olinda", "people": 4}'})
    assert ask("Recife", fields=fields).body == {"city": "Olinda", "people": 4}
