"""Questions to models, on answers of Amazon Bedrock's Converse API as it gives them."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from botocore.stub import Stubber

from pytake.effects.model_call import DEFAULT_MAX_TOKENS, MODEL_TIMEOUT_SECONDS, BedrockModelCaller, bedrock_client
from pytake.engine import EffectResult, ModelRequest
from pytake.engine.effects import ModelMessage

MODEL = "anthropic.claude-3-5-haiku-20241022-v1:0"
USAGE = {"inputTokens": 12, "outputTokens": 7, "totalTokens": 19}


class Bedrock:
    """A real boto3 client whose answers are scripted; botocore checks requests and answers against the service's model."""

    def __init__(self) -> None:
        client = boto3.client(
            "bedrock-runtime", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        self.stub = Stubber(client)
        self.models = BedrockModelCaller(client)

    def expect(self, answer: dict[str, Any], asked: dict[str, Any] | None = None) -> None:
        self.stub.add_response("converse", answer, asked)

    def refuse(self, code: str, status: int = 400) -> None:
        self.stub.add_client_error("converse", code, "prompt: very private", http_status_code=status)


@pytest.fixture
def bedrock() -> Iterator[Bedrock]:
    scripted = Bedrock()
    with scripted.stub:
        yield scripted
    scripted.stub.assert_no_pending_responses()


def answer(*content: dict[str, Any], stop: str = "end_turn") -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": list(content)}},
        "stopReason": stop,
        "usage": USAGE,
        "metrics": {"latencyMs": 551},
        "ResponseMetadata": {"HTTPStatusCode": 200},
    }


def question(**parts: Any) -> ModelRequest:
    return ModelRequest(**({"key": "flow/node/1", "model": MODEL, "prompt": "Olá?"} | parts))


def code(result: EffectResult) -> str:
    assert not result.ok
    assert result.error is not None
    word, separator, sentence = result.error.partition(": ")
    assert separator
    assert sentence.endswith(".")
    return word


def test_a_whole_question(bedrock: Bedrock) -> None:
    bedrock.expect(
        answer({"text": "Oi!"}),
        {
            "modelId": MODEL,
            "system": [{"text": "Be brief."}],
            "messages": [{"role": "user", "content": [{"text": "Olá?"}]}],
            "inferenceConfig": {"temperature": 0.0, "maxTokens": 50},
        },
    )
    result = bedrock.models.perform(question(system="Be brief.", temperature=0.0, max_tokens=50))
    assert result == EffectResult(ok=True, status=200, body="Oi!")


@pytest.mark.parametrize("system", [None, "", "  "])
def test_what_a_node_does_not_say_is_not_sent_but_the_answer_s_length_is_limited(
    bedrock: Bedrock, system: str | None
) -> None:
    bedrock.expect(
        answer({"text": "Oi!"}),
        {
            "modelId": MODEL,
            "messages": [{"role": "user", "content": [{"text": "Olá?"}]}],
            "inferenceConfig": {"maxTokens": DEFAULT_MAX_TOKENS},
        },
    )
    assert bedrock.models.perform(question(system=system)).ok


def test_only_text_is_taken_from_an_answer_and_all_of_it(bedrock: Bedrock) -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "They greet me.", "signature": "abc"}}}
    bedrock.expect(answer(thought, {"text": "Oi"}, {"text": ", tudo bem?"}))
    assert bedrock.models.perform(question()).body == "Oi, tudo bem?"


@pytest.mark.parametrize("stop", ["end_turn", "stop_sequence", "max_tokens"])
def test_an_answer_that_ends_by_itself_or_at_the_flow_s_limit(bedrock: Bedrock, stop: str) -> None:
    bedrock.expect(answer({"text": "Oi"}, stop=stop))
    assert bedrock.models.perform(question()) == EffectResult(ok=True, status=200, body="Oi")


@pytest.mark.parametrize("stop", ["guardrail_intervened", "content_filtered"])
def test_an_answer_that_was_stopped_keeps_what_stands_in_its_place(bedrock: Bedrock, stop: str) -> None:
    bedrock.expect(answer({"text": "Sorry, I cannot answer this."}, stop=stop))
    result = bedrock.models.perform(question())
    assert code(result) == "model_refused"
    assert (result.status, result.body) == (200, "Sorry, I cannot answer this.")


@pytest.mark.parametrize(
    "given",
    [
        answer(),
        answer({"text": ""}),
        answer({"text": " \n"}),
        answer({"toolUse": {"toolUseId": "1", "name": "x", "input": {}}}, stop="tool_use"),
        answer({"text": "Oi"}, stop="malformed_model_output"),
        answer({"text": "Oi"}, stop="model_context_window_exceeded"),
    ],
)
def test_an_answer_without_a_text_that_can_be_used(bedrock: Bedrock, given: dict[str, Any]) -> None:
    bedrock.expect(given)
    result = bedrock.models.perform(question())
    assert (code(result), result.body) == ("model_answer_invalid", None)


