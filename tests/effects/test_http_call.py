"""What an api_call may reach, what it sends, and what becomes of every answer: no exception, no leak, no waiting."""

import gzip
import json
import logging
import socket
import ssl
import time
import tracemalloc
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from pytake.conversation.ports.tenants import FlowSecret
from pytake.effects.errors import CallFailedError
from pytake.effects.http_call import MAX_REQUEST_BYTES, HttpcoreCaller
from pytake.effects.redaction import Redactor
from pytake.effects.response import MAX_RESPONSE_BYTES, read_content
from pytake.engine import EffectResult, HttpRequest
from pytake.engine.effects import secret_placeholder
from pytake.observability import logger
from tests.effects.servers import Server, answering, certified, saying, serving

SECRETS = {"TOKEN": "s3cr3t/+ü token", "CODE": "987654", "SHORT": "br", "LINE": "tok-line\n", "BREAK": "a\r\nX-Evil: 1"}
JSON = "Content-Type: application/json"
HOSTS = ("127.0.0.1", "api.example.com")


class StoredSecrets:
    """Secrets of one organization."""

    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts or HOSTS
        self.stored_since: dict[str, str] = {}
        self.asked: list[str] = []

    def of_organization(self, organization_id: str, *, fresh: bool = False) -> Mapping[str, FlowSecret]:
        self.asked.append(organization_id)
        values = SECRETS | self.stored_since if fresh else SECRETS
        return {name: FlowSecret(value, self.hosts) for name, value in values.items()}


