"""How agents share conversations: assignments, notes, reading marks, typing, counts, and one answer to one message."""

from collections.abc import Iterator
from typing import Any

import pytest

from pytake.wiring import shared
from tests.functions.conftest import Answer, running_gateway
from tests.functions.world import ANA, BIA, FIRST, World, hand_over

CONVERSATION = f"/api/v1/conversations/{ANA}"


@pytest.fixture
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "assignments") as gateway:
        yield World(gateway)


def assign(world: World, person: str = ANA, sub: str = "agent-1", **body: Any) -> Answer:
    return world.api("PUT", f"/api/v1/conversations/{person}/assignment", body, role="agent", sub=sub)


def found(world: World, **query: str) -> list[str]:
    return [entry["contact_id"] for page in world.pages(10, **query) for entry in page]


def test_an_assignment_has_an_audit_record_and_notes_beside_it(world: World) -> None:
    world.says("Hi")
    assigned = assign(world, assignee="agent-2", tags=["vip", "vip"], priority="urgent")
    assert assigned.status == 200, assigned.body
    assert (assigned.body["assignee"], assigned.body["tags"], assigned.body["revision"]) == ("agent-2", ["vip"], 1)
    assert assign(world, assignee="agent-2", tags=["vip"], priority="urgent").body["revision"] == 1  # nothing changed
    noted = world.api("POST", f"{CONVERSATION}/notes", {"text": "Call on Monday"}, role="agent", sub="agent-2")
    assert noted.status == 201
    change, note = world.api("GET", f"{CONVERSATION}/notes", role="agent").body
    assert (change["by"], change["changes"]) == (
        "agent-1",
        {"assignee": [None, "agent-2"], "tags": [[], ["vip"]], "priority": [None, "urgent"]},
    )
    assert (note["by"], note["text"], note["changes"]) == ("agent-2", "Call on Monday", {})
    transcript = world.api("GET", f"/api/v1/whatsapp-analytics/conversations/{ANA}/transcript").body
    assert "Monday" not in str(transcript)


def test_two_agents_do_not_overwrite_each_others_assignment(world: World) -> None:
    world.says("Hi")
    path = f"{CONVERSATION}/assignment"
    assert world.api("PUT", path, {"assignee": "a"}, headers={"if-match": '"0"'}).status == 200
    late = world.api("PUT", path, {"assignee": "b"}, headers={"if-match": '"0"'})
    assert (late.status, late.body["code"]) == (412, "assignment_changed")
    assert world.api("GET", CONVERSATION).body["assignment"]["assignee"] == "a"


def test_a_second_agent_does_not_answer_the_same_message_unaware(world: World) -> None:
    world.says("Hi")
    seen = world.api("GET", CONVERSATION).body["turn"]
    first = world.api("POST", f"{CONVERSATION}/send", {"text": "Hello!", "expected_turn": seen}, sub="agent-1")
    assert first.status == 200
    second = world.api("POST", f"{CONVERSATION}/send", {"text": "Hello?", "expected_turn": seen}, sub="agent-2")
    assert (second.status, second.body["code"], second.body["turn"]) == (409, "conversation_changed", seen + 1)
    assert world.api("POST", f"{CONVERSATION}/send", {"text": "Hello?"}, sub="agent-2").status == 200


def test_a_repeated_send_is_still_the_same(world: World) -> None:
    world.says("Hi")
    body = {"text": "Hello!", "expected_turn": world.api("GET", CONVERSATION).body["turn"]}
    answers = [world.api("POST", f"{CONVERSATION}/send", body, headers={"idempotency-key": "k"}) for _ in range(2)]
    assert answers[0].status == answers[1].status == 200
    assert answers[0].body == answers[1].body


def test_what_a_person_writes_is_unread_until_an_agent_reads_it(world: World) -> None:
    world.says("Hi", hours_ago=1)
    assert found(world, unread="true") == [ANA]
    assert world.api("POST", f"{CONVERSATION}/read", role="agent").body["unread"] is False
    assert (found(world, unread="true"), found(world, unread="false")) == ([], [ANA])
    world.says("Are you there?")
    assert found(world, unread="true") == [ANA]
    world.api("POST", f"{CONVERSATION}/read", role="agent")
    assert world.api("POST", f"{CONVERSATION}/unread", role="agent").body["unread"] is True


def test_colleagues_see_who_is_typing_for_a_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.says("Hi")
    assert world.api("POST", f"{CONVERSATION}/typing", role="agent", sub="agent-1").body["typing_by"] == "agent-1"
    assign(world, assignee="agent-2")
    assert world.api("GET", CONVERSATION).body["assignment"]["typing_by"] == "agent-1"
    later = shared.clock() + 11
    monkeypatch.setattr(shared, "clock", lambda: later)
    assert world.api("GET", CONVERSATION).body["assignment"]["typing_by"] is None


