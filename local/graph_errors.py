"""Meta's errors: their codes, their titles and the JSON of the answer.

Source: WhatsApp Cloud API reference, "Error codes" (November 2026).
"""

from typing import Any

Json = dict[str, Any]

_TITLES = {
    0: "AuthException",
    1: "API Unknown",
    2: "API Service",
    4: "Application request limit reached",
    10: "Permission Denied",
    33: "Parameter value is not valid",
    100: "Invalid parameter",
    190: "Invalid OAuth access token - Cannot parse access token",
    368: "Temporarily blocked for policies violations",
    80007: "Rate limit issues",
    130429: "Rate limit hit",
    130472: "User's number is part of an experiment",
    131000: "Something went wrong",
    131005: "Access denied",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131016: "Service unavailable",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable",
    131030: "Recipient phone number not in allowed list",
    131031: "Account has been locked",
    131042: "Business eligibility payment issue",
    131045: "Incorrect certificate",
    131047: "Re-engagement message",
    131048: "Spam rate limit hit",
    131049: "Meta chose not to deliver",
    131050: "User has stopped marketing messages",
    131051: "Message type unknown",
    131053: "Media upload error",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    131057: "Account in maintenance mode",
    132000: "Template param count mismatch",
    132001: "Template name does not exist in the translation",
    132012: "Template parameter format mismatch",
    132015: "Template is paused",
    132016: "Template is disabled",
    132018: "Template parameter text is not valid",
    133010: "Phone number not registered",
    134100: "Only marketing messages supported",
    134101: "Template syncing in progress",
}


class GraphApiError(Exception):
    """A request that Meta answers with an error.

    `code` is Meta's error code, `details` explains the error, `more` has further fields of the error object.
    """

    def __init__(self, code: int, details: str, *, http_status: int = 400, more: Json | None = None) -> None:
        super().__init__(code, details)
        self.code = code
        self.details = details
        self.http_status = http_status
        self.more = more or {}

    def body(self, fbtrace_id: str) -> Json:
        """The JSON body of the response."""
        error: Json = {
            "message": f"(#{self.code}) {title_of(self.code)}",
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            **self.more,
            "fbtrace_id": fbtrace_id,
        }
        return {"error": error}


def title_of(code: int) -> str:
    """Meta's title of an error code."""
    return _TITLES.get(code, "Simulated error")
