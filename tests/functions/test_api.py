"""The REST API: flows, numbers, organization; who may do what; how it says no."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest

from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import ConversationKey
from pytake.whatsapp.outbound import Text
from pytake.wiring import api, shared
from rest.cursor import write_list_cursor
from tests.functions.conftest import Gateway
from tests.functions.samples import FLOW, NUMBER, NUMBER_PATH


def test_a_flow_is_saved_published_changed_and_rolled_back(gateway: Gateway) -> None:
    saved = gateway.api("PUT", "/api/v1/flows/hello", FLOW)
    assert (saved.status, saved.body["problems"], saved.body["document"]) == (200, [], FLOW)
    assert gateway.api("POST", "/api/v1/flows/hello/publish").body["version"] == 1
    gateway.api("PUT", "/api/v1/flows/hello", FLOW | {"name": "Hello again"})
    assert gateway.api("POST", "/api/v1/flows/hello/publish").body["version"] == 2
    back = gateway.api("POST", "/api/v1/flows/hello/rollback", {"version": 1})
    assert (back.body["published_version"], back.body["latest_version"]) == (1, 2)
    versions = gateway.api("GET", "/api/v1/flows/hello/versions").body
    assert [version["version"] for version in versions] == [2, 1]
    (listed,) = gateway.api("GET", "/api/v1/flows").body
    assert (listed["flow_id"], listed["name"], listed["published_version"]) == ("hello", "Hello again", 1)


def test_flows_are_filed_and_every_change_has_an_author(gateway: Gateway) -> None:
    path = "/api/v1/flows/hello"
    assert gateway.api("PUT", f"{path}/metadata", {}).body["code"] == "flow_unknown"
    saved = gateway.api("PUT", path, FLOW, sub="ana").body
    assert saved["saved_by"] == "ana"
    filed = gateway.api("PUT", f"{path}/metadata", {"folder": "Sales", "tags": ["vip", "vip"]}, sub="bia").body
    assert (filed["folder"], filed["tags"], filed["archived"]) == ("Sales", ["vip"], False)
    assert (filed["updated_by"], filed["last_change"]) == ("bia", "filed")
    gateway.api("POST", f"{path}/publish", sub="carla")
    gateway.api("PUT", f"{path}/metadata", {"archived": True}, sub="bia")
    back = gateway.api("POST", f"{path}/rollback", {"version": 1}, sub="dora").body
    (listed,) = gateway.api("GET", "/api/v1/flows").body
    assert back == listed
    assert (listed["updated_by"], listed["last_change"], listed["archived"]) == ("dora", "rolled_back", True)
    assert (listed["folder"], listed["published_version"]) == (None, 1)
    assert [version["published_by"] for version in gateway.api("GET", f"{path}/versions").body] == ["carla"]


def test_a_draft_is_copied_under_a_new_id(gateway: Gateway) -> None:
    path = "/api/v1/flows/hello"
    assert gateway.api("POST", f"{path}/duplicate", {"flow_id": "copy"}).body["code"] == "flow_unknown"
    gateway.api("PUT", path, FLOW)
    gateway.api("PUT", f"{path}/metadata", {"folder": "Sales", "archived": True})
    for _ in range(2):
        copied = gateway.api("POST", f"{path}/duplicate", {"flow_id": "copy", "name": "Copy"})
        assert (copied.status, copied.headers["etag"]) == (200, '"1"')
    assert copied.body["document"] == FLOW | {"id": "copy", "name": "Copy"}
    listed = {flow["flow_id"]: flow for flow in gateway.api("GET", "/api/v1/flows").body}
    assert (listed["copy"]["folder"], listed["copy"]["archived"]) == ("Sales", False)
    gateway.api("PUT", "/api/v1/flows/other", FLOW | {"id": "other"})
    taken = gateway.api("POST", f"{path}/duplicate", {"flow_id": "other", "name": "Copy"})
    assert (taken.status, taken.body["code"]) == (412, "draft_exists")


@pytest.mark.parametrize("name", [{"pt": "Olá"}, 7, "  ", None])
def test_a_flow_without_a_name_is_listed_by_its_id(gateway: Gateway, name: Any) -> None:
    gateway.api("PUT", "/api/v1/flows/hello", FLOW | {"name": name})
    assert [flow["name"] for flow in gateway.api("GET", "/api/v1/flows").body] == ["hello"]


def test_a_broken_draft_is_kept_with_its_problems_and_not_published(gateway: Gateway) -> None:
    broken = FLOW | {"nodes": FLOW["nodes"][:1]}
    saved = gateway.api("PUT", "/api/v1/flows/hello", broken)
    assert saved.status == 200
    assert [(problem["code"], problem["node_id"]) for problem in saved.body["problems"]] == [
        ("unknown_target", "start")
    ]
    refused = gateway.api("POST", "/api/v1/flows/hello/publish")
    assert (refused.status, refused.body["code"]) == (422, "flow_has_errors")
    assert refused.body["problems"][0]["code"] == "unknown_target"
    assert refused.content_type == "application/problem+json"
    assert gateway.api("GET", "/api/v1/flows/hello").body["document"] == broken


def test_who_saves_over_a_draft_they_have_not_seen_is_told(gateway: Gateway) -> None:
    path = "/api/v1/flows/hello"
    none_there = gateway.api("PUT", path, FLOW, headers={"if-match": "*"})
    assert (none_there.status, none_there.body["code"]) == (412, "draft_changed")
    begun = gateway.api("PUT", path, FLOW, headers={"if-none-match": "*"})
    assert (begun.status, begun.headers["etag"]) == (200, '"1"')
    again = gateway.api("PUT", path, FLOW | {"name": "Other"}, headers={"if-none-match": "*"})
    assert (again.status, again.body["code"], again.headers["etag"]) == (412, "draft_exists", '"1"')
    opened = gateway.api("GET", path).headers["etag"]
    mine = gateway.api("PUT", path, FLOW | {"name": "Mine"}, headers={"if-match": opened})
    assert (mine.status, mine.headers["etag"]) == (200, '"2"')
    theirs = gateway.api("PUT", path, FLOW | {"name": "Theirs"}, headers={"if-match": opened})
    assert (theirs.status, theirs.body["code"], theirs.headers["etag"]) == (412, "draft_changed", '"2"')
    assert gateway.api("GET", path).body["document"]["name"] == "Mine"
    assert gateway.api("PUT", path, FLOW, headers={"if-match": "*"}).status == 200
    assert gateway.api("PUT", path, FLOW | {"name": "Whatever"}).headers["etag"] == '"4"'
    for name, value in (("if-match", "4"), ("if-match", 'W/"4"'), ("if-none-match", '"4"')):
        assert gateway.api("PUT", path, FLOW, headers={name: value}).body["code"] == "invalid_request", value


def test_a_save_whose_answer_was_lost_can_be_repeated(gateway: Gateway) -> None:
    gateway.api("PUT", "/api/v1/flows/hello", FLOW)
    for _ in range(2):
        saved = gateway.api("PUT", "/api/v1/flows/hello", FLOW | {"name": "Mine"}, headers={"if-match": '"1"'})
        assert (saved.status, saved.headers["etag"]) == (200, '"2"')


def test_exactly_the_draft_that_was_seen_is_published(gateway: Gateway) -> None:
    gateway.api("PUT", "/api/v1/flows/hello", FLOW)
    gateway.api("PUT", "/api/v1/flows/hello", FLOW | {"name": "Not seen"})
    refused = gateway.api("POST", "/api/v1/flows/hello/publish", headers={"if-match": '"1"'})
    assert (refused.status, refused.body["code"], refused.headers["etag"]) == (412, "draft_changed", '"2"')
    assert gateway.api("POST", "/api/v1/flows/hello/publish", headers={"if-match": '"2"'}).body["version"] == 1
    assert gateway.api("POST", "/api/v1/flows/nothing/publish", headers={"if-match": '"1"'}).status == 404


def test_publishing_again_makes_no_version_that_is_the_same(gateway: Gateway) -> None:
    gateway.api("PUT", "/api/v1/flows/hello", FLOW)
    first = gateway.api("POST", "/api/v1/flows/hello/publish").body
    assert gateway.api("POST", "/api/v1/flows/hello/publish").body == first
    gateway.api("PUT", "/api/v1/flows/hello", FLOW | {"name": "Two"})
    assert gateway.api("POST", "/api/v1/flows/hello/publish").body["version"] == 2
    gateway.api("POST", "/api/v1/flows/hello/rollback", {"version": 1})
    assert gateway.api("POST", "/api/v1/flows/hello/publish").body["version"] == 3, "others get the first again"
    assert len(gateway.api("GET", "/api/v1/flows/hello/versions").body) == 3


def test_a_version_pins_its_sub_flows(gateway: Gateway) -> None:
    parent = FLOW | {
        "id": "parent",
        "nodes": [
            {"id": "start", "type": "start", "data": {"next_node_id": "go"}},
            {"id": "go", "type": "jump", "data": {"target_flow_id": "hello", "next_node_id": "end"}},
            {"id": "end", "type": "end", "data": {}},
        ],
    }
    gateway.api("PUT", "/api/v1/flows/parent", parent)
    missing = gateway.api("POST", "/api/v1/flows/parent/publish")
    assert [problem["code"] for problem in missing.body["problems"]] == ["unknown_flow"]
    gateway.api("PUT", "/api/v1/flows/hello", FLOW)
    gateway.api("POST", "/api/v1/flows/hello/publish")
    assert gateway.api("POST", "/api/v1/flows/parent/publish").body["sub_flows"] == ["hello"]


def test_numbers_never_show_their_secrets(gateway: Gateway) -> None:
    answers = [gateway.api("PUT", NUMBER_PATH, NUMBER), gateway.api("GET", NUMBER_PATH)]
    for answer in answers:
        assert answer.status == 200
        assert answer.body["country"] == "BR"
        assert "secret" not in str(answer.body)
        assert "token" not in str(answer.body)
    assert [number["phone_number_id"] for number in gateway.api("GET", "/api/v1/numbers").body] == ["100000000000001"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"display_phone_number": "not a number"}, "display_phone_number"),
        ({"app_secret": None}, "app_secret"),
        ({"verify_token": None}, "verify_token"),
    ],
)
def test_a_number_that_cannot_be_right_is_refused_with_the_field(
    gateway: Gateway, change: dict[str, Any], field: str
) -> None:
    refused = gateway.api("PUT", NUMBER_PATH, NUMBER | change)
    assert (refused.status, refused.body["code"], refused.body["field"]) == (422, "number_setup", field)
    assert gateway.api("GET", NUMBER_PATH).status == 404


@pytest.mark.parametrize("secret", ["verify_token", "app_secret", "previous_app_secret", "access_token"])
def test_a_secret_of_a_number_cannot_be_short(gateway: Gateway, secret: str) -> None:
    """An app secret that can be guessed lets a stranger sign webhooks."""
    refused = gateway.api("PUT", NUMBER_PATH, NUMBER | {secret: "seven77"})
    assert (refused.status, refused.body["errors"][0]["field"]) == (422, f"body.{secret}")


def test_secrets_left_out_stay_as_they_are(gateway: Gateway) -> None:
    gateway.api("PUT", NUMBER_PATH, NUMBER)
    kept = {name: NUMBER[name] for name in ("display_phone_number", "default_flow_id")}
    assert gateway.api("PUT", NUMBER_PATH, kept).status == 200
    answer = gateway.webhook(
        "GET", query={"hub.mode": "subscribe", "hub.verify_token": "demo-verify-token", "hub.challenge": "42"}
    )
    assert (answer.status, answer.body) == (200, "42")


def test_a_number_whose_flows_do_not_answer_is_stored_with_warnings(gateway: Gateway) -> None:
    keywords = {"oi": "draft", "help": "hello"}
    gateway.api("PUT", "/api/v1/flows/draft", FLOW | {"id": "draft"})
    gateway.api("PUT", "/api/v1/flows/hello", FLOW)
    gateway.api("POST", "/api/v1/flows/hello/publish")
    gateway.api("PUT", "/api/v1/flows/ghost", FLOW | {"id": "ghost"}, org="globex")
    saved = gateway.api("PUT", NUMBER_PATH, NUMBER | {"default_flow_id": "ghost", "keywords": keywords})
    found = [(problem["code"], problem["severity"], problem["field"]) for problem in saved.body["problems"]]
    assert saved.status == 200
    assert found == [
        ("flow_unknown", "warning", "default_flow_id"),
        ("flow_not_published", "warning", "keywords.oi"),
    ]
    gateway.api("POST", "/api/v1/flows/draft/publish")
    assert [problem["flow_id"] for problem in gateway.api("GET", NUMBER_PATH).body["problems"]] == ["ghost"]
    assert gateway.api("PUT", NUMBER_PATH, NUMBER | {"default_flow_id": ""}).body["problems"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"keywords": {"": "hello"}}, "keywords"),
        ({"keywords": {" ": "hello"}}, "keywords"),
        ({"keywords": {"oi": ""}}, "keywords"),
        ({"words": {" ": "stop"}}, "words"),
    ],
)
def test_a_word_that_no_message_equals_is_refused(gateway: Gateway, change: dict[str, Any], field: str) -> None:
    refused = gateway.api("PUT", NUMBER_PATH, NUMBER | change)
    assert (refused.status, refused.body["code"], refused.body["field"]) == (422, "number_setup", field)


def test_nobody_takes_a_number_of_another_organization(gateway: Gateway) -> None:
    gateway.api("PUT", NUMBER_PATH, NUMBER)
    stolen = gateway.api("PUT", NUMBER_PATH, NUMBER | {"verify_token": "another-token"}, org="globex")
    assert (stolen.status, stolen.body["code"]) == (409, "number_taken")
    other = NUMBER_PATH.replace("100000000000001", "100000000000002")
    taken = gateway.api("PUT", other, NUMBER, org="globex")
    assert (taken.status, taken.body["code"]) == (409, "number_taken"), "the verify token of another organization"
    assert gateway.api("PUT", other, NUMBER).status == 200, "one Meta app has one verify token for all its numbers"
    assert gateway.api("GET", NUMBER_PATH, org="globex").status == 404
    assert gateway.api("GET", "/api/v1/numbers", org="globex").body == []


def test_a_number_is_removed_with_its_secrets_and_can_be_connected_again(gateway: Gateway) -> None:
    secrets = boto3.client("secretsmanager")
    gateway.api("PUT", NUMBER_PATH, NUMBER)
    assert secrets.list_secrets()["SecretList"]
    assert gateway.api("DELETE", NUMBER_PATH, org="globex").body["code"] == "number_unknown"
    for _ in range(2):
        assert gateway.api("DELETE", NUMBER_PATH).status == 204
    assert gateway.api("GET", NUMBER_PATH).status == 404
    assert gateway.api("GET", "/api/v1/numbers").body == []
    assert secrets.list_secrets()["SecretList"] == []
    assert gateway.api("PUT", NUMBER_PATH, NUMBER, org="globex").status == 200


def test_resuming_goes_on_where_it_was_told_to_and_nowhere_else(gateway: Gateway) -> None:
    gateway.api("PUT", NUMBER_PATH, NUMBER)
    for after in ("", "zzz", "5511999990001", write_list_cursor("held at 1", "acme", "x")):
        refused = gateway.api("POST", f"{NUMBER_PATH}/resume", query={"after": after})
        assert (refused.status, refused.body["code"]) == (400, "cursor_invalid"), after


def test_a_stopped_number_is_resumed_by_its_admin_only(gateway: Gateway) -> None:
    gateway.api("PUT", NUMBER_PATH, NUMBER)
    number = api.number_setup().number("acme", "100000000000001")
    shared.tenants().stop_number(number, "fatal_token:190")
    api.held_turns().hold(OutboundItem("acme", "100000000000001", "551", 1, [Text("Hi")], 1e12), 1.0)
    assert gateway.api("GET", NUMBER_PATH).body["stopped_reason"] == "fatal_token:190"
    assert gateway.api("POST", f"{NUMBER_PATH}/resume", role="builder").status == 403
    assert gateway.api("POST", f"{NUMBER_PATH}/resume", org="globex").status == 404
    resumed = gateway.api("POST", f"{NUMBER_PATH}/resume").body
    assert (resumed["conversations"], resumed["after"]) == (1, None)
    assert [item["released"] for item in gateway.queued("outbound")] == [True]
    answer = gateway.api("GET", NUMBER_PATH).body
    assert (answer["stopped_reason"], answer["resuming"]) == (None, True)
    api.held_turns().remove(ConversationKey("acme", "100000000000001", "551"), 1)
    assert gateway.api("POST", f"{NUMBER_PATH}/resume").body["conversations"] == 0
    assert gateway.api("GET", NUMBER_PATH).body["resuming"] is False


def test_a_version_stays_readable_as_it_was_published(gateway: Gateway) -> None:
    gateway.api("PUT", "/api/v1/flows/hello", FLOW)
    gateway.api("POST", "/api/v1/flows/hello/publish")
    gateway.api("PUT", "/api/v1/flows/hello", FLOW | {"name": "Another name"})
    version = gateway.api("GET", "/api/v1/flows/hello/versions/1", role="analyst").body
    assert (version["version"], version["document"], version["sub_flow_documents"]) == (1, FLOW, {})
    unknown = gateway.api("GET", "/api/v1/flows/hello/versions/2")
    assert (unknown.status, unknown.body["code"]) == (404, "version_unknown")
    assert gateway.api("GET", "/api/v1/flows/hello/versions/1", org="globex").status == 404


def parts(gateway: Gateway, path: str, limit: int) -> Iterator[list[dict[str, Any]]]:
    """Follow a list's `Link` headers to its end."""
    asked: dict[str, str] | None = {"limit": str(limit)}
    while asked is not None:
        answer = gateway.api("GET", path, query=asked)
        assert answer.status == 200, answer.body
        yield answer.body
        link = answer.headers.get("link")
        assert link is None or (link.startswith(f"<{path}?") and link.endswith('>; rel="next"'))
        asked = dict(parse_qsl(link[1 : link.index(">")].partition("?")[2])) if link else None


