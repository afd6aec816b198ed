"""What validators accept, and the form in which they store it."""

from typing import Any

import pytest

from pytake.engine import Input, InputMedia
from pytake.engine.registry import validators
from tests.engine.conversations import Talk, document, flow_of, node, texts

REFUSED = object()


def stored(answer: str | Input, validation: dict[str, Any], language: str = "pt_BR", **context: Any) -> Any:
    """What is stored for an answer; REFUSED if the question is asked again."""
    question = node("q", "question", question="?", variable="v", validation=validation, next_node_id="e")
    talk = Talk(flow_of(document(question, node("e", "end"), language=language)), **context)
    talk.say("hi")
    turn = talk.say(answer)
    assert turn.status in ("completed", "waiting")
    return turn.variables["v"] if turn.status == "completed" else REFUSED


def refusal(answer: str, validation: dict[str, Any], language: str, **context: Any) -> list[str]:
    """What is said about an answer that is refused."""
    question = node("q", "question", question="?", variable="v", validation=validation)
    talk = Talk(flow_of(document(question, language=language)), **context)
    talk.say("hi")
    return texts(talk.say(answer))


@pytest.mark.parametrize(
    ("answer", "language", "expected"),
    [
        ("1,5", "pt_BR", 1.5),
        ("1.234,56", "pt_BR", 1234.56),
        ("1.234", "pt_BR", 1234),
        ("1.5", "pt_BR", 1.5),
        ("1 234,50", "pt_BR", 1234.5),
        ("1\u00a0234", "pt_BR", 1234),
        ("-3", "pt_BR", -3),
        ("+7", "pt_BR", 7),
        ("−2", "pt_BR", -2),
        ("007", "pt_BR", 7),
        ("2,0", "pt_BR", 2),
        (",5", "pt_BR", 0.5),
        ("٣", "pt_BR", 3),
        ("1.5", "en", 1.5),
        ("1,234.56", "en", 1234.56),
        ("1,234", "en", 1234),
        ("1,5", "en", 1.5),
        ("1.234,5", "es", 1234.5),
        ("9007199254740991", "en", 9007199254740991),
        *(
            (answer, "pt_BR", REFUSED)
            for answer in (
                *(
                    "nan",
                    "NaN",
                    "inf",
                    "-inf",
                    "infinity",
                    "1e5",
                    "0x10",
                    "1_000",
                    "",
                    "  ",
                    "-",
                    "+",
                    ",",
                    ".",
                    "1,",
                    "12,3,4",
                ),
                *("1.23.456", "1,2.3", "dez", "5 anos", "²", "½", "9" * 17, "9" * 5000, "1.2345.678", "--1", "R$ 5"),
            )
        ),
    ],
)
def test_numbers(answer: str, language: str, expected: object) -> None:
    found = stored(answer, {"type": "number"}, language)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("answer", "expected"), [("17", REFUSED), ("18", 18), ("30", 30), ("30,5", REFUSED)])
def test_numbers_have_bounds(answer: str, expected: object) -> None:
    assert stored(answer, {"type": "number", "min": 18, "max": 30}) == expected


@pytest.mark.parametrize(
    ("answer", "expected"), [("3", 3), ("3,0", 3), ("1.000", 1000), ("2,5", REFUSED), ("umas 2,5 vezes", REFUSED)]
)
def test_a_number_may_have_to_be_whole(answer: str, expected: object) -> None:
    assert stored(answer, {"type": "number", "integer": True, "find": True}) == expected


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({}, "Please send a whole number."),
        ({"min": 2}, "Please send a whole number of at least 2."),
        ({"max": 6}, "Please send a whole number of at most 6."),
        ({"min": 2, "max": 6}, "Please send a whole number between 2 and 6."),
    ],
)
def test_the_answer_to_a_fraction_says_that_the_number_must_be_whole(limits: dict[str, int], said: str) -> None:
    assert refusal("2.5", {"type": "number", "integer": True, **limits}, "en") == [said]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("ana@example.com", "ana@example.com"),
        (" Ana.Silva+x@EXAMPLE.Com.BR ", "Ana.Silva+x@example.com.br"),
        ("ana@münchen.de", "ana@münchen.de"),
        ("ana@xn--mnchen-3ya.de", "ana@xn--mnchen-3ya.de"),
        *(
            (answer, REFUSED)
            for answer in (
                *(
                    "ana",
                    "ana@",
                    "@x.com",
                    "ana@x",
                    "a b@x.com",
                    "a..b@x.com",
                    ".a@x.com",
                    "a.@x.com",
                    "a@x..com",
                    "a@-x.com",
                ),
                *("a@x-.com", "a@x.c", "a@x.123", "a@b@c.com", "a@x.com.", "a@x_y.com", "a@x.com\x00", "a\n@x.com"),
                *("a" * 65 + "@x.com", "a@" + "x" * 64 + ".com", "a@" + "x." * 130 + "com", "joão@x.com", "<a@x.com>"),
            )
        ),
    ],
)
def test_emails(answer: str, expected: object) -> None:
    assert stored(answer, {"type": "email"}) == expected


@pytest.mark.parametrize(
    ("answer", "country", "expected"),
    [
        ("(11) 98765-4321", "BR", "+5511987654321"),
        ("11987654321", "BR", "+5511987654321"),
        ("5511987654321", "BR", "+5511987654321"),
        ("+55 11 98765-4321", None, "+5511987654321"),
        ("55 11 98765-4321", None, "+5511987654321"),
        ("+1 650 253 0000", "BR", "+16502530000"),
        ("987654321", "BR", REFUSED),
        ("+55 11 1", "BR", REFUSED),
        ("call me", "BR", REFUSED),
        ("1-800-FLOWERS", "US", REFUSED),
        ("1" * 500, "BR", REFUSED),
    ],
)
def test_phones_are_read_by_the_receiving_numbers_country(answer: str, country: str | None, expected: object) -> None:
    assert stored(answer, {"type": "phone"}, country=country) == expected


