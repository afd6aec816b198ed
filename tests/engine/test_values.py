"""Calculations, lists and dates in `{{...}}`, and the actions `add` and `append`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytake.engine import Contact, Context, FlowError, Input, take_turn, validate
from tests.engine.conversations import NOW, Talk, document, flow_of, node, texts

CART = [
    {"name": "Mug", "price": 12.5, "size": {"cm": 9}},
    {"name": "Cup", "price": 0.1},
    {"name": "Tray", "price": 0.2},
]
VALUES = {"a": 10, "b": 4, "x": 0.1, "y": 0.2, "t": "12.5", "word": "mug", "none": None, "cart": CART, "n": 2, "d-e": 7}
VALUES |= {"day": "2026-01-31", "at": "2026-11-22T12:00:00Z", "sentence": "order two mugs", "people": "1.234,5"}


def turn_of(template: str, language: str = "en", **context: Any) -> tuple[str, list[str]]:
    actions = [{"type": "set_variable", "variable": name, "value": value} for name, value in VALUES.items()]
    nodes = node("s", "action", actions=actions, next_node_id="m"), node("m", "message", text=f"[{template}]")
    turn = Talk(flow_of(document(*nodes, language=language)), **context).say("hi")
    return "\n\n".join(texts(turn))[1:-1], [e.data["reason"] for e in turn.events if e.type == "calculation_failed"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{0.1 + 0.2}}", "0.3"),
        ("{{x + y}}", "0.3"),
        ("{{a / b}}", "2.5"),
        ("{{a / 3 * 3}}", "10"),
        ("{{a / 5}}", "2"),
        ("{{100.1 - 100}}", "0.1"),
        ("{{1.005 * 1000}}", "1005"),
        ("{{a + b * 2}}", "18"),
        ("{{(a + b) * 2}}", "28"),
        ("{{a - b - 1}}", "5"),
        ("{{-a + 1}}", "-9"),
        ("{{- (a - 1) * 2}}", "-18"),
        ("{{a*b/8}}", "5"),
        ("{{d-e + 1}}", "8"),
        ("{{a -b}}", "6"),
        ("{{t + 1}}", "13.5"),
        ("{{'3' + 4}}", "7"),
        ("{{cart.0.price * 2}}", "25"),
        ("{{cart[0].size.cm + 1}}", "10"),
        ("{{a / 3 | round(2)}}", "3.33"),
        ("{{5 / 2 | round}} {{-5 / 2 | round}} {{7 / 2 | round}}", "3 -3 4"),
        ("{{1.005 + 0 | round(2)}} {{2.675 + 0 | round(2)}} {{1 / 8 | round(2)}}", "1.01 2.68 0.13"),
        ("{{1.005 | round(2)}} {{2.5 | round}} {{ 0.125 | decimals }}", "1.01 3 0.13"),
        (
            "{{1234567.891 | amount}} {{999.995 | amount}} {{a | amount(0)}} {{(0 - 1234) | amount(1)}}",
            "1,234,567.89 1,000.00 10 -1,234.0",
        ),
        ("{{(none | default(5)) + 1}}", "6"),
        ("{{(a + b | round) * 2 | decimals}}", "28.00"),
        ("{{'one' | upper}} {{\"a }} b\"}}", "ONE a }} b"),
        ("{{cart | sum('price')}}", "12.8"),
        ("{{cart | item(1)}}", '{"name":"Mug","price":12.5,"size":{"cm":9}}'),
        ("{{cart | item(n) | json}}", '{"name":"Cup","price":0.1}'),
        ("{{cart | item(-1) | json}}{{cart | item(4)}}{{word | item(1)}}", '{"name":"Tray","price":0.2}'),
        ("{{cart | map('name') | join(' + ')}}", "Mug + Cup + Tray"),
        ("{{cart | lines('{index}. {name} - {price}')}}", "1. Mug - 12.5\n2. Cup - 0.1\n3. Tray - 0.2"),
        ("{{cart | lines('{name: 10} {price:2}', '; ')}}", "Mug 12.50; Cup 0.10; Tray 0.20"),
        ("{{cart | map('price') | lines('{value:0}{value:x}', ' ')}}", "1312.5 00.1 00.2"),
        ("{{cart | map('size.cm') | lines('{value} cm', '; ')}}", "9 cm"),
        ("{{cart | max('price')}} {{cart | min('price')}}", "12.5 0.1"),
        ("{{none | sum}}{{none | lines}}", "0"),
        ("{{sentence | word(2)}} {{sentence | word(-1)}}{{sentence | word(9)}}", "two mugs"),
        ("{{sentence | remove_first_word}}", "two mugs"),
        ("{{sentence | slice(1, 5)}}/{{sentence | slice(11)}}", "order/mugs"),
        ("{{'a, b' | split(',') | lines}}", "a\nb"),
        ("{{'São Paulo' | url_encode}}", "S%C3%A3o%20Paulo"),
        ("{{contact.phone | phone}}", "(11) 98765-4321"),
        ("{{contact.phone | phone('international')}}", "+55 11 98765-4321"),
        ("{{contact.id | phone('e164')}} {{word | phone}}", "+5511987654321 mug"),
        ("{{today}} {{now}}", "2026-11-22 2026-11-22T12:00:00+00:00"),
        ("{{day | date('D [of] MMMM YYYY')}}", "31 of January 2026"),
        ("{{at | date('ddd hh:mm A')}}", "Sun 12:00 PM"),
        ("{{day | add_time('1 month')}}", "2026-02-28"),
        ("{{day | add_time(n, 'weeks')}}", "2026-02-14"),
        ("{{at | add_time('-90 minutes')}}", "2026-11-22T10:30:00+00:00"),
        ("{{'2026-12-01' | days_until}}", "9"),
        ("{{(1795348800) | date('YYYY-MM-DD')}}", "2026-11-22"),
    ],
)
def test_expressions(template: str, expected: str) -> None:
    assert turn_of(template) == (expected, [])


@pytest.mark.parametrize(("language", "price"), [("en", "1,234.50"), ("pt_BR", "1.234,50"), ("es", "1.234,50")])
def test_lines_write_numbers_as_amount_does(language: str, price: str) -> None:
    prices = "{{prices | lines('{value:2}')}} = {{prices | sum | amount(2)}}"
    nodes = (
        node("s", "set_variable", variable="prices", value=[1234.5], next_node_id="m"),
        node("m", "message", text=prices),
    )
    assert texts(Talk(flow_of(document(*nodes, language=language))).say("hi")) == [f"{price} = {price}"]


@pytest.mark.parametrize(
    ("template", "reasons"),
    [
        ("{{a / 0}}", ["division_by_zero"]),
        ("{{a / (b - 4)}}", ["division_by_zero"]),
        ("{{word + 1}}", ["not_a_number"]),
        ("{{none + 1}}", ["not_a_number"]),
        ("{{cart + 1}}", ["not_a_number"]),
        ("{{9007199254740991 + 1}}", ["too_large"]),
        ("{{word | sum}}", ["not_a_number"]),
        ("{{cart | sum('size')}}", ["not_a_number"]),
        ("{{word | date('DD')}}", ["not_a_date"]),
        ("{{'2026-02-30' | date}}", ["not_a_date"]),
        ("{{day | add_time('9000 years')}}", ["too_large"]),
        ("{{day | add_time('soon')}}", ["not_a_number"]),
        ("{{word | decimals}}", ["not_a_number"]),
        ("{{word | amount}}", ["not_a_number"]),
        ("{{word + 1 | default('')}}", ["not_a_number"]),
    ],
)
def test_what_has_no_result_is_empty_and_an_event_says_why(template: str, reasons: list[str]) -> None:
    assert turn_of(template) == ("", reasons)


def test_numbers_and_dates_follow_the_language() -> None:
    assert turn_of("{{cart | lines('{name}: {price}')}}", "pt_BR")[0] == "Mug: 12,5\nCup: 0,1\nTray: 0,2"
    assert turn_of("{{a / b}} {{a | decimals}} {{people | number}}", "pt_BR")[0] == "2,5 10,00 1234,5"
    assert turn_of("{{1234567.5 | amount}} {{1234567.5 | decimals}}", "es")[0] == "1.234.567,50 1234567,50"
    assert turn_of("{{day | date}} {{day | date('dddd, MMM')}}", "es")[0] == "31/01/2026 sábado, ene"
    assert turn_of("{{day | date}}", country="US")[0] == "01/31/2026"
    assert turn_of("{{day | date}}", country="BR")[0] == "31/01/2026"


def test_dates_are_in_the_time_zone_of_the_organization() -> None:
    zone = {"timezone": "America/Sao_Paulo"}
    assert turn_of("{{now}} {{at | date('HH:mm')}}", **zone)[0] == "2026-11-22T09:00:00-03:00 09:00"
    assert turn_of("{{'2026-11-22 01:00' | add_time('2 hours')}}", **zone)[0] == "2026-11-22T03:00:00-03:00"
    assert turn_of("{{today}}", timezone="Pacific/Kiritimati")[0] == "2026-11-23"
    assert turn_of("{{now}}", timezone="Mars/Olympus")[0] == "2026-11-22T12:00:00+00:00"


def test_days_keep_the_time_of_day_when_the_clocks_change() -> None:
    zone = {"timezone": "America/New_York"}
    assert turn_of("{{'2026-03-07T09:00:00-05:00' | add_time('1 day')}}", **zone)[0] == "2026-03-08T09:00:00-04:00"
    assert turn_of("{{'2026-03-07T09:00:00-05:00' | add_time('24 hours')}}", **zone)[0] == "2026-03-08T10:00:00-04:00"
    assert turn_of("{{'2026-03-07 02:30' | add_time('1 day')}}", **zone)[0] == "2026-03-08T03:30:00-04:00"


def test_a_variable_hides_the_built_in_value_of_its_name() -> None:
    first = node("s", "set_variable", variable="today", value="Friday", next_node_id="m")
    assert texts(Talk(flow_of(document(first, node("m", "message", text="{{today}}")))).say("hi")) == ["Friday"]


def test_the_answers_are_in_the_order_in_which_they_were_given() -> None:
    nodes = [
        node("q", "question", question="Your {{word}}?", variable="name", next_node_id="r"),
        node("r", "question", question="Age?", variable="age", validation={"type": "number"}, next_node_id="m"),
        node("m", "message", text="{{answers | lines('{index}. {question} {value}')}}", next_node_id="e"),
        node("e", "set_variable", variable="all", value="{{answers}}"),
    ]
    talk = Talk(flow_of(document(*nodes)))
    talk.say("hi")
    talk.say("Maria")
    turn = talk.say("41")
    assert texts(turn) == ["1. Your ? Maria\n2. Age? 41"]
    assert turn.variables["all"] == [
        {"name": "name", "question": "Your ?", "value": "Maria"},
        {"name": "age", "question": "Age?", "value": 41},
    ]


def test_a_question_may_mention_the_answers() -> None:
    nodes = (
        node("q", "question", question="{{answers | length}} {{x}}", variable="x", next_node_id="m"),
        node("m", "message", text="{{answers | lines('{question}')}}"),
    )
    talk = Talk(flow_of(document(*nodes)))
    talk.say("hi")
    assert texts(talk.say("a")) == ["0 a"]


def acted(*actions: dict[str, Any], **start: Any) -> Any:
    given_ = [{"type": "set_variable", "variable": name, "value": value} for name, value in start.items()]
    return Talk(flow_of(document(node("a", "action", actions=[*given_, *actions])))).say("hi")


def test_add_counts_from_nothing() -> None:
    add = {"type": "add", "variable": "score", "by": 10}
    assert acted(add).variables == {"score": 10}
    assert acted(add, add, score="2.5").variables == {"score": 22.5}
    assert acted({"type": "add", "variable": "score"}, score=1).variables == {"score": 2}
    assert acted({**add, "by": "{{n * 2}}"}, n=0.1, score=0.1).variables["score"] == 0.3
    assert acted({**add, "by": "-3"}, score="").variables == {"score": -3}
    turn = acted(add, score="a lot")
    assert turn.variables == {"score": None}
    assert [event.data for event in turn.events if event.type == "calculation_failed"] == [
        {"node_id": "a", "field": "actions[1].by", "reason": "not_a_number"}
    ]


def test_append_makes_and_extends_a_list() -> None:
    append = {"type": "append", "variable": "cart", "value": {"name": "{{item}}", "price": 2}}
    assert acted(append, item="Mug").variables["cart"] == [{"name": "Mug", "price": 2}]
    assert acted({**append, "value": "c"}, cart=["a", "b"]).variables == {"cart": ["a", "b", "c"]}
    assert acted({**append, "value": "c"}, cart="a").variables == {"cart": ["a", "c"]}
    turn = acted({**append, "value": "c", "most": 2}, cart=["a", "b"])
    assert (turn.variables, turn.events[-2].type) == ({"cart": ["a", "b"]}, "value_too_large")


@pytest.mark.parametrize(
    "template",
    [
        *("{{a +}}", "{{a + * b}}", "{{(a + b}}", "{{a + b)}}", "{{a b}}", "{{'a}}", "{{a > b}}", "{{a ** b}}"),
        *("{{1.2.3 + a}}", "{{a | round(2) + 1}}", "{{a | item}}", "{{a | item(b c)}}", "{{a + secrets..b}}"),
        *("{{" + "(" * 30 + "a" + ")" * 30 + " + 1}}", "{{" + "a + " * 500 + "a}}", "{{" + "-" * 900 + "1 + a}}"),
    ],
)
def test_invalid_expressions_are_problems(template: str) -> None:
    with pytest.raises(FlowError, match="invalid_template"):
        flow_of(document(node("m", "message", text=template)))


def test_a_secret_cannot_be_calculated_with() -> None:
    nodes = node("c", "api_call", url="https://example.com/{{secrets.a + 1}}", next_node_id="e"), node("e", "end")
    assert [p.code for p in validate({"main": document(*nodes)}, "main")] == ["secret_outside_api_call"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("{{score}} + 10", True),
        (" {{score}}*2 ", True),
        ("10 - {{score}}", True),
        ("{{score}}/2", True),
        ("{{score}} + {{score}}", True),
        ("{{day}}/{{day}}/2026", False),
        ("{{name}} + {{name}}", False),
        ("{{kind}} + 1", False),
        ("{{score}} points", False),
        ("+{{score}}", False),
        ("{{score}}-{{score}}", False),
        ("{{score + 10}}", False),
    ],
)
def test_arithmetic_outside_the_braces_is_found(value: str, found: bool) -> None:
    number, choice = {"type": "number"}, {"type": "choice", "choices": ["a", "b"]}
    nodes = [
        node("q", "question", question="?", variable="name", next_node_id="r"),
        node("r", "question", question="?", variable="score", validation=number, next_node_id="t"),
        node("t", "question", question="?", variable="kind", validation=choice, next_node_id="u"),
        node("u", "set_variable", variable="day", value="{{score}}", next_node_id="s"),
        node("s", "set_variable", variable="result", value=value, next_node_id="e"),
        node("e", "end", message="{{result}} {{day}} {{kind}} {{name}}"),
    ]
    codes = [problem.code for problem in validate({"main": document(*nodes)}, "main")]
    assert codes == (["arithmetic_outside_braces"] if found else [])


def test_the_prover_knows_the_range_of_a_calculation() -> None:
    age = {"type": "number", "min": 18, "max": 60}
    nodes = [
        node("q", "question", question="?", variable="age", validation=age, next_node_id="s"),
        node("s", "set_variable", variable="doubled", value="{{(age - 8) * 2 | round}}", next_node_id="c"),
        node(
            "c", "condition", variable="doubled", operator=">", value=104, true_next_node_id="e", false_next_node_id="e"
        ),
        node("e", "end"),
    ]
    (found,) = validate({"main": document(*nodes)}, "main")
    assert (found.code, found.field) == ("branch_never_taken", "true_next_node_id")
    assert "a number, at least 20 and at most 104" in found.message


def test_a_counter_in_a_loop_keeps_its_lower_bound() -> None:
    nodes = [
        node("s", "set_variable", variable="score", value=0, next_node_id="q"),
        node("q", "question", question="?", variable="word", next_node_id="a"),
        node("a", "action", actions=[{"type": "add", "variable": "score", "by": 10}], next_node_id="c"),
        node("c", "condition", variable="score", operator=">", value=60, true_next_node_id="e", false_next_node_id="d"),
        node("d", "condition", variable="score", operator="<", value=5, true_next_node_id="e", false_next_node_id="q"),
        node("e", "end", message="{{score}}"),
    ]
    (found,) = validate({"main": document(*nodes)}, "main")
    assert (found.code, found.node_id, found.field) == ("branch_never_taken", "d", "true_next_node_id")


NUMBERS = st.integers(-100, 100) | st.sampled_from([0.1, 0.2, -2.5, 1e-9, 2**53 - 1, "7", "x", None, [1], ""])
OPERATIONS = st.sampled_from(
    ["{{a + b}}", "{{a - b}}", "{{a * b}}", "{{a / b}}", "{{(a + b) / (a - b)}}", "{{-a * 3}}"]
)


@given(NUMBERS, NUMBERS, OPERATIONS)
def test_no_calculation_fails_a_turn(a: Any, b: Any, text: str) -> None:
    actions = [{"type": "set_variable", "variable": name, "value": value} for name, value in (("a", a), ("b", b))]
    actions.append({"type": "set_variable", "variable": "c", "value": text})
    flow = flow_of(document(node("s", "action", actions=actions)))
    turn = take_turn(flow, None, Input(text="hi"), Context(NOW, "s", Contact("1")))
    failed = any(event.type == "calculation_failed" for event in turn.events)
    assert turn.status == "completed"
    assert (turn.variables["c"] is None) is failed
