"""Reasons in words."""

import pytest

from local.console.reasons import in_words
from local.console.words import TEXTS, Words
from pytake.whatsapp.errors import ErrorClass


@pytest.mark.parametrize("kind", ErrorClass)
def test_every_class_of_errors_has_words(kind: ErrorClass) -> None:
    assert f"reason.{kind.value}" in TEXTS


def test_a_reason_keeps_its_code_and_an_unknown_one_stays() -> None:
    assert in_words("fatal_token:190", Words("en")) == "Meta rejects the access token (190)"
    assert in_words("opted_out", Words("pt_BR")) == "A pessoa não quer receber mensagens (opted_out)"
    assert in_words("failed too often", Words("en")) == "failed too often"
