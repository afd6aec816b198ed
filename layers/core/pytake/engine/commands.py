"""The words that always work, whatever the flow waits for: restart, stop, human (Flow reference, "Words that always work")."""

from collections.abc import Mapping

from pytake.engine.limits import COMMAND_CHARACTERS
from pytake.engine.normalize import normalize_text
from pytake.engine.turn import Command, Input


def match_command(said: Input, words: Mapping[str, Command]) -> Command | None:
    """What the person's message means when it is one of a number's `words`, in any case and with any accents.

    It is typed, or it is the label or the payload of a template's quick reply: templates are sent beside any flow. A flow's own
    buttons and rows mean what the flow says.
    """
    if said.type == "text":
        return _meaning(said.text, words)
    if said.is_template_reply:
        return _meaning(said.text, words) or _meaning(said.reply_id or "", words)
    return None


def _meaning(text: str, words: Mapping[str, Command]) -> Command | None:
    folded = normalize_text(text) if 0 < len(text) <= COMMAND_CHARACTERS else ""
    if not folded:
        return None
    for word, meaning in words.items():
        if normalize_text(word) == folded:
            return meaning
    return None
