"""Splits long texts at the end of a paragraph, line, sentence or word, and never inside what people see as one character."""

import unicodedata

_JOINER = "\u200d"
_SENTENCE_ENDS = (". ", "! ", "? ", "… ", "。", "！", "？", "؟ ")


def split(text: str, limit: int) -> list[str]:
    """The text in parts of at most `limit` characters. Only the white space at the split points is lost."""
    parts = []
    while len(text) > limit:
        cut = _last_break(text, limit)
        head, text = text[:cut].rstrip(), text[cut:].lstrip()
        if head:
            parts.append(head)
    if text:
        parts.append(text)
    return parts


def split_off_tail(text: str, limit: int) -> tuple[str, str]:
    """The text as a head of any length and a tail of at most `limit` characters, split at a suitable place."""
    if len(text) <= limit or len(text := text.rstrip()) <= limit:
        return "", text
    start = len(text) - limit
    for mark in ("\n\n", "\n", *_SENTENCE_ENDS, " "):
        found = text.find(mark, start - len(mark) if start >= len(mark) else 0)
        if found >= 0 and text[found + len(mark) :].strip() and len(text) - found - len(mark) <= limit:
            cut = found + len(mark)
            return text[:cut].rstrip(), text[cut:].lstrip()
    cut = start
    while cut < len(text) and not _is_boundary(text, cut):
        cut += 1
    cut = start if cut >= len(text) else cut
    return text[:cut].rstrip(), text[cut:].lstrip()


def truncate(text: str, limit: int) -> str:
    """The text shortened to `limit` characters with an ellipsis, for labels that cannot continue in another message."""
    if len(text) <= limit:
        return text
    return text[: _boundary_before(text, limit - 1)].rstrip() + "…"


def _last_break(text: str, limit: int) -> int:
    for mark in ("\n\n", "\n"):
        found = text.rfind(mark, limit // 2, limit + 1)
        if found > 0:
            return found + len(mark) if found + len(mark) <= limit else found
    ends = [found + len(mark) for mark in _SENTENCE_ENDS if (found := text.rfind(mark, limit // 2, limit)) > 0]
    if ends and max(ends) <= limit:
        return max(ends)
    space = max(text.rfind(" ", 1, limit + 1), text.rfind("\n", 1, limit + 1))
    return space if space > 0 else _boundary_before(text, limit)


def _boundary_before(text: str, position: int) -> int:
    """The nearest position at or before `position` where a character, as people see it, starts."""
    cut = position
    while cut > 0 and not _is_boundary(text, cut):
        cut -= 1
    return cut or position  # a single "character" longer than the limit has to be split


def _is_boundary(text: str, position: int) -> bool:
    before, after = text[position - 1], text[position]
    code = ord(after)
    if code < 0x300:
        return not (before == _JOINER or (before == "\r" and after == "\n"))
    if after == _JOINER or before == _JOINER or unicodedata.category(after) in ("Mn", "Me", "Mc"):
        return False
    if 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F:  # skin tones and flag tags
        return False
    if 0x1160 <= code <= 0x11FF:  # Korean vowels and finals join the letter before
        return False
    if 0x1F1E6 <= code <= 0x1F1FF:  # flags are pairs
        run = position
        while run > 0 and 0x1F1E6 <= ord(text[run - 1]) <= 0x1F1FF:
            run -= 1
        return (position - run) % 2 == 0
    return True
