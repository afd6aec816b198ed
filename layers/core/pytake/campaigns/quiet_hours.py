"""Quiet hours in the time zones of a person's country.

A phone number names a country, not a time zone. In a country with several time zones it is quiet while it is quiet in any of
them, so that no person is written to in their night.
"""

from datetime import datetime, time
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from pytake.campaigns.records import QuietHours

LONGEST_SECONDS = 12 * 3600
"""No country spans twelve hours, so quiet hours that are no longer than this end for everybody."""

DAY = 86_400


def seconds_of(time_of_day: str) -> int:
    """The seconds since midnight of `HH:MM`. Raises `ValueError` if it is not a time of day."""
    at = time.fromisoformat(time_of_day)
    return at.hour * 3600 + at.minute * 60 + at.second


def length(quiet: QuietHours) -> int:
    """How many seconds of a day are quiet."""
    return (seconds_of(quiet.end) - seconds_of(quiet.start)) % DAY


def is_quiet(quiet: QuietHours | None, country: str, at: float, timezone: str) -> bool:
    """Whether people of a country (ISO code) are not to be written to at a time.

    `timezone` is that of the organization, which holds for people whose country is not known.
    """
    if quiet is None:
        return False
    start, lasts = seconds_of(quiet.start), length(quiet)
    return any((_local_seconds(zone, at) - start) % DAY < lasts for zone in _zones().get(country) or (timezone,))


def _local_seconds(zone: str, at: float) -> int:
    local = datetime.fromtimestamp(at, _zone(zone))
    return local.hour * 3600 + local.minute * 60 + local.second


@cache
def _zone(name: str) -> ZoneInfo:
    """A time zone. `ZoneInfo` itself keeps eight, and the United States have 29: each look would read files again."""
    return ZoneInfo(name)


@cache
def _zones() -> dict[str, tuple[str, ...]]:
    """The time zones of each country, from the time zone database."""
    found: dict[str, list[str]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text().splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found.setdefault(country, []).append(zone)
    return {country: tuple(zones) for country, zones in found.items()}
