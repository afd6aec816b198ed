"""Regular expressions of flows: RE2, which takes linear time for every text."""

from collections.abc import Callable

Matches = Callable[[str], bool]


class PatternError(ValueError):
    """RE2 does not accept a pattern. The text says why."""


def compile_pattern(pattern: str) -> Matches:
    """A function that says whether the pattern is found in a text. Raises PatternError."""
    import re2  # type: ignore[import-untyped]  # only flows with patterns load it

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        # The compiled expression itself: the library's `search` builds an object for each match, which takes longer than
        # the search. It reads bytes.
        expression = re2.compile(pattern.encode(), options)._regexp
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise PatternError(reason) from None
    find, anywhere = expression.Match, expression.Anchor.UNANCHORED

    def matches(text: str) -> bool:
        raw = text.encode(errors="replace")
        start: int = find(anywhere, raw, 0, len(raw))[0][0]
        return start >= 0  # -1 without a match

    return matches
