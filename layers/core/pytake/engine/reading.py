"""Numbers in what a person wrote, by the flow's language."""

import unicodedata

from pytake.engine.limits import LARGEST_NUMBER, NUMBER_CHARACTERS


def read_number(text: str, *, decimal_comma: bool) -> int | float | None:
    """The number in a text that a person wrote (int if it is whole); None if there is none or it is too large to be exact."""
    if len(text) > NUMBER_CHARACTERS:
        return None
    if not text.isascii():
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
