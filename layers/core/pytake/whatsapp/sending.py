"""The result of a request to Meta: what it answered, or an error with its class."""

from msgspec import Struct

from pytake.whatsapp.errors import ErrorClass


class AcceptedMessage(Struct, frozen=True):
    """Meta accepted the message. It is not delivered yet; a status may still report that it failed.

    Its statuses have the `message_id`. `wa_id` and `user_id` are the recipient's canonical ids, if Meta returned them; the
    `wa_id` may differ from the number that the message was sent to. `held`: Meta first assesses the quality of the template,
    and then sends the message or reports that it failed.
    """

    message_id: str
    wa_id: str | None = None
    user_id: str | None = None
    held: bool = False


class NumberProfile(Struct, frozen=True):
    """What Meta says about a business number. `webhook_url` is where it posts the number's messages, `waba_id` the WhatsApp
    Business account that has the number; each None: not reported."""

    phone_number_id: str
    display_phone_number: str | None = None
    verified_name: str | None = None
    status: str | None = None
    webhook_url: str | None = None
    waba_id: str | None = None


class MediaDescription(Struct, frozen=True):
    """What Meta says about a file. `url` is valid for five minutes and needs the access token; `sha256` is in hex."""

    url: str
    mime_type: str | None = None
    sha256: str | None = None
    size: int | None = None


class SendFailedError(Exception):
    """A request that Meta did not accept: a send, reading a profile, or a file.

    `error_class` says what to do; the rest is for people and logs and holds no token.
    `http_status` and `code` are None when there was no answer or it was unreadable. `retry_after` is Meta's wish in seconds.
    """

    def __init__(
        self,
        error_class: ErrorClass,
        *,
        http_status: int | None = None,
        code: int | None = None,
        subcode: int | None = None,
        title: str = "",
        details: str = "",
        fbtrace_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(error_class, http_status, code, title, details)
        self.error_class = error_class
        self.http_status = http_status
        self.code = code
        self.subcode = subcode
        self.title = title
        self.details = details
        self.fbtrace_id = fbtrace_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        origin = f"error {self.code}" if self.code is not None else f"HTTP {self.http_status or 'without answer'}"
        text = ": ".join(part for part in (self.title, self.details) if part)
        return f"{self.error_class} ({origin})" + (f" {text}" if text else "")