def test_long_lists_come_in_parts(gateway: Gateway) -> None:
    for flow_id in ("a", "b", "c", "d"):
        gateway.api("PUT", f"/api/v1/flows/{flow_id}", FLOW | {"id": flow_id})
    for name in ("One", "Two", "Three"):
        gateway.api("PUT", "/api/v1/flows/a", FLOW | {"id": "a", "name": name})
        gateway.api("POST", "/api/v1/flows/a/publish")
    listed = [[flow["flow_id"] for flow in part] for part in parts(gateway, "/api/v1/flows", 2)]
    assert listed == [["a", "b"], ["c", "d"]]
    versions = [[found["version"] for found in part] for part in parts(gateway, "/api/v1/flows/a/versions", 2)]
    assert versions == [[3, 2], [1]]


def test_a_cursor_belongs_to_its_list_and_organization(gateway: Gateway) -> None:
    for org in ("acme", "globex"):
        for flow_id in ("a", "b", "c"):
            gateway.api("PUT", f"/api/v1/flows/{flow_id}", FLOW | {"id": flow_id}, org=org)
    link = gateway.api("GET", "/api/v1/flows", query={"limit": "1"}).headers["link"]
    cursor = dict(parse_qsl(link[1 : link.index(">")].partition("?")[2]))["cursor"]
    assert gateway.api("GET", "/api/v1/flows", query={"cursor": cursor}).status == 200
    forged = write_list_cursor("versions of a", "acme", "none")  # anyone can: the check is not secret
    wrong = [
        ("/api/v1/flows/a/versions", forged, "acme"),
        ("/api/v1/flows", cursor, "globex"),
        ("/api/v1/flows/a/versions", cursor, "acme"),
        ("/api/v1/conversations", cursor, "acme"),
        *[("/api/v1/flows", made_up, "acme") for made_up in ("", "x", cursor[:-2], cursor + "AA", "W10", "x" * 2000)],
    ]
    for path, given, org in wrong:
        refused = gateway.api("GET", path, query={"cursor": given}, org=org)
        assert (refused.status, refused.body["code"]) == (400, "cursor_invalid"), (path, given)


