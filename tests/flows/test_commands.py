"""`pytake flow test` and `pytake flow fuzz`."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from tests.engine.conversations import document, node

END = node("e", "end", message="Thank you, {{v}}.")
ASK = node("q", "question", question="Your name?", variable="v", next_node_id="e")


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["flow", *map(str, arguments)])


def flow_in(folder: Path, *nodes: dict[str, Any], **fields: Any) -> Path:
    path = folder / "main.json"
    path.write_text(json.dumps(document(*nodes, **fields)))
    return path


def conversation(*turns: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": "Talk", "turns": list(turns), **fields}


def write_tests(folder: Path, *conversations: dict[str, Any], **fields: Any) -> Path:
    path = folder / "main.test.json"
    path.write_text(json.dumps({"conversations": list(conversations), **fields}))
    return path


HI = {"input": "hi", "expect": {"texts": ["Your name?"], "status": "waiting", "node_id": "q"}}


def test_a_conversation_that_meets_its_expectations_passes(tmp_path: Path) -> None:
    flow = flow_in(tmp_path, ASK, END)
    expected = {
        "texts": ["Thank you, Ana."],
        "messages": [{"type": "text", "text": "Thank you, Ana."}],
        "status": "completed",
        "node_id": "e",
        "path": ["q: next", "e: end"],
        "variables": {"v": "Ana", "w": None},
        "contact": {"name": "Rui", "tags": []},
        "events": ["completed"],
    }
    turns = [HI, {"input": "Ana", "expect": expected}]
    write_tests(tmp_path, conversation(*turns, contact={"name": "Rui"}))
    result = command("test", flow)
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "1 of 1 conversations passed")


@pytest.mark.parametrize(
    ("expected", "part"),
    [
        ({"texts": ["Thanks."]}, "texts"),
        ({"messages": []}, "messages"),
        ({"status": "handoff"}, "status"),
        ({"node_id": "q"}, "node_id"),
        ({"path": ["q: next"]}, "path"),
        ({"variables": {"v": "Rui"}}, "variables"),
        ({"contact": {"name": "Rui"}}, "contact"),
        ({"events": ["completed", "completed"]}, "events"),
        ({"events": [{"type": "completed", "data": {"x": 1}}]}, "events"),
    ],
)
def test_a_difference_fails_the_conversation_and_is_named(tmp_path: Path, expected: dict[str, Any], part: str) -> None:
    flow = flow_in(tmp_path, ASK, END)
    write_tests(tmp_path, conversation(HI, {"input": "Ana", "expect": expected}))
    result = command("test", flow, "--json")
    (failed,) = json.loads(result.stdout)["conversations"]
    assert result.exit_code == 1
    assert [(failure["turn"], failure["part"]) for failure in failed["failures"]] == [(2, part)]


def test_the_report_shows_expected_and_actual_values_and_the_place(tmp_path: Path) -> None:
    write_tests(
        tmp_path, conversation(HI, {"input": "Ana", "expect": {"texts": ["Thanks, Ana."], "status": "waiting"}})
    )
    shown = command("test", flow_in(tmp_path, ASK, END)).output
    for line in ('turn 2, after "Ana", now at e', "- Thanks, Ana.", "+ Thank you, Ana.", "- waiting", "+ completed"):
        assert line in shown
    assert shown.splitlines()[-1] == "0 of 1 conversations passed"


def test_coverage_names_the_exits_that_no_conversation_takes(tmp_path: Path) -> None:
    write_tests(tmp_path, conversation(HI))
    flow = flow_in(tmp_path, ASK, END)
    assert (
        "  not taken: q: next\n  not taken: q: invalid\n  not taken: q: stale\n"
        in command("test", flow, "--coverage").output
    )
    (covered,) = json.loads(command("test", flow, "--coverage", "--json").stdout)["coverage"]
    assert covered == {
        "flow_id": "main",
        "nodes": 2,
        "nodes_covered": 1,
        "exits": 4,
        "exits_covered": 0,
        "missing": ["q: next", "q: invalid", "q: stale", "e: end"],
    }


def test_the_file_sets_time_randomness_and_api_results(tmp_path: Path) -> None:
    call = node(
        "a", "api_call", url="https://x.io/{{v}}", output_variable="r", next_node_id="t", error_next_node_id="e"
    )
    wait = node("t", "question", question="{{r.name}}?", variable="w", timeout_seconds=60, next_node_id="e")
    flow = flow_in(tmp_path, {**ASK, "data": {**ASK["data"], "next_node_id": "a"}}, call, wait, END)
    late = {"input": {"type": "timeout"}, "expect": {"status": "completed", "path": ["t: timeout"]}}
    too_early = {
        "input": {"type": "text", "text": "Mug"},
        "after_seconds": 10,
        "expect": {"path": ["t: next", "e: end"]},
    }
    answers = {"GET https://x.io/1": {"name": "Mug"}}
    write_tests(
        tmp_path,
        conversation(HI, {"input": "1", "expect": {"texts": ["Mug?"]}}, late),
        conversation(HI, {"input": "1", "expect": {"texts": ["Cup?"]}}, too_early, http_mocks={"*": {"name": "Cup"}}),
        conversation(HI, {"input": "2", "expect": {"path": ["q: next", "a: error", "e: end"]}}),
        http_mocks=answers,
    )
    result = command("test", flow)
    assert result.exit_code == 0, result.output


def test_a_test_can_be_yaml_and_test_a_flow_with_sub_flows(tmp_path: Path) -> None:
    parent = document(node("j", "jump", target_flow_id="sub"), id="main")
    (tmp_path / "main.json").write_text(json.dumps(parent))
    (tmp_path / "sub.json").write_text(json.dumps(document(ASK, END, id="sub")))
    text = "conversations:\n- name: Talk\n  turns:\n  - input: hi\n    expect: {path: ['j: jump', 'sub/q: wait']}\n"
    (tmp_path / "main.parent.test.yaml").write_text(text)
    assert command("test", tmp_path).exit_code == 0
    assert command("test", tmp_path / "main.json").exit_code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"conversations": [{"name": "x", "turns": [{"input": "hi", "expects": {}}]}]}', "unknown field `expects`"),
        ('{"conversations": [{"name": "x", "turns": [{"input": {"reply_id": 3}}]}]}', "this is not a valid input"),
        ('{"conversations": [], "flow": "other"}', "there is no flow `other`"),
        ('{"conversations": [{"name": "x", "turns": [], "now": "noon"}]}', "`noon` is not a time"),
        ('{"conversations": [{"name": "x", "turns": [], "contact": {"tags": 1}}]}', "contact"),
        ("{", "main.test.json"),
    ],
)
def test_an_invalid_test_file_is_rejected(tmp_path: Path, content: str, message: str) -> None:
    flow_in(tmp_path, ASK, END)
    path = tmp_path / "main.test.json"
    path.write_text(content)
    result = command("test", path)
    assert (result.exit_code, message in result.stderr) == (2, True), result.output


def test_without_test_files_the_command_suggests_generate(tmp_path: Path) -> None:
    result = command("test", flow_in(tmp_path, ASK, END))
    assert (result.exit_code, "--generate" in result.stderr) == (2, True)


def test_a_flow_that_cannot_run_fails(tmp_path: Path) -> None:
    flow = flow_in(tmp_path, ASK)
    write_tests(tmp_path, conversation(HI))
    result = command("test", flow)
    assert (result.exit_code, "unknown_target" in result.stderr) == (1, True)


def test_validate_ignores_test_files(tmp_path: Path) -> None:
    flow = flow_in(tmp_path, ASK, END)
    assert command("validate", flow, write_tests(tmp_path, conversation(HI))).exit_code == 0


def test_fuzzing_finds_nothing_in_a_sound_flow(tmp_path: Path) -> None:
    result = command("fuzz", flow_in(tmp_path, ASK, END), "--conversations", "60")
    assert (result.exit_code, result.stdout) == (0, "")


@pytest.mark.parametrize(
    ("broken", "reason", "turns"),
    [
        (
            [
                node("q", "question", question="?", variable="v", next_node_id="c"),
                node(
                    "c",
                    "condition",
                    variable="v",
                    operator="==",
                    value="loop",
                    true_next_node_id="s",
                    false_next_node_id="e",
                ),
                node("s", "set_variable", variable="w", value="1", next_node_id="c"),
                END,
            ],
            "did not end within its budget",
            ["hi", "loop"],
        ),
        (
            [
                node("q", "question", question="?", variable="v", next_node_id="p"),
                node("p", "question", question="{{v.title}}", variable="w", next_node_id="e"),
                END,
            ],
            "The bot sends nothing at p",
            2,
        ),
        (
            [
                node("q", "question", question="?", variable="v", next_node_id="p"),
                node("p", "template", name="Reminder of the day", language="en", next_node_id="e"),
                END,
            ],
            "WhatsApp would reject a message",
            2,
        ),
    ],
)
def test_fuzzing_shows_the_shortest_conversation_that_breaks_a_rule(
    tmp_path: Path, broken: list[dict[str, Any]], reason: str, turns: int | list[str]
) -> None:
    flow = flow_in(tmp_path, *broken)
    result = command("fuzz", flow, "--conversations", "200")
    assert (result.exit_code, reason in result.stderr) == (1, True), result.output
    (script,) = json.loads(result.stdout)["conversations"]
    inputs = [exchange["input"] for exchange in script["turns"]]
    assert inputs == turns if isinstance(turns, list) else len(inputs) == turns
    (tmp_path / "main.test.json").write_text(result.stdout)
    assert command("test", flow).exit_code == 0  # what fuzzing prints is a test that shows what happens
    assert command("fuzz", flow, "--conversations", "200").stdout == result.stdout
