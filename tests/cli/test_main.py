"""The `pytake` command as a whole."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import COMMANDS, app, load


def test_help_lists_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    for name in COMMANDS:
        assert name in shown.output


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from cli.main import app; "
        "CliRunner().invoke(app, ['--help']); "
        "print([m for m in ('httpx', 'boto3', 'starlette', 'ministack', 'pytake', 'local', 'jwt') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_summaries_are_the_commands_own() -> None:
    for name, (_, summary) in COMMANDS.items():
        if name == "flow":
            continue  # a group of two modules; its summary is here
        assert (load(name).help or "").replace("\n", " ").startswith(summary)


def test_an_unknown_command_is_refused() -> None:
    refused = CliRunner().invoke(app, ["nosuch"])
    assert refused.exit_code == 2
    assert "nosuch" in refused.output
    assert "Did you mean" not in refused.output


def test_a_mistyped_command_gets_a_suggestion() -> None:
    assert "Did you mean 'local'?" in CliRunner().invoke(app, ["lokal"]).output


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("dlq show nothing", "There is no queue 'nothing'"),
        ("dlq list --url https://api.example.com", "Give --stack"),
        ("secret put crm @none.txt --host api.example.com", "none.txt"),
        ("number put 1 --verify-token @none.txt", "none.txt"),
        ("number put 1 --keyword hello", "hello"),
        ("flow publish broken.json", "broken.json"),
        ("local --models broken.json", "broken.json"),
    ],
)
def test_wrong_options_have_exit_status_2(
    command: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.json").write_text("{")
    ended = CliRunner().invoke(app, command.split())
    assert (ended.exit_code, says in ended.output) == (2, True), ended.output