def test_organizations_do_not_see_each_others_flows(gateway: Gateway) -> None:
    gateway.api("PUT", "/api/v1/flows/hello", FLOW)
    assert gateway.api("GET", "/api/v1/flows/hello", org="globex").status == 404
    assert gateway.api("GET", "/api/v1/flows", org="globex").body == []
    assert gateway.api("POST", "/api/v1/flows/hello/publish", org="globex").status == 404


def test_timetables(gateway: Gateway) -> None:
    assert gateway.api("GET", "/api/v1/timetables", role="agent").body == {"timetables": {}}
    hours = [{"days": ["mon", "fri"], "opens": "09:00", "closes": "18:00"}]
    support = {"hours": hours, "timezone": "America/Sao_Paulo", "holidays": ["2026-12-25", "01-01"]}
    stored = {"timetables": {"support": support}}
    assert gateway.api("PUT", "/api/v1/timetables", stored, role="builder").body == stored
    gateway.api("PUT", "/api/v1/organization", {"language": "pt_BR"})
    assert gateway.api("GET", "/api/v1/timetables").body == stored
    flow = {
        **FLOW,
        "nodes": [
            {
                "id": "s",
                "type": "schedule",
                "data": {"hours": "suport", "open_next_node_id": "e", "closed_next_node_id": "e"},
            },
            {"id": "e", "type": "end"},
        ],
    }
    problems = gateway.api("PUT", "/api/v1/flows/hours", {**flow, "id": "hours", "start_node_id": "s"}).body["problems"]
    assert [(one["code"], one["node_id"]) for one in problems] == [("unknown_timetable", "s")]
    for change in (
        {"holidays": ["2026-13-01"]},
        {"timezone": "Mars/Olympus"},
        {"hours": [{**hours[0], "opens": "9h"}]},
    ):
        wrong = gateway.api("PUT", "/api/v1/timetables", {"timetables": {"support": {**support, **change}}})
        assert (wrong.status, wrong.body["code"]) == (422, "timetable_invalid")
    assert gateway.api("PUT", "/api/v1/timetables", {"timetables": {"x": {"hours": []}}}).status in (400, 422)


