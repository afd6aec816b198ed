"""Normalises what people type: case, accents, spacing, punctuation and emoji make no difference."""

import unicodedata
from functools import lru_cache

_PUNCTUATION = {ord(mark): " " for mark in ".,!?;:…\"'’‘“”()[]{}¡¿*_~"}
_PICTURES = ("So", "Sk", "Cf")  # emoji, their skin tones and joiners
_PICTURE_MARKS = frozenset("\u20e3" + "".join(map(chr, range(0xFE00, 0xFE10))))  # a keycap's frame, variation selectors
_CACHED_CHARACTERS = 128


def _bare(text: str) -> str:
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(
            " " if unicodedata.category(c) in _PICTURES else c
            for c in decomposed
            if not unicodedata.combining(c) and c not in _PICTURE_MARKS
        )
    lowered = text.casefold()
    return " ".join(lowered.translate(_PUNCTUATION).split()) or " ".join(lowered.split())


_cached = lru_cache(maxsize=2048)(_bare)


def normalize_text(text: str) -> str:
    """The text in the form that is compared: `" Não! "` becomes `nao`. A text that consists of emoji only stays as it is."""
    return (_cached(text) if len(text) <= _CACHED_CHARACTERS else _bare(text)) or text.strip()


_LOOKS = dict.fromkeys((0xFE0F, *range(0x1F3FB, 0x1F400)))  # a variation selector, skin tones


def plain_emoji(emoji: str) -> str:
    """An emoji without what only changes its look, so that a thumb of each skin tone is the same one."""
    return emoji.strip().translate(_LOOKS)
