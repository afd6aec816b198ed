"""Fixes: the patch that is offered for a problem removes it, and refuses a document that has changed since.

jsonpatch applies the patches: it is not the project's own code. The examples are those of the prover's codes, and some more.
"""

import json
from itertools import product
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
from msgspec import structs

from cli.reference.prover_page import surroundings_of
from pytake.engine import CODES, validate
from pytake.engine.problems import Problem, problem
from pytake.engine.prover import UNKNOWN, Fix, Surroundings, fix_of
from pytake.engine.prover.fixes import ACTIONS
from tests.engine.conversations import document, node
from tests.engine.prover_flows import END, ask, branches, one, say

CASES = {path.stem: json.loads(path.read_bytes()) for path in sorted((Path(__file__).parent / "prover").glob("*.json"))}
WORDS = Path(__file__).parents[2] / "console/src/areas/build/words/en.json"
SAID = {"message": {"text": "Hello"}, "question": {"question": "Q?"}}

EXPECTED = {
    "arithmetic_outside_braces": ("use_text", "{{people * 25}}"),
    "contradictory_validation": ("swap", None),
    "duplicate_id": ("use_name", "e_2"),
    "duplicate_label": ("use_name", "Yes 2"),
    "duplicate_value": ("use_name", "x_2"),
    "invalid_value": ("use_name", "3"),
    "invalid_variable": ("use_name", "contact_value"),
    "may_be_too_long": ("use_text", "Delivery to {{city | truncate(48)}}"),
    "missing_field": ("use_name", "en"),
    "missing_start": ("begin_at", "e"),
    "never_returns": ("remove_field", None),
    "too_long": ("shorten", "x" * 20),
    "too_long_after_substitution": ("use_text", "Yes, to {{city | truncate(12)}}"),
    "unclosed_template": ("use_text", "Hi {{name}}"),
    "unknown_field": ("use_name", "message"),
    "unknown_target": ("end_here", None),
    "unknown_text": ("remove_text", None),
    "unknown_type": ("use_name", "message"),
    "unlisted_language": ("add_language", "es"),
    "unreachable_node": ("remove_node", None),
    "unsupported_media": ("send_as", "document"),
    "variable_from_outside": ("use_name", "name"),
}
FURTHER = {"unknown_type": {"missing_field"}}
"""Errors that only show once the problem is gone: the message has no text yet."""


def fixed(
    documents: list[dict[str, Any]], code: str, surroundings: Surroundings = UNKNOWN
) -> tuple[Fix, dict[str, Any], list[Problem], list[Problem]]:
    """The fix of the first problem with this code, the document after it, and the problems before and after."""
    before = validate({one["id"]: one for one in documents}, "main", surroundings)
    fix = fix_of(documents[0], next(found for found in before if found.code == code))
    assert fix is not None
    after = jsonpatch.apply_patch(documents[0], fix.patch)
    return fix, after, before, validate({one["id"]: one for one in [*documents, after]}, "main", surroundings)


def test_a_library_file_is_sent_as_what_it_is() -> None:
    media = {"type": "video", "id": f"file-{'0' * 32}"}
    flow = document(node("n", "message", media=media, next_node_id="e"), END)
    fix, after, _, problems = fixed([flow], "unsupported_media", Surroundings(files={media["id"]: "image"}))
    assert (fix.action, after["nodes"][0]["data"]["media"]["type"], problems) == ("send_as", "image", [])


def test_only_these_codes_have_a_fix_for_their_example() -> None:
    offered = {}
    for code, case in CASES.items():
        main = case["wrong"][0]
        documents = {one if isinstance(one, str) else one["id"]: one for one in case["wrong"]}
        if isinstance(main, dict):
            found = next(one for one in validate(documents, "main", surroundings_of(case)) if one.code == code)
            fix = fix_of(main, found)
            if fix is not None:
                offered[code] = fix.action, fix.value
    assert offered == EXPECTED


@pytest.mark.parametrize("code", EXPECTED)
def test_a_fix_removes_its_problem_and_brings_no_other_error(code: str) -> None:
    case = CASES[code]
    _, _, before, after = fixed(case["wrong"], code, surroundings_of(case))
    assert code not in {found.code for found in after}
    errors = {found.code for found in after if found.severity == "error"}
    assert errors <= {found.code for found in before} | FURTHER.get(code, set())


