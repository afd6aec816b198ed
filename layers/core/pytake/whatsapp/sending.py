"""What comes of handing a message to Meta: it was accepted, or it failed in a way that says what to do."""

from msgspec import Struct

from pytake.whatsapp.errors import ErrorClass


class AcceptedMessage(Struct, frozen=True):
    """Meta took the message: accepted, not delivered. It may still fail by a status.

    `message_id` is the id its statuses will have. `wa_id` and `user_id` are the recipient's canonical ids, where Meta
    gave them; store the `wa_id`, it may differ from the number that was written to.
    """

    message_id: str
    wa_id: str | None = None
    user_id: str | None = None


class SendFailedError(Exception):
    """A send that was not accepted. Decide by `error_class`; the rest is for people and logs, and holds no token.

    `http_status` and `code` are None when no answer came or none could be read. `retry_after` are the seconds Meta
    asked for.
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
