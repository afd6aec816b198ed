"""Files at Meta: the token goes to Meta's hosts only, and no more is read than allowed."""

from collections.abc import Callable

import httpx
import pytest

from pytake.conversation.ports.media import MediaFile, MediaTooLargeError
from pytake.meta.media import GraphMedia
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.sending import MediaDescription, SendFailedError

TOKEN = "EAAG-very-secret"
URL = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=77"


def media(answer: Callable[[httpx.Request], httpx.Response]) -> GraphMedia:
    return GraphMedia("https://graph.example.com", "v25.0", transport=httpx.MockTransport(answer))


def test_a_file_is_described_for_its_number() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "https://graph.example.com/v25.0/77?phone_number_id=106"
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        return httpx.Response(200, json={"url": URL, "mime_type": "image/jpeg", "sha256": "AB", "file_size": 7})

    with media(handle) as api:
        assert api.describe("106", TOKEN, "77") == MediaDescription(URL, "image/jpeg", "ab", 7)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/?mid=77",
        "http://lookaside.fbsbx.com/a",
        "https://fbsbx.com.evil.example/a",
        "https://evilfbsbx.com/a",
        "https://graph.example.com@evil.example/a",
        "file:///etc/passwd",
    ],
)
def test_no_other_host_gets_the_token(url: str) -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, json={"url": url})

    with media(handle) as api:
        for act in (lambda: api.describe("106", TOKEN, "77"), lambda: api.download(url, TOKEN, 10)):
            with pytest.raises(SendFailedError) as caught:
                act()
            assert caught.value.error_class is ErrorClass.PERMANENT
    assert asked == ["graph.example.com"]


def test_a_download_ends_beyond_its_limit_and_follows_no_redirect() -> None:
    answers = {
        "1": httpx.Response(200, content=b"x" * 10),
        "2": httpx.Response(200, content=b"x" * 11),
        "3": httpx.Response(302, headers={"location": "https://evil.example"}),
        "4": httpx.Response(404),
    }
    with media(lambda request: answers[request.url.params["mid"]]) as api:
        assert api.download(URL.replace("77", "1"), TOKEN, 10) == b"x" * 10
        with pytest.raises(MediaTooLargeError):
            api.download(URL.replace("77", "2"), TOKEN, 10)
        for number in "34":
            with pytest.raises(SendFailedError):
                api.download(URL.replace("77", number), TOKEN, 10)


def test_an_upload_is_a_form_with_its_type() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        body = request.read()
        assert str(request.url) == "https://graph.example.com/v25.0/106/media"
        assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert b'name="messaging_product"\r\n\r\nwhatsapp' in body
        assert b'filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n%PDF' in body
        return httpx.Response(200, json={"id": "9"})

    with media(handle) as api:
        assert api.upload("106", TOKEN, MediaFile(b"%PDF", "application/pdf", "a.pdf")) == "9"


def test_a_refused_upload_has_metas_error() -> None:
    error = {"error": {"message": "(#131053) Media upload error", "code": 131053}}
    with media(lambda _: httpx.Response(400, json=error)) as api, pytest.raises(SendFailedError) as caught:
        api.upload("106", TOKEN, MediaFile(b"%PDF", "application/pdf"))
    assert (caught.value.code, caught.value.error_class) == (131053, ErrorClass.MEDIA)
