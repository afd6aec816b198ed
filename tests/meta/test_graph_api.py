"""Where in the way of a request it broke, and what is known about the message then."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from pytake.meta.graph_api import GraphApi
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.graph import MARKETING_POLICY
from pytake.whatsapp.sending import AcceptedMessage, NumberProfile, SendFailedError

ANSWERS = Path(__file__).parent / "answers"
TOKEN = "EAAG-very-secret"
PAYLOAD = {"messaging_product": "whatsapp", "to": "+5511987654321", "type": "text", "text": {"body": "olá"}}
ACCEPTED = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "+5511987654321", "wa_id": "551187654321", "user_id": "BR.1A"}],
    "messages": [{"id": "wamid.1"}],
}


def answer_of_meta(name: str) -> dict[str, Any]:
    """An answer of the Graph API from its fixture."""
    answer: dict[str, Any] = json.loads((ANSWERS / f"{name}.json").read_bytes())
    return answer


def api(answer: Callable[[httpx.Request], httpx.Response]) -> GraphApi:
    return GraphApi("https://graph.example.com/", "v25.0", transport=httpx.MockTransport(answer))


def failure_of(answer: httpx.Response | Exception) -> SendFailedError:
    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with api(handle) as graph, pytest.raises(SendFailedError) as caught:
        graph.send("106", TOKEN, PAYLOAD)
    assert TOKEN not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
    return caught.value


def error(code: int, **more: Any) -> dict[str, Any]:
    return {"error": {"message": f"(#{code}) Refused", "type": "OAuthException", "code": code, **more}}


@pytest.mark.parametrize(
    ("refusal", "posted"),
    [
        (None, ["marketing_messages"]),
        (134101, ["marketing_messages", "messages"]),
        (131055, ["marketing_messages", "messages"]),
    ],
)
def test_a_marketing_template_goes_to_its_endpoint_or_as_any_other(refusal: int | None, posted: list[str]) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.path.rpartition("/")[2], json.loads(request.content)))
        if refusal is not None and len(seen) == 1:
            return httpx.Response(400, json=error(refusal))
        return httpx.Response(200, json=ACCEPTED)

    with api(handle) as graph:
        assert graph.send("106", TOKEN, PAYLOAD | MARKETING_POLICY).message_id == "wamid.1"
    assert [endpoint for endpoint, _ in seen] == posted
    assert seen[0][1]["product_policy"] == "CLOUD_API_FALLBACK"
    assert seen[-1][1] == (PAYLOAD | MARKETING_POLICY if refusal is None else PAYLOAD)


def test_other_refusals_of_a_marketing_template_are_not_tried_elsewhere() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith("/marketing_messages")
        return httpx.Response(400, json=error(131049))

    with api(handle) as graph, pytest.raises(SendFailedError) as caught:
        graph.send("106", TOKEN, PAYLOAD | MARKETING_POLICY)
    assert caught.value.code == 131049


def test_a_message_is_posted_with_its_token_to_its_number() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=ACCEPTED)

    with api(handle) as graph:
        accepted = graph.send("106540352242922", TOKEN, PAYLOAD)
    assert accepted == AcceptedMessage("wamid.1", wa_id="551187654321", user_id="BR.1A")
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "https://graph.example.com/v25.0/106540352242922/messages")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == PAYLOAD


def test_a_recipient_may_stay_without_ids() -> None:
    with api(lambda _: httpx.Response(200, json={"messages": [{"id": "wamid.1"}]})) as graph:
        assert graph.send("106", TOKEN, PAYLOAD) == AcceptedMessage("wamid.1")


def test_a_message_may_be_held_to_assess_its_template() -> None:
    held = answer_of_meta("held_for_quality_assessment")
    accepted = held | {"messages": [{"id": "wamid.OUT1", "message_status": "accepted"}]}
    for answer, is_held in ((held, True), (accepted, False)):
        with api(lambda _, answer=answer: httpx.Response(200, json=answer)) as graph:  # type: ignore[misc]
            assert graph.send("106", TOKEN, PAYLOAD) == AcceptedMessage("wamid.OUT1", "5511987654321", held=is_held)


def test_a_paused_template_is_refused_with_its_reason() -> None:
    failed = failure_of(httpx.Response(400, json=answer_of_meta("template_paused")))
    assert (failed.error_class, failed.code, failed.http_status) == (ErrorClass.TEMPLATE, 132015, 400)
    assert failed.details == "The template order_ready is paused."


def test_a_refusal_keeps_what_helps_a_person_to_understand_it() -> None:
    body = error(131056, error_subcode=2494055, error_data={"details": "Too many messages"}, fbtrace_id="Abc")
    failed = failure_of(httpx.Response(429, json=body, headers={"retry-after": "6"}))
    assert failed.error_class is ErrorClass.HOLD_RECIPIENT
    assert (failed.http_status, failed.code, failed.subcode) == (429, 131056, 2494055)
    assert (failed.title, failed.details, failed.fbtrace_id) == ("(#131056) Refused", "Too many messages", "Abc")
    assert failed.retry_after == 6
    assert str(failed) == "hold_recipient (error 131056) (#131056) Refused: Too many messages"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(400, json=error(131047)), ErrorClass.WINDOW_CLOSED),
        (httpx.Response(401, json=error(190)), ErrorClass.FATAL_TOKEN),
        (httpx.Response(400, json=error(100, is_transient=True)), ErrorClass.TRANSIENT),
        (httpx.Response(400, json=error(100, error_data="plain text")), ErrorClass.PERMANENT),
        (httpx.Response(400, json={"error": "text"}), ErrorClass.PERMANENT),
        (httpx.Response(404, text="<html>not found</html>"), ErrorClass.PERMANENT),
        (httpx.Response(429, text="slow down"), ErrorClass.RETRY),
        (httpx.Response(500, json=error(131000)), ErrorClass.TRANSIENT),
        (httpx.Response(502, text="<html>Bad gateway</html>"), ErrorClass.AMBIGUOUS),
        (httpx.Response(503), ErrorClass.AMBIGUOUS),
        (httpx.Response(302, headers={"location": "https://example.com"}), ErrorClass.AMBIGUOUS),
        (httpx.Response(200), ErrorClass.AMBIGUOUS),
        (httpx.Response(200, text="OK"), ErrorClass.AMBIGUOUS),
        (httpx.Response(200, json=["wamid.1"]), ErrorClass.AMBIGUOUS),
        (httpx.Response(200, json={"messages": []}), ErrorClass.AMBIGUOUS),
        (httpx.Response(200, json={"messages": [{}]}), ErrorClass.AMBIGUOUS),
        (httpx.Response(200, json=error(999)), ErrorClass.AMBIGUOUS),
    ],
)
def test_an_answer_that_accepts_nothing(answer: httpx.Response, expected: ErrorClass) -> None:
    assert failure_of(answer).error_class is expected


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (httpx.ConnectError("refused"), ErrorClass.RETRY),
        (httpx.ConnectTimeout("no answer"), ErrorClass.RETRY),
        (httpx.PoolTimeout("busy"), ErrorClass.RETRY),
        (httpx.LocalProtocolError(f"bad header {TOKEN}"), ErrorClass.RETRY),
        (httpx.WriteError("reset"), ErrorClass.AMBIGUOUS),
        (httpx.WriteTimeout("slow"), ErrorClass.AMBIGUOUS),
        (httpx.ReadTimeout("slow"), ErrorClass.AMBIGUOUS),
        (httpx.ReadError("reset"), ErrorClass.AMBIGUOUS),
        (httpx.RemoteProtocolError("server disconnected"), ErrorClass.AMBIGUOUS),
        (httpx.DecodingError("bad gzip"), ErrorClass.AMBIGUOUS),
    ],
)
def test_a_broken_way(broken: Exception, expected: ErrorClass) -> None:
    failed = failure_of(broken)
    assert (failed.error_class, failed.http_status, failed.code) == (expected, None, None)


def test_a_token_that_meta_writes_into_its_error_goes_no_further() -> None:
    failed = failure_of(httpx.Response(401, json=error(190, error_data={"details": f"Malformed access token {TOKEN}"})))
    assert failed.details == "Malformed access token ***"


@pytest.mark.parametrize("token", ["", " ", "abc\n", "abc def", "ação"])
def test_a_token_that_no_header_can_hold_stops_the_number_without_a_request(token: str) -> None:
    with api(lambda _: pytest.fail("a request was made")) as graph, pytest.raises(SendFailedError) as caught:
        graph.send("106", token, PAYLOAD)
    assert caught.value.error_class is ErrorClass.FATAL_TOKEN


def test_no_log_holds_the_token(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "httpx", "httpcore"):  # the functions quiet the libraries for the whole process
        caplog.set_level(logging.DEBUG, logger=name)
    with listening(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n") as url, GraphApi(url, "v25.0") as graph:
        with pytest.raises(SendFailedError):
            graph.send("106", TOKEN, PAYLOAD)
        assert TOKEN not in repr(graph)
    assert caplog.records
    assert TOKEN not in caplog.text


@contextmanager
def listening(answer: bytes) -> Iterator[str]:
    """A real server that reads one request, writes `answer` and hangs up."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.settimeout(5)
            received = b""
            while not received.endswith(b"}}"):
                received += connection.recv(65536)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        thread.join()
        server.close()


