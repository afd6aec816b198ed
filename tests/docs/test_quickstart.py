"""The first bot of the Portuguese quickstart works, and the page's commands exist."""

import json
import re
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app
from tests.stack import REPOSITORY

PAGE = (REPOSITORY / "docs" / "pt-BR" / "inicio-rapido.md").read_text(encoding="utf-8")


def test_the_first_bot_answers(tmp_path: Path) -> None:
    flow = tmp_path / "ola.json"
    [document] = re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    flow.write_text(document, encoding="utf-8")
    validated = CliRunner().invoke(app, ["flow", "validate", str(flow)])
    assert (validated.exit_code, validated.output) == (0, "")
    run = CliRunner().invoke(app, ["flow", "run", str(flow)], input="Oi\nAna\n")
    turns = [json.loads(line) for line in run.output.splitlines()]
    assert [turn["status"] for turn in turns] == ["waiting", "completed"]
    assert turns[1]["messages"][0]["text"] == "Obrigado, Ana! Até logo."


def test_the_commands_exist() -> None:
    commands = re.findall(r"^ *(?:.*\| )?\.venv/bin/pytake ((?:[a-z]+ )?[a-z]+)\b", PAGE, re.MULTILINE)
    assert len(commands) > 5
    for command in commands:
        assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0, command
