"""Partition projection as Athena's documentation defines it."""

from datetime import UTC, datetime

import pytest

from local.athena.catalogue import Column, Table
from local.athena.errors import QueryError
from local.athena.projection import Projected, projection_of

NOW = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)


def projected(**properties: str) -> Projected:
    parameters = {f"projection.k.{name.replace('_', '.')}": value for name, value in properties.items()}
    return projection_of(Table("d", "t", [], [Column("k", "string")], "s3://b/t/", parameters), "k", NOW)


@pytest.mark.parametrize(
    ("properties", "has", "has_not"),
    [
        ({"type": "enum", "values": "a,b c"}, ["a", "b c"], ["b", "A", ""]),
        ({"type": "integer", "range": "1,7", "interval": "3"}, ["1", "4", "7"], ["2", "01", "10"]),
        ({"type": "integer", "range": " 0 , 23 ", "digits": "2"}, ["00", "23"], ["7", "24"]),
        ({"type": "integer", "range": "-2,2"}, ["-2", "0"], ["-3"]),
        (
            {"type": "date", "format": "yyyy-MM-dd", "range": "2026-01-01,NOW"},
            ["2026-01-01", "2026-03-31"],
            ["2025-12-31", "2026-04-01"],
        ),
        (
            {"type": "date", "format": "yyyy/MM/dd", "range": "NOW-1MONTHS,NOW+1DAYS"},
            ["2026/02/28", "2026/04/01"],
            ["2026/02/27", "2026/04/02", "2026-03-01"],
        ),
        (
            {
                "type": "date",
                "format": "yyyyMMddHH",
                "range": "2026010100,NOW",
                "interval": "6",
                "interval_unit": "HOURS",
            },
            ["2026010100", "2026010118", "2026033112"],
            ["2026010101", "2026033113"],
        ),
        (
            {"type": "date", "format": "yyyy-MM", "range": "2025-11,NOW", "interval": "2"},
            ["2025-11", "2026-01", "2026-03"],
            ["2025-12", "2026-05"],
        ),
        (
            {
                "type": "date",
                "format": "yyyy-MM-dd",
                "range": "2026-01-05,NOW",
                "interval": "1",
                "interval_unit": "WEEKS",
            },
            ["2026-01-05", "2026-01-12"],
            ["2026-01-06"],
        ),
    ],
)
def test_which_values_there_are(properties: dict[str, str], has: list[str], has_not: list[str]) -> None:
    made = projected(**properties)
    assert [value for value in has if not made.has(value)] == []
    assert [value for value in has_not if made.has(value)] == []


def test_an_injected_column_has_what_the_query_names() -> None:
    assert projected(type="injected").injected


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"type": "nosuch"},
        {"type": "enum"},
        {"type": "integer", "range": "a,b"},
        {"type": "date", "format": "yyyy-MM-dd", "range": "yesterday,NOW"},
        {"type": "date", "format": "EEE", "range": "NOW,NOW"},
    ],
)
def test_properties_that_say_nothing_usable(properties: dict[str, str]) -> None:
    with pytest.raises(QueryError):
        projected(**properties)