def test_the_list_is_filtered_and_searched_by_the_server(world: World) -> None:
    hand_over(world)
    world.says("Hi", ANA)
    world.says("Hi", BIA)
    assign(world, BIA, assignee="agent-1", team="Support", tags=["Atenção"])
    assert found(world, assignee="me") == []
    assert found(world, assignee="agent-1") == [BIA]
    assert found(world, assignee="none") == [ANA]
    assert (found(world, team="sales"), found(world, team="support")) == ([ANA], [BIA])
    assert found(world, tag="atenção") == found(world, search="atencao") == [BIA]
    assert found(world, search=ANA[-4:]) == [ANA]
    assert sorted(found(world, search="ANA")) == sorted([ANA, BIA])  # the profile's name
    assert found(world, search="Zoe") == []
    entry = next(entry for entry in world.pages(10)[0] if entry["contact_id"] == ANA)
    assert (entry["assignment"]["team"], entry["assignment"]["priority"]) == ("Sales", "high")


def test_counts_say_what_is_to_do(world: World) -> None:
    hand_over(world)
    world.says("Hi", ANA)
    world.says("Hi", BIA, hours_ago=0.05)  # WhatsApp's times are whole seconds
    assign(world, ANA, assignee="agent-1")
    counts = world.api("GET", "/api/v1/conversation-counts", role="agent", sub="agent-1").body
    assert counts == {
        "agents": 2, "mine": 1, "unassigned": 1, "unread": 2, "snoozed": 0, "by_team": {"Sales": 2}, "truncated": False,
        "unanswered": 2, "longest_wait": counts["longest_wait"], "office": None,
    }  # fmt: skip
    world.api("POST", f"/api/v1/conversations/{BIA}/read", role="agent")
    assign(world, BIA, snoozed_until="2099-01-01T00:00:00Z")
    counts = world.api("GET", "/api/v1/conversation-counts", role="agent", sub="agent-1").body
    assert (counts["agents"], counts["unassigned"], counts["snoozed"]) == (1, 0, 1)
    assert (found(world, snoozed="true"), found(world, snoozed="false")) == ([BIA], [ANA])
    world.says("Wake up", BIA)  # the person ends the rest
    assert found(world, snoozed="true") == []


def test_erasing_a_person_removes_what_agents_noted(world: World) -> None:
    world.says("Hi")
    world.api("POST", f"{CONVERSATION}/notes", {"text": "Owes us a call"}, role="agent")
    assign(world, assignee="agent-1")
    assert world.api("DELETE", f"/api/v1/contacts/{ANA}", role="agent").status == 204
    left = [item.sk for item in shared.table().item.query(f"ORG#acme#CONV#{FIRST}#{ANA}", consistent_read=True)]
    assert left == []
    gone = world.api("POST", f"{CONVERSATION}/notes", {"text": "x"}, role="agent")
    assert (gone.status, gone.body["code"]) == (404, "conversation_unknown")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/conversations",
        CONVERSATION,
        f"/api/v1/whatsapp-analytics/conversations/{ANA}/transcript",
        "/api/v1/conversation-counts",
        f"{CONVERSATION}/notes",
    ],
)
def test_live_lists_are_polled_without_their_contents(world: World, path: str) -> None:
    hand_over(world)
    world.says("Hi", hours_ago=1)
    first = world.api("GET", path)
    tag = {"if-none-match": first.headers["etag"]}
    again = world.api("GET", path, headers=tag)
    assert (again.status, again.body, again.headers["etag"]) == (304, "", first.headers["etag"])
    world.api("POST", f"{CONVERSATION}/notes", {"text": "Calls again"}, role="agent")
    world.api("POST", f"{CONVERSATION}/close", role="agent")
    world.says("I am back")
    world.api("POST", f"{CONVERSATION}/read", role="agent")
    changed = world.api("GET", path, headers=tag)
    assert (changed.status, changed.headers["etag"] != first.headers["etag"]) == (200, True)
    assert "etag" not in world.api("GET", "/api/v1/organization").headers


def test_a_merged_conversation_keeps_its_notes_its_agent_and_its_messages(world: World) -> None:
    world.says("By user ID", "BR.77a", user_id="BR.77a")
    world.says("By phone")
    assert assign(world, "BR.77a", assignee="agent-2").status == 200
    for person, text in ((ANA, "Of the phone"), ("BR.77a", "Of the user ID")):
        path = f"/api/v1/conversations/{person}/notes"
        assert world.api("POST", path, {"text": text}, role="agent", sub="agent-2").status == 201
    world.says("Both", user_id="BR.77a")
    notes = world.api("GET", f"{CONVERSATION}/notes", role="agent").body
    assert {note["text"] for note in notes} == {"Of the phone", "Of the user ID", None}
    assert found(world, assignee="agent-2") == [ANA]
    path = f"/api/v1/whatsapp-analytics/conversations/{ANA}/transcript"
    said = [one for one in world.api("GET", path).body["messages"] if one["speaker"] == "user"]
    assert {(one["text"], one["merged_from"]) for one in said} == {
        ("By user ID", "BR.77a"),
        ("By phone", None),
        ("Both", None),
    }
