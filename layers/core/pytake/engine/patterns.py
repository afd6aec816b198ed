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
        # Bytes, because for a str the library also computes the position of each group, which is slower than the search.
        search = re2.compile(pattern.encode(), options).search
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise PatternError(reason) from None
    return lambda text: search(text.encode(errors="replace")) is not None
