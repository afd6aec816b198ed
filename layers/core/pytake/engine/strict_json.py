"""JSON that people wrote, read without guessing: what readers elsewhere take differently, or half, is refused in words."""

import json
from typing import Any, NoReturn

from pytake.engine.limits import VALUE_DEPTH
from pytake.engine.values import exceeds_depth

_LARGEST_INTEGER = 2**63


def read_json(text: str) -> Any:
    """What a JSON text holds.

    Raises ValueError that says what is wrong (`json.JSONDecodeError` also where): no JSON (RFC 8259), a key twice in one
    object, a number that others could not read again, lists in lists in lists.
    """
    try:
        found = json.loads(
            text,
            object_pairs_hook=_with_unique_keys,
            parse_int=_integer,
            parse_float=_fraction,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise _too_deep() from None
    if exceeds_depth(found, VALUE_DEPTH):
        raise _too_deep()
    return found


def _too_deep() -> ValueError:
    return ValueError(f"lists and objects lie too deep in one another (more than {VALUE_DEPTH})")


def _with_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers of JSON keep the last of two without a word: half of what somebody wrote would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > 20 or not -_LARGEST_INTEGER <= int(text) < _LARGEST_INTEGER:
        raise ValueError("an integer in it needs more than 64 bits")
    return int(text)


def _fraction(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number in it is too large")
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
