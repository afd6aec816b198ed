"""Locations."""

from typing import Any

from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED
from pytake.whatsapp.input import InputLocation


@validator("location")
def location(_: Validation, __: NodeBuild) -> Check:
    """A location, stored as an object with `latitude`, `longitude`, `name` and `address`. The question shows "Send location"."""

    def check(run: Execution) -> object:
        sent = run.input.location
        return REFUSED if sent is None else location_value(sent)

    return check


def location_value(sent: InputLocation) -> dict[str, Any]:
    """A location as it is stored in a variable, without missing parts."""
    found = {name: getattr(sent, name) for name in ("latitude", "longitude", "name", "address")}
    return {name: value for name, value in found.items() if value is not None}