class Names:
    """A resolver that plays a script: one answer per look-up, the last one again and again."""

    def __init__(self, *answers: Sequence[str] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def request(url: str, **parts: Any) -> HttpRequest:
    return HttpRequest(**({"key": "flow/node/1", "method": "GET", "url": url} | parts))


def local(**options: Any) -> HttpcoreCaller:
    """An api_call as in development: any address, plain HTTP."""
    allowed = {"allow_plain_http": True, "allow_private_addresses": True}
    return HttpcoreCaller(options.pop("secrets", StoredSecrets()), **(allowed | options))


def call(server: Server, path: str = "/", **parts: Any) -> EffectResult:
    return local().perform("acme", request(f"http://127.0.0.1:{server.port}{path}", **parts))


def refusal(url: str, resolve: Names | None = None, **parts: Any) -> str:
    """The error code of a request that must not leave."""
    names = resolve or Names(["93.184.216.34"])
    result = HttpcoreCaller(StoredSecrets(), resolve=names).perform("acme", request(url, **parts))
    assert not result.ok
    assert result.status is None
    return code(result)


def code(result: EffectResult) -> str:
    assert result.error is not None
    word, separator, sentence = result.error.partition(": ")
    assert separator
    assert sentence.endswith(".")
    return word


@pytest.fixture
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make any connection a failure of the test."""
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("a connection was made"))


# What may be reached


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://api.example.com/", "url_not_https"),
        ("ftp://api.example.com/", "url_not_https"),
        ("file:///etc/passwd", "url_not_https"),
        ("gopher://api.example.com/", "url_not_https"),
        ("//api.example.com/", "url_not_https"),
        ("api.example.com", "url_not_https"),
        ("", "url_not_https"),
        ("https://user:password@api.example.com/", "url_has_credentials"),
        ("https://api.example.com@evil.example/", "url_has_credentials"),
        ("https://api.example.com\\@evil.example/", "url_has_credentials"),
        ("https://", "url_invalid"),
        ("https:///path", "url_invalid"),
        ("https:api.example.com", "url_invalid"),
        ("https://./", "url_invalid"),
        ("https://api example.com/", "url_invalid"),
        ("https://api.example.com%00.evil.example/", "url_invalid"),
        ("https://127.0.0.%31/", "url_invalid"),
        ("https://api.example.com\r\nX-Evil: 1/", "url_invalid"),
        ("https://api.example.com/\x00", "url_invalid"),
        ("https://api.example.com/\ud800", "url_invalid"),
        ("https://[::1/", "url_invalid"),
        ("https://[::1]evil.example/", "url_invalid"),
        ("https://１２７.０.０.１/", "url_invalid"),
        ("https://ⓛocalhost/", "url_invalid"),
        ("https://loca\u00adlhost/", "url_invalid"),
        ("https://api.example.com:99999999/", "url_invalid"),
        ("https://api.example.com:-1/", "url_invalid"),
        ("https://api.example.com:0/", "url_invalid"),
        ("https://api.example.com:22/", "port_refused"),
        ("https://api.example.com:8443/", "port_refused"),
        ("https://" + "a" * 70_000, "url_invalid"),
    ],
)
def test_a_url_that_is_refused(url: str, expected: str) -> None:
    assert refusal(url) == expected


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["fd00:ec2::254"],
        ["::ffff:169.254.169.254"],
        ["64:ff9b::a9fe:a9fe"],
        ["93.184.216.34", "10.0.0.1"],
        ["10.0.0.1", "93.184.216.34"],
        ["93.184.216.34"] * 9 + ["192.168.1.1"],
        ["2606:4700:4700::1111", "::1"],
        ["nonsense"],
    ],
)
def test_one_address_that_is_not_public_condemns_the_host(answer: list[str]) -> None:
    assert refusal("https://api.example.com/", Names(answer)) == "address_refused"


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "127.1",
        "0",
        "169.254.169.254",
        "0xA9FEA9FE",
        "[::1]",
        "[::]",
        "[::7f00:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001::1]",
        "[fe80::1%25lo]",
        "[fd00:ec2::254]",
    ],
)
def test_no_spelling_of_a_private_address_passes_the_system_s_resolver(host: str) -> None:
    result = HttpcoreCaller(StoredSecrets()).perform("acme", request(f"https://{host}/"))
    assert code(result) in ("address_refused", "dns_failed")


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize("answer", [[], socket.gaierror("no such host"), UnicodeError("label too long")])
def test_a_host_that_is_not_found(answer: Sequence[str] | Exception) -> None:
    assert refusal("https://api.example.com/", Names(answer)) == "dns_failed"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.example.com/", "api.example.com"),
        ("https://API.Example.com./", "api.example.com"),
        ("https://münchen.example.com:443/", "xn--mnchen-3ya.example.com"),
    ],
)
def test_the_name_is_looked_up_once_and_the_checked_address_is_kept(
    monkeypatch: pytest.MonkeyPatch, url: str, name: str
) -> None:
    """The rebinding server: a public address for the check, this machine's loopback ever after."""
    tls, trusting = certified("*.example.com")
    names, reached = Names(["93.184.216.34"], ["127.0.0.1"]), []
    connect = socket.create_connection
    with serving(answering(b'{"hi": 1}', JSON), tls) as server:

        def internet(address: tuple[str, int], timeout: float) -> socket.socket:
            reached.append(address)
            return connect(("127.0.0.1", server.port), timeout)

        monkeypatch.setattr(socket, "create_connection", internet)
        result = HttpcoreCaller(StoredSecrets(), resolve=names, ssl_context=trusting).perform("acme", request(url))
    assert result == EffectResult(ok=True, status=200, body={"hi": 1})
    assert names.asked == [(name, 443)]
    assert reached == [("93.184.216.34", 443)]
    assert server.names == [name]
    assert f"\r\nHost: {name}\r\n" in server.head + "\r\n"


def test_the_next_address_is_tried_when_one_takes_no_connection() -> None:
    with serving(answering(b"hi")) as server:
        names = Names(["127.0.0.2", "127.0.0.1"])  # nothing listens at the first
        result = local(resolve=names).perform("acme", request(f"http://api.example.com:{server.port}/"))
    assert result.body == "hi"


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert code(local().perform("acme", request(f"http://127.0.0.1:{port}/"))) == "connection_failed"


@pytest.mark.parametrize("url", ["https://other.example.org:{port}/", "https://127.0.0.1:{port}/"])
def test_a_certificate_for_another_name(url: str) -> None:
    tls, trusting = certified("api.example.com")
    with serving(answering(b"hi"), tls) as server:
        calls = local(resolve=Names(["127.0.0.1"]), ssl_context=trusting)
        result = calls.perform("acme", request(url.format(port=server.port)))
    assert code(result) == "certificate_invalid"
    assert server.requests == []


def test_a_certificate_that_nobody_vouches_for() -> None:
    tls, _ = certified("api.example.com")
    with serving(answering(b"hi"), tls) as server:
        calls = local(resolve=Names(["127.0.0.1"]))
        result = calls.perform("acme", request(f"https://api.example.com:{server.port}/"))
    assert code(result) == "certificate_invalid"


def test_a_server_that_speaks_no_tls() -> None:
    def babble(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        import threading

        def serve() -> None:
            accepted, _ = listener.accept()
            with accepted:
                accepted.recv(10)
                babble(accepted)

        thread = threading.Thread(target=serve)
        thread.start()
        result = local().perform("acme", request(f"https://127.0.0.1:{listener.getsockname()[1]}/"))
        thread.join()
    assert code(result) == "tls_failed"


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(answering(b"direct")) as server:
        assert call(server).body == "direct"


# What is sent


def test_a_request_as_it_arrives() -> None:
    with serving(answering(b"{}", JSON)) as server:
        call(
            server,
            "/orders?a=1&b=x%2Fy",
            method="POST",
            headers={"X-Name": "José", "Authorization": "Bearer abc"},
            query_params={"q": "a b&c=ü", "b": "2"},
            body={"name": "José", "items": [1, None, True]},
        )
    line, *headers = server.head.split("\r\n")
    assert line == "POST /orders?a=1&b=2&q=a+b%26c%3D%C3%BC HTTP/1.1"
    assert set(headers) == {
        f"Host: 127.0.0.1:{server.port}",
        "Accept: */*",
        "User-Agent: PyTake",
        "X-Name: José",
        "Authorization: Bearer abc",
        "Idempotency-Key: flow/node/1",
        "Accept-Encoding: gzip",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(server.content)}",
    }
    assert json.loads(server.content) == {"name": "José", "items": [1, None, True]}


@pytest.mark.parametrize(
    ("method", "body", "headers", "content_type", "content"),
    [
        ("POST", "olá", {}, "text/plain; charset=utf-8", "olá".encode()),
        ("POST", "<x/>", {"content-type": "text/xml"}, "text/xml", b"<x/>"),
        ("PUT", [1, "2"], {}, "application/json", b'[1,"2"]'),
        ("PATCH", 5, {"Content-Type": "application/merge-patch+json"}, "application/merge-patch+json", b"5"),
        ("DELETE", {"a": 1}, {}, "application/json", b'{"a":1}'),
        (
            "POST",
            {"grant_type": "password", "n": 1.5, "b": True, "q": "a&b"},
            {"Content-Type": "application/x-www-form-urlencoded"},
            "application/x-www-form-urlencoded",
            b"grant_type=password&n=1.5&b=true&q=a%26b",
        ),
    ],
)
def test_content(method: str, body: Any, headers: dict[str, str], content_type: str, content: bytes) -> None:
    with serving(answering(b"")) as server:
        call(server, method=method, body=body, headers=headers)
    assert server.content == content
    assert server.head.lower().count("content-type:") == 1
    assert f"Content-Type: {content_type}".lower() in server.head.lower().split("\r\n")


@pytest.mark.parametrize(("method", "length"), [("POST", True), ("PUT", True), ("GET", False), ("DELETE", False)])
def test_no_content(method: str, length: bool) -> None:
    with serving(answering(b"")) as server:
        assert call(server, method=method).ok
    assert ("Content-Length: 0" in server.head) is length
    assert "Content-Type" not in server.head


def test_headers_of_a_flow_cannot_take_the_place_of_ours() -> None:
    flow = {
        "Host": "internal.example",
        "CONTENT-LENGTH": "3",
        "transfer-encoding": "chunked",
        "Connection": "upgrade",
        "Upgrade": "websocket",
        "idempotency-key": "mine",
        "Accept-Encoding": "br",
        "Expect": "100-continue",
        "Proxy-Authorization": "x",
        "User-Agent": "Acme/1.0",
    }
    with serving(answering(b"ok")) as server:
        assert call(server, method="POST", headers=flow, body={"a": 1}).ok
    head = server.head
    for foreign in ("internal.example", "chunked", "upgrade", "mine", "br\r\n", "100-continue", "Proxy"):
        assert foreign not in head
    for name in ("Host:", "Content-Length:", "Connection:", "Idempotency-Key:", "User-Agent: Acme/1.0"):
        assert head.count(name) == 1
    assert server.content == b'{"a":1}'


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "1\r\nX-Evil: 1"},
        {"X-A": "1\nX-Evil: 1"},
        {"X-A": "1\rX-Evil: 1"},
        {"X-A": "1\x00"},
        {"X-A": "\x7f"},
        {"X-A": "\ud800"},
        {"X-A\r\nX-Evil": "1"},
        {"X-A: 1\r\nX-Evil": "1"},
        {"X A": "1"},
        {"X-Ä": "1"},
        {"": "1"},
        {":path": "/"},
        {"Host ": "evil"},
        {"Authorization": secret_placeholder("BREAK")},
    ],
)
def test_no_header_can_begin_another(headers: dict[str, str]) -> None:
    assert refusal("https://api.example.com/", headers=headers) == "header_invalid"


