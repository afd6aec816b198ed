"""Phone numbers."""

from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.phones import normalised_phone
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED, typed_text


@validator("phone")
def phone(validation: Validation, build: NodeBuild) -> Check:
    """A valid phone number, stored as E.164. National numbers belong to `country`, or to the receiving number's country."""
    # The library takes tens of milliseconds to load, so only flows that ask for a phone number load it.
    from phonenumbers import SUPPORTED_REGIONS

    wanted = validation.country.upper() if validation.country else None
    if wanted is not None and wanted not in SUPPORTED_REGIONS:
        message = f"`{validation.country}` is not a country code. Use two letters, such as BR."
        build.problem("invalid_value", "validation.country", message)

    def check(run: Execution) -> object:
        answer = typed_text(run.input)
        if answer is None:
            return REFUSED
        return normalised_phone(answer, wanted or run.context.country) or REFUSED

    return check
