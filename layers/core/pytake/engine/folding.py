"""Comparing what people type: case, accents, spacing and the punctuation around it make no difference."""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=2048)
def _fold(text: str) -> str:
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    words = " ".join(text.casefold().split())
    start, end = 0, len(words)
    while start < end and not words[start].isalnum():
        start += 1
    while end > start and not words[end - 1].isalnum():
        end -= 1
    return words[start:end] or words  # "👍" is all there is to fold


def fold(text: str) -> str:
    """The text as it is compared: `fold(" Não! ") == fold("nao")`. Texts of only marks or emoji stay as they are."""
    return _fold(text) if len(text) <= 256 else _fold.__wrapped__(text)
