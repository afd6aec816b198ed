"""Values inside sentences: the operators `has_...` with `keep_as`, and `find` in a validation."""

from typing import Any

import pytest

from pytake.engine import FlowError, validate
from tests.engine.conversations import Talk, document, flow_of, node, texts

END = node("e", "end", message="kept: {{kept | default('nothing')}}")
NO = node("n", "end", message="no {{kept | default('nothing')}}")


def kept(operator: str, text: str, value: Any = None, language: str = "pt_BR") -> Any:
    """What the operator finds in a text; None if it does not hold."""
    when = {"variable": "input.text", "operator": operator, "value": value, "keep_as": "kept"}
    condition = node("c", "condition", **when, true_next_node_id="e", false_next_node_id="n")
    turn = Talk(flow_of(document(condition, END, NO, language=language))).say(text)
    assert (turn.node_id == "e") is ("kept" in turn.variables)
    return turn.variables.get("kept")


@pytest.mark.parametrize(
    ("operator", "text", "value", "expected"),
    [
        ("has_number", "somos 4, obrigado", None, 4),
        ("has_number", "custa R$ 1.234,50!", None, 1234.5),
        ("has_number", "uns -3 graus", None, -3),
        ("has_number", "quero 2kg", None, 2),
        ("has_number", "código A12", None, None),
        ("has_number", "nenhum", None, None),
        ("has_email", "é <Ana@Example.COM>, certo?", None, "Ana@example.com"),
        ("has_email", "ana@ casa e x@y", None, None),
        ("has_phone", "liga no (11) 98765-4321 depois das 10", None, "+5511987654321"),
        ("has_phone", "do you have +1 (206) 555-0100?", None, "+12065550100"),
        ("has_phone", "12345", None, None),
        ("has_date", "pode ser 31/12/2026 ou 1.1.2027?", None, "2026-12-31"),
        ("has_date", "30/02/2026 não existe, mas 2026-03-01 sim", None, "2026-03-01"),
        ("has_date", "12/2026", None, None),
        ("has_words", "Quero o VERMELHO, por favor", "rojo, vermelho", "VERMELHO"),
        ("has_words", "avermelhado", "vermelho", None),
        ("has_words", "eu não sei", ["NAO sei"], "não sei"),
        ("has_words", "não, eu sei", ["não sei"], None),
        ("has_words", "red or blue", ["blue", "red"], "red"),
    ],
)
def test_a_value_is_found_and_kept(operator: str, text: str, value: Any, expected: Any) -> None:
    assert kept(operator, text, value) == expected


def test_a_number_is_read_in_the_language_of_the_flow() -> None:
    assert kept("has_number", "about 1,234.5 km", language="en") == 1234.5


def branching(**branch: Any) -> Talk:
    branches = [{**branch, "next_node_id": "e"}]
    condition = node("c", "condition", branches=branches, default_next_node_id="n")
    return Talk(flow_of(document(condition, END, NO)))


def test_a_later_comparison_of_a_branch_sees_what_was_kept() -> None:
    number = {"variable": "input.text", "operator": "has_number", "keep_as": "kept"}
    talk = branching(all=[number, {"variable": "kept", "operator": ">", "value": 10}])
    assert texts(talk.say("12 people")) == ["kept: 12"]
    turn = talk.say("only 9")
    assert (texts(turn), turn.variables) == (["no nothing"], {})


def test_the_comparison_that_holds_keeps_its_value() -> None:
    number = {"variable": "input.text", "operator": "has_number", "keep_as": "kept"}
    talk = branching(any=[number, {**number, "operator": "has_email"}])
    assert texts(talk.say("ana@example.com")) == ["kept: ana@example.com"]


def test_the_prover_knows_what_is_kept_and_where() -> None:
    def codes(operator: str, value: Any, text: str) -> list[tuple[str, str | None]]:
        has = node(
            "c",
            "condition",
            variable="input.text",
            operator="has_number",
            keep_as="age",
            true_next_node_id="d",
            false_next_node_id="n",
        )
        second = node("d", "condition", variable="age", operator=operator, value=value)
        second["data"] |= {"true_next_node_id": "e", "false_next_node_id": "e"}
        nodes = has, second, node("e", "end", message="{{age}}"), node("n", "end", message=text)
        return [(problem.code, problem.node_id) for problem in validate({"main": document(*nodes)}, "main")]

    assert codes(">", 18, "no") == []
    assert codes("is_empty", None, "no") == [("branch_never_taken", "d")]
    assert codes(">", 18, "{{age}}") == [("variable_never_assigned", "n")]


@pytest.mark.parametrize(
    "comparison",
    [
        {"operator": "==", "value": 1, "keep_as": "kept"},
        {"operator": "has_words"},
        {"operator": "has_words", "value": "{{x}}"},
        {"operator": "has_number", "keep_as": "a b"},
    ],
)
def test_comparisons_that_cannot_find_anything_are_problems(comparison: dict[str, Any]) -> None:
    with pytest.raises(FlowError):
        branching(all=[{"variable": "input.text", **comparison}])


def answered(text: str, **validation: Any) -> Any:
    nodes = node("q", "question", question="?", variable="v", validation=validation, next_node_id="e"), node("e", "end")
    talk = Talk(flow_of(document(*nodes, language="pt_BR")))
    talk.say("oi")
    return talk.say(text).variables.get("v")


@pytest.mark.parametrize(
    ("text", "validation", "expected"),
    [
        ("são 41, obrigado", {"type": "number"}, 41),
        ("41", {"type": "number"}, 41),
        ("entre 3 e 15 pessoas", {"type": "number", "min": 10}, 15),
        ("nenhum", {"type": "number"}, None),
        ("meu e-mail é ana@example.com.", {"type": "email"}, "ana@example.com"),
        ("pode ligar: 11 98765-4321", {"type": "phone"}, "+5511987654321"),
        ("206 555 0100 in Seattle", {"type": "phone", "country": "US"}, "+12065550100"),
        ("nasci em 01/02/1990", {"type": "date", "max": "today"}, "1990-02-01"),
        ("quero a pequena!", {"type": "choice", "choices": [{"value": "s", "label": "Pequena"}, "grande"]}, "s"),
    ],
)
def test_find_takes_the_value_out_of_a_sentence(text: str, validation: dict[str, Any], expected: Any) -> None:
    assert answered(text, find=True, **validation) == expected
    if text != "41":
        assert answered(text, **validation) is None


def test_find_works_only_where_there_is_something_to_find() -> None:
    with pytest.raises(FlowError, match=r"validation\.find"):
        answered("x", type="media", find=True)
