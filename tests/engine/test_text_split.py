"""Long texts are split where people would split them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytake.engine.text_split import split, split_off_tail, truncate

FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 10, ["short"]),
        ("One paragraph.\n\nAnother one.", 20, ["One paragraph.", "Another one."]),
        ("One line here\nanother line", 20, ["One line here", "another line"]),
        ("A sentence here. And another", 20, ["A sentence here.", "And another"]),
        ("some words without any end", 12, ["some words", "without any", "end"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        (FAMILY * 2, 8, [FAMILY, FAMILY]),
        ("🇧🇷🇧🇷🇧🇷", 3, ["🇧🇷", "🇧🇷", "🇧🇷"]),
        ("ée\u0301e\u0301", 2, ["é", "e\u0301", "e\u0301"]),
        ("", 5, []),
    ],
)
def test_splitting(text: str, limit: int, expected: list[str]) -> None:
    assert split(text, limit) == expected


@given(st.text(max_size=300), st.integers(1, 40))
def test_only_white_space_is_lost(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(0 < len(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(st.text(max_size=300), st.integers(1, 40))
@example("0\r", 1)
def test_a_tail_is_within_its_limit_and_never_blank(text: str, limit: int) -> None:
    head, tail = split_off_tail(text, limit)
    assert len(tail) <= limit
    assert bool(tail.strip()) or not text.strip() or not head
    assert "".join((head + tail).split()) == "".join(text.split())


def test_the_tail_starts_with_a_paragraph_if_one_fits() -> None:
    assert split_off_tail("Intro. More.\n\nThe question?", 20) == ("Intro. More.", "The question?")


@given(st.text(max_size=60), st.integers(2, 30))
def test_labels_fit(text: str, limit: int) -> None:
    assert len(truncate(text, limit)) <= limit
