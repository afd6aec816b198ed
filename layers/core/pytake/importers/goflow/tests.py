"""The tests of goflow's switch routers as comparisons of PyTake's conditions."""

import re
from typing import Any

from msgspec import Struct

Comparison = dict[str, Any]
_TOKEN = re.compile(r"[^\W_]+(?:[\w'’]*\w)?|_+|[^\w\s.,;:!?()\[\]{}\"'’@#%&*/\\|<>=+~^$`-]")
_EDGE = r"[^\pL\pM\pN_]"
_ORDERS = {"lt": "<", "lte": "<=", "eq": "==", "gte": ">=", "gt": ">"}
_FINDS = {"has_phone": "has_phone", "has_email": "has_email", "has_date": "has_date", "has_number": "has_number"}
_MEDIA = {"has_image": "image", "has_audio": "audio", "has_video": "video", "has_file": "document"}
_EQUAL = ("has_only_text", "is_text_eq", "has_run_status", "has_webhook_status")


class Tested(Struct):
    """A test: comparisons that must all hold. `keeps`: the value found in the text is stored by the first one.

    `value` is what the result is then, if it is not the whole operand; `partial`: it would be a part of the operand that PyTake
    does not take out. `near` says what else differs from the source; `missing` says why PyTake cannot test this at all.
    """

    all: list[Comparison]
    keeps: bool = False
    value: str = ""
    partial: bool = False
    near: str = ""
    missing: str = ""


def translate_test(kind: str, operand: str, arguments: list[Any], keep_as: str, *, exact: bool) -> Tested:
    """The comparisons of a test. `arguments` are templates or fixed values; `exact`: people wrote the operand."""
    texts = [argument if isinstance(argument, str) else str(argument) for argument in arguments]
    first = texts[0] if texts else ""
    if kind in ("has_text", "has_value"):
        return Tested([_comparison(operand, "is_not_empty")])
    if kind in _EQUAL:
        return _equal(operand, first, exact)
    if kind in _FINDS:
        return Tested([_comparison(operand, _FINDS[kind], keep_as=keep_as)], keeps=True)
    if kind in ("has_any_word", "has_all_words", "has_phrase", "has_only_phrase", "has_beginning"):
        return _words(kind, operand, first, keep_as)
    if kind == "has_pattern":
        if "{{" in first:
            return Tested([], missing="a pattern that contains an expression")
        whole = first.strip().startswith("^") and first.strip().endswith("$")
        return Tested([_comparison(operand, "matches", f"(?mi){first.strip()}")], partial=not whole)
    if kind.startswith("has_number_"):
        return _number(kind.removeprefix("has_number_"), operand, arguments, keep_as)
    if kind.startswith("has_date_") and kind.removeprefix("has_date_") in _ORDERS:
        order = _comparison(keep_as, _ORDERS[kind.removeprefix("has_date_")], arguments[0] if arguments else "")
        return Tested([_comparison(operand, "has_date", keep_as=keep_as), order], keeps=True)
    if kind == "has_group":
        return Tested([_comparison("contact.tags", "contains", texts[1] if len(texts) > 1 else first)])
    if kind in ("has_intent", "has_top_intent"):
        return Tested([_comparison(operand, "==", first)])
    if kind == "has_category":
        return Tested([_comparison(operand, "in", texts)])
    if kind in _MEDIA:
        return Tested([_comparison("input.media.type", "==", _MEDIA[kind])])
    if kind == "has_media":
        return Tested([_comparison("input.type", "==", "media")])
    if kind == "has_location":
        return Tested([_comparison("input.type", "==", "location")])
    if kind == "has_multiple":
        return Tested([_comparison(operand, "contains", word.strip()) for word in first.split(",") if word.strip()])
    if kind == "has_time":
        pattern = r"(?i)(?:^|\D)(?:[01]?\d|2[0-3])(?:[:.][0-5]\d|\s*[ap]\.?m)"
        return Tested([_comparison(operand, "matches", pattern)], near="The time is not taken out of the answer.")
    if kind == "has_error":
        return Tested([_comparison(operand, "is_empty")], near="An expression that fails is an empty value.")
    return Tested([], missing=f"the test `{kind}`")


