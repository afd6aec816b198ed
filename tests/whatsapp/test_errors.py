"""What each error of the Graph API means for a message."""

from typing import Any

import pytest

from pytake.whatsapp.errors import ErrorClass, classify

TABLE = {
    ErrorClass.RETRY: [4, 80007, 130429, 131057],
    ErrorClass.HOLD_RECIPIENT: [131056],
    ErrorClass.TRANSIENT: [1, 2, 131000, 131016, 133004],
    ErrorClass.RETRY_MANUALLY: [131048, 131049, 131064, 130472],
    ErrorClass.PERMANENT: [100, 33, 131008, 131009, 131021, 131026, 131051, 131052, 130403, 130497, 137000, 135000],
    ErrorClass.WINDOW_CLOSED: [131047],
    ErrorClass.OPTED_OUT: [131050],
    ErrorClass.INVALID_RECIPIENT: [131062, 131030],
    ErrorClass.MEDIA: [131053],
    ErrorClass.TEMPLATE: [
        *[132000, 132001, 132005, 132007, 132012, 132015, 132016, 132018, 132068, 132069, 131063],
    ],
    ErrorClass.FATAL_TOKEN: [0, 190, 3, 10, 200, 210, 299, 131005],
    ErrorClass.FATAL_ACCOUNT: [
        *[368, 131031, 131042, 134011, 131037, 131045, 133000, 133005, 133006, 133007, 133008, 133009, 133010],
        *[133015, 133016],
    ],
}
CODES = [(code, error_class) for error_class, codes in TABLE.items() for code in codes]


def test_every_class_has_its_codes() -> None:
    assert {*TABLE, ErrorClass.AMBIGUOUS} == set(ErrorClass)


@pytest.mark.parametrize(("code", "expected"), CODES)
def test_a_code_decides_in_an_answer_and_in_a_status(code: int, expected: ErrorClass) -> None:
    assert classify(400, {"code": code, "message": "whatever (#4)"}) is expected
    assert classify(400, {"code": str(code)}) is expected
    assert classify(400, {"code": code, "is_transient": False}) is expected
    assert classify(None, {"code": code}) is expected


@pytest.mark.parametrize(("code", "expected"), CODES)
def test_a_code_decides_on_a_server_error_too(code: int, expected: ErrorClass) -> None:
    assert classify(500, {"code": code}) is expected


@pytest.mark.parametrize(
    ("http_status", "error", "expected"),
    [
        (400, {"code": 999999}, ErrorClass.PERMANENT),
        (404, None, ErrorClass.PERMANENT),
        (400, {}, ErrorClass.PERMANENT),
        (400, {"code": None}, ErrorClass.PERMANENT),
        (400, {"code": True}, ErrorClass.PERMANENT),
        (400, {"code": "abc"}, ErrorClass.PERMANENT),
        (None, {"code": 999999}, ErrorClass.PERMANENT),
        (None, None, ErrorClass.PERMANENT),
        (500, {"code": 999999}, ErrorClass.AMBIGUOUS),
        (502, None, ErrorClass.AMBIGUOUS),
        (503, {}, ErrorClass.AMBIGUOUS),
        (200, None, ErrorClass.AMBIGUOUS),
        (429, None, ErrorClass.RETRY),
        (429, {"code": 999999}, ErrorClass.RETRY),
        (429, {"code": 131000}, ErrorClass.RETRY),
        (429, {"code": 131056}, ErrorClass.HOLD_RECIPIENT),
        (429, {"code": 131048}, ErrorClass.RETRY_MANUALLY),
    ],
)
def test_the_default_rules(http_status: int | None, error: dict[str, Any] | None, expected: ErrorClass) -> None:
    assert classify(http_status, error) is expected


@pytest.mark.parametrize(
    ("http_status", "code", "expected"),
    [
        (400, 100, ErrorClass.TRANSIENT),
        (400, 999999, ErrorClass.TRANSIENT),
        (401, 190, ErrorClass.TRANSIENT),
        (400, 131031, ErrorClass.TRANSIENT),
        (500, 190, ErrorClass.TRANSIENT),
        (500, 999999, ErrorClass.TRANSIENT),
        (400, 2, ErrorClass.TRANSIENT),
        (429, 4, ErrorClass.RETRY),
        (400, 131047, ErrorClass.WINDOW_CLOSED),
        (400, 131050, ErrorClass.OPTED_OUT),
        (400, 131048, ErrorClass.RETRY_MANUALLY),
    ],
)
def test_a_transient_error_gives_up_neither_the_message_nor_the_number(
    http_status: int, code: int, expected: ErrorClass
) -> None:
    assert classify(http_status, {"code": code, "is_transient": True}) is expected


def test_only_fatal_errors_stop_a_number() -> None:
    assert {error for error in ErrorClass if error.stops_number} == {ErrorClass.FATAL_TOKEN, ErrorClass.FATAL_ACCOUNT}