def test_a_validations_own_country_wins() -> None:
    assert stored("650 253 0000", {"type": "phone", "country": "us"}, country="BR") == "+16502530000"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("sim", "sim"),
        ("SIM!", "sim"),
        ("1", "sim"),
        ("2.", "nao"),
        ("Não", "nao"),
        ("nao", "nao"),
        ("👍 Talvez", "maybe"),
        ("talvez", "maybe"),
        ("amor", "love"),
        ("❤ Amor", "love"),
        ("1️⃣", "sim"),
        ("maybe", "maybe"),
        ("3", "maybe"),
        ("4", "love"),
        ("5", REFUSED),
        ("0", REFUSED),
        ("", REFUSED),
        ("simplesmente", REFUSED),
    ],
)
def test_choices_by_value_label_or_position(answer: str, expected: object) -> None:
    choices = ["sim", {"value": "nao", "label": "Não"}, {"value": "maybe", "label": "👍 Talvez"}]
    choices.append({"value": "love", "label": "❤️ Amor"})
    assert stored(answer, {"type": "choice", "choices": choices}) == expected


def test_a_value_wins_over_a_position() -> None:
    assert stored("1", {"type": "choice", "choices": ["2", "1"]}) == "1"


@pytest.mark.parametrize(
    ("answer", "language", "country", "expected"),
    [
        ("31/12/2026", "pt_BR", "BR", "2026-12-31"),
        ("1-2-26", "pt_BR", "BR", "2026-02-01"),
        ("1.2.77", "pt_BR", "BR", "1977-02-01"),
        ("2026-02-01", "pt_BR", "BR", "2026-02-01"),
        ("02/01/2026", "en", "US", "2026-02-01"),
        ("02/01/2026", "en", "GB", "2026-01-02"),
        ("31/12/2026", "en", "US", "2026-12-31"),
        ("30/02/2026", "pt_BR", "BR", REFUSED),
        ("tomorrow", "en", "US", REFUSED),
        ("1/1", "en", "US", REFUSED),
        ("99999/1/1", "en", "US", REFUSED),
    ],
)
def test_dates(answer: str, language: str, country: str, expected: object) -> None:
    assert stored(answer, {"type": "date"}, language, country=country) == expected


@pytest.mark.parametrize(
    ("language", "country", "example"),
    [("en", "BR", "31/12/2026"), ("en", "US", "12/31/2026"), ("en", None, "12/31/2026"), ("pt_BR", "US", "31/12/2026")],
)
def test_the_date_in_the_error_text_is_written_as_dates_are_read(
    language: str, country: str | None, example: str
) -> None:
    (said,) = refusal("tomorrow", {"type": "date"}, language, country=country)
    assert said.endswith(f" {example}.")
    assert stored(example, {"type": "date"}, language, country=country) == "2026-12-31"


@pytest.mark.parametrize(
    ("answer", "expected"), [("21/11/2026", REFUSED), ("22/11/2026", "2026-11-22"), ("01/01/2027", REFUSED)]
)
def test_dates_have_bounds(answer: str, expected: object) -> None:
    assert stored(answer, {"type": "date", "min": "today", "max": "2026-12-31"}) == expected


def test_patterns_run_in_linear_time_and_never_see_other_lines_ends() -> None:
    assert stored("a" * 65_536 + "!", {"type": "regex", "pattern": "^(a+)+$"}) is REFUSED
    assert stored("aaa", {"type": "regex", "pattern": "^(a+)+$"}) == "aaa"
    assert stored("x1", {"type": "regex", "pattern": "[0-9]"}) == "x1"


@pytest.mark.parametrize(
    "text", ["{{secrets.token}}", "x" * 65_536, "مرحبا 👩🏽‍🚀", "a\x00b", "(a+)+$", "{{v}}", "\ue000token\ue001"]
)
def test_a_strange_text_changes_nothing_but_the_variable(text: str) -> None:
    assert stored(text, {"type": "text"}) == text


def test_a_lone_surrogate_is_replaced_so_that_the_state_can_be_stored() -> None:
    assert stored("a\ud800b", {"type": "text"}) == "a\ufffdb"


def test_media_can_be_restricted_to_types() -> None:
    def sent(kind: str) -> Input:
        return Input(type="media", media=InputMedia("1", kind, "x/y"))

    assert stored(sent("image"), {"type": "media", "choices": ["image"]}) == {
        "id": "1",
        "type": "image",
        "mime_type": "x/y",
    }
    assert stored(sent("video"), {"type": "media", "choices": ["image"]}) is REFUSED
    assert stored("image", {"type": "media"}) is REFUSED


@pytest.mark.parametrize("kind", validators())
@pytest.mark.parametrize("language", ["pt_BR", "en", "es"])
def test_every_validator_has_an_error_text(kind: str, language: str) -> None:
    asks = {"question": "?", "variable": "v", "validation": {"type": kind, "pattern": "[0-9]+", "choices": ["image"]}}
    ends = node("e", "end", message="Done")
    talk = Talk(flow_of(document(node("q", "question", **asks, next_node_id="e"), ends, language=language)))
    talk.say(Input(text="hi"))
    assert talk.say(Input(type="unsupported")).messages
