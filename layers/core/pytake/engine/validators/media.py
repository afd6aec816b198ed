"""Images, videos, audio, documents and stickers."""

from typing import Any

from pytake.engine.execution import Execution
from pytake.engine.field_types import ChoiceSpec, Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED
from pytake.whatsapp.input import InputMedia

TYPES = ("image", "video", "audio", "document", "sticker")


@validator("media")
def media(validation: Validation, build: NodeBuild) -> Check:
    """A file, stored as an object with `id`, `type`, `mime_type`, `caption` and `filename`. `choices` restricts the types."""
    wanted = {spec.value if isinstance(spec, ChoiceSpec) else spec for spec in validation.choices or TYPES}
    for kind in sorted(wanted.difference(TYPES)):
        message = f"`{kind}` is not a media type. The types are {', '.join(TYPES)}."
        build.problem("invalid_value", "validation.choices", message)

    def check(run: Execution) -> object:
        sent = run.input.media
        return REFUSED if sent is None or sent.type not in wanted else media_value(sent)

    return check


def media_value(sent: InputMedia) -> dict[str, Any]:
    """A file as it is stored in a variable, without missing parts."""
    found = {name: getattr(sent, name) for name in ("id", "type", "mime_type", "caption", "filename")}
    return {name: value for name, value in found.items() if value is not None}
