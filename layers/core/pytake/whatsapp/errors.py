"""What an error of the Graph API means for a message: decided once, by its code, never by its text.

Source: WhatsApp Cloud API reference, "Error codes" (November 2026), and how well-kept clients treat them. The same
codes come in the answer to a send and, later, in a `failed` status.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class ErrorClass(StrEnum):
    """What to do about an error."""

    RETRY = "retry"
    """Certainly not sent (a limit, or no connection was made): retry with exponential backoff."""
    HOLD_RECIPIENT = "hold_recipient"
    """Too much to one recipient: hold only this recipient, 4^n seconds."""
    AMBIGUOUS = "ambiguous"
    """May have been sent: wait for a status that echoes our callback data, resend only after a deadline."""
    RETRY_MANUALLY = "retry_manually"
    """Not now and not automatically: hold and report."""
    PERMANENT = "permanent"
    """This message can never be sent: fail at once."""
    WINDOW_CLOSED = "window_closed"
    """The person wrote more than 24 hours ago: the number's template, else fail."""
    OPTED_OUT = "opted_out"
    """The person does not want this: record it on the contact, never retry."""
    INVALID_RECIPIENT = "invalid_recipient"
    """This recipient cannot be written to: fail."""
    MEDIA = "media"
    """Meta could not take the file: one retry."""
    TEMPLATE = "template"
    """The template is missing, paused or filled wrongly: fail."""
    FATAL_TOKEN = "fatal_token"  # noqa: S105 (a class of errors, not a secret)
    """The access token is not good for this: stop the number, alarm, keep its messages."""
    FATAL_ACCOUNT = "fatal_account"
    """The account or number is blocked, unpaid or unregistered: stop the number, alarm, keep its messages."""

    @property
    def stops_number(self) -> bool:
        """Whether nothing of this number can be sent until somebody repairs it."""
        return self in (ErrorClass.FATAL_TOKEN, ErrorClass.FATAL_ACCOUNT)


_CODES: dict[int, ErrorClass] = {
    code: error_class
    for error_class, codes in {
        ErrorClass.RETRY: (4, 80007, 130429, 131057),
        ErrorClass.HOLD_RECIPIENT: (131056,),
        ErrorClass.AMBIGUOUS: (1, 2, 131000, 131016, 133004),
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

# `is_transient` means that the same request may succeed later: it is not to be given up, and a number not to be
# stopped for it. What is about the person (closed window, opted out, later) stays what the code says.
_GIVES_UP = frozenset(
    {
        ErrorClass.PERMANENT,
        ErrorClass.INVALID_RECIPIENT,
        ErrorClass.TEMPLATE,
        ErrorClass.FATAL_TOKEN,
        ErrorClass.FATAL_ACCOUNT,
    }
)


def classify(http_status: int | None, error: Mapping[str, Any] | None) -> ErrorClass:
    """What to do about a failed send.

    `error` is Meta's error object (`{"code", "is_transient"?, …}`) or None when the answer held none; `http_status`
    is None for an error that came in a status webhook. Codes that Meta has not documented are permanent on a 4xx (and
    in a status) and ambiguous otherwise. Never raises.
    """
    code = error_code(error)
    known = _CODES.get(code) if code is not None else None
    server_failed = http_status is not None and not 400 <= http_status < 500
    if code == 131057 and server_failed:  # maintenance: on a 5xx nobody knows how far the request came
        return ErrorClass.AMBIGUOUS
    if http_status == 429 and known in (None, ErrorClass.AMBIGUOUS):
        return ErrorClass.RETRY
    error_class = known or (ErrorClass.AMBIGUOUS if server_failed else ErrorClass.PERMANENT)
    if error_class in _GIVES_UP and error and error.get("is_transient") is True:
        return ErrorClass.AMBIGUOUS if server_failed else ErrorClass.RETRY
    return error_class


def error_code(error: Mapping[str, Any] | None) -> int | None:
    """The `code` of Meta's error object as a number; None when there is none."""
    code = error.get("code") if error else None
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 9:
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None
