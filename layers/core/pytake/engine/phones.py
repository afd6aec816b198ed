"""Phone numbers as people write them."""

from pytake.engine.limits import PHONE_CHARACTERS


def normalised_phone(text: str, country: str | None) -> str | None:
    """A phone number in E.164; None if the text is not a valid one.

    A national number belongs to `country` (an ISO code). An international one may lack its plus sign.
    """
    if len(text) > PHONE_CHARACTERS or any(map(str.isalpha, text)):
        return None
    found = _parsed(text, country.upper() if country else None)
    if found is None and not text.startswith("+"):
        found = _parsed(f"+{text}", None)
    return found


def _parsed(text: str, country: str | None) -> str | None:
    # The library takes tens of milliseconds to load, so only what reads phone numbers loads it.
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_valid_number, parse

    try:
        number = parse(text, country)
    except NumberParseException:
        return None
    return format_number(number, PhoneNumberFormat.E164) if is_valid_number(number) else None
