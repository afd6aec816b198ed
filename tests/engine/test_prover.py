"""The prover. For each problem code, `prover/CODE.json` holds flows with the problem and corrected versions without it.

`docs/prover.md` shows the same flows.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.reference.prover_page import surroundings_of
from pytake.engine import CODES, FlowError, Surroundings, compile_flow, parse_document, validate
from pytake.engine.problems import Problem
from pytake.engine.prover import UNKNOWN
from tests.engine.conversations import document, node
from tests.engine.prover_flows import CORRECT, END, MAYBE, SUB, WRONG, ask, jump, one, say, when

CASES = {path.stem: json.loads(path.read_bytes()) for path in sorted((Path(__file__).parent / "prover").glob("*.json"))}


def bundle(documents: list[Any]) -> dict[str, Any]:
    return {"main" if isinstance(document, str) else document["id"]: document for document in documents}


def problems_of(documents: list[Any], surroundings: Surroundings = UNKNOWN) -> list[Problem]:
    return validate(bundle(documents), "main", surroundings)


def codes_of(documents: list[Any]) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.node_id) for problem in problems_of(documents)]


def test_every_code_has_a_case() -> None:
    assert set(CASES) == set(CODES)


@pytest.mark.parametrize("code", CASES)
def test_a_problem_is_found_where_it_is(code: str) -> None:
    case = CASES[code]
    found = [problem for problem in problems_of(case["wrong"], surroundings_of(case)) if problem.code == code]
    assert [(problem.node_id, problem.field) for problem in found] == [(case["node_id"], case["field"])]
    assert found[0].severity == CODES[code].severity
    assert found[0].message.endswith((".", "?"))


@pytest.mark.parametrize("code", CASES)
def test_the_corrected_version_has_no_problem(code: str) -> None:
    assert problems_of(CASES[code]["corrected"], surroundings_of(CASES[code])) == []


@pytest.mark.parametrize("code", CASES)
def test_the_compiler_rejects_only_fatal_problems(code: str) -> None:
    compile_: Callable[[], object] = lambda: compile_flow(bundle(CASES[code]["wrong"]), "main")  # noqa: E731
    if CODES[code].fatal:
        with pytest.raises(FlowError, match=code):
            compile_()
    else:
        compile_()


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000 + b"]" * 100_000])
def test_invalid_documents_are_reported(raw: bytes) -> None:
    with pytest.raises(FlowError, match="unreadable_document"):
        parse_document(raw)


def test_a_byte_order_mark_is_ignored() -> None:
    raw = msgspec.json.encode(document(END))
    assert parse_document(b"\xef\xbb\xbf" + raw) == parse_document("\ufeff" + raw.decode()) == parse_document(raw)


def test_a_document_given_under_another_id_is_reported() -> None:
    assert [(p.code, p.field) for p in validate({"main": document(END, id="other")}, "main")] == [
        ("invalid_value", "id")
    ]


def test_a_flow_needs_an_id() -> None:
    assert [(p.code, p.field) for p in validate({"": document(END, id="")}, "")] == [("missing_field", "id")]


def test_deep_nesting_is_rejected_before_any_recursion() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    nodes = node("s", "set_variable", variable="v", value=deep, next_node_id="e"), END
    assert [(p.code, p.node_id, p.field) for p in problems_of([{**document(END), "nodes": nodes}])] == [
        ("invalid_value", "s", "nodes[0]")
    ]


@pytest.mark.parametrize(
    ("hours", "codes"),
    [(-1, ["invalid_value"]), (0, ["invalid_value"]), (1e308, ["invalid_value"]), (0.5, []), (720, [])],
)
def test_session_ttl_hours_has_bounds(hours: float, codes: list[str]) -> None:
    assert [p.code for p in problems_of(one(END, session_ttl_hours=hours))] == codes


def test_every_unreadable_node_is_reported() -> None:
    documents = one(node("a", "end", mesage="x"), node("b", "nothing"), node("c", "question", question=3))
    assert [(p.node_id, p.code) for p in problems_of(documents)] == [
        ("a", "unknown_field"),
        ("b", "unknown_type"),
        ("c", "invalid_value"),
    ]


def test_a_misspelled_field_gets_a_suggestion() -> None:
    assert "Did you mean `message`?" in problems_of(one(node("e", "end", mesage="x")))[0].message


def test_null_is_the_same_as_leaving_a_field_out() -> None:
    nodes = [ask(validation=None, buttons=None, max_attempts=None), node("e", "end", message=None)]
    assert problems_of(one(*nodes, session_ttl_hours=None, merge_texts=None)) == []


def test_comments_on_the_canvas_change_nothing_and_must_be_whole() -> None:
    note = {"id": "c", "text": "Ask Rita. {{not a variable", "position": {"x": 1, "y": 2.5}}
    assert problems_of(one(END, comments=[note])) == []
    assert [(p.code, p.field) for p in problems_of(one(END, comments=[{**note, "text": 3}]))] == [
        ("invalid_value", "comments[0].text")
    ]


def test_the_only_start_node_is_the_start() -> None:
    assert problems_of(one(END, node("s", "start", next_node_id="e"), start_node_id=None)) == []


def test_a_loop_through_a_sub_flow_that_asks_is_allowed() -> None:
    retry = node(
        "c", "condition", variable="v", operator="==", value="no", true_next_node_id="j", false_next_node_id="e"
    )
    assert problems_of([*one(jump(next_node_id="c"), retry, END), SUB]) == []


def test_a_loop_through_a_sub_flow_that_may_not_wait_is_reported() -> None:
    silent = document(
        node("c", "condition", variable="v", operator="is_empty", true_next_node_id="x", false_next_node_id="q")
    )
    sub = {**silent, "id": "sub", "nodes": [*silent["nodes"], node("x", "end"), ask(next_node_id="x")]}
    again = node(
        "c", "condition", variable="v", operator="==", value="no", true_next_node_id="j", false_next_node_id="e"
    )
    found = problems_of([*one(jump(next_node_id="c"), again, END), sub])
    assert [problem.code for problem in found if problem.severity == "error"] == ["loop_without_wait"]


def test_flows_that_take_over_without_waiting_are_a_loop() -> None:
    sub = document(node("b", "jump", target_flow_id="main", return_to_parent=False), id="sub")
    found = problems_of([*one(jump(return_to_parent=False)), sub])
    assert [problem.code for problem in found] == ["no_way_out"]


def test_a_sub_flow_that_takes_over_back_into_its_parent_without_waiting_is_a_loop() -> None:
    sub = document(node("b", "jump", target_flow_id="main", return_to_parent=False), id="sub")
    assert codes_of([*one(jump(next_node_id="e"), END), sub])[0][0] == "no_way_out"


def test_a_large_flow_with_many_loops_is_analysed() -> None:
    nodes = []
    for i in range(150):
        nodes.append(node(f"q{i}", "question", question="?", variable=f"v{i}", next_node_id=f"c{i}"))
        following = f"q{i + 1}" if i < 149 else "last"
        nodes.append(when(f"c{i}", f"v{i}", "==", str(i), following, f"q{i * 37 % 150}"))
    last = node("last", "end", message="{{v0}} {{v149}} {{v74}}")
    found = problems_of(one(*nodes, last))
    assert [(p.code, p.node_id) for p in found] == [(MAYBE, "last")]


@pytest.mark.parametrize("about", CORRECT)
def test_correct_flows_have_no_problems(about: str) -> None:
    assert problems_of(CORRECT[about]) == []


@pytest.mark.parametrize("about", WRONG)
def test_wrong_flows_have_the_expected_problems(about: str) -> None:
    documents, expected = WRONG[about]
    assert codes_of(documents) == expected


def test_a_sub_flow_may_read_the_variables_of_a_given_parent() -> None:
    parent = document(node("q", "question", question="Q", variable="name", next_node_id="j"), jump())
    sub = document(say("m", "Hello {{name}}!"), END, id="sub")
    assert validate({"main": parent, "sub": sub}, "sub") == []
    assert [problem.code for problem in validate({"sub": sub}, "sub")] == ["variable_from_outside"]


def test_messages_contain_the_reason() -> None:
    (found,) = problems_of(WRONG["a value that is not a choice"][0])
    assert "`x` is one of `a`, `b` here" in found.message
    (found,) = problems_of(WRONG["a condition that always holds"][0])
    assert "`x` is a number, at least 18 here" in found.message
    (found,) = problems_of(WRONG["an earlier condition has decided"][0])
    assert "an earlier condition has decided `x contains refund`" in found.message


@pytest.mark.parametrize(
    ("url", "codes"),
    [
        ("https://x.io", []),
        ("https://x.io/{{input.text}}", []),
        ("https://x.io?q={{input.text}}", []),
        ("https://x.io#{{input.text}}", []),
        ("https://x.io/{{secrets.A}}", []),
        ("https://x.io:8443/{{input.text}}", []),
        ("{{input.text}}", ["open_host", "secret_to_open_host"]),
        ("{{input.text}}/orders", ["open_host", "secret_to_open_host"]),
        ("https://{{input.text}}/v1", ["open_host", "secret_to_open_host"]),
        ("https://x.io{{input.text}}", ["open_host", "secret_to_open_host"]),
        ("https://x.io:{{input.text}}/", ["open_host", "secret_to_open_host"]),
        ("https://{{input.text}}@x.io/", ["open_host", "secret_to_open_host"]),
        ("https://x.io\\{{input.text}}/", ["open_host", "secret_to_open_host"]),
        ("https://{{secrets.A}}.x.io/", ["open_host", "secret_to_open_host"]),
        ("http{{input.text}}://x.io/", ["invalid_value", "open_host", "secret_to_open_host"]),
    ],
)
def test_an_expression_that_decides_the_host_is_reported(url: str, codes: list[str]) -> None:
    secret = {"secrets.X": "{{secrets.A}}"}
    flow = document(node("a", "api_call", url=url, headers=secret, next_node_id="e"), END)
    assert sorted({found.code for found in problems_of([flow])}) == codes


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"headers": {"X-Trace": "v1\ue000CRM_TOKEN\ue001"}}, "headers.X-Trace"),
        ({"headers": {"X\ue000CRM_TOKEN\ue001": "v1"}}, "headers"),
        ({"query_params": {"a": ["\ue000CRM_TOKEN\ue001"]}}, "query_params.a[0]"),
        ({"body": {"a": [1, "\ue000CRM_TOKEN\ue001"]}}, "body.a[1]"),
        ({"body": '{"a": "\\ue000CRM_TOKEN\\ue001"}'}, "body"),
        ({"url": "https://x.io/\ue000CRM_TOKEN\ue001"}, "url"),
        ({"url": 'https://x.io/{{input.text | default("\ue000CRM_TOKEN\ue001")}}'}, "url"),
        ({"output_variable": "\ue001"}, "output_variable"),
    ],
)
def test_a_secret_s_placeholder_in_a_document_is_an_error(data: dict[str, Any], field: str) -> None:
    call = node("a", "api_call", **{"url": "https://x.io/", "next_node_id": "e"} | data)
    flow = document(call, END)
    found = problems_of([flow])
    first = found[0]
    assert (first.code, first.severity, first.node_id, first.field) == ("invalid_value", "error", "a", field)
    with pytest.raises(FlowError):
        compile_flow({"main": flow}, "main")


def test_one_unreadable_node_is_one_problem() -> None:
    broken = node("q", "question", question="Q?", variable="v", nxt_node_id="e")
    flow = document(node("start", "start", next_node_id="q"), broken, END)
    assert codes_of([flow]) == [("unknown_field", "q")]
    translated = {**flow, "languages": ["pt_BR"], "texts": {"pt_BR": {"start.greeting": "Oi"}}}
    assert "unknown_target" not in [code for code, _ in codes_of([translated])]
    jumps = document(node("j", "jump", target_flow_id="sub", target_node_id="q"))
    assert codes_of([jumps, {**flow, "id": "sub"}]) == [("unknown_field", "q")]


LONG = "Please read this. " * 60
TWO = [{"label": "Yes"}, {"label": "No"}]
ROWS = [{"label": f"Row {number}"} for number in range(4)]


@pytest.mark.parametrize(
    ("kind", "data", "found"),
    [
        ("message", {"text": LONG, "buttons": TWO}, ["sent_as_two"]),
        ("message", {"text": LONG + "{{contact.name}}", "buttons": TWO}, ["sent_as_two"]),
        ("message", {"text": LONG[:1024], "buttons": TWO}, []),
        ("message", {"text": LONG, "buttons": ROWS}, []),
        ("message", {"text": LONG * 4, "buttons": ROWS}, ["sent_as_two"]),
        ("message", {"text": LONG, "cta_url": {"label": "Open", "url": "https://example.com"}}, ["sent_as_two"]),
        ("message", {"text": LONG, "location_request": True}, ["sent_as_two"]),
        ("message", {"text": LONG * 4}, []),
        ("question", {"question": LONG, "variable": "v", "buttons": TWO}, ["sent_as_two"]),
        ("question", {"question": LONG, "variable": "v", "validation": {"type": "location"}}, ["sent_as_two"]),
        ("question", {"question": LONG, "variable": "v"}, []),
        ("whatsapp_flow", {"flow_id": "1", "cta": "Open", "text": LONG, "variable": "v"}, ["sent_as_two"]),
    ],
)
def test_a_body_that_needs_two_messages_is_a_warning(kind: str, data: dict[str, Any], found: list[str]) -> None:
    problems = problems_of([document(node("n", kind, next_node_id="e", **data), END)])
    assert [problem.code for problem in problems] == found


@pytest.mark.parametrize(
    ("type_", "link", "warned"),
    [
        ("image", "https://example.com/a.gif", True),
        ("image", "https://example.com/a.GIF?size=1", True),
        ("image", "https://example.com/a.webp#x", True),
        ("image", "https://example.com/a.jpg?from=a.gif", False),
        ("image", "https://example.com/render.php", False),
        ("image", "https://example.com/{{file}}", False),
        ("video", "https://example.com/a.mov", True),
        ("audio", "https://example.com/a.wav", True),
        ("sticker", "https://example.com/a.png", True),
        ("document", "https://example.com/a.gif", False),
    ],
)
def test_a_link_to_a_file_that_meta_refuses_is_a_warning(type_: str, link: str, warned: bool) -> None:
    file = node("n", "message", media={"type": type_, "link": link}, next_node_id="e")
    before = node("s", "set_variable", variable="file", value="a", next_node_id="n")
    assert [problem.code for problem in problems_of([document(before, file, END)])] == ["unsupported_media"] * warned


PICTURE, MISSING = f"file-{'0' * 32}", f"file-{'f' * 32}"
HAS_A_PICTURE = Surroundings(files={PICTURE: "image"})


@pytest.mark.parametrize(
    ("media", "code"),
    [
        ({"type": "image", "id": PICTURE}, None),
        ({"type": "video", "id": PICTURE}, "unsupported_media"),
        ({"type": "image", "id": MISSING}, "unknown_media"),
        ({"type": "image", "id": "1234567890"}, None),
        ({"type": "image", "id": "file-{{file}}"}, None),
        ({"type": "image", "link": f"https://example.com/{MISSING}"}, None),
    ],
    ids=str,
)
def test_a_library_file_is_looked_for(media: dict[str, Any], code: str | None) -> None:
    file = node("n", "message", media=media, next_node_id="e")
    before = node("s", "set_variable", variable="file", value="a", next_node_id="n")
    found = problems_of([document(before, file, END)], HAS_A_PICTURE)
    assert [(one.code, one.field) for one in found] == ([(code, "media.id")] if code else [])
    assert problems_of([document(before, file, END)]) == [], "nothing is known of the organization"


def test_a_library_file_is_looked_for_in_questions_cards_and_templates() -> None:
    image = {"type": "image", "id": MISSING}
    card = {"media": image, "text": "A", "cta_url": {"label": "Open", "url": "https://example.com"}}
    header = {"type": "header", "parameters": [{"type": "image", "image": {"id": MISSING}}]}
    nodes = [
        node("s", "question", question="Q?", media=image, variable="v", next_node_id="c"),
        node("c", "message", text="Cards", carousel=[card, card], next_node_id="t"),
        node("t", "template", name="a", language="en", components=[header], next_node_id="e"),
    ]
    found = [one for one in problems_of([document(*nodes, END)], HAS_A_PICTURE) if one.code == "unknown_media"]
    assert [(one.node_id, one.field) for one in found] == [
        ("s", "media.id"),
        ("c", "carousel[0].media.id"),
        ("c", "carousel[1].media.id"),
        ("t", "components[0].parameters[0].image.id"),
    ]
