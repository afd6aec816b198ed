"""Each effect goes to the adapter of its type, which is built when it is first needed."""

import subprocess
import sys

import pytest

from pytake.conversation.records import ConversationKey
from pytake.effects.performer import NetworkEffectPerformer
from pytake.engine import EffectResult, EmailRequest, HttpRequest, ModelRequest

KEY = ConversationKey("acme", "100", "5511987654321")
HTTP = HttpRequest(key="f/a/1", method="GET", url="https://api.example.com/")
EMAIL = EmailRequest(key="f/c/1", to=["ana@example.com"], subject="Hi", text="Hello")
MODEL = ModelRequest(key="f/b/1", model="m", prompt="p")


class Http:
    """Answers with the organization that asked."""

    def perform(self, organization_id: str, request: HttpRequest) -> EffectResult:
        return EffectResult(ok=True, status=200, body=f"{organization_id} {request.url}")


class Models:
    """Answers with the prompt."""

    def perform(self, request: ModelRequest) -> EffectResult:
        return EffectResult(ok=True, body=request.prompt)


class Emails:
    """Answers with the recipient."""

    def perform(self, request: EmailRequest) -> EffectResult:
        return EffectResult(ok=True, body=request.to[0])


def test_each_type_has_its_adapter() -> None:
    performer = NetworkEffectPerformer(Http, Models, Emails)
    assert performer.perform(KEY, HTTP).body == "acme https://api.example.com/"
    assert performer.perform(KEY, MODEL).body == "p"
    assert performer.perform(KEY, EMAIL).body == "ana@example.com"


def test_an_adapter_is_built_once_and_only_when_needed() -> None:
    built: list[str] = []

    def http() -> Http:
        built.append("http")
        return Http()

    def models() -> Models:
        pytest.fail("no model was asked")

    performer = NetworkEffectPerformer(http, models, Emails)
    assert built == []
    performer.perform(KEY, HTTP)
    performer.perform(KEY, HTTP)
    assert built == ["http"]


def test_a_fault_of_ours_becomes_a_result_and_a_log_line_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty:
        def perform(self, request: ModelRequest) -> EffectResult:
            raise KeyError("s3cr3t")

    result = NetworkEffectPerformer(Http, Faulty, Emails).perform(KEY, MODEL)
    assert result == EffectResult(ok=False, error="internal: The request could not be performed.")
    assert "KeyError" in caplog.text
    assert "f/b/1" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_an_adapter_that_cannot_be_built_fails_its_effects_and_no_others() -> None:
    def no_region() -> Models:
        raise ValueError("You must specify a region")

    performer = NetworkEffectPerformer(Http, no_region, Emails)
    assert not performer.perform(KEY, MODEL).ok
    assert performer.perform(KEY, HTTP).ok


def test_a_flow_runner_without_effects_imports_no_http_client_and_no_adapter() -> None:
    program = (
        "import sys; from pytake.wiring import flow_runner; flow_runner.effects();"
        "print([name for name in ('httpx', 'httpcore', 'boto3', 'pytake.effects.http_call') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
