"""Any answer."""

from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED
from pytake.engine.validators.location import location_value
from pytake.engine.validators.media import media_value


@validator("any")
def any_(_: Validation, __: NodeBuild) -> Check:
    """Any answer: a typed text, the value of a tapped option, media and locations as their validators store them, the response of
    a form, contacts and orders as Meta sends them. Only an answer without any content is rejected."""

    def check(run: Execution) -> object:
        answer = run.input
        if answer.reply_id is not None:
            return answer.reply_id
        if answer.media is not None:
            return media_value(answer.media)
        if answer.location is not None:
            return location_value(answer.location)
        if answer.response is not None:
            return answer.response
        if answer.type in ("contacts", "order") and answer.payload is not None:
            return answer.payload
        return answer.text.strip() or REFUSED

    return check
