"""Numbers, dates, addresses, phone numbers and words in what a person wrote."""

import re
import unicodedata
from collections.abc import Callable, Iterator

from pytake.engine.limits import LARGEST_NUMBER, NUMBER_CHARACTERS, SENTENCE_CHARACTERS
from pytake.engine.normalize import normalize_text

_NUMBER = r"(?<![\w.,])[-+−]?\d+(?:[.,\u00a0\u202f]\d+)*"
_DATE = r"(?<![\w/.-])\d{1,4}([/.-])\d{1,2}\1\d{1,4}(?![\w/-])"
_WORD = r"[^\W_]+(?:['’][^\W_]+)*"


def found_in(kind: str, text: str, country: str | None) -> Iterator[str]:
    """The parts of a sentence that may be a `number`, a `date`, an `email` or a `phone`, in order. Validators decide."""
    text = text[:SENTENCE_CHARACTERS]
    match kind:
        case "number":
            yield from (found[0] for found in re.finditer(_NUMBER, text))
        case "date":
            yield from (found[0] for found in re.finditer(_DATE, text))
        case "email":
            yield from (word.strip("<>()[]{}.,;:!?\"'") for word in re.split(r"[\s,;<>]+", text) if "@" in word)
        case "phone":
            # The library takes tens of milliseconds to load, so only flows that look for phone numbers load it.
            from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, format_number

            matches = PhoneNumberMatcher(text, country.upper() if country else None, Leniency.VALID, 20)
            yield from (format_number(found.number, PhoneNumberFormat.E164) for found in matches)


def word_finder(phrases: list[str]) -> Callable[[str], str | None]:
    """A function that gives the first of these words or phrases in a sentence, as written there; None without one.

    Whole words only; case and accents make no difference.
    """
    wanted = sorted((tuple(_plain_words(phrase)) for phrase in phrases), key=len, reverse=True)

    def find(text: str) -> str | None:
        words = [(found.start(), found.end(), normalize_text(found[0])) for found in re.finditer(_WORD, text)]
        for start in range(len(words)):
            for phrase in wanted:
                inside = words[start : start + len(phrase)]
                if phrase and tuple(word for _, _, word in inside) == phrase:
                    return text[inside[0][0] : inside[-1][1]]
        return None

    return lambda text: find(text[:SENTENCE_CHARACTERS])


def _plain_words(text: str) -> list[str]:
    return [normalize_text(found[0]) for found in re.finditer(_WORD, text)]


def read_number(text: str, *, decimal_comma: bool) -> int | float | None:
    """The number in a text that a person wrote (int if it is whole); None if there is none or it is too large to be exact."""
    if len(text) > NUMBER_CHARACTERS:
        return None
    ascii_only = text.isascii()
    if ascii_only and text.isdecimal():
        whole = int(text)
        return whole if whole <= LARGEST_NUMBER else None
    if not ascii_only:
        text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text).replace("−", "-")
        text = "".join(text.split())  # no-break spaces between groups
    sign, digits = ("-", text[1:].lstrip()) if text[0] == "-" else ("", text[1:] if text[0] == "+" else text)
    if not digits.isdecimal() or not digits.isascii():
        plain = _plain(digits, *((".", ",") if decimal_comma else (",", ".")))
        if plain is None:
            return None
        digits = plain
    value = float(sign + digits) if "." in digits else int(sign + digits)
    if abs(value) > LARGEST_NUMBER:
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(text: str, group: str, point: str) -> str | None:
    """Digits with group separators and a decimal separator, in plain notation; None if they are not a number."""
    text = text.replace(" ", group)
    if group in text and point not in text and not _is_grouped(text, group):
        group, point = point, group  # "1.5" in a Portuguese flow: people use keyboards of all countries
    whole, mark, fraction = text.partition(point)
    if mark and not (fraction.isascii() and fraction.isdecimal()):
        return None
    if group in whole:
        if not _is_grouped(whole, group):
            return None
        whole = whole.replace(group, "")
    if not whole.isascii() or not (whole.isdecimal() or (not whole and mark)):
        return None
    return f"{whole or '0'}.{fraction}" if mark else whole


def _is_grouped(text: str, group: str) -> bool:
    first, *rest = text.split(group)
    return 1 <= len(first) <= 3 and bool(rest) and first != "0" and all(len(part) == 3 for part in rest)
