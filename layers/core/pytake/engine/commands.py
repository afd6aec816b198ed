"""The commands `restart`, `stop` and `human`, which work at any point of any flow."""

import re
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import TypeVar

from pytake.engine.limits import COMMAND_CHARACTERS
from pytake.engine.normalize import normalize_text
from pytake.engine.turn import Command
from pytake.whatsapp.input import Input

OPT_OUT = frozenset(
    (
        *("stop", "stop all", "stopall", "unsubscribe", "opt out", "optout"),
        *("parar", "pare", "pare de enviar", "sair", "descadastrar", "descadastre", "nao quero mais"),
        *("baja", "dar de baja", "darme de baja", "alto", "no quiero mas"),
    )
)
"""Normalized words that always mean `stop`. A number may add words; it can never take these away."""

WEAK_OPT_OUT = frozenset(("cancel", "cancelar", "end", "quit", "remover", "salir"))
"""These mean `stop` too, unless the number gives them another meaning or the flow is offering them as an answer."""

_T = TypeVar("_T")

_POLITE = r"^(?:(?:por favor|please|pls|pf) )+|(?: (?:por favor|please|pls|pf|obrigado|obrigada|gracias|thanks))+$"


def match_command(answer: Input, commands: Mapping[str, Command], offered: Set[str] = frozenset()) -> Command | None:
    """The command in the person's message; None if it is neither a word of `commands` nor of the built-in opt-out words.

    The word may be typed, or it may be the label or payload of a template's quick reply, because templates are sent outside
    the flow. A flow's own buttons and rows are never commands. Case, accents, punctuation and "please" do not matter.
    `offered` are the normalized texts that the waiting node takes for a choice.
    """
    if answer.type == "text":
        return _find(answer.text, commands, offered)
    if answer.is_template_reply:
        return _find(answer.text, commands, offered) or _find(answer.reply_id or "", commands, offered)
    return None


def match_own(answer: Input, words: Mapping[str, _T]) -> _T | None:
    """What a flow's own words, which are normalized, mean in the person's message. None: the message is another one."""
    texts = [answer.text] if answer.type == "text" or answer.is_template_reply else []
    texts += [answer.reply_id or ""] if answer.is_template_reply else []
    for text in texts:
        normalized = normalize_text(text) if 0 < len(text) <= COMMAND_CHARACTERS else ""
        found = words.get(normalized) or words.get(_without_politeness(normalized))
        if found is not None:
            return found
    return None


def _find(text: str, commands: Mapping[str, Command], offered: Set[str]) -> Command | None:
    normalized = normalize_text(text) if 0 < len(text) <= COMMAND_CHARACTERS else ""
    if not normalized:
        return None
    plain = _without_politeness(normalized) if " " in normalized else normalized
    if normalized in OPT_OUT or plain in OPT_OUT:
        return "stop"
    for word, command in commands.items():
        if normalize_text(word) == normalized:
            return command
    return "stop" if plain in WEAK_OPT_OUT and normalized not in offered else None


@lru_cache(maxsize=2048)
def _without_politeness(normalized: str) -> str:
    return re.sub(_POLITE, "", normalized)  # compiled on first use, not when the module is imported
