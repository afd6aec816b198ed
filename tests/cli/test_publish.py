"""`pytake flow publish`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.flow_testing.documents import UsageError, read_given_documents
from cli.publish import jump_targets, publish_one, sub_flows_first


def flow(flow_id: str, *targets: str) -> dict[str, Any]:
    jumps = [{"id": target, "type": "jump", "data": {"target_flow_id": target}} for target in targets]
    return {"id": flow_id, "nodes": [{"id": "start", "type": "start", "data": {}}, *jumps]}


def order(*flows: dict[str, Any]) -> list[str]:
    return [document["id"] for document in sub_flows_first({one["id"]: one for one in flows})]


def test_sub_flows_come_before_the_flows_that_jump_to_them() -> None:
    assert order(flow("a", "b", "c"), flow("c"), flow("b", "c")) == ["c", "b", "a"]


def test_flows_that_are_not_given_are_left_to_the_system() -> None:
    assert order(flow("a", "elsewhere")) == ["a"]


def test_flows_that_jump_in_a_circle_are_all_tried() -> None:
    assert sorted(order(flow("a", "b"), flow("b", "a"))) == ["a", "b"]


@pytest.mark.parametrize(
    "document",
    [{"nodes": None}, {"nodes": ["x", {"type": "jump"}, {"type": "jump", "data": {"target_flow_id": 3}}]}, {}],
)
def test_a_broken_document_has_no_jumps(document: dict[str, Any]) -> None:
    assert jump_targets(document) == []


def test_files_are_read_by_flow_id(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(flow("a")))
    (tmp_path / "a.test.json").write_text(json.dumps({"conversations": []}))
    assert read_given_documents(sorted(tmp_path.iterdir())) == {"a": flow("a")}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not valid JSON"),
        ('{"id": "a", "id": "b"}', "the key 'id' occurs twice"),
        ('{"id": NaN}', "NaN is not valid JSON"),
        ("[]", "needs an `id`"),
        ('{"nodes": []}', "needs an `id`"),
    ],
)
def test_an_unreadable_file_is_named(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(UsageError, match=rf"bad\.json.*{why}"):
        read_given_documents([tmp_path / "bad.json"])


def test_two_files_with_one_id_are_refused(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps(flow("same")))
    with pytest.raises(UsageError, match="also has the id `same`"):
        read_given_documents([tmp_path / "a.json", tmp_path / "b.json"])


def test_a_flow_is_saved_then_published(api: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    server = api(
        {
            ("PUT", "/api/v1/flows/a"): (200, {"flow_id": "a", "problems": []}),
            ("POST", "/api/v1/flows/a/publish"): (200, {"version": 3, "sub_flows": ["b"], "problems": []}),
        }
    )
    publish_one(server.client(), flow("a", "b"))
    assert [(method, path) for method, path, _ in server.asked] == [
        ("PUT", "/api/v1/flows/a"),
        ("POST", "/api/v1/flows/a/publish"),
    ]
    assert capsys.readouterr().out == "a: published version 3, with b\n"


def test_errors_are_shown_with_their_place_and_end_the_command(
    api: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    problem = {
        "code": "unknown_target",
        "severity": "error",
        "node_id": "ask",
        "field": "next_node_id",
        "message": "There is no node [x].",
    }
    refusal = {"code": "flow_has_errors", "detail": "The flow has errors.", "problems": [problem]}
    server = api({("PUT", "/api/v1/flows/a"): (200, {}), ("POST", "/api/v1/flows/a/publish"): (422, refusal)})
    with pytest.raises(typer.Exit) as ended:
        publish_one(server.client(), flow("a"))
    assert ended.value.exit_code == 1
    shown = capsys.readouterr().err
    for part in ("unknown_target", "error", "ask", "There is no node [x]."):
        assert part in " ".join(shown.split())
    assert "not published" in shown
