"""The commands `restart`, `stop` and `human`, which work at any point of any flow."""

from collections.abc import Mapping

from pytake.engine.limits import COMMAND_CHARACTERS
from pytake.engine.normalize import normalize_text
from pytake.engine.turn import Command
from pytake.whatsapp.input import Input


def match_command(answer: Input, commands: Mapping[str, Command]) -> Command | None:
    """The command in the person's message; None if the message is not one of the words in `commands`.

    The word may be typed, or it may be the label or payload of a template's quick reply, because templates are sent outside
    the flow. A flow's own buttons and rows are never commands. Case and accents do not matter.
    """
    if answer.type == "text":
        return _find(answer.text, commands)
    if answer.is_template_reply:
        return _find(answer.text, commands) or _find(answer.reply_id or "", commands)
    return None


def _find(text: str, commands: Mapping[str, Command]) -> Command | None:
    normalized = normalize_text(text) if 0 < len(text) <= COMMAND_CHARACTERS else ""
    if not normalized:
        return None
    for word, command in commands.items():
        if normalize_text(word) == normalized:
            return command
    return None
