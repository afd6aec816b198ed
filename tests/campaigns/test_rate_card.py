"""Prices by country, category and date; an unknown price is never nothing."""

from datetime import UTC, datetime

import pytest

from pytake.campaigns.rate_card import RateCard, RateCardError, installed_rate_card

HEAD = "market,countries,category,price,currency,valid_from,source"
CARD = RateCard(
    [
        HEAD,
        "Brazil,BR,marketing,0.0625,USD,2026-01-01,test",
        "Brazil,BR,marketing,0.07,USD,2026-10-01,test",
        "Brazil,BR,utility,0.0068,USD,2026-01-01,test",
        "North America,US CA,marketing,0.025,USD,2026-10-01,test",
        "North America,US CA,authentication,0.0034,USD,2026-10-01,test",
        "India,IN,authentication,0.002,USD,2026-10-01,test",
        "India,IN,authentication_international,0.02,USD,2026-10-01,test",
        "Other,*,marketing,0.0604,USD,2026-10-01,test",
    ]
)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("country", "category", "when", "price"),
    [
        ("BR", "marketing", "2026-01-01T00:00:00", 62_500),
        ("BR", "marketing", "2026-09-30T23:59:59", 62_500),
        ("BR", "marketing", "2026-10-01T00:00:00", 70_000),
        ("BR", "marketing_lite", "2026-11-29T00:00:00", 70_000),
        ("BR", "marketing", "2025-12-31T23:59:59", None),
        ("BR", "utility", "2026-11-29T00:00:00", 6_800),
        ("BR", "service", "2026-11-29T00:00:00", None),
        ("BR", None, "2026-11-29T00:00:00", 70_000),
        ("CA", "marketing", "2026-11-29T00:00:00", 25_000),
        ("US", "authentication-international", "2026-11-29T00:00:00", 3_400),
        ("IN", "authentication-international", "2026-11-29T00:00:00", 20_000),
        ("PT", "marketing", "2026-11-29T00:00:00", 60_400),
        ("PT", "utility", "2026-11-29T00:00:00", None),
        (None, "marketing", "2026-11-29T00:00:00", None),
    ],
)
def test_a_price_is_that_of_its_country_category_and_day(
    country: str | None, category: str | None, when: str, price: int | None
) -> None:
    assert CARD.price_micros(country, category, at(when)) == price


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Brazil,BR,marketing,free,USD,2026-01-01,test", "line 2: "),
        ("Brazil,BR,marketing,0.0625,USD,2026-01-15,test", "line 2: valid_from is the first day of a month"),
        ("Brazil,BR,marketing,0.0000001,USD,2026-01-01,test", "line 2: price has at most six decimal places"),
        ("Brazil,BR,marketing,-1,USD,2026-01-01,test", "not negative"),
        ("Brazil,,marketing,1,USD,2026-01-01,test", "line 2: name the countries"),
        ("Brazil,Brazil,marketing,1,USD,2026-01-01,test", "line 2: name the countries by their ISO codes"),
        ("Brazil,BR,maketing,1,USD,2026-01-01,test", "line 2: the category is one of marketing, utility"),
        ("Brazil,BR,marketing,1,USD,2026-01-01,", "line 2: name the source"),
        ("Brazil,BR,marketing", "line 2: "),
    ],
)
def test_a_rate_card_that_cannot_be_used_names_its_line(line: str, says: str) -> None:
    with pytest.raises(RateCardError, match=says):
        RateCard([HEAD, line])


def test_a_rate_card_has_its_columns_one_currency_and_one_price_a_day() -> None:
    one = "Brazil,BR,marketing,0.0625,USD,2026-01-01,test"
    for lines, says in (
        (["market,price"], "line 1"),
        ([HEAD], "no prices"),
        ([HEAD, one, "India,IN,marketing,0.86,INR,2026-01-01,test"], "line 3: the currency is USD above"),
        ([HEAD, one, one], "the same country, category and day"),
    ):
        with pytest.raises(RateCardError, match=says):
            RateCard(lines)


def test_the_installed_rate_card_has_brazil_and_north_america_and_no_guess_for_others() -> None:
    card, now = installed_rate_card(), at("2026-11-30T00:00:00")
    categories = ("marketing", "utility", "authentication", "service")
    assert card.currency == "USD"
    assert [card.price_micros("BR", one, now) for one in categories] == [62_500, 6_800, 6_800, 6_800]
    for country in ("US", "CA"):
        assert [card.price_micros(country, one, now) for one in categories] == [25_000, 3_400, 3_400, 3_400]
    assert [card.price_micros(country, None, now) for country in ("PT", "IN", "MX", "NG")] == [None] * 4
    assert card.price_micros("BR", "service", at("2026-09-30T23:59:59")) is None, "it was free before October"