def test_organization_settings(gateway: Gateway) -> None:
    assert gateway.api("GET", "/api/v1/organization").body["messages_per_minute"] is None
    settings = {"messages_per_minute": 600, "language": "pt_BR", "timezone": "America/Sao_Paulo", "people_per_day": 250}
    changed = gateway.api("PUT", "/api/v1/organization", settings)
    assert (changed.status, changed.body["messages_per_minute"]) == (200, 600)
    assert gateway.api("GET", "/api/v1/organization").body["people_per_day"] == 250
    assert gateway.api("GET", "/api/v1/organization", role="analyst").body["timezone"] == "America/Sao_Paulo"
    for name in ("posixrules", "localtime", "right/UTC", "Factory"):  # files of the database that name no place's time
        assert gateway.api("PUT", "/api/v1/organization", {"timezone": name}).status == 422
    wrong = gateway.api("PUT", "/api/v1/organization", {"timezone": "Mars/Olympus", "messages_per_minute": 0})
    assert (wrong.status, wrong.body["code"]) == (422, "invalid_request")
    assert {error["field"] for error in wrong.body["errors"]} == {"body.timezone", "body.messages_per_minute"}


def test_constants_of_an_organization_are_few_and_have_names_that_flows_can_write(gateway: Gateway) -> None:
    constants = {"fee": 12.5, "opening_hours": "9 to 18", "open": True}
    assert gateway.api("PUT", "/api/v1/organization", {"constants": constants}).body["constants"] == constants
    for wrong in ({"a fee": 1}, {"fee": "x" * 5000}, {"fee": [1]}):
        assert gateway.api("PUT", "/api/v1/organization", {"constants": wrong}).status == 422


