"""Whose webhook posts are believed."""

import hashlib
import hmac

import pytest

from pytake.whatsapp.signature import sign, verify

BODY = rb'{"text":"caf\u00e9 https:\/\/example.com"}'


def test_a_signature_is_the_hmac_of_the_raw_bytes() -> None:
    expected = hmac.new(b"s3cret", BODY, hashlib.sha256).hexdigest()
    assert sign("s3cret", BODY) == f"sha256={expected}"


def test_meta_is_believed_under_the_current_and_the_previous_secret() -> None:
    assert verify(BODY, sign("new", BODY), ["new", "old"])
    assert verify(BODY, sign("old", BODY), ["new", "old"])
    assert not verify(BODY, sign("older", BODY), ["new", "old"])


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        sign("s3cret", BODY).removeprefix("sha256="),
        sign("s3cret", BODY).upper(),
        sign("s3cret", BODY).replace("sha256", "sha1"),
        sign("s3cret", BODY)[:-1],
        sign("s3cret", BODY) + " ",
        "sha256=é",
        "sha256=\udcff",
    ],
)
def test_anything_but_the_exact_header_is_refused(header: str | None) -> None:
    assert not verify(BODY, header, ["s3cret"])


def test_a_body_that_was_decoded_and_encoded_again_is_refused() -> None:
    assert not verify('{"text":"café https://example.com"}'.encode(), sign("s3cret", BODY), ["s3cret"])


def test_an_empty_secret_signs_nothing() -> None:
    assert not verify(BODY, sign("", BODY), [""])
    assert not verify(BODY, sign("", BODY), [])
