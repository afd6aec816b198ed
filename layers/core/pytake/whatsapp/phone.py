"""The WhatsApp ids that one phone number may have.

Some countries changed the format of their mobile numbers, and WhatsApp kept the old ids. The variants serve only to find an
existing contact; a reply goes to exactly the id that wrote. Source: WhatsApp Cloud API reference, "Phone numbers"
(November 2026).
"""

import re

_NOT_DIGITS = re.compile(r"[^0-9]+")

# Brazil: 55, a two-digit area, eight digits starting 6-9, with or without a 9 before them.
_BRAZIL = re.compile(r"(55[1-9]\d)(9?)([6-9]\d{7})")
# Argentina: 54 and ten digits, mobile numbers with a 9 between. Mexico: 52 and ten digits, once with a 1 between.
_PREFIXED = (re.compile(r"(54)(9?)([1-8]\d{9})"), re.compile(r"(52)(1?)([2-9]\d{9})"))
_INSERTED = {"55": "9", "54": "9", "52": "1"}


def variants(phone: str) -> list[str]:
    """The digits of `phone`, followed by its other spelling if its country has one.

    Takes a number with or without `+`, spaces and punctuation. Text without digits gives an empty list.
    """
    digits = phone if phone.isascii() and phone.isdecimal() else _NOT_DIGITS.sub("", phone)
    if not digits:
        return []
    for pattern in (_BRAZIL, *_PREFIXED):
        match = pattern.fullmatch(digits)
        if match:
            start, inserted, rest = match.groups()
            other = "" if inserted else _INSERTED[digits[:2]]
            return [digits, start + other + rest]
    return [digits]
