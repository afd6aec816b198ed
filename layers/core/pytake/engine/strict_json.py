"""A strict JSON parser for hand-written files: it rejects what other parsers would read differently or only in part."""

import json
from typing import Any, NoReturn

from pytake.engine.limits import VALUE_DEPTH
from pytake.engine.values import exceeds_depth

_LARGEST_INTEGER = 2**63


def read_json(text: str) -> Any:
    """The value of a JSON text.

    Raises ValueError with the reason (`json.JSONDecodeError` also with the position): invalid JSON (RFC 8259), a duplicate key
    in an object, a number that other parsers cannot represent, or nesting that is too deep.
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
    return ValueError(f"lists and objects are nested too deeply (more than {VALUE_DEPTH} levels)")


def _with_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Other parsers silently keep the last of two equal keys, which would lose part of what was written."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} occurs twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > 20 or not -_LARGEST_INTEGER <= int(text) < _LARGEST_INTEGER:
        raise ValueError("an integer needs more than 64 bits")
    return int(text)


def _fraction(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not valid JSON")