OPTIONS = {"text": "Which?", "next_node_id": None}
MORE: dict[str, tuple[str, list[dict[str, Any]], str, str | None]] = {
    "a misspelled target": ("unknown_target", one(say("m", "Hi", "thank"), node("thanks", "end")), "lead_to", "thanks"),
    "two paths with one id": (
        "duplicate_value",
        one(node("r", "random", paths=[{"id": "a", "weight": 1}, {"id": "a", "weight": 1}])),
        "use_name",
        "a_2",
    ),
    "two labels without values": (
        "duplicate_value",
        one(node("m", "message", **OPTIONS, buttons=[{"label": "A label of 20 signs"}, {"label": "A label of 20 signs"}])),
        "use_name",
        "A label of 20 sign 2",
    ),
    "a label that is too long is cut after a word": (
        "too_long",
        one(node("m", "message", **OPTIONS, buttons=[{"label": "Schedule an appointment", "value": "a"}])),
        "shorten",
        "Schedule an",
    ),
    "a branch that an earlier one covers": (
        "branch_never_taken",
        one(ask(variable="x", next_node_id="c", validation={"type": "choice", "choices": ["a", "b"]}),
            branches("c", ("==", "a", "e"), ("==", "z", "e")), END),
        "remove_branch",
        None,
    ),
    "lengths the wrong way round": (
        "contradictory_validation",
        one(ask(validation={"type": "text", "min_length": 9, "max_length": 5}), END),
        "swap",
        None,
    ),
    "a misspelled variable in a condition": (
        "variable_from_outside",
        one(ask(variable="city", next_node_id="c"),
            node("c", "condition", variable="citty", operator="==", value="x", true_next_node_id="e"), END),
        "use_name",
        "city",
    ),
    "a caption that WhatsApp does not show": (
        "conflicting_fields",
        one(node("m", "message", media={"type": "audio", "link": "https://x.io/a.mp3", "caption": "c"})),
        "remove_field",
        None,
    ),
    "a text instead of true": ("invalid_value", one(node("e", "end", trigger_handoff="true")), "use_name", "True"),
    "a number instead of a text": ("invalid_value", one(node("e", "end", message=7)), "use_name", "7"),
    "a question without a variable": (
        "missing_field", one(node("q", "question", question="Q?", next_node_id=None)), "use_name", "q"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MORE)
def test_more_fixes(name: str) -> None:
    code, documents, action, value = MORE[name]
    fix, _, _, after = fixed(documents, code)
    assert (fix.action, fix.value) == (action, value)
    assert code not in {found.code for found in after}


def test_a_translation_is_fixed_in_the_table_of_texts() -> None:
    texts = {"pt_BR": {"m.buttons.a.label": "Marcar uma nova consulta"}}
    menu = node("m", "message", text="1", buttons=[{"label": "Book", "value": "a"}], next_node_id=None)
    _, after, _, problems = fixed(one(menu, languages=["pt_BR"], texts=texts), "too_long")
    assert after["texts"] == {"pt_BR": {"m.buttons.a.label": "Marcar uma nova"}}
    assert problems == []


def test_a_node_goes_with_the_exits_to_it_and_its_translations() -> None:
    alone = say("a", "Hi", "b")
    documents = one(
        END, alone, say("b", "Ho", "e"), languages=["pt_BR"], texts={"pt_BR": {"a.text": "Oi", "b.text": "Opa"}}
    )
    found = validate({"main": documents[0]}, "main")
    fix = fix_of(documents[0], next(one for one in found if one.node_id == "b" and one.code == "unreachable_node"))
    assert fix is not None
    after = jsonpatch.apply_patch(documents[0], fix.patch)
    assert [one["id"] for one in after["nodes"]] == ["e", "a"]
    assert after["nodes"][1]["data"] == {"text": "Hi"}
    assert after["texts"] == {"pt_BR": {"a.text": "Oi"}}


@pytest.mark.parametrize("code", EXPECTED)
def test_a_patch_refuses_a_document_with_another_value_at_its_place(code: str) -> None:
    main = CASES[code]["wrong"][0]
    documents = {one["id"]: one for one in CASES[code]["wrong"]}
    found = next(one for one in validate(documents, "main", surroundings_of(CASES[code])) if one.code == code)
    fix = fix_of(main, found)
    assert fix is not None
    changed = {**main, "nodes": [node("other", "end")]}
    if code in ("missing_start", "unlisted_language"):
        return  # they add what no node says
    if code == "unknown_text":
        changed["texts"] = {"pt_BR": {"other.text": "x"}}
    with pytest.raises((jsonpatch.JsonPatchTestFailed, jsonpatch.JsonPatchConflict)):
        jsonpatch.apply_patch(changed, fix.patch)


@pytest.mark.parametrize("nodes", [None, 7, [], [7], [{"id": 3}], [{"id": "m"}], [{"id": "m", "data": [1]}], "m"])
def test_no_document_makes_it_raise(nodes: Any) -> None:
    fields = None, "text", "buttons[1].label", "texts.en.m.text", "branches[4].next_node_id", "nodes[0]", "a[[.]"
    for code, field in product(CODES, fields):
        found = problem(code, "Expected `int`", node_id="m", field=field)
        fix_of({"id": "main", "nodes": nodes}, structs.replace(found, limit=3))


def test_a_problem_of_another_flow_has_no_fix_here() -> None:
    elsewhere = problem("unreachable_node", "x", flow_id="sub", node_id="e")
    assert fix_of(document(END, say("m", "Hi")), elsewhere) is None


def test_the_actions_are_those_that_the_console_names() -> None:
    words = json.loads(WORDS.read_text(encoding="utf-8"))["fix"]
    assert set(words) == ACTIONS
