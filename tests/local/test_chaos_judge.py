"""The judge of `make chaos` reports every kind of wrong history."""

import itertools

import pytest

from tests.chaos_judge import Redriven, Verdict, judge

SAID = ("a", "b", "c", "d")
GOOD = Verdict()


def test_what_arrives_once_and_in_order_is_good() -> None:
    assert judge(SAID, SAID, {}) == GOOD


@pytest.mark.parametrize("shown", [shown for shown in itertools.permutations(SAID) if shown != SAID])
def test_every_other_order_is_found(shown: tuple[str, ...]) -> None:
    verdict = judge(SAID, shown, {})
    assert verdict.out_of_order
    assert (verdict.lost, verdict.doubled, verdict.foreign) == ((), (), ())


def test_what_is_missing_there_twice_or_anothers_is_found() -> None:
    assert judge(SAID, "acd", {}) == Verdict(lost=("b",))
    assert judge(SAID, "", {}) == Verdict(lost=SAID)
    assert judge(SAID, "abcbd", {}) == Verdict(doubled=("b",))
    assert judge(SAID, "abbbcd", {}) == Verdict(doubled=("b", "b"))
    assert judge(SAID, "abcdx", {}) == Verdict(foreign=("x",))


def test_a_redriven_answer_may_come_behind_those_that_did_not_wait_for_it() -> None:
    everything_was_said = {"b": Redriven(1, 4)}
    for shown in ("acdb", "acbd", "abcd"):
        assert judge(SAID, shown, everything_was_said) == GOOD


def test_a_redriven_answer_may_not_come_behind_what_was_said_after_it_was_redriven() -> None:
    three_were_said = {"b": Redriven(1, 3)}
    assert judge(SAID, "acbd", three_were_said) == GOOD
    assert judge(SAID, "acdb", three_were_said) == Verdict(out_of_order=("d",))


def test_a_redriven_answer_does_not_come_before_those_that_were_ahead_of_it() -> None:
    assert judge(SAID, "bacd", {"b": Redriven(1, 4)}) == Verdict(out_of_order=("b",))


def test_what_is_redriven_does_not_excuse_the_others() -> None:
    assert judge(SAID, "adcb", {"b": Redriven(1, 4)}) == Verdict(out_of_order=("d",))
    assert judge(SAID, "cab", {"b": Redriven(1, 4)}) == Verdict(lost=("d",), out_of_order=("c",))
    assert judge(SAID, "acdbb", {"b": Redriven(1, 4)}) == Verdict(doubled=("b",))
    assert judge(SAID, "acd", {"b": Redriven(1, 4)}) == Verdict(lost=("b",))


def test_what_is_redriven_together_keeps_its_order() -> None:
    together = {"b": Redriven(1, 4), "c": Redriven(1, 4)}
    assert judge(SAID, "adbc", together) == GOOD
    assert judge(SAID, "adcb", together) == Verdict(out_of_order=("c",))


def test_what_died_once_more_comes_behind_what_did_not() -> None:
    assert judge(SAID, "adcb", {"b": Redriven(2, 4), "c": Redriven(1, 4)}) == GOOD


def test_a_double_that_operators_were_told_of_is_counted_apart() -> None:
    assert judge(SAID, "abbcd", {}, lambda _: 1) == Verdict(late=("b",))
    assert judge(SAID, "abbbcd", {}, {"b": 1}.__getitem__) == Verdict(doubled=("b",), late=("b",))
    assert judge(SAID, "abcd", {}, {}.__getitem__) == GOOD, "what came once is not asked about"
