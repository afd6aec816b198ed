"""Meta's prices per message, as dated data: `rate_card.csv` (docs/cost.md says how an operator replaces it).

Meta prices a delivered message by the country of its recipient and by its category, and changes prices on the first day of a
quarter only. A message without a price is never taken to cost nothing: its price is None.
"""

import csv
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

MICROS = 1_000_000

COLUMNS = ("market", "countries", "category", "price", "currency", "valid_from", "source")
EVERY_OTHER = "*"
"""In `countries`: all countries that no other row of the category names."""

CATEGORIES = ("marketing", "utility", "authentication", "authentication_international", "service")
"""Meta's categories with a price."""

_COUNTRY = re.compile("[A-Z]{2}")
_SAME_PRICE = {"marketing_lite": "marketing", "authentication-international": "authentication_international"}
"""Categories of Meta's statuses that the rate card has under another name."""


class RateCardError(ValueError):
    """A rate card cannot be used; the text names the line and says what it needs."""


class RateCard:
    """Implements `pytake.campaigns.ports.RateCard`. The prices are those of the first volume tier, the highest."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Read a rate card. Raises `RateCardError`."""
        self.currency = ""
        self._prices: dict[tuple[str, str], list[tuple[date, int]]] = {}
        rows = csv.DictReader(lines)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise RateCardError(f"line 1: the columns are {','.join(COLUMNS)}")
        for row in rows:
            try:
                self._add(row)
            except (KeyError, TypeError, ValueError, InvalidOperation) as error:
                raise RateCardError(f"line {rows.line_num}: {error}") from None
        if not self._prices:
            raise RateCardError("it has no prices")
        for prices in self._prices.values():
            prices.sort()
            days = [day for day, _ in prices]
            if len(set(days)) < len(days):
                raise RateCardError("two rows have the same country, category and day")

    def _add(self, row: dict[str, str]) -> None:
        day, price = date.fromisoformat(row["valid_from"]), Decimal(row["price"]) * MICROS
        if day.day != 1:
            raise ValueError(f"valid_from is the first day of a month, not {day}")
        if price != int(price) or price < 0:
            raise ValueError(f"price has at most six decimal places, and is not negative: {row['price']}")
        if self.currency not in ("", row["currency"]):
            raise ValueError(f"the currency is {self.currency} above: a rate card has one currency")
        if not row["source"].strip():
            raise ValueError("name the source of the price")
        self.currency = row["currency"]
        if row["category"] not in CATEGORIES:
            raise ValueError(f"the category is one of {', '.join(CATEGORIES)}, not {row['category']!r}")
        countries = row["countries"].split()
        if not countries or not all(one == EVERY_OTHER or _COUNTRY.fullmatch(one) for one in countries):
            raise ValueError("name the countries by their ISO codes, such as BR, or * for every other one")
        for country in countries:
            self._prices.setdefault((country, row["category"]), []).append((day, int(price)))

    def price_micros(self, country: str | None, category: str | None, at: float) -> int | None:
        """The price of a message to a country (ISO code) in millionths of the currency; None: no price is known.

        `category` is Meta's; None: it is not known, then the dearest one holds. A month begins at midnight UTC.
        """
        if country is None:
            return None
        day = datetime.fromtimestamp(at, UTC).date()
        if category is not None:
            return self._price(country, _SAME_PRICE.get(category, category), day)
        categories = {name for _, name in self._prices}
        known = [price for name in categories if (price := self._price(country, name, day)) is not None]
        return max(known, default=None)

    def _price(self, country: str, category: str, day: date) -> int | None:
        for place in self._places(country, category):
            prices = self._prices.get(place, [])
            valid = bisect_right(prices, day, key=lambda price: price[0])
            if valid:
                return prices[valid - 1][1]
        return None

    @staticmethod
    def _places(country: str, category: str) -> Iterator[tuple[str, str]]:
        yield country, category
        yield EVERY_OTHER, category
        if category == "authentication_international":
            yield from RateCard._places(country, "authentication")


INSTALLED = Path(__file__).with_name("rate_card.csv")
"""The rate card that the functions use. `pytake rate-card install` writes it."""


def installed_rate_card(path: Path = INSTALLED) -> RateCard:
    """The rate card of this deployment. Raises `RateCardError` with the file's name."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return RateCard(file)
    except RateCardError as error:
        raise RateCardError(f"{path.name}: {error}") from None