@pytest.mark.parametrize(
    ("method", "path", "body", "role"),
    [
        ("PUT", "/api/v1/organization", {}, "builder"),
        ("PUT", NUMBER_PATH, NUMBER, "builder"),
        ("GET", "/api/v1/numbers", None, "analyst"),
        ("PUT", "/api/v1/flows/hello", FLOW, "analyst"),
        ("POST", "/api/v1/flows/hello/publish", None, "agent"),
        ("POST", "/api/v1/flows/hello/rollback", {"version": 1}, "analyst"),
    ],
)
def test_a_role_without_the_right_gets_403(gateway: Gateway, method: str, path: str, body: Any, role: str) -> None:
    refused = gateway.api(method, path, body, role=role)
    assert (refused.status, refused.body["code"]) == (403, "role_not_allowed")


@pytest.mark.parametrize(
    "claims",
    [
        *(
            {"organization_id": value}
            for value in ("", "a#b", "null", "None", "true", "FALSE", "undefined", "5", 5, None, True)
        ),
        {"role": "root"},
        {"role": None},
    ],
)
def test_a_token_without_organization_or_role_gets_401(gateway: Gateway, claims: dict[str, Any]) -> None:
    refused = gateway.api("GET", "/api/v1/flows", **claims)
    assert (refused.status, refused.body["code"]) == (401, "token_incomplete")


