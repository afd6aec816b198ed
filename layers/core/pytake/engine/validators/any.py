"""Whatever the person sends."""

from pytake.engine.compiler import NodeBuild
from pytake.engine.execution import Execution
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED, Validation
from pytake.engine.validators.location import location_value
from pytake.engine.validators.media import media_value


@validator("any")
def any_(_: Validation, __: NodeBuild) -> Check:
    """Any answer: a text as typed, the id of a tap, media and places as their validators store them, a form's answers,
    contacts and orders as Meta sent them. Only what cannot be read is refused."""

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
