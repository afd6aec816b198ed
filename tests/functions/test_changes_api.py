"""Who changed what the organization has set up, and by which name colleagues know them."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.functions.bodies import BODIES, SEQUENCE
from tests.functions.conftest import Answer, running_gateway
from tests.functions.samples import NUMBER
from tests.functions.world import ANA, FIRST, World

CHANGES = "/api/v1/changes"
TEAM = {"name": "Sales", "members": ["agent-1"]}


@pytest.fixture
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "changes") as gateway:
        yield World(gateway)


def changes(world: World, resource: str, **query: str) -> list[dict[str, Any]]:
    answer = world.api("GET", CHANGES, query={"resource": resource, **query})
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.body
    return found


def put(world: World, path: str, body: Any, **more: Any) -> Answer:
    answer = world.api("PUT", f"/api/v1/{path}", body, sub="boss-1", **more)
    assert answer.status == 200, answer.body
    return answer


def test_a_change_of_teams_says_who_made_it_and_what_it_was(world: World) -> None:
    put(world, "teams", {"teams": {"Sales": TEAM}})
    put(world, "teams", {"teams": {"Sales": TEAM}})  # nothing changed
    put(world, "teams", {"teams": {"Sales": TEAM | {"members": []}}})
    latest, first = changes(world, "teams")
    assert (first["by"], first["resource"], first["action"], first["name"]) == ("boss-1", "teams", "changed", None)
    assert first["fields"] == {"Sales": [None, TEAM]}
    assert latest["fields"] == {"Sales": [TEAM, {"name": "Sales"}]}
    assert latest["at"] >= first["at"]
    refused = world.api("PUT", "/api/v1/teams", {"teams": {}}, headers={"If-Match": '"9"'})
    assert refused.status == 412
    assert len(changes(world, "teams")) == 2


def test_an_agent_s_change_of_a_canned_reply_is_recorded(world: World) -> None:
    reply = {"title": "Ready", "text": "It is ready."}
    put(world, "canned-replies", {"replies": {"ready": reply, "x": reply}}, role="agent")
    put(world, "canned-replies", {"replies": {"ready": reply | {"text": "Done."}}}, role="agent")
    assert changes(world, "canned_replies")[0]["fields"] == {
        "ready": [reply, reply | {"text": "Done."}],
        "x": [reply, None],
    }


def test_settings_and_timetables_are_recorded_by_field(world: World) -> None:
    put(world, "organization", {"retention_days": 33})
    put(world, "organization", {"retention_days": 33, "language": "es"})
    assert [change["fields"] for change in changes(world, "organization")] == [
        {"language": ["en", "es"]},
        {"retention_days": [None, 33]},
    ]
    hours = {"hours": [{"days": ["sun"], "opens": "10:00", "closes": "12:00"}]}
    put(world, "timetables", {"timetables": {"support": hours}}, role="builder")
    assert list(changes(world, "timetables")[0]["fields"]) == ["support"]


def test_no_secret_is_in_a_record(world: World) -> None:
    put(world, "secrets/shop", {"value": "s3cret-value", "hosts": ["x.io"]})
    put(world, "secrets/shop", {"value": "s3cret-other", "hosts": ["x.io", "y.io"]})
    assert world.api("DELETE", "/api/v1/secrets/shop", sub="boss-2").status == 204
    removed, changed, created = changes(world, "secrets")
    assert (created["action"], created["name"]) == ("created", "shop")
    assert created["fields"] == {"hosts": [None, ["x.io"]], "value": []}
    assert changed["fields"] == {"hosts": [["x.io"], ["x.io", "y.io"]], "value": []}
    assert (removed["action"], removed["by"]) == ("removed", "boss-2")
    number = NUMBER | {"verify_token": "verify-token-new", "access_token": "token-new", "apology": "Sorry!"}
    put(world, f"numbers/{FIRST}", number)
    [change, *_] = changes(world, "numbers")
    assert (change["name"], change["fields"]["apology"][1]) == (FIRST, "Sorry!")
    assert change["fields"]["access_token"] == change["fields"]["verify_token_hash"] == []
    assert world.api("DELETE", f"/api/v1/numbers/{FIRST}", sub="boss-2").status == 204
    assert (changes(world, "numbers")[0]["action"], changes(world, "numbers")[0]["by"]) == ("removed", "boss-2")
    table = boto3.resource("dynamodb").Table("table")
    records = [item for item in table.scan()["Items"] if "#CHANGES#" in item["pk"]]
    for secret in ("s3cret", "verify-token", "token-new", "app-secret"):
        assert secret not in json.dumps(records, default=str)
    assert all(item["expires_at"] > 0 for item in records)


def test_segments_and_sequences_are_recorded_without_the_people_that_they_may_name(world: World) -> None:
    condition = {"field": "name", "operator": "==", "value": "Ana Souza"}
    for method, body in (("PUT", {"name": "VIPs", "all": [condition]}), ("DELETE", None)):
        assert world.api(method, "/api/v1/segments/vips", body, role="builder", sub="b-1").status < 300
        assert world.api(method, "/api/v1/sequences/remind", SEQUENCE if body else None, sub="b-1").status < 300
    for resource, name in (("segments", "vips"), ("sequences", "remind")):
        removed, created = changes(world, resource)
        assert [(one["action"], one["name"], one["by"]) for one in (removed, created)] == [
            ("removed", name, "b-1"),
            ("created", name, "b-1"),
        ]
    assert "Ana" not in str(changes(world, "segments"))
    assert changes(world, "sequences")[1]["fields"]["phone_number_id"] == [None, FIRST]


def test_library_files_are_recorded_and_files_of_agents_are_not(world: World) -> None:
    file = BODIES["POST /api/v1/media"] | {
        "content": base64.b64encode(b"%PDF-1.7").decode(),
        "mime_type": "application/pdf",
        "filename": "prices.pdf",
    }
    kept = world.api("POST", "/api/v1/media", file | {"keep": True}, role="builder", sub="b-1")
    assert kept.status == 201, kept.body
    assert world.api("POST", "/api/v1/media", file | {"keep": False}, role="agent").status == 201
    assert world.api("DELETE", f"/api/v1/media/{kept.body['id']}", role="builder", sub="b-2").status == 204
    removed, created = changes(world, "files")
    assert created["fields"]["filename"] == [None, "prices.pdf"]
    assert (removed["action"], removed["by"], removed["name"]) == ("removed", "b-2", kept.body["id"])


def test_large_values_are_left_out(world: World) -> None:
    replies = {f"r{number}": {"title": "T", "text": "x" * 4000} for number in range(20)}
    put(world, "canned-replies", {"replies": replies})
    assert changes(world, "canned_replies")[0]["fields"] == {id_: [] for id_ in replies}


def test_all_changes_are_paged_newest_first_and_only_administrators_read_them(world: World) -> None:
    before = len(world.api("GET", CHANGES).body)  # the numbers of the world
    for number in range(3):
        put(world, "teams", {"teams": {f"t{number}": {"name": "T"}}})
        put(world, "organization", {"retention_days": 30 + number})
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        answer = world.api("GET", CHANGES, query=query)
        seen += [f"{one['resource']} {one['at']}" for one in answer.body]
        if "link" not in answer.headers:
            break
        query["cursor"] = answer.headers["link"].split("cursor=")[1].split(">")[0]
    assert len(seen) == len(set(seen)) == before + 6
    assert [one.split()[1] for one in seen] == sorted((one.split()[1] for one in seen), reverse=True)
    assert world.api("GET", CHANGES, role="builder").status == 403
    assert world.api("GET", CHANGES, org="globex", query={"resource": "teams"}).body == []
    assert world.api("GET", CHANGES, query={"resource": "flows"}).status == 422


def test_two_changes_at_once_are_both_recorded_as_they_happened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytake.aws import desk

    real, others = desk.change_of, [lambda: put(world, "teams", {"teams": {"a": {"name": "A"}}})]

    def meanwhile(*given: Any, **more: Any) -> Any:
        if others:
            others.pop()()
        return real(*given, **more)

    monkeypatch.setattr(desk, "change_of", meanwhile)
    put(world, "teams", {"teams": {"b": {"name": "B"}}})
    recorded = [change["fields"] for change in changes(world, "teams")]  # by when each began
    assert len(recorded) == 2
    assert {"a": [None, {"name": "A"}]} in recorded
    assert {"a": [{"name": "A"}, None], "b": [None, {"name": "B"}]} in recorded


def test_colleagues_are_known_by_the_name_in_their_token(world: World) -> None:
    me = "/api/v1/colleagues/me"
    told = world.api("PUT", me, role="agent", sub="a-1", name="Bia Lima", email="bia@x.io")
    assert told.body == {"subject": "a-1", "name": "Bia Lima", "role": "agent"}
    world.api("PUT", me, role="analyst", sub="a-2", email="ana@x.io")
    world.api("PUT", me, sub="a-3")
    world.api("PUT", me, org="globex", sub="a-4", name="Rui")
    known = world.api("GET", "/api/v1/colleagues", role="agent").body
    assert [(one["subject"], one["name"]) for one in known] == [
        ("a-3", "a-3"),
        ("a-2", "ana@x.io"),
        ("a-1", "Bia Lima"),
    ]
    world.api("PUT", me, role="agent", sub="a-1", name="Bia Costa")
    assert "Bia Costa" in str(world.api("GET", "/api/v1/colleagues").body)


def test_erasing_a_person_leaves_none_of_their_data_in_records(world: World) -> None:
    world.says("Hi")
    world.api("PUT", f"/api/v1/contacts/{ANA}", {"name": "Ana Souza"})
    world.api("PUT", f"/api/v1/conversations/{ANA}/assignment", {"assignee": "a-1"}, role="agent")
    assert ANA not in str(world.api("GET", CHANGES).body)
    assert world.api("DELETE", f"/api/v1/contacts/{ANA}").status < 300
    table = boto3.resource("dynamodb").Table("table")
    assert not [item for item in table.scan()["Items"] if "NOTE#" in item["sk"] or ANA in str(item.get("due_pk"))]