def test_unknown_addresses_and_wrong_ids_are_problems(gateway: Gateway) -> None:
    assert gateway.api("GET", "/api/v1/nothing").body["code"] == "route_unknown"
    assert gateway.api("PUT", "/api/v1/flows/hello", FLOW | {"id": "other"}).body["code"] == "flow_id_mismatch"
    assert gateway.api("PUT", "/api/v1/numbers/abc", NUMBER).status in (404, 422)
    assert gateway.api("POST", "/api/v1/flows/none/rollback", {"version": 1}).body["code"] == "version_unknown"


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # Powertools leaves Swagger UI's files open
@pytest.mark.parametrize("path", ["flows", "flows/none", "teams", "docs", "openapi.json", "elsewhere"])
def test_no_answer_is_taken_for_a_page_or_shown_within_one(gateway: Gateway, path: str) -> None:
    headers = gateway.api("GET", f"/api/v1/{path}").headers
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")


def test_the_api_describes_itself(gateway: Gateway) -> None:
    document = gateway.api("GET", "/api/v1/openapi.json").body
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/flows/{flow_id}/publish" in document["paths"]
    assert document["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert "swagger" in gateway.api("GET", "/api/v1/docs").body.lower()


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/v1/docs"])
def test_a_browser_gets_the_documentation_compressed_and_once(gateway: Gateway, path: str) -> None:
    first = gateway.api("GET", path, headers={"accept-encoding": "gzip"})
    assert (first.status, first.headers["content-encoding"]) == (200, "gzip")
    assert first.headers["cache-control"] == "max-age=300"
    again = gateway.api("GET", path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status, again.body) == (304, "")
    assert gateway.api("GET", path, headers={"if-none-match": '"another"'}).status == 200
