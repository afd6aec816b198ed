"""Copies of what the fakes keep, so that a test changes neither what is stored nor what it has read."""

import pickle
from typing import TypeVar

Kept = TypeVar("Kept")


def copied(value: Kept) -> Kept:
    """A copy of everything in `value`. pickle takes a quarter of `copy.deepcopy`'s time, which was a third of a simulation's."""
    copy: Kept = pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))  # noqa: S301
    return copy
