"""Meta's pricing in statuses, and the country that decides the price."""

from typing import Any

import pytest

from pytake.whatsapp.country import country_of
from pytake.whatsapp.pricing import Pricing, pricing_of


@pytest.mark.parametrize(
    ("pricing", "read", "charged"),
    [
        (
            {"billable": True, "pricing_model": "PMP", "category": "utility", "type": "regular"},
            Pricing("utility", "regular", "PMP", True),
            True,
        ),
        ({"category": "service", "type": "free_customer_service"}, Pricing("service", "free_customer_service"), False),
        ({"category": "marketing_lite", "type": "regular", "billable": False}, None, True),
        ({"category": "SERVICE", "type": "FREE_ENTRY_POINT", "billable": True}, None, False),
        ({"billable": True, "pricing_model": "CBP", "category": "marketing"}, None, True),
        ({"category": "marketing"}, Pricing("marketing"), False),
    ],
)
def test_a_message_is_charged_by_its_type(pricing: dict[str, Any], read: Pricing | None, charged: bool) -> None:
    found = pricing_of({"status": "delivered", "pricing": pricing})
    assert found is not None
    assert found.is_charged is charged
    assert read is None or found == read


@pytest.mark.parametrize(
    "pricing",
    [
        None,
        [],
        "regular",
        {},
        {"category": None},
        {"category": ""},
        {"category": "x" * 61},
        {"category": "a\nb"},
        {"category": 7},
    ],
)
def test_what_cannot_be_read_is_no_pricing(pricing: Any) -> None:
    assert pricing_of({"status": "delivered", "pricing": pricing}) is None
    assert pricing_of({"status": "delivered"}) is None


@pytest.mark.parametrize(
    ("identity", "country"),
    [
        ("5511999999999", "BR"), ("+351912345678", "PT"), ("12125550123", "US"), ("14165550123", "CA"),
        ("18765550123", "JM"), ("79161234567", "RU"), ("77012345678", "KZ"), ("447911123456", "GB"),
        ("BR.1349aZ", "BR"), ("MX.ENT.1181", "MX"), ("", None), ("ana", None), ("0", None), ("80012345678", None),
        ("1", "US"), ("²³", None),
    ],
)  # fmt: skip
def test_the_country_of_an_identity(identity: str, country: str | None) -> None:
    assert country_of(identity) == country
