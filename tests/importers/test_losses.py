"""Nothing is left out silently: what no reader knows is listed, and what starts a flow has a code of its own."""

import ast
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pytake import importers
from pytake.importers import import_flows
from pytake.importers.registry import formats
from pytake.importers.sources import as_source, changed, see, unread_fields
from tests.importers.golden import GOLDEN

GOLDENS = {path.stem: json.loads(path.read_bytes()) for path in sorted(GOLDEN.glob("*.json"))}
CONSOLE = Path(__file__).parents[2] / "console" / "src" / "words"
OPEN = frozenset({"headers", "localization", "metadata", "body", "msg", "category"})
"""Objects whose keys are names of the builder or of a language: all of them are read."""
REPORTED = {
    "pytake_builder": ("nodes[6]",),
    "rapidpro_contact": ("flows[0].nodes[4].actions[1]",),
    "rapidpro_others": tuple(f"flows[0].nodes[0].actions[{end}" for end in ("1].classifier", "2]", "3]")),
    "typebot_cards": ("groups[1].blocks[2]",),
    "typebot_models": ("groups[0].blocks[5]",),
    "typebot_request": ("groups[0].blocks[2].items", "groups[0].blocks[6]"),
}
"""The parts that another loss reports as a whole."""


def with_strangers(value: Any, place: str, known: list[str]) -> Any:
    """A copy with an unknown key in each object; `known` gets the places of the objects."""
    if isinstance(value, list):
        return [with_strangers(item, f"{place}[{at}]", known) for at, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    name = f"unheard_of_{len(known)}"
    known.append(f"{place}.{name}".lstrip("."))
    inside = {key: with_strangers(item, f"{place}.{key}", known) for key, item in value.items()}
    return {**inside, name: "x"}


@pytest.mark.parametrize("name", GOLDENS)
def test_an_unknown_key_of_each_object_is_listed(name: str) -> None:
    golden, places = GOLDENS[name], list[str]()
    export = with_strangers(golden["export"], "", places)
    listed = {loss.source for loss in import_flows(json.dumps(export).encode()).losses if loss.code == "unread_field"}
    pattern, reported = formats()[golden["format"]].ignored, REPORTED.get(name, ())
    silent = [place for place in places if place not in listed and not ignored(place, pattern)]
    assert [place for place in silent if not place.startswith(reported or ("/",))] == []


def ignored(place: str, pattern: str) -> bool:
    """Whether a field is in a part of the export that means nothing, or in an object whose keys are all read."""
    parts = re.sub(r"\[\d+\]", "[]", place).split(".")
    kinds = ["." + ".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return bool(OPEN & set(parts[:-1])) or any(re.fullmatch(pattern, kind) for kind in kinds)


@pytest.mark.parametrize("name", GOLDENS)
def test_the_golden_exports_have_no_field_that_is_not_known(name: str) -> None:
    assert [loss["source"] for loss in GOLDENS[name]["losses"] if loss["code"] == "unread_field"] == []


Codes = dict[str, str]


def losses_of(export: Any, format_name: str | None = None) -> Codes:
    """The codes with their severities."""
    return {loss.code: loss.severity for loss in import_flows(json.dumps(export).encode(), format_name).losses}


def rapidpro(*actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An export with a flow of one node."""
    exits = [{"uuid": "e"}]
    nodes = [{"uuid": "n", "actions": [{"uuid": f"a{at}", **one} for at, one in enumerate(actions)], "exits": exits}]
    flow = {"uuid": "f", "name": "Welcome", "spec_version": "13.1.0", "language": "eng", "nodes": nodes}
    return {"version": "13", "flows": [flow], **more}


def typebot(block: dict[str, Any], settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """A bot with one block."""
    blocks = [{"id": "t", "type": "text", "content": {"plainText": "How much?"}}, {"id": "b", **block}]
    events = [{"id": "s", "type": "start", "outgoingEdgeId": "e"}]
    edges = [{"id": "e", "from": {"eventId": "s"}, "to": {"groupId": "g"}}]
    return {
        "version": "6", "name": "Bot", "groups": [{"id": "g", "blocks": blocks}], "events": events, "edges": edges,
        "variables": [{"id": "v", "name": "Amount"}], "settings": settings or {},
    }  # fmt: skip


def canvas(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A canvas with one message."""
    nodes = [{"id": "a", "type": "start", "data": {}}, {"id": "b", "type": "message", "data": {"text": "Hi", **data}}]
    return {"name": "Hello", "nodes": nodes, "edges": [{"source": "a", "target": "b"}], **more}


SAY = {"type": "send_msg", "text": "Hi"}
TO = {"uuid": "f", "name": "Welcome"}
EVENT = {"offset": 15, "unit": "D", "event_type": "F", "relative_to": {"key": "joined"}, "flow": TO}
NUMBER = {"type": "number input", "options": {"variableId": "v"}}


def start_condition(*words: str, operator: str = "Equal to", any_of: bool = True) -> dict[str, Any]:
    comparisons = [{"id": word, "comparisonOperator": operator, "value": word} for word in words]
    condition = {"logicalOperator": "OR" if any_of else "AND", "comparisons": comparisons}
    return {"whatsApp": {"isEnabled": True, "startCondition": condition}}


@pytest.mark.parametrize(
    ("export", "expected"),
    [
        (rapidpro(SAY), {}),
        (rapidpro(SAY, campaigns=[{"name": "C", "group": {"name": "G"}, "events": [EVENT]}]), {"campaign": "loss"}),
        (rapidpro(SAY, triggers=[{"trigger_type": "K", "keyword": "join", "flow": TO}]), {"keywords": "note"}),
        (
            rapidpro(SAY, triggers=[{"trigger_type": "K", "keywords": ["join"], "match_type": "F", "flow": TO}]),
            {"keywords": "note", "keyword_match": "loss"},
        ),
        (rapidpro(SAY, triggers=[{"trigger_type": "C", "flow": TO}]), {"default_flow": "note"}),
        (
            rapidpro(SAY, triggers=[{"trigger_type": "S", "flow": TO, "groups": [{"name": "G"}]}]),
            {"trigger": "loss", "trigger_groups": "loss"},
        ),
        (rapidpro({**SAY, "all_urns": True, "topic": "event"}), {"all_urns": "note", "message_topic": "note"}),
        (
            rapidpro({"type": "open_ticket", "body": "Help", "assignee": {"email": "ann@example.com"}}),
            {"ticket_assignee": "loss"},
        ),
        (rapidpro({**SAY, "unheard_of": 1}), {"unread_field": "note"}),
        ({"flows": [{"keywords": ["join"], "definition": rapidpro(SAY)["flows"][0]}]}, {"keywords": "note"}),
        (typebot({**NUMBER, "options": {"variableId": "v", "step": 5}}), {"number_step": "note"}),
        (
            typebot({**NUMBER, "options": {"variableId": "v", "style": "currency", "currency": "BRL"}}),
            {"number_format": "note"},
        ),
        (typebot(NUMBER, start_condition("join", "hello")), {"keywords": "note"}),
        (typebot(NUMBER, start_condition("join", "hello", any_of=False)), {"start_condition": "loss"}),
        (typebot(NUMBER, start_condition("join", operator="Contains")), {"start_condition": "loss"}),
        (canvas({"delay": 2}), {"message_delay": "note"}),
        (canvas({"typing_delay": 2}), {"message_delay": "note"}),
        (canvas({"attachments": [{"type": "image"}]}), {"attachment": "loss"}),
        (canvas({"unheard_of": 1}), {"unread_field": "note"}),
        (canvas({}, triggers=[{"type": "keyword", "keywords": ["join"]}]), {"keywords": "note"}),
        (canvas({}, triggers=[{"type": "schedule", "at": "09:00"}]), {"trigger": "loss"}),
        (canvas({}, settings={"fallback": "Sorry?"}), {"unread_field": "note"}),
    ],
)
def test_what_is_left_out_has_a_code(export: Any, expected: Codes) -> None:
    assert losses_of(export) == expected


def test_the_files_of_a_message_are_sent_after_it() -> None:
    file = {"type": "document", "url": "https://example.com/a.pdf", "name": "a.pdf"}
    imported = import_flows(json.dumps(canvas({"attachments": [file, "https://example.com/b.pdf"]})).encode())
    sent = [node["data"] for node in imported.documents[0]["nodes"] if node["type"] == "message"]
    assert [one.get("text") or one["media"] for one in sent] == [
        "Hi",
        {"type": "document", "link": "https://example.com/a.pdf", "filename": "a.pdf"},
        {"type": "document", "link": "https://example.com/b.pdf"},
    ]
    assert imported.losses == []


def test_a_router_after_a_ticket_finds_that_it_was_opened() -> None:
    export = rapidpro({"type": "open_ticket", "body": "Help", "result_name": "Ticket"})
    node = export["flows"][0]["nodes"][0]
    case = {"uuid": "c", "type": "has_category", "arguments": ["Success"], "category_uuid": "yes"}
    categories = [{"uuid": "yes", "exit_uuid": "e"}, {"uuid": "no", "exit_uuid": "e"}]
    router = {"type": "switch", "operand": "@results.ticket", "cases": [case], "categories": categories}
    node["router"] = {**router, "default_category_uuid": "no"}
    imported = import_flows(json.dumps(export).encode())
    first = imported.documents[0]["nodes"][0]["data"]["actions"]
    assert [(one["variable"], one["value"]) for one in first] == [("ticket", "opened"), ("ticket_category", "Success")]
    assert [loss.code for loss in imported.losses if loss.code == "never_set"] == []


def test_an_export_of_rapidpro_may_have_base_as_its_language() -> None:
    export = rapidpro(SAY)
    export["flows"][0]["language"] = "base"
    assert import_flows(json.dumps(export).encode()).format == "rapidpro"
    export["flows"][0]["vars"] = ["f"]
    assert import_flows(json.dumps(export).encode()).format == "glific"


def test_fields_of_the_same_kind_are_listed_together() -> None:
    export = rapidpro({**SAY, "unheard_of": 1}, {**SAY, "unheard_of": 2})
    (loss,) = import_flows(json.dumps(export).encode()).losses
    assert (loss.source, "at 1 other place" in loss.message) == ("flows[0].nodes[0].actions[0].unheard_of", True)


def test_a_changed_copy_remembers_for_its_source() -> None:
    source = as_source({"a": 1, "b": {"c": 2, "d": 3}, "e": 4, "f": [{"g": 5}], "h": False})
    copy = changed(source, {"a": 2})
    assert (copy["a"], copy.get("b").get("c"), "e" in copy) == (2, 2, True)
    assert {one.place for one in unread_fields(source, "")} == {"b.d", "f"}
    see(source["f"])
    assert [one.place for one in unread_fields(source, r"\.b\..*")] == []
    assert list(source) == list(source.keys()) == ["a", "b", "e", "f", "h"]


def codes_in(source: str) -> set[str]:
    """The codes of losses in a source: the argument before a severity. An f-string ends where its value begins."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        items = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
        for code, severity in pairwise(items):
            known = severity.body if isinstance(severity, ast.IfExp) else severity
            if not isinstance(known, ast.Constant) or known.value not in ("blocker", "loss", "note"):
                continue
            text = code.values[0] if isinstance(code, ast.JoinedStr) else code
            if isinstance(text, ast.Constant) and text.value not in ("blocker", "loss"):
                found.add(str(text.value))
    return found


@pytest.mark.parametrize("language", ["en", "pt", "es"])
def test_the_console_has_a_sentence_for_each_loss(language: str) -> None:
    known = json.loads((CONSOLE / language / "losses.json").read_bytes())
    written = set().union(*(codes_in(path.read_text()) for path in Path(importers.__file__).parent.rglob("*.py")))
    imported = {loss["code"] for golden in GOLDENS.values() for loss in golden["losses"]}
    assert len(written) > 80
    assert {code for code in written | imported if code not in known and f"{code.split('_')[0]}_" not in known} == set()
