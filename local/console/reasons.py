"""Why a message did not arrive or a number stands still, in words: the platform's reasons are a class and Meta's code."""

from local.console.words import Words


def in_words(reason: str, words: Words) -> str:
    """Return a reason such as `fatal_token:190` in words, with its code; an unknown one stays unchanged."""
    kind, _, code = reason.partition(":")
    text = words.get(f"reason.{kind.strip()}", "")
    return f"{text} ({code.strip() or kind})" if text else reason
