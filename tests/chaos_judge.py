"""Judge the answers on a phone: which are missing, which came twice, which came too early.

A message group delivers nothing behind an unfinished message, so answers arrive in the order of the texts that they answer. A
dead-lettered answer leaves the queue, and the answers behind it do not wait (docs/operations.md, "Dead letters"). Redriven
answers go to the end of the queue in their original order. So each must arrive before the answer to any later text.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Redriven:
    """When an answer was last redriven: in which round, and how many texts the person had said by then."""

    round: int
    said: int


@dataclass(frozen=True)
class Verdict:
    """The wrong answers by kind of error. One that came three times is doubled twice.

    `late` are those that were doubled because a status came after the deadline of an unknown outcome, as operators were told.
    """

    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    out_of_order: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    late: tuple[str, ...] = ()


def judge(
    expected: Sequence[str],
    shown: Sequence[str],
    redriven: Mapping[str, Redriven],
    doubts: Callable[[str], int] = lambda _: 0,
) -> Verdict:
    """Judge the answers that a phone has `shown`, in order. `expected` are the answers in the order of the texts.

    `doubts` says how often operators were told that an answer may be doubled; it is asked for doubled ones only.
    """
    times = Counter(shown)
    order = [text for text in dict.fromkeys(shown) if text in expected]  # duplicates are counted separately
    more = {text: times[text] - 1 for text in expected if times[text] > 1}
    told = {text: min(count, doubts(text)) for text, count in more.items()}
    return Verdict(
        lost=tuple(text for text in expected if not times[text]),
        doubled=tuple(text for text, count in more.items() for _ in range(count - told[text])),
        late=tuple(text for text, count in told.items() for _ in range(count)),
        out_of_order=tuple(
            text
            for place, text in enumerate(order)
            if any(_precedes(later, text, expected, redriven) for later in order[place + 1 :])
        ),
        foreign=tuple(text for text in shown if text not in expected),
    )


def _precedes(one: str, other: str, expected: Sequence[str], redriven: Mapping[str, Redriven]) -> bool:
    """Whether `one` had to arrive before `other`."""
    first, second = expected.index(one), expected.index(other)
    again, other_again = redriven.get(one), redriven.get(other)
    if again is None:
        return first < second
    if other_again is None:
        return second >= again.said
    return first < second and again.round <= other_again.round
