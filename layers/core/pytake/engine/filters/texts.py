"""Filters for texts."""

from typing import Any

import msgspec

from pytake.engine.calculation import CalculationError
from pytake.engine.filters.filter import Filter, Setting
from pytake.engine.limits import LIST_ITEMS, PHONE_CHARACTERS, VALUE_CHARACTERS
from pytake.engine.text_split import truncate
from pytake.engine.values import is_empty, plain_text

_json = msgspec.json.Encoder(order="deterministic").encode


def _title(value: Any) -> str:
    # Not str.title(), which makes "It'S" of "it's": only the letter after a space becomes upper case.
    return " ".join(word[:1].upper() + word[1:].lower() for word in plain_text(value).split(" "))


def _first_name(value: Any) -> str:
    words = plain_text(value).split()
    return words[0] if words else ""


def _truncate(value: Any, length: Any) -> Any:
    return truncate(plain_text(value), length) if isinstance(length, int) and length > 0 else value


def _replace(value: Any, old: Any, new: Any) -> Any:
    if not old:
        return value
    text, old, new = plain_text(value), str(old), str(new)
    # A chain of replacements could grow a short text without limit, so a result that is too long is discarded.
    return text if len(text) + text.count(old) * len(new) > VALUE_CHARACTERS else text.replace(old, new)


def _word(value: Any, number: Any) -> str:
    words = plain_text(value).split()
    index = _index(number, len(words))
    return "" if index is None else words[index]


def _index(number: Any, length: int) -> int | None:
    """A position from 1, or from the end if it is negative, as an index; None if there is nothing there."""
    if type(number) is not int or not number or abs(number) > length:
        return None
    return number - 1 if number > 0 else length + number


def _slice(value: Any, first: Any, last: Any = None) -> str:
    text = plain_text(value)
    begin = first if type(first) is int and first > 0 else 1
    return text[begin - 1 : last if type(last) is int else None]


def _split(value: Any, by: Any = None) -> list[str]:
    parts = plain_text(value).split(str(by) if by else None, LIST_ITEMS)[:LIST_ITEMS]
    return [part for part in map(str.strip, parts) if part]


def _url_encode(value: Any) -> str:
    from urllib.parse import quote

    text = plain_text(value)
    if len(text) > VALUE_CHARACTERS // 12:  # a character becomes at most twelve
        raise CalculationError("too_large")
    return quote(text, safe="")


def _phone(value: Any, form: Any = "national", *, at: Setting) -> str:
    text = plain_text(value).strip()
    if not text or len(text) > PHONE_CHARACTERS or any(c.isalpha() for c in text):
        return text
    # The library takes tens of milliseconds to load, so only flows that use it load it.
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_valid_number, parse

    forms = {
        "national": PhoneNumberFormat.NATIONAL,
        "international": PhoneNumberFormat.INTERNATIONAL,
        "e164": PhoneNumberFormat.E164,
    }
    for written, country in ((text, at.country), (f"+{text}", None)):
        try:
            number = parse(written, country)
        except NumberParseException:
            continue
        if is_valid_number(number):
            return format_number(number, forms.get(form, PhoneNumberFormat.NATIONAL))
    return text


TEXT_FILTERS: dict[str, Filter] = {
    "upper": Filter(lambda value: plain_text(value).upper()),
    "lower": Filter(lambda value: plain_text(value).lower()),
    "title": Filter(_title),
    "capitalize": Filter(lambda value: (text := plain_text(value))[:1].upper() + text[1:]),
    "trim": Filter(lambda value: plain_text(value).strip()),
    "default": Filter(lambda value, instead: instead if is_empty(value) else value, 1, 1),
    "first_name": Filter(_first_name),
    "digits": Filter(lambda value: "".join(c for c in plain_text(value) if c.isdecimal())),
    "replace": Filter(_replace, 2, 2),
    "truncate": Filter(_truncate, 1, 1),
    "word": Filter(_word, 1, 1),
    "words": Filter(lambda value: _split(value)),
    "split": Filter(_split, 0, 1),
    "slice": Filter(_slice, 1, 2),
    "remove_first_word": Filter(lambda value: "".join(plain_text(value).split(maxsplit=1)[1:])),
    "url_encode": Filter(_url_encode),
    "json": Filter(lambda value: _json(value).decode()),
    "phone": Filter(_phone, 0, 1, in_setting=True),
}