def test_a_connection_that_is_cut_after_the_request_left_is_ambiguous() -> None:
    with listening(b"") as url, GraphApi(url, "v25.0") as graph, pytest.raises(SendFailedError) as caught:
        graph.send("106", TOKEN, PAYLOAD)
    assert caught.value.error_class is ErrorClass.AMBIGUOUS


def test_a_server_that_is_not_there_got_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with GraphApi(f"http://127.0.0.1:{port}", "v25.0") as graph, pytest.raises(SendFailedError) as caught:
        graph.send("106", TOKEN, PAYLOAD)
    assert caught.value.error_class is ErrorClass.RETRY


def profile_of(answer: httpx.Response) -> NumberProfile:
    with api(lambda _: answer) as graph:
        return graph.profile("106", TOKEN)


def test_a_profile_tells_where_meta_posts_the_numbers_messages() -> None:
    seen: list[httpx.Request] = []
    webhooks = {"application": "https://a.example", "whatsapp_business_account": "https://w.example"}

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = {
            "id": "106",
            "display_phone_number": "+55 11 4000-0001",
            "verified_name": "Acme",
            "status": "CONNECTED",
        }
        entities = [{"entity_type": "PHONE_NUMBER", "id": "106"}, {"entity_type": "WABA", "id": "5"}]
        more = {"webhook_configuration": webhooks, "health_status": {"entities": entities}}
        return httpx.Response(200, json=answer | more)

    with api(handle) as graph:
        found = graph.profile("106", TOKEN)
    assert found == NumberProfile("106", "+55 11 4000-0001", "Acme", "CONNECTED", "https://w.example", "5")
    assert (seen[0].method, seen[0].url.path) == ("GET", "/v25.0/106")
    assert seen[0].headers["authorization"] == f"Bearer {TOKEN}"
    for health in (None, [], {"entities": None}, {"entities": [None, {"entity_type": "WABA"}]}):
        assert profile_of(httpx.Response(200, json={"id": "106", "health_status": health})) == NumberProfile("106")


@pytest.mark.parametrize(
    ("answer", "error_class"),
    [
        (httpx.Response(400, json=error(100, error_subcode=33)), ErrorClass.PERMANENT),
        (httpx.Response(401, json=error(190)), ErrorClass.FATAL_TOKEN),
        (httpx.Response(200, json={"id": "107"}), ErrorClass.AMBIGUOUS),
        (httpx.Response(200, text="<html>"), ErrorClass.AMBIGUOUS),
        (httpx.Response(503), ErrorClass.AMBIGUOUS),
        (httpx.Response(429, json=error(4)), ErrorClass.RETRY),
    ],
)
def test_a_profile_that_cannot_be_read_says_whether_meta_refused_it(
    answer: httpx.Response, error_class: ErrorClass
) -> None:
    with pytest.raises(SendFailedError) as caught:
        profile_of(answer)
    assert caught.value.error_class == error_class