def test_an_idempotency_key_of_any_node_id_fits_a_header() -> None:
    with serving(answering(b"ok")) as server:
        call(server, key="fluxo/pergunta é\r\n/3")
    assert "Idempotency-Key: fluxo/pergunta%20%C3%A9%0D%0A/3\r\n" in server.head


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "", "GET /x HTTP/1.1\r\nHost: evil\r\n\r\nGET", "BREW"])
def test_a_method_that_is_none(method: str) -> None:
    assert refusal("https://api.example.com/", method=method) == "method_invalid"


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("x" * (MAX_REQUEST_BYTES + 1), "body_too_large"),
        ({"x": ["x" * MAX_REQUEST_BYTES]}, "body_too_large"),
        ("\ud800", "body_invalid"),
        ({"x": "\ud800"}, "body_invalid"),
        ({"x": object()}, "body_invalid"),
    ],
)
def test_a_body_that_is_refused(body: Any, expected: str) -> None:
    assert refusal("https://api.example.com/", method="POST", body=body) == expected


# What comes back


@pytest.mark.parametrize(
    ("content", "content_type", "body"),
    [
        (b'{"a": [1, 2.5, null]}', "application/json", {"a": [1, 2.5, None]}),
        (b'{"a": 1}', "application/problem+json; charset=utf-8", {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', "application/json", {"a": 1}),
        (b" [1]", "text/plain", [1]),
        (b'"text"', "application/json", "text"),
        (b"5", "application/json", 5),
        (b"5", "text/plain", "5"),
        (b'{"a": 1', "application/json", '{"a": 1'),
        (b"{}}", "application/json", "{}}"),
        (b"NaN", "application/json", "NaN"),
        (b"<html>", "text/html", "<html>"),
        (b'{"a": "\xff"}', "application/json", '{"a": "\ufffd"}'),
        ("olá".encode(), "text/plain", "olá"),
        ("olá €".encode("cp1252"), 'text/plain; charset="ISO-8859-1"', "olá €"),
        (b"+AGE-", "text/plain; charset=utf-7", "+AGE-"),
        (b"", "application/json", None),
        (b"[" * 90 + b"]" * 90, "application/json", json.loads("[" * 90 + "]" * 90)),
        (b"[" * 101 + b"]" * 101, "application/json", "[" * 101 + "]" * 101),
        (b"[" * 50_000 + b"]" * 50_000, "application/json", "[" * 50_000 + "]" * 50_000),
    ],
)
def test_the_body_of_an_answer(content: bytes, content_type: str, body: Any) -> None:
    with serving(answering(content, f"Content-Type: {content_type}")) as server:
        result = call(server)
    assert (result.ok, result.status, result.error) == (True, 200, None)
    assert result.body == body
    msgspec.json.encode(result)  # a turn's record can hold it


def test_an_answer_without_a_content_type() -> None:
    with serving(answering(b'{"a": 1}')) as server:
        assert call(server).body == {"a": 1}


def test_an_answer_in_chunks_that_ends_with_the_connection() -> None:
    with serving(saying(b"HTTP/1.0 200 OK\r\n\r\n", b"half ", b"and half")) as server:
        assert call(server).body == "half and half"


def test_an_answer_to_head_has_no_body() -> None:
    with serving(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\nContent-Encoding: gzip\r\n\r\n")) as server:
        assert call(server, method="HEAD") == EffectResult(ok=True, status=200)


def test_no_content_is_an_answer_too() -> None:
    with serving(saying(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        assert call(server, method="POST") == EffectResult(ok=True, status=204)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500, 503])
def test_a_refusal_keeps_its_status_and_body(status: int) -> None:
    with serving(answering(b'{"reason": "no"}', JSON, status=f"{status} No")) as server:
        result = call(server)
    assert (result.ok, result.status, result.body) == (False, status, {"reason": "no"})
    assert code(result) == "http_status"
    assert str(status) in str(result.error)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with serving(answering(b"elsewhere")) as elsewhere:
        location = f"Location: http://127.0.0.1:{elsewhere.port}/"
        with serving(answering(b"", location, status=f"{status} Moved")) as server:
            result = call(server)
    assert (result.ok, result.status, code(result)) == (False, status, "redirect_refused")
    assert elsewhere.requests == []


GZIP = "Content-Encoding: gzip"


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("gzip", gzip.compress(b'{"a": 1}', mtime=0)),
        ("GZIP", gzip.compress(b'{"a": 1}', mtime=0)),
        ("deflate", zlib.compress(b'{"a": 1}')),
    ],
)
def test_a_compressed_answer(encoding: str, content: bytes) -> None:
    with serving(answering(content, JSON, f"Content-Encoding: {encoding}")) as server:
        assert call(server).body == {"a": 1}


@pytest.mark.parametrize(
    ("headers", "content", "expected"),
    [
        ([GZIP], gzip.compress(b"\0" * 50_000_000, mtime=0), "answer_too_large"),
        ([GZIP], gzip.compress(b"x" * (MAX_RESPONSE_BYTES + 1)), "answer_too_large"),
        (["Content-Encoding: gzip, gzip"], gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), "answer_encoding"),
        ([GZIP, GZIP], gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), "answer_encoding"),
        (["Content-Encoding: br"], b"x", "answer_encoding"),
        ([GZIP], b"not gzip", "answer_broken"),
        ([GZIP], gzip.compress(b"x" * 1000, mtime=0)[:-9], "answer_broken"),
        ([], b"x" * (MAX_RESPONSE_BYTES + 1), "answer_too_large"),
    ],
)
def test_an_answer_that_is_too_much(headers: list[str], content: bytes, expected: str) -> None:
    with serving(answering(content, *headers)) as server:
        result = call(server)
    assert (result.ok, result.status, result.body, code(result)) == (False, 200, None, expected)


