"""Sends the e-mails of flows through Amazon SES.

Errors are the outcomes of the action `send_email` (`pytake.engine.effect_actions.SendEmailAction`).
"""

from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from pytake.engine import EffectResult, EmailRequest

TIMEOUT_SECONDS = 5

_ERRORS = {
    "MessageRejected": "refused",
    "BadRequestException": "refused",
    "MailFromDomainNotVerifiedException": "refused",
    "SendingPausedException": "refused",
    "AccountSuspendedException": "refused",
    "NotFoundException": "refused",
    "AccessDeniedException": "refused",
    "AccessDenied": "refused",
    "LimitExceededException": "limit",
    "TooManyRequestsException": "limit",
}
"""What SES answers that does not change when it is asked again, and limits. Anything else is `unavailable`."""


class SesClient(Protocol):
    """The only method of a `sesv2` client that is used."""

    def send_email(self, **request: Any) -> dict[str, Any]: ...


class SesEmailSender:
    """Performs `EmailRequest`s from one address; safe to share between threads, made once per process."""

    def __init__(self, client: SesClient, sender: str) -> None:
        self._client = client
        self._sender = sender

    def perform(self, request: EmailRequest) -> EffectResult:
        """Send the e-mail once, as plain text. `error` is the outcome."""
        if not self._sender:
            return EffectResult(ok=False, error="not_configured")
        body = {"Text": {"Data": request.text, "Charset": "UTF-8"}}
        try:
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": request.to},
                Content={"Simple": {"Subject": {"Data": request.subject, "Charset": "UTF-8"}, "Body": body}},
            )
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            code = _ERRORS.get(error.response.get("Error", {}).get("Code", ""), "unavailable")
            return EffectResult(ok=False, status=status, error=code)
        except BotoCoreError:
            return EffectResult(ok=False, error="unavailable")
        return EffectResult(ok=True)


def ses_client() -> SesClient:
    """A client that does not retry: after a cut connection it is unknown whether the e-mail was sent."""
    from botocore.config import Config
    from botocore.session import get_session

    retries: Any = {"mode": "standard", "total_max_attempts": 1}
    config = Config(connect_timeout=2, read_timeout=TIMEOUT_SECONDS, retries=retries)
    client: Any = get_session().create_client("sesv2", config=config)
    return client  # type: ignore[no-any-return]
