"""Files over the REST API, and the sender's queue of files to keep."""

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest

from functions.sender.handler import handler as sender
from pytake.meta.graph_api import GraphApi
from pytake.meta.media import GraphMedia
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.sending import AcceptedMessage, MediaDescription, SendFailedError
from tests.functions.conftest import Gateway, LambdaContext
from tests.functions.samples import FLOW
from tests.functions.world import ANA, World

PNG = b"\x89PNG\r\n\x1a\n picture"
FILE = {"mime_type": "image/png", "content": base64.b64encode(PNG).decode(), "filename": "menu.png"}


@pytest.fixture
def meta(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The uploads that Meta took."""
    uploads: list[bytes] = []

    def upload(_: GraphMedia, phone_number_id: str, access_token: str, file: Any) -> str:
        uploads.append(file.content)
        return f"meta-{len(uploads)}"

    monkeypatch.setattr(GraphMedia, "upload", upload)
    return uploads


@pytest.fixture
def world(gateway: Gateway) -> World:
    world = World(gateway)
    world.says("hello")
    return world


def test_an_agent_stores_a_file_and_sends_it(world: World, meta: list[bytes]) -> None:
    stored = world.api("POST", "/api/v1/media", FILE, role="agent")
    assert (stored.status, stored.body["size"], stored.body["mime_type"]) == (201, len(PNG), "image/png")
    body = {"media": {"id": stored.body["id"], "caption": "Our menu"}}
    for _ in range(2):
        assert world.api("POST", f"/api/v1/conversations/{ANA}/send", body, role="agent").status == 200
    assert meta == [PNG]
    sent = [message for item in world.gateway.queued("outbound") for message in item["messages"]]
    assert {"type": "media", "media": "image", "id": "meta-1", "caption": "Our menu"} in sent
    transcript = world.api("GET", f"/api/v1/whatsapp-analytics/conversations/{ANA}/transcript").body
    assert transcript["messages"][-1]["media"] == {"type": "image", "id": None, "mime_type": None, "filename": None}


def test_a_link_is_short_lived_and_the_organization_s_own(world: World) -> None:
    id_ = world.api("POST", "/api/v1/media", FILE).body["id"]
    link = world.api("GET", f"/api/v1/media/{id_}", role="agent")
    assert (link.status, link.body["filename"]) == (200, "menu.png")
    assert "X-Amz-Expires=300" in link.body["url"]
    assert world.api("GET", f"/api/v1/media/{id_}", org="other").body["code"] == "media_unknown"
    assert world.api("DELETE", f"/api/v1/media/{id_}", org="other").status == 404
    assert world.api("DELETE", f"/api/v1/media/{id_}").status == 204
    assert world.api("GET", f"/api/v1/media/{id_}").status == 404


def put_to_the_store(started: Any, content: bytes) -> None:
    """What the client does with the address of an upload."""
    key = urlsplit(started.body["url"]).path.partition("media/")[2]
    boto3.client("s3").put_object(Bucket="lake", Key=f"media/{key}", Body=content, ContentType="video/mp4")


def test_a_larger_file_is_uploaded_to_the_store_and_checked_when_it_is_sent(world: World, meta: list[bytes]) -> None:
    video = b"\0\0\0\x18ftypmp42" + b"\0" * 6_000_000
    described = {"mime_type": "video/mp4", "size": len(video), "filename": "tour.mp4"}
    send = f"/api/v1/conversations/{ANA}/send"
    good, bad, missing = (world.api("POST", "/api/v1/media/uploads", described, role="agent") for _ in range(3))
    assert (good.status, "X-Amz-Signature=" in good.body["url"]) == (201, True)
    put_to_the_store(good, video)
    put_to_the_store(bad, b"<html>" + video[6:])
    assert world.api("POST", send, {"media": {"id": good.body["id"]}}, role="agent").status == 200
    assert meta == [video]
    assert world.api("POST", send, {"media": {"id": bad.body["id"]}}).body["code"] == "media_unsupported"
    assert world.api("GET", f"/api/v1/media/{bad.body['id']}").body["code"] == "media_unknown", "it is deleted"
    assert world.api("POST", send, {"media": {"id": missing.body["id"]}}).body["code"] == "media_unknown"
    assert world.api("GET", f"/api/v1/media/{good.body['id']}").body["size"] == len(video)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"mime_type": "text/html"}, "media_unsupported"),
        ({"size": 17_000_000}, "media_size"),
        ({"size": 0}, "invalid_request"),
    ],
)
def test_an_upload_that_cannot_be_sent_is_refused_at_once(world: World, change: dict[str, Any], code: str) -> None:
    described = {"mime_type": "video/mp4", "size": 1_000} | change
    assert world.api("POST", "/api/v1/media/uploads", described).body["code"] == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"content": "not base64!"}, "media_unsupported"),
        ({"mime_type": "text/html"}, "media_unsupported"),
        ({"mime_type": "application/pdf"}, "media_unsupported"),
        ({"filename": "../../etc/passwd"}, "invalid_request"),
        ({"content": "A" * 5_700_001}, "body_too_large"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused(world: World, change: dict[str, str], code: str) -> None:
    assert world.api("POST", "/api/v1/media", FILE | change).body["code"] == code


@pytest.mark.parametrize(
    "body", [{}, {"text": "Hi", "media": {"id": "up-1"}}, {"media": {"id": ""}}, {"media": {"link": "https://x.io"}}]
)
def test_a_message_is_either_a_text_or_a_file(world: World, body: dict[str, Any]) -> None:
    assert world.api("POST", f"/api/v1/conversations/{ANA}/send", body).body["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (SendFailedError(ErrorClass.MEDIA, code=131053), 422, "media_refused"),
        (SendFailedError(ErrorClass.AMBIGUOUS), 503, "meta_unavailable"),
    ],
)
def test_a_file_that_meta_refuses_is_not_sent(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def upload(*_: Any) -> str:
        raise error

    monkeypatch.setattr(GraphMedia, "upload", upload)
    id_ = world.api("POST", "/api/v1/media", FILE).body["id"]
    answer = world.api("POST", f"/api/v1/conversations/{ANA}/send", {"media": {"id": id_}})
    assert (answer.status, answer.body["code"]) == (status, code)
    unknown = world.api("POST", f"/api/v1/conversations/{ANA}/send", {"media": {"id": "up-" + "0" * 32}})
    assert unknown.body["code"] == "media_unknown"


def test_the_sender_keeps_a_person_s_file_and_the_transcript_links_to_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.says_message({"type": "image", "image": {"id": "77", "mime_type": "image/png", "caption": "Look"}})
    [item] = world.gateway.queued("media")
    described = MediaDescription("https://lookaside.fbsbx.com/1", "image/png", None, len(PNG))
    monkeypatch.setattr(GraphMedia, "describe", lambda *_: described)
    monkeypatch.setattr(GraphMedia, "download", lambda *_: PNG)
    record = {
        "messageId": "m1",
        "body": json.dumps(item),
        "receiptHandle": "r",
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:pytake-test-media",
    }
    assert sender({"Records": [record]}, LambdaContext()) == {"batchItemFailures": []}
    transcript = world.api("GET", f"/api/v1/whatsapp-analytics/conversations/{ANA}/transcript").body
    [media] = [message["media"] for message in transcript["messages"] if message["media"]]
    assert (media["type"], media["mime_type"]) == ("image", "image/png")
    link = world.api("GET", f"/api/v1/media/{media['id']}").body
    assert (link["size"], ANA in link["url"], "media/contacts/acme/" in link["url"]) == (len(PNG), False, True)
    assert world.api("GET", f"/api/v1/media/{media['id']}", org="other").status == 404
    monkeypatch.setattr(GraphMedia, "describe", unavailable)
    assert sender({"Records": [record]}, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def unavailable(*_: Any) -> MediaDescription:
    raise SendFailedError(ErrorClass.RETRY, http_status=500)


def kept(world: World, **change: Any) -> str:
    stored = world.api("POST", "/api/v1/media", FILE | {"keep": True} | change, role="builder")
    assert (stored.status, stored.body["expires_at"]) == (201, None)
    id_: str = stored.body["id"]
    return id_


def test_builders_keep_files_and_agents_do_not(world: World) -> None:
    id_ = kept(world)
    assert id_.startswith("file-")
    for body, role in ((FILE | {"keep": True}, "agent"), (FILE, "builder")):
        assert world.api("POST", "/api/v1/media", body, role=role).body["code"] == "role_not_allowed"
        described = {"mime_type": "image/png", "size": 9} | ({"keep": True} if "keep" in body else {})
        assert world.api("POST", "/api/v1/media/uploads", described, role=role).body["code"] == "role_not_allowed"
    assert world.api("GET", f"/api/v1/media/{id_}", role="agent").body["filename"] == "menu.png"
    assert world.api("DELETE", f"/api/v1/media/{id_}", role="agent").body["code"] == "role_not_allowed"
    of_agent = world.api("POST", "/api/v1/media", FILE, role="agent").body["id"]
    assert world.api("GET", f"/api/v1/media/{of_agent}", role="builder").body["code"] == "media_unknown"
    assert world.api("DELETE", f"/api/v1/media/{of_agent}", role="builder").body["code"] == "role_not_allowed"
    assert world.api("DELETE", f"/api/v1/media/{id_}", role="builder").status == 204
    assert world.api("GET", f"/api/v1/media/{id_}", role="builder").status == 404


def test_kept_files_are_listed_newest_first(world: World) -> None:
    ids = [kept(world, filename=f"{number}.png") for number in range(3)]
    world.api("POST", "/api/v1/media", FILE, role="agent")
    first = world.api("GET", "/api/v1/media", query={"limit": "2"}, role="builder")
    assert {one["id"] for one in first.body} < set(ids)
    assert first.body == sorted(first.body, key=lambda one: one["id"], reverse=True)
    following = dict(parse_qsl(urlsplit(first.headers["link"].split(">")[0]).query))
    last = world.api("GET", "/api/v1/media", query=following, role="builder")
    assert ({one["id"] for one in first.body + last.body}, "link" in last.headers) == (set(ids), False)
    assert last.body[0].keys() == {"id", "mime_type", "size", "filename", "created_at", "expires_at"}
    assert world.api("GET", "/api/v1/media", org="globex", role="builder").body == []
    assert world.api("GET", "/api/v1/media", query=following, org="globex").body["code"] == "cursor_invalid"


def test_a_larger_file_is_kept_and_a_flow_that_names_a_missing_one_has_a_problem(world: World) -> None:
    described = {"mime_type": "video/mp4", "size": 5_000_000, "filename": "tour.mp4", "keep": True}
    started = world.api("POST", "/api/v1/media/uploads", described, role="builder")
    key = urlsplit(started.body["url"]).path.rpartition("files/")[2]
    flow = media_flow({"type": "video", "id": started.body["id"]})

    def problems() -> list[str]:
        checked = world.api("POST", "/api/v1/flows/validate", {"document": flow}, role="builder")
        return [one["code"] for one in checked.body["problems"]]

    assert problems() == ["unknown_media"]
    video = b"\0\0\0\x18ftypmp42" + b"\0" * 4_999_988
    boto3.client("s3").put_object(Bucket="lake", Key=f"files/{key}", Body=video, ContentType="video/mp4")
    assert problems() == []


def media_flow(media: dict[str, Any]) -> dict[str, Any]:
    nodes = [
        {"id": "start", "type": "start", "data": {"next_node_id": "menu"}},
        {"id": "menu", "type": "message", "data": {"media": media, "next_node_id": "end"}},
        {"id": "end", "type": "end", "data": {}},
    ]
    return FLOW | {"id": "hello", "nodes": nodes}


def test_the_sender_exchanges_the_id_of_a_flow_s_file(
    gateway: Gateway, meta: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(gateway)
    posted: list[dict[str, Any]] = []

    def send(_: GraphApi, phone_number_id: str, access_token: str, payload: dict[str, Any]) -> AcceptedMessage:
        posted.append(payload)
        return AcceptedMessage(f"wamid.{len(posted)}")

    monkeypatch.setattr(GraphApi, "send", send)
    world.api("PUT", "/api/v1/flows/hello", media_flow({"type": "image", "id": kept(world)}))
    assert world.api("POST", "/api/v1/flows/hello/publish").body["problems"] == []
    for phone in ("5511977770001", "5511977770002"):
        world.says("menu", phone)
        for item in world.gateway.queued("outbound"):
            record = {
                "messageId": "m1",
                "body": json.dumps(item),
                "receiptHandle": "r",
                "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": phone},
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:pytake-test-outbound.fifo",
            }
            assert sender({"Records": [record]}, LambdaContext()) == {"batchItemFailures": []}
    transcript = world.api("GET", "/api/v1/whatsapp-analytics/conversations/5511977770001/transcript").body
    media = transcript["messages"][-1]["media"]
    assert world.api("GET", f"/api/v1/media/{media['id']}", role="agent").body["filename"] == "menu.png"
    assert ([one["image"] for one in posted if one["type"] == "image"], meta) == ([{"id": "meta-1"}] * 2, [PNG])