def test_a_bomb_is_not_inflated() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000, mtime=0)
    tracemalloc.start()
    try:
        with pytest.raises(CallFailedError):
            read_content([bomb], "gzip")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 10 * MAX_RESPONSE_BYTES


def test_the_largest_answer() -> None:
    with serving(answering(b"x" * MAX_RESPONSE_BYTES)) as server:
        assert call(server).body == "x" * MAX_RESPONSE_BYTES


def test_an_endless_answer_is_cut() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serving(endless) as server:
        assert code(call(server)) == "answer_too_large"


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([], None),
        ([b"SSH-2.0-OpenSSH_9.0\r\n"], None),
        ([b"HTTP/1.1 200 OK\r\nContent-Le"], None),
        ([b"HTTP/1.1 abc OK\r\n\r\n"], None),
        ([b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n"], None),
        ([b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"], None),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n"], None),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"], 200),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], 200),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha"], 200),
    ],
)
def test_an_answer_that_is_none(parts: list[bytes], status: int | None) -> None:
    with serving(saying(*parts)) as server:
        result = call(server)
    assert (result.ok, result.body) == (False, None)
    assert result.status == status
    assert code(result) in ("answer_broken", "connection_lost")


def test_a_connection_that_is_reset() -> None:
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with serving(reset) as server:
        assert code(call(server)) == "connection_lost"


