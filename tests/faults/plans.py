"""Fault plans: which call of a worker to a service meets which fault."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from tests.depth import SHARE

BEFORE = ("crash_before", "error_before", "timeout_before", "stall_before")
AFTER = ("crash_after", "error_after", "timeout_after", "stall_after")
STALLS = (1.0, 12.0, 45.0, 400.0)
GRAPH = (
    "crash_before",
    "crash_after",
    "stall_before",
    "stall_after",
    "cut_before",
    "cut_after",
    "500_before",
    "500_after",
    "131000_before",
    "131000_after",
    "429",
    "131056",
    "131026",
    "131049",
    "190",
    "131047",
    "131050",
    "131053",
    "131042",
)
NEVER_RAISES = ("crash_before", "crash_after", "stall_before", "stall_after")
CONFLICTS = ("conflict",)


def kinds(call: str) -> Sequence[str]:
    """The faults that a call can meet."""
    if call == "graph.send":
        return GRAPH
    if call.startswith(("events.", "lambda.")):
        return NEVER_RAISES
    if call in ("conversations.commit", "deliveries.claim", "deliveries.settle"):
        return (*BEFORE, *AFTER, *CONFLICTS) if call == "conversations.commit" else (*BEFORE, *AFTER)
    return (*BEFORE, *AFTER)


def single_faults(
    calls: Sequence[str], kinds: Callable[[str], Sequence[str]], share: int = SHARE
) -> Iterator[tuple[int, str]]:
    """The number of a call, from 1, and a fault that it meets: every call meets some of its faults, and every fault is met by
    some calls of the same name, evenly spread; a rare call meets all of its faults. With a `share` of 1 every call does."""
    count, seen = Counter(calls), Counter[str]()
    for number, call in enumerate(calls, 1):
        seen[call] += 1
        for place, kind in enumerate(kinds(call)):
            if count[call] <= share or (seen[call] + place) % share == 0:
                yield number, kind


class Plan(Protocol):
    def fault(self, number: int, call: str, now: float) -> str | None:
        """The fault that the `number`th call meets, if any."""

    def stall(self) -> float:
        """How long a stall takes."""


class NoFaults:
    """No call meets a fault. Records the calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def fault(self, number: int, call: str, now: float) -> str | None:
        self.calls.append(call)
        return None

    def stall(self) -> float:
        return 0


class SingleFault:
    """One call meets one fault."""

    def __init__(self, number: int, kind: str, stall: float = 400.0) -> None:
        self._number = number
        self._kind = kind
        self._stall = stall

    def fault(self, number: int, call: str, now: float) -> str | None:
        return self._kind if number == self._number else None

    def stall(self) -> float:
        return self._stall


class RandomFaults:
    """Any call may meet any fault, until `until`; some runs prefer some kinds."""

    def __init__(self, chance: random.Random, rate: float, until: float, preferred: Sequence[str] = ()) -> None:
        self._chance = chance
        self._rate = rate
        self._until = until
        self._preferred = preferred

    def fault(self, number: int, call: str, now: float) -> str | None:
        if now > self._until or self._chance.random() >= self._rate:
            return None
        possible = kinds(call)
        liked = [kind for kind in possible if kind in self._preferred]
        return self._chance.choice(liked if liked and self._chance.random() < 0.8 else possible)

    def stall(self) -> float:
        return self._chance.choice(STALLS)
