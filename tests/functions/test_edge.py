"""An unhandled exception reveals only its type and its location in the log, in the trace and to the caller.

AWS's own runtime client calls the handlers here: it is what would write the text down.
"""

import importlib
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest
from awslambdaric.bootstrap import StandardLogSink, handle_event_request
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller
from botocore.exceptions import ClientError, ParamValidationError
from botocore.model import StringShape
from botocore.validate import ParamValidator
from pydantic import TypeAdapter

import rest.application
from functions.statuses.handler import handler as statuses_handler
from pytake.conversation.queues import InboundItem
from pytake.settings import StatusesSettings
from pytake.wiring import flow_runner, scheduled, sender, statuses, webhook
from tests.functions.conftest import ENVIRONMENT, LambdaContext, logging_to_standard_output, reset_wiring
from tests.settings import SETTINGS, required_variables

PHONE, TEXT, TOKEN = "5511987654321", "meu segredo e queijo", "EAAB-token-XYZ"
HIDDEN = (PHONE, TEXT, "queijo", TOKEN)

REACHED = {
    "webhook": (webhook, "receive_notification"),
    "flow_runner": (flow_runner, "queues"),
    "sender": (sender, "queues"),
    "statuses": (statuses, "queues"),
    "scheduled": (scheduled, "fire_due_timers"),
    "api": (rest.application, "application"),
}
"""What each function needs before it does anything that is caught closer by."""

HTTP = {"requestContext": {"http": {"method": "POST"}, "requestId": "a"}, "headers": {}, "rawPath": f"/{PHONE}"}
EVENTS: dict[str, dict[str, Any]] = {
    "webhook": HTTP,
    "flow_runner": {"Records": []},
    "sender": {"Records": []},
    "statuses": {"Records": []},
    "scheduled": {"job": "due"},
    "api": HTTP,
}


def botocore_refused() -> None:
    answer: Any = {"Error": {"Code": "ValidationException", "Message": f"{TEXT} of {PHONE} is wrong"}}
    raise ClientError(answer, "PutItem")


def botocore_parameters() -> None:
    report = ParamValidator().validate({TEXT: PHONE}, StringShape("Phone", {"type": "string"}))
    raise ParamValidationError(report=report.generate_report())


def pydantic_input() -> None:
    TypeAdapter(int).validate_python(TEXT)


def msgspec_input() -> None:
    msgspec.json.decode(json.dumps({"message": {}, TEXT: PHONE, "contact_id": [PHONE]}), type=InboundItem)


def httpx_address() -> None:
    raise httpx.ConnectError(f"https://graph.facebook.com/{PHONE}?access_token={TOKEN}")


def resolver() -> None:
    raise socket.gaierror(-2, f"Name or service not known: {PHONE}.example")


def key() -> None:
    dict[str, str]()[PHONE]


def number() -> None:
    int(TEXT)


def text() -> None:
    f"{TEXT}\ud83d".encode()


def chain() -> None:
    try:
        key()
    except KeyError as error:
        raise ValueError(f"no {TEXT} with {TOKEN}") from error


FAILURES = (
    *(botocore_refused, botocore_parameters, pydantic_input, msgspec_input, httpx_address),
    *(resolver, key, number, text, chain),
)


@pytest.fixture(autouse=True)
def _function(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """What a function finds around itself. Nothing here gets as far as AWS."""
    for variable, value in (ENVIRONMENT | {"AWS_DEFAULT_REGION": "us-east-1"}).items():
        monkeypatch.setenv(variable, value)
    logging_to_standard_output(monkeypatch, request.node.name)
    reset_wiring()
    yield
    reset_wiring()


class Invoked:
    """What the runtime client made of an invocation: the answer to Lambda, and to X-Ray."""

    marshaller = LambdaMarshaller()

    def __init__(self) -> None:
        self.error: dict[str, Any] = {}
        self.trace = ""

    def post_invocation_error(self, _id: str, error: str, trace: str, *_: Any) -> None:
        self.error, self.trace = json.loads(error), trace

    def post_invocation_result(self, *_: Any) -> None:
        raise AssertionError("It should have failed")


def invoke(name: str, event: Any) -> Invoked:
    invoked = Invoked()
    handler = importlib.import_module(f"functions.{name}.handler").handler
    arn = "arn:aws:lambda:us-east-1:000000000000:function:test"
    body = json.dumps(event).encode()
    handle_event_request(
        invoked, handler, "request-1", body, "application/json", None, None, arn, 4e12, None, StandardLogSink()
    )
    return invoked


@pytest.mark.parametrize("fails", FAILURES, ids=lambda fails: fails.__name__)
@pytest.mark.parametrize("name", EVENTS)
def test_the_text_of_an_exception_is_told_nowhere(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    fails: Callable[[], None],
) -> None:
    monkeypatch.setattr(*REACHED[name], lambda *_: fails())
    invoked = invoke(name, EVENTS[name])
    out, err = capfd.readouterr()
    for hidden in HIDDEN:
        assert hidden not in json.dumps(invoked.error, ensure_ascii=False) + invoked.trace + out + err
    with pytest.raises(Exception) as failure:  # noqa: PT011 (any)
        fails()
    kind = type(failure.value).__name__
    # What Lambda is told leads to the line that says more.
    correlation_id = "a" if name == "api" else "request-1"
    assert invoked.error["errorType"] == "FunctionFailedError"
    assert kind in invoked.error["errorMessage"]
    assert invoked.error["errorMessage"].endswith(f"correlation_id {correlation_id}")
    [line] = [json.loads(line) for line in out.splitlines() if '"function.failed"' in line]
    assert line["correlation_id"] == correlation_id
    assert kind in line["exception"]
    assert "test_edge.py" in line["exception"], "where it was raised"


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_that_is_none_says_nothing_either(capfd: pytest.CaptureFixture[str], name: str) -> None:
    told = ""
    for event in ({TEXT: PHONE}, [TEXT], TEXT, {"Records": [{"messageId": PHONE, "body": TEXT}], "job": TEXT}, None):
        invoked = invoke(name, event)
        told += json.dumps(invoked.error, ensure_ascii=False) + invoked.trace
    out, err = capfd.readouterr()
    assert [hidden for hidden in HIDDEN if hidden in told + out + err] == []


REQUIRED = [(name, variable) for name, settings in SETTINGS.items() for variable in required_variables(settings)]


@pytest.mark.parametrize(("name", "variable"), REQUIRED)
def test_settings_that_are_missing_are_named(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    monkeypatch.delenv(variable)
    assert f"`{variable}`" in invoke(name, EVENTS[name]).error["errorMessage"]
    assert f"`{variable}`" in capfd.readouterr().out


@pytest.mark.parametrize("name", SETTINGS)
def test_an_empty_setting_is_a_missing_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TABLE_NAME", "")
    assert "`$.TABLE_NAME`" in invoke(name, EVENTS[name]).error["errorMessage"]


def test_a_function_needs_no_setting_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in set(ENVIRONMENT) - set(required_variables(StatusesSettings)):
        monkeypatch.delenv(variable)
    assert statuses_handler({"Records": []}, LambdaContext()) == {"batchItemFailures": []}
