"""The country of a person."""

from functools import cache


def country_of(phone: str | None, user_id: str | None) -> str:
    """The ISO code of the country of a phone number (E.164) or, without one, of a business-scoped user id; empty if neither
    says it."""
    if phone is None:
        return user_id[:2] if user_id is not None and user_id[2:3] == "." else ""
    for length in (1, 2, 3):
        regions = _regions().get(int(phone[1 : 1 + length] or 0))
        if regions is not None:
            # Most calling codes are one country's. A shared one, such as +1, needs the whole number.
            return regions[0] if len(regions) == 1 else _parsed(phone)
    return ""


@cache
def _regions() -> dict[int, tuple[str, ...]]:
    # The library takes tens of milliseconds to load.
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return {int(code): tuple(regions) for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}


def _parsed(phone: str) -> str:
    from phonenumbers import NumberParseException, parse, region_code_for_number

    try:
        return region_code_for_number(parse(phone, None)) or ""
    except NumberParseException:
        return ""
