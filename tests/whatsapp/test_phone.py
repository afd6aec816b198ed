"""The spellings under which a known contact is looked for."""

import pytest

from pytake.whatsapp.phone import variants


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5511987654321", "551187654321"),  # Brazil, São Paulo
        ("5548991234567", "554891234567"),
        ("5491123456789", "541123456789"),  # Argentina
        ("5215512345678", "525512345678"),  # Mexico
    ],
)
def test_a_number_is_found_by_either_spelling(one: str, other: str) -> None:
    assert variants(one) == [one, other]
    assert variants(other) == [other, one]


@pytest.mark.parametrize("phone", ["551133334444", "5511933334444", "14155550100", "351912345678", "55", "5511"])
def test_other_numbers_have_one_spelling(phone: str) -> None:
    assert variants(phone) == [phone]


def test_signs_are_left_out() -> None:
    assert variants("+55 (11) 98765-4321") == ["5511987654321", "551187654321"]
    assert variants("") == []
    assert variants("BR.abc") == []
