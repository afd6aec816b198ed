"""Places."""

from typing import Any

from pytake.engine.compiler import NodeBuild
from pytake.engine.execution import Execution
from pytake.engine.registry import Check, validator
from pytake.engine.turn import InputLocation
from pytake.engine.validation import REFUSED, Validation


@validator("location")
def location(_: Validation, __: NodeBuild) -> Check:
    """A place, stored as an object with `latitude`, `longitude`, `name` and `address`. The question shows "Send location"."""

    def check(run: Execution) -> object:
        sent = run.input.location
        return REFUSED if sent is None else location_value(sent)

    return check


def location_value(sent: InputLocation) -> dict[str, Any]:
    """A place as it is stored in a variable; what it does not have is left out."""
    found = {name: getattr(sent, name) for name in ("latitude", "longitude", "name", "address")}
    return {name: value for name, value in found.items() if value is not None}