def test_a_server_that_answers_before_it_has_read_everything() -> None:
    with serving(answering(b"too much", status="413 Too Large")) as server:
        result = call(server, method="POST", body="x" * MAX_REQUEST_BYTES)
    assert (result.status, result.body) == (413, "too much")


# Time


def drip(connection: socket.socket) -> None:
    """A byte now and then: no single read ever waits long."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def drip_head(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-A: 1\r\n")
        time.sleep(0.02)


def drip_continue(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.02)


def silence(connection: socket.socket) -> None:
    connection.recv(1)


@pytest.mark.parametrize("speak", [drip, drip_head, drip_continue, silence])
def test_the_time_of_a_call_is_limited_as_a_whole(speak: Any) -> None:
    with serving(speak) as server:
        began = time.monotonic()
        result = call(server, timeout_seconds=0.2)
        assert time.monotonic() - began < 1
    assert (result.ok, code(result)) == (False, "timeout")


def test_a_server_that_never_finishes_the_handshake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        assert code(local().perform("acme", request(url, timeout_seconds=0.2))) == "timeout"


def test_a_server_that_reads_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        wanted = request(url, method="POST", body="x" * MAX_REQUEST_BYTES, timeout_seconds=0.2)
        assert code(local().perform("acme", wanted)) == "timeout"


def test_a_name_server_that_never_answers() -> None:
    import threading

    over = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        over.wait(5)
        return []

    calls = HttpcoreCaller(StoredSecrets(), resolve=slow)
    assert code(calls.perform("acme", request("https://api.example.com/", timeout_seconds=0.1))) == "timeout"
    over.set()


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1, 0])
def test_a_time_that_is_none_means_the_longest(seconds: float) -> None:
    with serving(answering(b"ok")) as server:
        assert call(server, timeout_seconds=seconds).ok


# Secrets


def test_secrets_are_put_in_at_the_last_moment() -> None:
    token = secret_placeholder("TOKEN")
    with serving(answering(b"ok")) as server:
        result = call(
            server,
            f"/v1/{secret_placeholder('CODE')}",
            method="POST",
            headers={"X-Token": token, "X-Line": secret_placeholder("LINE")},
            query_params={"token": token},
            body={"token": token, token: [token]},
        )
    assert result.ok
    assert server.head.startswith("POST /v1/987654?token=s3cr3t%2F%2B%C3%BC+token HTTP/1.1\r\n")
    assert "X-Token: s3cr3t/+ü token\r\n" in server.head
    assert "X-Line: tok-line\r\n" in server.head
    value = SECRETS["TOKEN"]
    assert json.loads(server.content) == {"token": value, value: [value]}


def test_secrets_are_read_only_for_a_request_that_uses_them() -> None:
    secrets = StoredSecrets()
    with serving(answering(b"ok")) as server:
        calls = local(secrets=secrets)
        calls.perform("acme", request(f"http://127.0.0.1:{server.port}/"))
        assert secrets.asked == []
        calls.perform(
            "acme", request(f"http://127.0.0.1:{server.port}/{secret_placeholder('CODE')}{secret_placeholder('TOKEN')}")
        )
    assert secrets.asked == ["acme"]


def test_a_secret_that_was_stored_a_moment_ago_is_found() -> None:
    secrets = StoredSecrets()
    secrets.stored_since["NEW"] = "fresh-token"
    with serving(answering(b"ok fresh-token")) as server:
        result = local(secrets=secrets).perform(
            "acme", request(f"http://127.0.0.1:{server.port}/{secret_placeholder('NEW')}")
        )
    assert server.head.startswith("GET /fresh-token ")
    assert (result.ok, result.body) == (True, "ok ***")


@pytest.mark.usefixtures("no_connections")
def test_a_secret_that_is_not_stored_stops_the_request() -> None:
    assert refusal(f"https://api.example.com/{secret_placeholder('OTHER')}") == "secret_missing"


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://evil.api.example.com/",
        "https://api.example.com.evil.example/",
        "https://api.example.comevil/",
        "https://example.com/",
        "https://93.184.216.34/",
        "https://evil.example/api.example.com?@api.example.com#api.example.com",
        f"https://{secret_placeholder('CODE')}.evil.example/",
    ],
)
def test_a_secret_is_sent_to_its_own_hosts_only_and_no_other_name_is_looked_up(url: str) -> None:
    names = Names(["93.184.216.34"])
    parts: list[dict[str, Any]] = [
        {"headers": {"X": secret_placeholder("TOKEN")}},
        {"query_params": {"x": secret_placeholder("TOKEN")}},
        {"method": "POST", "body": {"x": [secret_placeholder("TOKEN")]}},
        {"method": "POST", "body": {secret_placeholder("TOKEN"): 1}},
    ]
    assert [refusal(url, names, **part) for part in parts] == ["secret_host_refused"] * len(parts)
    assert refusal(f"{url}{secret_placeholder('TOKEN')}", names) == "secret_host_refused"
    assert names.asked == []


@pytest.mark.parametrize("host", ["api.example.com", "API.Example.COM", "api.example.com."])
def test_a_host_may_be_spelled_in_every_way_that_means_the_same(host: str) -> None:
    calls = local(resolve=Names(["127.0.0.1"]), secrets=StoredSecrets("api.example.com"))
    with serving(answering(b"ok")) as server:
        wanted = request(f"http://{host}:{server.port}/", headers={"X": secret_placeholder("CODE")})
        assert calls.perform("acme", wanted).ok
    assert "X: 987654\r\n" in server.head


def test_every_secret_of_a_request_must_be_for_its_host() -> None:
    class Mixed(StoredSecrets):
        def of_organization(self, organization_id: str, *, fresh: bool = False) -> Mapping[str, FlowSecret]:
            return {"OURS": FlowSecret("our-token", ("127.0.0.1",)), "THEIRS": FlowSecret("their-token", ("x.io",))}

    with serving(answering(b"ok")) as server:
        url = f"http://127.0.0.1:{server.port}/"
        headers = {"A": secret_placeholder("OURS"), "B": secret_placeholder("THEIRS")}
        assert code(local(secrets=Mixed()).perform("acme", request(url, headers=headers))) == "secret_host_refused"
    assert server.requests == []


def test_a_secret_does_not_follow_a_redirect() -> None:
    with serving(answering(b"ok")) as other:
        away = answering(b"", f"Location: http://localhost:{other.port}/", status="307 Temporary Redirect")
        with serving(away) as server:
            result = call(server, headers={"Authorization": secret_placeholder("TOKEN")})
        assert code(result) == "redirect_refused"
    assert other.requests == []


class BrokenSecrets:
    """A store whose error tells too much."""

    def of_organization(self, organization_id: str, *, fresh: bool = False) -> Mapping[str, FlowSecret]:
        raise RuntimeError("cannot decode s3cr3t/+ü token")


@pytest.mark.usefixtures("no_connections")
def test_secrets_that_cannot_be_read(caplog: pytest.LogCaptureFixture) -> None:
    wanted = request(f"https://api.example.com/{secret_placeholder('TOKEN')}")
    result = HttpcoreCaller(BrokenSecrets()).perform("acme", wanted)
    assert code(result) == "secrets_unavailable"
    assert "s3cr3t" not in caplog.text
    assert "s3cr3t" not in repr(result)


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized"])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"you sent": "Bearer s3cr3t/+ü token!"}', {"you sent": "Bearer ***!"}),
        ('{"a": [{"s3cr3t/+\\u00fc token": "s3cr3t\\/+ü token"}]}', {"a": [{"***": "***"}]}),
        ('{"code": 987654, "other": 9876541, "yes": true}', {"code": "***", "other": 9876541, "yes": True}),
        ('{"code": "987654", "lang": "br"}', {"code": "***", "lang": "br"}),
        ("GET /?token=s3cr3t%2F%2B%C3%BC%20token", "GET /?token=***"),
        ("GET /?token=s3cr3t%2F%2B%C3%BC+token", "GET /?token=***"),
        ("broken { s3cr3t/+\\u00fc token", "broken { ***"),
        ("line: tok-line.", "line: ***."),
        ("plain s3cr3t/+ü token and tok-line", "plain *** and ***"),
        (f"base64 {b64encode(SECRETS['TOKEN'].encode()).decode()}", "base64 ***"),
        ("backwards nekot ü+/t3rc3s", "backwards ***"),
        (f"hex {SECRETS['TOKEN'].encode().hex()} {SECRETS['TOKEN'].encode().hex().upper()}", "hex *** ***"),
        ("GET /?token=s3cr3t%2f%2b%c3%bc%20token", "GET /?token=***"),
    ],
)
def test_a_secret_that_is_echoed_goes_no_further(content: str, expected: Any, status: str) -> None:
    used = {
        "X-A": "".join(secret_placeholder(name) for name in ("TOKEN", "CODE", "SHORT")),
        "X-B": secret_placeholder("LINE"),
    }
    with serving(answering(content.encode(), status=status)) as server:
        result = call(server, headers=used)
    assert result.body == expected


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "a", "ab", "user:", "Bearer "])
@pytest.mark.parametrize("after", ["", "?", "??", " and more"])
def test_no_part_of_a_base64_text_gives_a_secret_back(
    encode: Callable[[bytes], bytes], before: str, after: str
) -> None:
    secret = "s3cr3t-\u00ff\u00ff~~~>>>???-token"
    echoed = encode(f"{before}{secret}{after}".encode()).decode()
    redacted = Redactor([secret])({"echo": f"got {echoed}."})["echo"]
    assert redacted.count("***") == 1
    kept = redacted.removeprefix("got ").removesuffix(".").split("***")
    assert len("".join(kept)) <= len(encode(before.encode() + b"xx")) + len(encode(b"xx" + after.encode()))


def test_no_log_and_no_error_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    logger()  # as every function does first
    caplog.set_level(logging.DEBUG)
    marks = {"X-A": secret_placeholder("TOKEN"), "X-B": secret_placeholder("CODE")}
    echo = answering(b"", "X-Echo: 987654 s3cr3t", "Location: http://127.0.0.1/987654", status="302 Found")
    with serving(echo) as server:
        results = [call(server, f"/{secret_placeholder('CODE')}", headers=marks)]
    results.append(local().perform("acme", request(f"https://{secret_placeholder('CODE')}\r\n/", headers=marks)))
    results.append(local().perform("acme", request("https://127.0.0.1:1/", headers={"X": secret_placeholder("BREAK")})))
    for text in (caplog.text, repr([(result.status, result.error) for result in results])):
        assert "987654" not in text
        assert "s3cr3t" not in text
        assert "X-Evil" not in text


def test_the_trusted_authorities_are_loaded_for_the_first_call_only(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []
    make = ssl.create_default_context

    def counted(cafile: str) -> ssl.SSLContext:
        made.append(make(cafile=cafile))
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    calls = local(resolve=Names(["127.0.0.1"]))
    assert made == []
    for _ in range(2):
        assert code(calls.perform("acme", request("https://api.example.com:1/"))) == "connection_failed"
    assert len(made) == 1


def in_turn(*answers: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """Answer the first request with the first, and so on."""
    left = list(answers)
    return lambda connection: left.pop(0)(connection)


BUSY = answering(b'{"try": "later"}', JSON, status="503 Service Unavailable")


def test_an_overloaded_server_is_asked_again_with_the_same_idempotency_key() -> None:
    pauses: list[float] = []
    with serving(in_turn(BUSY, saying(), answering(b'"done"', JSON))) as server:
        url = f"http://127.0.0.1:{server.port}/"
        result = local(sleep=pauses.append).perform("acme", request(url, method="POST", attempts=3))
    assert result == EffectResult(ok=True, status=200, body="done")
    assert pauses == [0.5, 1.0]
    assert len({line for sent in server.requests for line in sent.split(b"\r\n") if b"Idempotency-Key" in line}) == 1


def test_the_last_attempt_s_answer_is_kept_and_no_other_is_made() -> None:
    with serving(in_turn(BUSY, BUSY)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        result = local(sleep=lambda _: None).perform("acme", request(url, attempts=2))
    assert (result.ok, result.status, result.body, len(server.requests)) == (False, 503, {"try": "later"}, 2)


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "500 Internal Server Error"])
def test_other_failures_are_not_repeated(status: str) -> None:
    with serving(answering(b"{}", JSON, status=status)) as server:
        local(sleep=pytest.fail).perform("acme", request(f"http://127.0.0.1:{server.port}/", attempts=3))
    assert len(server.requests) == 1


def test_no_attempt_is_made_without_time_for_it() -> None:
    with serving(BUSY) as server:
        url = f"http://127.0.0.1:{server.port}/"
        local(sleep=pytest.fail).perform("acme", request(url, attempts=3, timeout_seconds=0.4))
    assert len(server.requests) == 1
