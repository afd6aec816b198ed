"""`pytake flow run` and `pytake flow validate`."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.flow import app
from tests.engine.conversations import document, node

EXAMPLES = Path(__file__).parents[2] / "examples" / "flows"


def command(*arguments: str | Path, lines: list[str] | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input="\n".join(lines or []) + "\n")


def turns(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def written(folder: Path, *documents: dict[str, Any]) -> list[Path]:
    paths = [folder / f"{document['id']}.json" for document in documents]
    for path, one in zip(paths, documents, strict=True):
        path.write_text(json.dumps(one))
    return paths


def test_a_conversation_is_a_line_per_message_and_a_line_per_turn() -> None:
    lines = ["hi", "a bill", "The amount is wrong", '{"reply_id": "low"}']
    result = command("run", EXAMPLES / "support_triage.json", lines=lines)
    found = turns(result)
    assert result.exit_code == 0
    assert [turn["turn"] for turn in found] == [1, 2, 3, 4]
    assert [turn["status"] for turn in found] == ["waiting", "waiting", "waiting", "completed"]
    assert set(found[0]) == {"turn", "status", "node_id", "messages", "variables", "events"}
    assert found[3]["node_id"] == "noted"
    assert found[3]["variables"] == {"topic": "billing", "problem": "The amount is wrong", "urgency": "low"}
    assert found[3]["messages"][0]["type"] == "text"


def test_the_next_message_after_the_end_starts_a_new_conversation(tmp_path: Path) -> None:
    (path,) = written(tmp_path, document(node("e", "end", message="Bye")))
    assert [turn["status"] for turn in turns(command("run", path, lines=["hi", "", "hi"]))] == ["completed"] * 2


def test_dates_are_in_the_given_time_zone(tmp_path: Path) -> None:
    (path,) = written(tmp_path, document(node("e", "end", message="{{now | date('DD/MM HH:mm')}}")))
    arguments = ("run", path, "--now", "2026-11-22T01:30:00Z", "--timezone")
    (turn,) = turns(command(*arguments, "America/Sao_Paulo", lines=["hi"]))
    assert turn["messages"][0]["text"] == "21/11 22:30"
    wrong = command(*arguments, "Mars/Olympus", lines=["hi"])
    assert (wrong.exit_code, "Mars/Olympus" in wrong.stderr) == (2, True)


def test_timetables_come_from_a_file(tmp_path: Path) -> None:
    hours = [{"days": ["sun"], "opens": "10:00", "closes": "14:00"}]
    ask = node("s", "schedule", hours="support", open_next_node_id="o", closed_next_node_id="c")
    (path,) = written(tmp_path, document(ask, node("o", "end"), node("c", "end")))
    given = tmp_path / "timetables.json"
    given.write_text(json.dumps({"support": {"hours": hours}}))
    arguments = ("run", path, "--now", "2026-11-22T12:00:00Z")
    assert [turn["node_id"] for turn in turns(command(*arguments, "--timetables", given, lines=["hi"]))] == ["o"]
    assert [turn["node_id"] for turn in turns(command(*arguments, lines=["hi"]))] == ["c"]
    given.write_text(json.dumps({"support": {"hours": []}}))
    assert command(*arguments, "--timetables", given, lines=["hi"]).exit_code == 2


def test_sub_flows_are_given_or_found_beside_the_first_file() -> None:
    root, other = EXAMPLES / "reference_workload.json", EXAMPLES / "reference_workload_order.json"
    lines = ["hi", "Ana", "ana@x.io", "30", "support", "A-1"]
    assert command("run", root, lines=lines).stdout == command("run", root, other, lines=lines).stdout


def test_the_bot_is_silent_after_a_handoff(tmp_path: Path) -> None:
    (path,) = written(tmp_path, document(node("h", "handoff", message="One moment.")))
    first, second = turns(command("run", path, lines=["hi", "hello?"]))
    assert (first["status"], len(first["messages"])) == ("handoff", 1)
    assert (second["turn"], second["status"], second["messages"]) == (2, "handoff", [])


def test_api_results_come_from_a_file(tmp_path: Path) -> None:
    question = node("q", "question", question="?", variable="v", next_node_id="a")
    call = node(
        "a", "api_call", url="https://x.io/{{v}}", output_variable="r", next_node_id="e", error_next_node_id="f"
    )
    nodes = question, call, node("e", "end", message="{{r.name}}"), node("f", "end", message="{{r_error}}")
    (path,) = written(tmp_path, document(*nodes))
    mocks = tmp_path / "mocks" / "answers"
    mocks.parent.mkdir()
    mocks.write_text(
        '{"GET https://x.io/1": {"status": 200, "json": {"name": "Mug"}}, "https://x.io/2*": [{"status": 500}]}'
    )
    lines = ["hi", "1", "hi", "22", "hi", "3"]
    found = turns(command("run", path, "--http-mocks", mocks, lines=lines))
    assert [turn["messages"][0]["text"] for turn in found[1::2]] == [
        "Mug",
        "http_500",
        "no mock for GET https://x.io/3",
    ]


def test_a_timer_moves_the_clock(tmp_path: Path) -> None:
    (path,) = written(
        tmp_path, document(node("d", "delay", seconds=3600, next_node_id="e"), node("e", "end", message="Now."))
    )
    found = turns(command("run", path, "--now", "2026-11-22T12:00:00Z", lines=["hi", "x", '{"type": "timeout"}']))
    assert [turn["status"] for turn in found] == ["waiting", "waiting", "completed"]


def test_the_seed_fixes_chance(tmp_path: Path) -> None:
    paths = [{"id": str(i), "next_node_id": "e"} for i in range(20)]
    spread = node("r", "random", paths=paths, sticky=False)
    (path,) = written(tmp_path, document(spread, node("e", "end", message="{{contact.id}}")))
    lines = ["hi"] * 3
    assert (
        command("run", path, "--seed", "7", lines=lines).stdout
        == command("run", path, "--seed", "7", lines=lines).stdout
    )


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (None, 2, "No such file"),
        ("{", 2, "not valid JSON"),
        ("[]", 2, "needs an `id`"),
        ('{"id": "a", "nodes": [{"id": "x", "type": "nothing"}]}', 1, "error: unknown_type at a/x/type"),
    ],
)
def test_errors_go_to_standard_error(tmp_path: Path, content: str | None, code: int, message: str) -> None:
    path = tmp_path / "flow.json"
    if content is not None:
        path.write_text(content)
    result = command("run", path)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr


@pytest.mark.parametrize("line", ['{"reply_id": 3}', '{"type": []}'])
def test_an_invalid_input_line_is_rejected(tmp_path: Path, line: str) -> None:
    (path,) = written(tmp_path, document(node("e", "end")))
    result = command("run", path, lines=[line])
    assert (result.exit_code, "line 1: this is not a valid input" in result.stderr) == (2, True)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (path,) = written(tmp_path, document(node("e", "end", message="Bye")))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert command("validate", path).exit_code == 0


def test_a_file_that_is_nested_too_deeply_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text('{"id": "main", "nodes": ' + "[" * 5000 + "]" * 5000 + "}")
    result = command("validate", path)
    assert (result.exit_code, "too deep" in result.stderr) == (2, True)


def test_validate_prints_problems_and_exits_with_1_on_errors(tmp_path: Path) -> None:
    (path,) = written(tmp_path, document(node("m", "message", text="T", next_node_id="nowhere")))
    result = command("validate", path)
    assert result.exit_code == 1
    assert result.stdout.startswith("error: unknown_target at main/m/next_node_id: ")
    (problem,) = map(json.loads, command("validate", path, "--json").stdout.splitlines())
    assert {**problem, "message": ""} == {
        "code": "unknown_target",
        "severity": "error",
        "node_id": "m",
        "field": "next_node_id",
        "message": "",
        "flow_id": "main",
        "fix": {
            "action": "end_here",
            "patch": [
                {"op": "test", "path": "/nodes/0/id", "value": "m"},
                {"op": "test", "path": "/nodes/0/data/next_node_id", "value": "nowhere"},
                {"op": "remove", "path": "/nodes/0/data/next_node_id"},
            ],
        },
    }


def test_the_examples_have_no_problems() -> None:
    result = command("validate", *sorted(EXAMPLES.glob("*.json")))
    assert (result.exit_code, result.stdout) == (0, "")


def test_the_language_of_the_contact_selects_the_texts(tmp_path: Path) -> None:
    nodes = node("m", "message", text="Hello", next_node_id="e"), node("e", "end")
    (path,) = written(tmp_path, document(*nodes, languages=["pt_BR"], texts={"pt_BR": {"m.text": "Olá"}}))
    for language, text in (("pt-br", "Olá"), ("en", "Hello"), ("", "Hello")):
        (turn,) = turns(command("run", path, "--language", language, lines=["hi"]))
        assert turn["messages"] == [{"type": "text", "text": text}]
    refused = command("run", path, "--language", "Portuguese", lines=["hi"])
    assert (refused.exit_code, "not a language code" in refused.output) == (2, True)
