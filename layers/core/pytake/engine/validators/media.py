"""Pictures, videos, audios, documents and stickers."""

from typing import Any

from pytake.engine.compiler import NodeBuild
from pytake.engine.execution import Execution
from pytake.engine.registry import Check, validator
from pytake.engine.turn import InputMedia
from pytake.engine.validation import REFUSED, ChoiceSpec, Validation

KINDS = ("image", "video", "audio", "document", "sticker")


@validator("media")
def media(validation: Validation, build: NodeBuild) -> Check:
    """A file, stored as an object with `id`, `type`, `mime_type`, `caption` and `filename`; `choices` narrows the types."""
    wanted = {spec.value if isinstance(spec, ChoiceSpec) else spec for spec in validation.choices or KINDS}
    for kind in sorted(wanted.difference(KINDS)):
        message = f"`{kind}` is no kind of media; the kinds are {', '.join(KINDS)}."
        build.problem("invalid_value", "validation.choices", message)

    def check(run: Execution) -> object:
        sent = run.input.media
        return REFUSED if sent is None or sent.type not in wanted else media_value(sent)

    return check


def media_value(sent: InputMedia) -> dict[str, Any]:
    """A file as it is stored in a variable; what it does not have is left out."""
    found = {name: getattr(sent, name) for name in ("id", "type", "mime_type", "caption", "filename")}
    return {name: value for name, value in found.items() if value is not None}
