"""E-mails of flows: what Amazon SES is asked, and what its errors mean for a flow."""

import httpx
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.httpsession import URLLib3Session
from starlette.applications import Starlette

from local import emails
from local.emails import CapturedEmails
from pytake.effects.email import SesEmailSender, ses_client
from pytake.engine import EffectResult, EmailRequest
from tests.local.asgi import AppClient

REQUEST = EmailRequest(key="k", to=["ana@example.com", "team@example.com"], subject="Olá", text="Até já.")


class Ses:
    """Fails with an error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def send_email(self, **_: object) -> dict[str, object]:
        raise self._error


def client_error(code: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "SendEmail"
    )


def test_the_local_cloud_captures_what_the_sdk_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    client = AppClient(Starlette(routes=CapturedEmails().routes()))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", f"http://127.0.0.1:8000{emails.PREFIX}")

    def send(_session: URLLib3Session, request: httpx.Request) -> AWSResponse:
        answer = client.request(request.method, str(request.url), content=request.body)  # type: ignore[attr-defined]
        response = AWSResponse(str(request.url), answer.status_code, answer.headers, None)
        response._content = answer.content  # type: ignore[attr-defined]
        return response

    monkeypatch.setattr(URLLib3Session, "send", send)
    assert SesEmailSender(ses_client(), "bot@example.com").perform(REQUEST) == EffectResult(ok=True)
    (captured,) = client.request("GET", "/_sim/emails").json()["emails"]
    captured.pop("id")
    assert captured == {
        "sender": "bot@example.com",
        "to": ["ana@example.com", "team@example.com"],
        "subject": "Olá",
        "text": "Até já.",
    }
    assert client.request("DELETE", "/_sim/emails").json() == {"emails": []}


def test_without_an_address_to_send_from_nothing_is_sent() -> None:
    sender = SesEmailSender(Ses(AssertionError("SES was asked")), "")
    assert sender.perform(REQUEST).error == "not_configured"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (client_error("MessageRejected"), "refused"),
        (client_error("AccessDeniedException"), "refused"),
        (client_error("TooManyRequestsException"), "limit"),
        (client_error("InternalServiceErrorException"), "unavailable"),
        (ConnectTimeoutError(endpoint_url="https://email.example.com"), "unavailable"),
    ],
)
def test_an_error_is_an_outcome(error: Exception, outcome: str) -> None:
    assert SesEmailSender(Ses(error), "bot@example.com").perform(REQUEST).error == outcome
