"""`pytake number put` and `resume`."""

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from cli import number
from cli.api_client import Api, ApiClient
from cli.number import ask_for_missing, parse_keywords, read_secrets, updated_number

KNOWN = {
    "phone_number_id": "1",
    "display_phone_number": "+55 11 4000-0001",
    "country": "BR",
    "default_flow_id": "hello",
    "keywords": {"oi": "hello", "preço": "prices"},
    "words": {},
    "apology": None,
    "fallback_template": None,
    "stopped_reason": None,
    "stopped_at": None,
}


def test_a_change_keeps_what_was_not_given() -> None:
    assert updated_number(KNOWN, None, "other", {}) == {
        "display_phone_number": "+55 11 4000-0001",
        "default_flow_id": "other",
        "keywords": {"oi": "hello", "preço": "prices"},
        "words": {},
    }


def test_keywords_are_added_and_forgotten_one_by_one() -> None:
    body = updated_number(KNOWN, None, None, parse_keywords(["oi=", "help = support"]))
    assert body["keywords"] == {"preço": "prices", "help": "support"}


def test_an_empty_default_flow_means_none() -> None:
    assert updated_number(KNOWN, None, "", {})["default_flow_id"] is None


@pytest.mark.parametrize("pair", ["word", "=flow", " =flow"])
def test_a_keyword_needs_a_word_and_a_flow(pair: str) -> None:
    with pytest.raises(ValueError, match="WORD=FLOW"):
        parse_keywords([pair])


def test_secrets_may_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file\n")
    given = {"app_secret": f"@{tmp_path / 'secret'}", "access_token": "given", "verify_token": None}
    assert read_secrets(given) == {"app_secret": "from-file", "access_token": "given"}


@pytest.mark.parametrize("value", ["", "@/nonexistent/file"])
def test_a_secret_that_is_not_there_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="--app-secret"):
        read_secrets({"app_secret": value})


def test_a_script_is_told_which_secrets_are_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(typer.Exit):
        ask_for_missing({"app_secret": "x"})
    assert "--verify-token, --access-token" in capsys.readouterr().err


def test_an_unknown_number_is_new_and_any_other_refusal_is_not(api: Callable[..., Any]) -> None:
    path = "/api/v1/numbers/1"
    assert (
        number.find_number(api({("GET", path): (404, {"code": "number_unknown", "detail": "No."})}).client(), path)
        is None
    )
    assert number.find_number(api({("GET", path): (200, KNOWN)}).client(), path) == KNOWN
    with pytest.raises(number.ApiError):
        number.find_number(api({("GET", path): (403, {"code": "role_not_allowed", "detail": "No."})}).client(), path)


def test_a_flow_that_does_not_answer_is_reported(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    problem = {"message": "There is no flow `ghost`.", "field": "default_flow_id"}

    def answer(request: httpx.Request) -> httpx.Response:
        known = KNOWN | ({"problems": [problem]} if request.method == "PUT" else {})
        return httpx.Response(200, json=known)

    client = ApiClient("http://127.0.0.1:8000", "token", httpx.MockTransport(answer))
    monkeypatch.setattr(Api, "connect", lambda _: contextlib.nullcontext(client))
    number.put("1", default_flow="ghost")
    assert capsys.readouterr().err == "Warning: There is no flow `ghost`. (default_flow_id)\n"


def test_switches_are_set_and_those_that_are_not_given_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    known, sent = KNOWN | {"coexists": True, "mark_read": False, "typing": True}, []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            sent.append(json.loads(request.content))
        return httpx.Response(200, json=known | {"problems": []})

    client = ApiClient("http://127.0.0.1:8000", "token", httpx.MockTransport(answer))
    monkeypatch.setattr(Api, "connect", lambda _: contextlib.nullcontext(client))
    number.put("1", typing=False)
    number.put("1", coexists=False, mark_read=True)
    names = ("coexists", "mark_read", "typing")
    assert [[body[name] for name in names] for body in sent] == [[True, False, False], [False, True, True]]


def test_resuming_asks_until_every_conversation_is_on_its_way(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url.query, "ascii"))
        return httpx.Response(200, json={"conversations": 100, "after": None if len(asked) == 2 else "BR.x y"})

    client = ApiClient("http://127.0.0.1:8000", "token", httpx.MockTransport(answer))
    monkeypatch.setattr(Api, "connect", lambda _: contextlib.nullcontext(client))
    number.resume("1")
    assert asked == ["", "after=BR.x%20y"]
    assert "200 held conversations" in capsys.readouterr().out
