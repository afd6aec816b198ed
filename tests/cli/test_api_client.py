"""How the commands reach the REST API, and their messages for its errors."""

from pathlib import Path

import httpx
import pytest

from cli.api_client import ApiClient, ApiError, find_token
from local.rest_api import is_local


def answering(answer: httpx.Response) -> ApiClient:
    return ApiClient("http://127.0.0.1:8000", "token", httpx.MockTransport(lambda _: answer))


def test_the_token_is_sent() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"authorization": request.headers["authorization"]})

    client = ApiClient("http://127.0.0.1:8000/", "secret", httpx.MockTransport(answer))
    assert client.get("/api/v1/flows") == {"authorization": "Bearer secret"}


def test_a_problem_is_told_in_its_own_words() -> None:
    problem = {"title": "Conflict", "status": 409, "code": "number_taken", "detail": "The number is in use elsewhere."}
    with pytest.raises(ApiError, match=r"^The number is in use elsewhere\. \(number_taken\)$") as caught:
        answering(httpx.Response(409, json=problem)).get("/api/v1/numbers/1")
    assert (caught.value.status, caught.value.problem["code"]) == (409, "number_taken")


def test_each_wrong_field_is_told() -> None:
    problem = {
        "code": "invalid_request",
        "detail": "Wrong form.",
        "errors": [{"field": "body.x", "message": "missing"}],
    }
    with pytest.raises(ApiError, match=r"(?s)Wrong form\..*body\.x: missing"):
        answering(httpx.Response(422, json=problem)).put("/api/v1/numbers/1", {})


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"message": "Forbidden"}'])
def test_an_answer_without_problem_details_is_shown_as_it_is(body: bytes) -> None:
    with pytest.raises(ApiError, match="failed with 500"):
        answering(httpx.Response(500, content=body)).get("/api/v1/flows")


def test_the_message_of_a_gateway_is_said_without_its_json() -> None:
    with pytest.raises(ApiError, match=r"failed with 503: The local cloud is still starting$"):
        answering(httpx.Response(503, json={"message": "The local cloud is still starting"})).get("/api/v1/flows")


def test_a_refused_token_is_explained() -> None:
    with pytest.raises(ApiError, match="token was rejected"):
        answering(httpx.Response(401, json={"message": "Unauthorized"})).get("/api/v1/flows")


def test_silence_says_how_to_start_a_local_cloud() -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(ApiError, match="pytake local"):
        ApiClient("http://127.0.0.1:8000", "token", httpx.MockTransport(nobody)).get("/api/v1/flows")


def test_the_token_given_comes_first_then_the_file_then_the_local_cloud(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n")
    local = httpx.MockTransport(lambda _: httpx.Response(200, json={"access_token": "from-local"}))
    assert find_token("http://127.0.0.1:8000", "given", file, "demo", local) == "given"
    assert find_token("http://127.0.0.1:8000", None, file, "demo", local) == "from-file"
    assert find_token("http://127.0.0.1:8000", None, None, "demo", local) == "from-local"


def test_no_token_is_asked_of_a_system_elsewhere() -> None:
    with pytest.raises(ApiError, match="--token-file"):
        find_token("https://api.example.com", None, None, "demo", httpx.MockTransport(lambda _: pytest.fail("asked")))


@pytest.mark.parametrize(
    ("url", "here"),
    [("http://127.0.0.1:8000", True), ("http://localhost", True), ("https://localhost.example.com", False)],
)
def test_this_machine_is_known_by_its_host(url: str, here: bool) -> None:
    assert is_local(url) is here
