"""Orders and contact cards that people send, as flows see them. Source: WhatsApp Cloud API reference, "Webhooks"."""

from decimal import Decimal, InvalidOperation
from typing import Any

from pytake.whatsapp.json_values import Json, objects_of, text_of


def order_value(payload: Any) -> Json | None:
    """An order (Meta's `order`): `catalog_id`, `note`, `items`, `count` and `totals` by currency; None if it has no items.

    An item has `product_retailer_id`, `quantity`, `price`, `currency` and `total`. With one currency, `total` and `currency`
    stand beside `totals`. The prices are those that the person's phone showed: compare them with the catalog before charging.
    """
    if not isinstance(payload, dict):
        return None
    items = [_item(item) for item in objects_of(payload.get("product_items"))]
    if not items:
        return None
    totals: dict[str, Decimal] = {}
    for item in items:
        totals[item["currency"]] = totals.get(item["currency"], Decimal(0)) + item["total"]
    found: Json = {
        "catalog_id": text_of(payload.get("catalog_id")),
        "note": text_of(payload.get("text")),
        "items": [{**item, "price": _number(item["price"]), "total": _number(item["total"])} for item in items],
        "count": sum(item["quantity"] for item in items),
        "totals": {currency: _number(total) for currency, total in totals.items()},
    }
    if len(totals) == 1:
        ((found["currency"], found["total"]),) = found["totals"].items()
    return found


def _item(item: Json) -> Json:
    price, quantity = _decimal(item.get("item_price")), int(_decimal(item.get("quantity")))
    return {
        "product_retailer_id": text_of(item.get("product_retailer_id")),
        "quantity": quantity,
        "price": price,
        "currency": text_of(item.get("currency")),
        "total": price * quantity,
    }


def _decimal(value: Any) -> Decimal:
    """A price or a quantity of up to twelve digits; 0 for anything else."""
    try:
        number = Decimal(text_of(value))
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() and abs(number) < 10**12 else Decimal(0)


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def contacts_value(payload: Any) -> list[Json] | None:
    """Contact cards (Meta's `contacts`), each with `name`, `phones`, `emails` and `organization`; None if there are none."""
    return [_card(card) for card in objects_of(payload)] or None


def _card(card: Json) -> Json:
    name, company = card.get("name"), card.get("org")
    names = name if isinstance(name, dict) else {}
    return {
        "name": text_of(names.get("formatted_name")) or text_of(names.get("first_name")),
        "phones": [_phone(entry) for entry in objects_of(card.get("phones")) if _phone(entry)],
        "emails": [text_of(entry.get("email")) for entry in objects_of(card.get("emails")) if entry.get("email")],
        "organization": text_of(company.get("company")) if isinstance(company, dict) else "",
    }


def _phone(entry: Json) -> str:
    """In E.164 if WhatsApp knows the number, else as it is written on the card."""
    digits = text_of(entry.get("wa_id"))
    return f"+{digits}" if digits.isascii() and digits.isdigit() else text_of(entry.get("phone"))
