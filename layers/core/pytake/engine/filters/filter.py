"""What a filter is."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pytake.engine.texts import Language


class Setting(Struct, frozen=True):
    """What some filters depend on besides the value: the turn's time and time zone, the number's country, and the language."""

    now: float
    timezone: str
    country: str | None
    language: Language
    write: Callable[[Any], str]


class Filter(Struct, frozen=True):
    """A filter, the number of arguments it takes, and whether it also takes a `Setting` as `at`.

    `reads`: an argument may be the name of a variable. `apply` raises CalculationError if the value has no result.
    """

    apply: Callable[..., Any]
    least: int = 0
    most: int = 0
    in_setting: bool = False
    reads: bool = False
