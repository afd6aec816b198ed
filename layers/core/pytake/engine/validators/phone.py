"""Phone numbers."""

from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.limits import PHONE_CHARACTERS
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED, typed_text


@validator("phone")
def phone(validation: Validation, build: NodeBuild) -> Check:
    """A valid phone number, stored as E.164. National numbers belong to `country`, or to the receiving number's country."""
    # The library takes tens of milliseconds to load, so only flows that ask for a phone number load it.
    from phonenumbers import (
        SUPPORTED_REGIONS,
        NumberParseException,
        PhoneNumberFormat,
        format_number,
        is_valid_number,
        parse,
    )

    wanted = validation.country.upper() if validation.country else None
    if wanted is not None and wanted not in SUPPORTED_REGIONS:
        message = f"`{validation.country}` is not a country code. Use two letters, such as BR."
        build.problem("invalid_value", "validation.country", message)

    def normalised(text: str, country: str | None) -> str | None:
        try:
            number = parse(text, country)
        except NumberParseException:
            return None
        return format_number(number, PhoneNumberFormat.E164) if is_valid_number(number) else None

    def check(run: Execution) -> object:
        answer = typed_text(run.input)
        if answer is None or len(answer) > PHONE_CHARACTERS or any(c.isalpha() for c in answer):
            return REFUSED
        country = wanted or run.context.country
        country = country.upper() if country else None
        found = normalised(answer, country)
        if found is None and not answer.startswith("+"):
            found = normalised(f"+{answer}", None)  # an international number without the plus sign
        return found or REFUSED

    return check
