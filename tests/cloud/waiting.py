"""Waiting for what the local cloud does on its own."""

import time
from collections.abc import Callable


def until(holds: Callable[[], bool], seconds: float = 90) -> None:
    """Return when it holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not hold"
        time.sleep(0.5)
