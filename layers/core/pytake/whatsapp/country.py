"""The country of a person's WhatsApp identity. Meta prices a message by the country code of its recipient."""

import re
from functools import lru_cache

_USER_ID = re.compile(r"([A-Z]{2})\.")
_SHARED = ("1", "7")
"""The calling codes that countries of different prices share. Their area code has three digits."""


def country_of(identity: str) -> str | None:
    """The ISO code of the country (`BR`) of a phone number's digits or of a business-scoped user id (`BR.1349…`).

    None if it has no calling code of a country.
    """
    if found := _USER_ID.match(identity):
        return found[1]
    digits = identity.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        return None
    return _of_prefix(digits[:4])


@lru_cache(maxsize=10_000)
def _of_prefix(prefix: str) -> str | None:
    # The library takes tens of milliseconds to load.
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, parse, region_code_for_number

    if prefix[:1] in _SHARED and len(prefix) == 4:
        try:  # any number of the area has its country
            region = region_code_for_number(parse(f"+{prefix}2345678", None))
        except NumberParseException:
            region = None
        if region is not None:
            return str(region)
    for length in (1, 2, 3):
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(prefix[:length] or 0))
        if regions and len(prefix) >= length:
            return str(regions[0]) if regions[0] != "001" else None
    return None
