"""What the simulated Meta charges: the `pricing` of each message, and a ledger of the delivered ones."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from pytake.whatsapp.country import country_of

Json = dict[str, Any]


class Billing:
    """Prices messages. The first service messages of a number and month are free, as since October 2026.

    The ledger counts delivered messages by month (UTC), number, country, category and type, so that it stays small.
    """

    def __init__(self) -> None:
        self._service: Counter[tuple[str, str]] = Counter()
        self._ledger: Counter[tuple[str, str, str, str, str]] = Counter()

    def price(self, phone_number_id: str, category: str, free_service_messages: int, at: float) -> Json:
        """The pricing of a message that is about to be delivered."""
        is_free = False
        if category == "service":
            number = _month(at), phone_number_id
            self._service[number] += 1
            is_free = self._service[number] <= free_service_messages
        type_ = "free_customer_service" if is_free else "regular"
        return {"billable": not is_free, "pricing_model": "PMP", "type": type_, "category": category}

    def record(self, phone_number_id: str, recipient: str, pricing: Json, at: float) -> None:
        """Add a delivered message to the ledger."""
        country = country_of(recipient) or ""
        self._ledger[_month(at), phone_number_id, country, pricing["category"], pricing["type"]] += 1

    def as_json(self) -> list[Json]:
        """The ledger."""
        names = ("month", "phone_number_id", "country", "category", "type")
        return [
            {**dict(zip(names, place, strict=True)), "messages": messages}
            for place, messages in sorted(self._ledger.items())
        ]


def _month(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m}"
