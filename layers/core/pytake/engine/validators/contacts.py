"""Contact cards."""

from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED
from pytake.whatsapp.received import contacts_value


@validator("contacts")
def contacts(_: Validation, __: NodeBuild) -> Check:
    """Contact cards, stored as a list of objects with `name`, `phones`, `emails` and `organization`."""

    def check(run: Execution) -> object:
        found = contacts_value(run.input.payload) if run.input.type == "contacts" else None
        return REFUSED if found is None else found

    return check
