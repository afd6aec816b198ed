"""`pytake console`: its required options and its connection."""

import socket
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.console import connection_to, console
from local.console.tokens import Identity

app = typer.Typer()
app.command()(console)

API = "https://abc123.execute-api.us-east-1.amazonaws.com"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token.txt"
    file.write_text("the-token\n")
    return file


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    return result.stderr


def test_a_deployed_stack_wants_a_token() -> None:
    assert "--token-file" in refused("--api", API)
    assert "at its own address" in refused("--api", "http://127.0.0.1:8000")


def test_what_is_no_address_is_refused(token_file: Path) -> None:
    assert "is not a URL" in refused("--api", "abc123", "--token-file", str(token_file))


def test_a_port_in_use_is_said(token_file: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused("--api", API, "--token-file", str(token_file), "--port", str(port))
    assert f"Port {port} is in use" in said


def test_it_looks_at_the_stack_with_the_files_token(token_file: Path) -> None:
    connection = connection_to(f"{API}/api/v1/", token_file, None, None)
    assert str(connection.client.base_url).rstrip("/") == connection.url == API
    assert connection.tokens.token(Identity("", "")) == "the-token"
    assert not connection.has_phones
    assert connection.dead_letters is None
    assert connection_to(API, token_file, "pytake-prod", "eu-west-1").dead_letters is not None