def test_an_answer_that_no_record_can_hold(bedrock: Bedrock) -> None:
    bedrock.expect(answer({"text": "ã" * 100_000}))
    assert code(bedrock.models.perform(question(max_tokens=1_000_000))) == "answer_too_large"


@pytest.mark.parametrize(
    ("refusal", "status", "expected"),
    [
        ("ThrottlingException", 429, "model_throttled"),
        ("ServiceQuotaExceededException", 400, "model_throttled"),
        ("ModelTimeoutException", 408, "model_timeout"),
        ("ValidationException", 400, "model_request_invalid"),
        ("ResourceNotFoundException", 404, "model_unknown"),
        ("AccessDeniedException", 403, "model_access_denied"),
        ("ModelNotReadyException", 429, "model_unavailable"),
        ("ServiceUnavailableException", 503, "model_unavailable"),
        ("InternalServerException", 500, "model_unavailable"),
        ("ModelErrorException", 424, "model_unavailable"),
        ("SomethingNewException", 418, "model_unavailable"),
    ],
)
def test_a_refusal(bedrock: Bedrock, refusal: str, status: int, expected: str) -> None:
    bedrock.refuse(refusal, status)
    result = bedrock.models.perform(question())
    assert (code(result), result.status) == (expected, status)
    assert "private" not in repr(result)


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (ReadTimeoutError(endpoint_url="https://bedrock"), "model_timeout"),
        (ConnectTimeoutError(endpoint_url="https://bedrock"), "model_timeout"),
        (EndpointConnectionError(endpoint_url="https://bedrock"), "model_unavailable"),
        (NoCredentialsError(), "model_unavailable"),
    ],
)
def test_a_broken_way(broken: Exception, expected: str) -> None:
    class Broken:
        def converse(self, **request: Any) -> dict[str, Any]:
            raise broken

    assert code(BedrockModelCaller(Broken()).perform(question())) == expected


@pytest.mark.parametrize("parts", [{"model": ""}, {"max_tokens": -1}])
def test_a_question_that_botocore_refuses_to_send(parts: dict[str, Any]) -> None:
    assert code(Bedrock().models.perform(question(**parts))) == "model_request_invalid"


@pytest.mark.parametrize("prompt", ["", " \n"])
def test_an_empty_question_is_not_asked(bedrock: Bedrock, prompt: str) -> None:
    assert code(bedrock.models.perform(question(prompt=prompt))) == "prompt_empty"


def test_a_client_asks_once_and_waits_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client: Any = bedrock_client()
    assert client.meta.service_model.service_name == "bedrock-runtime"
    assert client.meta.config.read_timeout == MODEL_TIMEOUT_SECONDS
    assert client.meta.config.retries["total_max_attempts"] == 1


def test_the_dialogue_before_the_prompt_is_sent(bedrock: Bedrock) -> None:
    said = [{"role": "user", "content": [{"text": "Oi"}]}, {"role": "assistant", "content": [{"text": "Olá!"}]}]
    bedrock.expect(
        answer({"text": "Sim"}),
        {
            "modelId": MODEL,
            "messages": [*said, {"role": "user", "content": [{"text": "Olá?"}]}],
            "inferenceConfig": {"maxTokens": DEFAULT_MAX_TOKENS},
        },
    )
    history = [ModelMessage("user", "Oi"), ModelMessage("assistant", "Olá!")]
    assert bedrock.models.perform(question(history=history)).body == "Sim"


def test_fields_are_the_input_of_a_tool_that_the_model_must_call(bedrock: Bedrock) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "people": {"type": "number"}},
        "required": ["city", "people"],
    }
    tool = {"name": "answer", "description": "Give the answer.", "inputSchema": {"json": schema}}
    use = {"toolUseId": "1", "name": "answer", "input": {"city": "Recife", "people": 3}}
    bedrock.expect(
        answer({"text": "I will fill it in."}, {"toolUse": use}, stop="tool_use"),
        {
            "modelId": MODEL,
            "messages": [{"role": "user", "content": [{"text": "Olá?"}]}],
            "inferenceConfig": {"maxTokens": DEFAULT_MAX_TOKENS},
            "toolConfig": {"tools": [{"toolSpec": tool}], "toolChoice": {"tool": {"name": "answer"}}},
        },
    )
    result = bedrock.models.perform(question(fields={"city": "text", "people": "number"}))
    assert result == EffectResult(ok=True, status=200, body={"city": "Recife", "people": 3})


def test_a_model_that_does_not_call_the_tool_has_not_answered(bedrock: Bedrock) -> None:
    bedrock.expect(answer({"text": "Recife, 3 people"}))
    assert code(bedrock.models.perform(question(fields={"city": "text"}))) == "model_answer_invalid"