def _comparison(variable: str, operator: str, value: Any = None, keep_as: str = "") -> Comparison:
    found: Comparison = {"variable": variable, "operator": operator}
    if value is not None:
        found["value"] = value
    if keep_as:
        found["keep_as"] = keep_as
    return found


def _equal(operand: str, text: str, exact: bool) -> Tested:
    if not text:
        return Tested([_comparison(operand, "is_empty")])
    if exact and "{{" not in text:
        return Tested([_comparison(operand, "matches", f"^{re.escape(text.strip())}$")])
    return Tested([_comparison(operand, "==", text)])


def _number(which: str, operand: str, arguments: list[Any], keep_as: str) -> Tested:
    found = _comparison(operand, "has_number", keep_as=keep_as)
    if which == "between" and len(arguments) > 1:
        least, most = arguments[:2]
        bounds = [_comparison(keep_as, ">=", _plain(least)), _comparison(keep_as, "<=", _plain(most))]
        return Tested([found, *bounds], keeps=True)
    if which in _ORDERS and arguments:
        return Tested([found, _comparison(keep_as, _ORDERS[which], _plain(arguments[0]))], keeps=True)
    return Tested([], missing=f"the test `has_number_{which}` without a number")


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def tokens(text: str) -> list[str]:
    """The words and symbols of a text, in lower case: what goflow compares."""
    return _TOKEN.findall(text.lower())


def _words(kind: str, operand: str, text: str, keep_as: str) -> Tested:
    if "{{" in text:
        return Tested([_comparison(operand, "contains", text)], near="The words are compared as one text.")
    words = tokens(text)
    if kind == "has_beginning":
        if not text.strip():
            return Tested([], missing="an empty beginning")
        value = "{{" + f"{operand} | trim | slice(1, {len(text.strip())})" + "}}"
        return Tested([_comparison(operand, "matches", f"(?i)^{re.escape(text.strip())}")], value=value)
    if not words:
        return Tested([_comparison(operand, "is_empty")])
    as_words = all(any(character.isalnum() for character in word) for word in words)
    if as_words and kind in ("has_any_word", "has_phrase"):
        return Tested(
            [_comparison(operand, "has_words", words if kind == "has_any_word" else [" ".join(words)], keep_as)],
            keeps=True,
        )
    if kind == "has_any_word":
        pattern = "|".join(_bounded(word) for word in words)
        return Tested([_comparison(operand, "matches", f"(?i){pattern}")], partial=True)
    if as_words and kind == "has_all_words":
        names = [keep_as if len(words) == 1 else f"{keep_as}_{number}" for number in range(1, len(words) + 1)]
        found = [_comparison(operand, "has_words", [word], name) for word, name in zip(words, names, strict=True)]
        return Tested(found, keeps=len(words) == 1, value=" ".join("{{" + name + "}}" for name in names))
    if kind == "has_all_words":
        found = [_comparison(operand, "matches", f"(?i){_bounded(word)}") for word in dict.fromkeys(words)]
        return Tested(found, partial=True)
    phrase = f"{_EDGE}+".join(map(re.escape, words))
    if kind == "has_only_phrase":
        return Tested([_comparison(operand, "matches", f"(?i)^{_EDGE}*{phrase}{_EDGE}*$")])
    return Tested([_comparison(operand, "matches", f"(?i){_bounded(phrase, escaped=True)}")], partial=True)


def _bounded(text: str, *, escaped: bool = False) -> str:
    body = text if escaped else re.escape(text)
    if not text[:1].isalnum() and not escaped:
        return body  # a symbol is a word of its own
    return f"(?:^|{_EDGE}){body}(?:{_EDGE}|$)"
