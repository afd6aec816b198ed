"""What Meta says about the price of a message, in its statuses.

`pricing` is in `sent`, and in one of `delivered` and `read`. It names a category and whether Meta charges the message, never an
amount. Source: WhatsApp Business Platform, "Pricing" and "Webhooks: status" (November 2026).
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

_CHARACTERS = 60
"""Meta's longest value has half as many."""


class Pricing(Struct, frozen=True, omit_defaults=True):
    """The pricing of one message, in Meta's words.

    `category`: `marketing`, `marketing_lite`, `utility`, `authentication`, `authentication-international`, `service`,
    `referral_conversion` or a later one. `type`: `regular`, `free_customer_service`, `free_entry_point` … `model`: `PMP`, per
    message. `billable` is deprecated; it counts only without a `type`.
    """

    category: str
    type: str | None = None
    model: str | None = None
    billable: bool | None = None

    @property
    def is_charged(self) -> bool:
        """Whether Meta charges the message once it is delivered."""
        return self.type == "regular" if self.type is not None else bool(self.billable)


def pricing_of(status: Mapping[str, Any]) -> Pricing | None:
    """The pricing in a status; None if it has none, or none that can be read."""
    raw = status.get("pricing")
    if not isinstance(raw, dict):
        return None
    category = _word(raw.get("category"))
    billable = raw.get("billable")
    if category is None:
        return None
    type_ = _word(raw.get("type"))
    return Pricing(
        category.lower(),
        type_.lower() if type_ is not None else None,
        _word(raw.get("pricing_model")),
        billable if isinstance(billable, bool) else None,
    )


def _word(value: object) -> str | None:
    is_word = isinstance(value, str) and 0 < len(value) <= _CHARACTERS and value.isascii() and value.isprintable()
    return value if is_word and isinstance(value, str) else None
