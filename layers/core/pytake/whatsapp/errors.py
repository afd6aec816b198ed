"""The class of a Graph API error: what to do about it. Decided by the error's code, never by its text.

Source: WhatsApp Cloud API reference, "Error codes" (November 2026), and the practice of well-maintained clients. The same
codes appear in the answer to a send and, later, in a `failed` status.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

PERSON_LIMIT = 131049
"""Meta does not deliver this template, because the person gets too much marketing. A campaign repeats it itself."""


class ErrorClass(StrEnum):
    """What to do about an error. The value is the first part of a delivery's `reason`."""

    RETRY = "retry"
    """Certainly not sent (a rate limit, or no connection): retry with exponential backoff."""
    TRANSIENT = "transient"
    """Meta itself reports that it could not send for now: retry like `RETRY`. A later status may show that it did send."""
    HOLD_RECIPIENT = "hold_recipient"
    """Too many messages to one recipient: hold only this recipient, for 4^n seconds."""
    AMBIGUOUS = "ambiguous"
    """May have been sent: wait for a status that echoes our callback data, and resend only after a deadline."""
    RETRY_MANUALLY = "retry_manually"
    """Not now, and not automatically: defer the message and report it."""
    PERMANENT = "permanent"
    """This message can never be sent: fail at once."""
    WINDOW_CLOSED = "window_closed"
    """The person last wrote more than 24 hours ago: send the number's template, otherwise fail."""
    OPTED_OUT = "opted_out"
    """The person does not want messages: record the opt-out, never retry."""
    INVALID_RECIPIENT = "invalid_recipient"
    """This recipient cannot receive messages: fail."""
    MEDIA = "media"
    """Meta could not take the media file: retry once."""
    TEMPLATE = "template"
    """The template is missing, paused or has wrong parameters: fail."""
    FATAL_TOKEN = "fatal_token"  # noqa: S105 (a class of errors, not a secret)
    """The access token is invalid or lacks a permission: stop the number, alert operators, hold its messages."""
    FATAL_ACCOUNT = "fatal_account"
    """The account or number is blocked, unpaid or not registered: stop the number, alert operators, hold its messages."""

    @property
    def stops_number(self) -> bool:
        """Whether the number cannot send until an operator repairs it."""
        return self in (ErrorClass.FATAL_TOKEN, ErrorClass.FATAL_ACCOUNT)


_CODES: dict[int, ErrorClass] = {
    code: error_class
    for error_class, codes in {
        ErrorClass.RETRY: (4, 80007, 130429, 131057),
        ErrorClass.HOLD_RECIPIENT: (131056,),
        ErrorClass.TRANSIENT: (1, 2, 131000, 131016, 133004),
        ErrorClass.RETRY_MANUALLY: (131048, 131049, 131064, 130472),
        ErrorClass.PERMANENT: (
            *(100, 33, 131008, 131009, 131021, 131026, 131051, 131052, 130403, 130497, 137000, 135000),
        ),
        ErrorClass.WINDOW_CLOSED: (131047,),
        ErrorClass.OPTED_OUT: (131050,),
        ErrorClass.INVALID_RECIPIENT: (131062, 131030),
        ErrorClass.MEDIA: (131053,),
        ErrorClass.TEMPLATE: (
            *(132000, 132001, 132005, 132007, 132012, 132015, 132016, 132018, 132068, 132069, 131063),
        ),
        ErrorClass.FATAL_TOKEN: (0, 190, 3, 10, 131005, *range(200, 300)),
        ErrorClass.FATAL_ACCOUNT: (
            *(368, 131031, 131042, 134011, 131037, 131045, 133000, 133015, 133016),
            *range(133005, 133011),
        ),
    }.items()
    for code in codes
}

STOPPED_TEMPLATES = {132015: "template_paused", 132016: "template_disabled"}
"""Why a template message failed that can be sent later: the reason in the ledger."""

# `is_transient` means that the same request may succeed later: the message must not fail, and the number must not stop.
# Classes that concern the person (window closed, opted out, retry manually) stay as the code says.
_MAY_BE_TRANSIENT = frozenset(
    {
        ErrorClass.AMBIGUOUS,
        ErrorClass.PERMANENT,
        ErrorClass.INVALID_RECIPIENT,
        ErrorClass.TEMPLATE,
        ErrorClass.FATAL_TOKEN,
        ErrorClass.FATAL_ACCOUNT,
    }
)


def classify(http_status: int | None, error: Mapping[str, Any] | None) -> ErrorClass:
    """The class of a failed send. Never raises.

    `error` is Meta's error object (`{"code", "is_transient"?, …}`), or None when the answer has none. `http_status` is None
    for an error in a status webhook. What Meta reports as failed for now is not ambiguous, whatever the HTTP status: only an
    answer without a known reason is. Undocumented codes are permanent on a 4xx and in a status, otherwise ambiguous.
    """
    code = error_code(error)
    known = _CODES.get(code) if code is not None else None
    server_failed = http_status is not None and not 400 <= http_status < 500
    if http_status == 429 and known in (None, ErrorClass.TRANSIENT):
        return ErrorClass.RETRY
    error_class = known or (ErrorClass.AMBIGUOUS if server_failed else ErrorClass.PERMANENT)
    if error_class in _MAY_BE_TRANSIENT and error and error.get("is_transient") is True:
        return ErrorClass.TRANSIENT
    return error_class


def error_code(error: Mapping[str, Any] | None) -> int | None:
    """The `code` of Meta's error object as a number, or None."""
    code = error.get("code") if error else None
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 9:
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None
