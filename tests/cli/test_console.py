"""`pytake console` opens the console of the local cloud or of a stack, and prints its address."""

import webbrowser

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import console as command
from cli.stack import DeployedStack

app = typer.Typer()
app.command()(command.console)

API = "https://abc123.execute-api.us-east-1.amazonaws.com"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was opened at; this machine has one."""
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: not addresses.append(address))  # type: ignore[func-returns-value]
    monkeypatch.delenv("PYTAKE_URL", raising=False)
    return addresses


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        ((), "http://127.0.0.1:8000/console"),
        (("--url", "http://127.0.0.1:8001/"), "http://127.0.0.1:8001/console"),
        (("--url", f"{API}/api/v1"), f"{API}/console"),
    ],
)
def test_the_console_is_opened_and_its_address_printed(
    opened: list[str], arguments: tuple[str, ...], address: str
) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{address}\n", "")
    assert opened == [address]


def test_a_stack_says_where_its_console_is(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = {"ApiUrl": API, "ConsoleUrl": "https://chat.example.com/console"}
    monkeypatch.setattr(command, "find_stack", lambda *_: DeployedStack("pytake-prod", outputs, {}))
    assert run("--stack", "pytake-prod").stdout == "https://chat.example.com/console\n"
    assert opened == ["https://chat.example.com/console"]
    outputs.clear()
    assert "has no output ConsoleUrl" in run("--stack", "pytake-prod").stderr


def test_without_a_browser_the_address_is_enough(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    done = run()
    assert (done.exit_code, done.stdout) == (0, "http://127.0.0.1:8000/console\n")
    assert "No browser was found" in done.stderr


def test_a_browser_is_not_opened_when_only_the_address_is_wanted(opened: list[str]) -> None:
    assert run("--no-browser").stdout == "http://127.0.0.1:8000/console\n"
    assert opened == []


def test_what_is_not_an_address_is_refused(opened: list[str]) -> None:
    refused = run("--url", "abc123")
    assert (refused.exit_code, opened) == (1, [])
    assert "is not a URL" in refused.stderr
