"""`pytake secret list | put | delete`."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from cli import secret
from cli.api_client import Api


@pytest.fixture
def api_of(api: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    def answering(answers: Any) -> Any:
        scripted = api(answers)
        monkeypatch.setattr(Api, "connect", lambda _: contextlib.nullcontext(scripted.client()))
        return scripted

    return answering


def typed(monkeypatch: pytest.MonkeyPatch, text: str, terminal: bool = False) -> None:
    stdin = io.StringIO(text)
    stdin.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", stdin)


def test_the_value_comes_from_a_file_or_standard_input_or_a_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("from file\n")
    assert secret.read_value("TOKEN", f"@{tmp_path / 'token'}") == "from file"
    typed(monkeypatch, "piped \r\n")
    assert secret.read_value("TOKEN", None) == "piped "
    typed(monkeypatch, "piped\n", terminal=True)
    assert secret.read_value("TOKEN", "@-") == "piped"
    typed(monkeypatch, "", terminal=True)
    monkeypatch.setattr(typer, "prompt", lambda text, hide_input: f"{text} {hide_input}")
    assert secret.read_value("TOKEN", None) == "Value of TOKEN True"


@pytest.mark.parametrize("source", ["s3cr3t", "@/nonexistent/file"])
def test_a_value_on_the_command_line_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"@FILE|nonexistent"):
        secret.read_value("TOKEN", source)


def test_put_sends_the_value_and_does_not_show_it(
    api_of: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = api_of({("PUT", "/api/v1/secrets/TOKEN"): (200, {"name": "TOKEN", "hosts": ["x.io", "y.io"]})})
    typed(monkeypatch, "s3cr3t\n")
    secret.put("TOKEN", ["x.io", "y.io"])
    assert api.asked == [("PUT", "/api/v1/secrets/TOKEN", {"value": "s3cr3t", "hosts": ["x.io", "y.io"]})]
    assert capsys.readouterr().out == "Stored. Flows use it as {{secrets.TOKEN}} in calls to x.io, y.io.\n"


def test_list_and_delete(api_of: Callable[[Any], Any], capsys: pytest.CaptureFixture[str]) -> None:
    api = api_of(
        {
            ("GET", "/api/v1/secrets"): (
                200,
                [{"name": "A", "hosts": ["x.io", "y.io"]}, {"name": "B", "hosts": ["x.io"]}],
            ),
            ("DELETE", "/api/v1/secrets/A"): (204, None),
        }
    )
    secret.list_()
    secret.delete("A")
    assert capsys.readouterr().out == "A: x.io, y.io\nB: x.io\nDeleted A.\n"
    assert api.asked[-1] == ("DELETE", "/api/v1/secrets/A", None)
