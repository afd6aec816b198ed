"""How many random or repeated cases a test runs: a share of them in `make test`, all of them in `make faults`."""

import os

SHARE = 1 if os.environ.get("PYTAKE_THOROUGH") else 4
"""One case of this many is run."""


def share(cases: int) -> int:
    """Return how many of `cases` are run."""
    return cases // SHARE
