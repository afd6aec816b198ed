"""`pytake flow import`."""

import json
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from cli.flow import app

EXPORT = {
    "name": "Hello",
    "nodes": [
        {"id": "a", "type": "start", "data": {}},
        {"id": "b", "type": "message", "data": {"text": "Hi"}},
        {"id": "c", "type": "database_query", "data": {"label": "Orders"}},
    ],
    "edges": [{"source": "a", "target": "b"}, {"source": "b", "target": "c"}],
}


def imported(folder: Path, export: object, *arguments: str) -> Result:
    source = folder / "export.json"
    source.write_text(json.dumps(export))
    return CliRunner().invoke(app, ["import", str(source), "-o", str(folder / "flows"), *arguments])


def test_each_flow_becomes_a_file_that_is_named_after_its_id(tmp_path: Path) -> None:
    result = imported(tmp_path, EXPORT)
    assert result.exit_code == 0
    document = json.loads((tmp_path / "flows" / "hello.json").read_text())
    assert [node["type"] for node in document["nodes"]] == ["message", "end"]
    assert "blocker: database at hello/end" in result.stdout


def test_the_losses_are_json_objects_one_per_line(tmp_path: Path) -> None:
    result = imported(tmp_path, EXPORT, "--json", "--from", "pytake")
    (loss,) = map(json.loads, result.stdout.splitlines())
    assert set(loss) == {"code", "severity", "source", "node_id", "message", "flow_id"}
    assert (loss["code"], loss["severity"], loss["source"]) == ("database", "blocker", "node c Orders")


def test_a_refused_file_ends_with_1_and_a_message_and_writes_nothing(tmp_path: Path) -> None:
    for export, arguments, message in (
        ({"name": "x"}, (), "not known"),
        (EXPORT, ("--from", "botpress"), "no format `botpress`"),
        (EXPORT, ("--from", "typebot"), "no groups"),
    ):
        result = imported(tmp_path, export, *arguments)
        assert result.exit_code == 1
        assert message in result.stderr
        assert "Traceback" not in result.output
    assert not (tmp_path / "flows").exists()


def test_a_file_that_does_not_exist_and_a_folder_that_is_a_file_end_with_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["import", str(tmp_path / "none.json")])
    assert (result.exit_code, "none.json" in result.stderr) == (2, True)
    (tmp_path / "flows").touch()
    result = imported(tmp_path, EXPORT)
    assert (result.exit_code, "flows" in result.stderr) == (2, True)
