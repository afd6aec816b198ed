"""Imports of contacts over REST and the scheduled function."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from functions.api.handler import handler as api_handler
from functions.scheduled.handler import handler
from tests.functions.conftest import Answer, LambdaContext, answer_of, http_event, running_gateway
from tests.functions.world import ANA, BIA, World

IMPORT, IMPORTS = "/api/v1/contacts/import", "/api/v1/contacts/imports"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "imports") as gateway:
        yield World(gateway)


def run() -> dict[str, Any]:
    return handler({"job": "imports"}, LambdaContext())


def stored_files() -> list[str]:
    found = boto3.client("s3").list_object_versions(Bucket="lake", Prefix="imports/")
    return [one["Key"] for one in found.get("Versions", [])]


def imported(world: World, text: str, **given: Any) -> Answer:
    answer = world.api("POST", IMPORT, text, **given)
    assert answer.status == 202, answer.body
    assert answer.headers["location"] == f"{IMPORTS}/{answer.body['import_id']}"
    run()
    return world.api("GET", f"{IMPORTS}/{answer.body['import_id']}")


def test_a_file_becomes_contacts(world: World) -> None:
    text = "phone;name;tags;consent_marketing;consent_source;city\r\n+5511988880001;Ana;vip;granted;form;Recife\r\nx;;;;;\r\n"
    accepted = world.api("POST", IMPORT, text, role="agent")
    waiting = world.api("GET", accepted.headers["location"], role="agent").body
    assert (waiting["status"], waiting["rows"], waiting["finished_at"]) == ("running", 0, None)
    assert len(stored_files()) == 1
    tag = {"if-none-match": world.api("GET", IMPORTS).headers["etag"]}
    assert world.api("GET", IMPORTS, headers=tag).status == 304, "polled while an import runs"
    assert run() == {"job": "imports", "imports": 1, "rows": 2}
    done = world.api("GET", accepted.headers["location"]).body
    assert {name: done[name] for name in ("status", "rows", "created", "updated", "error_count")} == {
        "status": "completed",
        "rows": 2,
        "created": 1,
        "updated": 0,
        "error_count": 1,
    }
    message = "The phone number is not valid. Write it with its country code."
    assert done["errors"] == [{"row": 3, "code": "phone_invalid", "message": message}]
    contact = world.api("GET", "/api/v1/contacts/5511988880001").body
    assert (contact["name"], contact["tags"], contact["fields"]["city"]) == ("Ana", ["vip"], "Recife")
    assert (contact["consent"]["marketing"]["state"], contact["consent"]["marketing"]["source"]) == ("granted", "form")
    assert stored_files() == []
    assert world.api("GET", IMPORTS, headers=tag).body["imports"][0] == done


def test_national_numbers_are_those_of_the_organizations_country(world: World) -> None:
    assert imported(world, "phone\n(11) 98888-0002\n").body["created"] == 1
    assert world.api("GET", "/api/v1/contacts/5511988880002").status == 200
    assert imported(world, "phone\n912 345 678\n", query={"country": "PT"}).body["created"] == 1
    assert world.api("GET", "/api/v1/contacts/351912345678").status == 200


def test_a_binary_body_is_read_too(world: World) -> None:
    event = http_event("POST", IMPORT, b64encode("\ufeffphone,cidade\n5511988880003,São Paulo\n".encode()).decode())
    event["isBase64Encoded"] = True
    event["headers"]["content-type"] = "text/csv; charset=utf-8"
    claims = {"organization_id": "acme", "role": "admin", "sub": "tester"}
    event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    answer = answer_of(api_handler(event, LambdaContext()))
    assert answer.status == 202, answer.body
    run()
    assert world.api("GET", "/api/v1/contacts/5511988880003").body["fields"] == {"cidade": "São Paulo"}


def test_a_conversation_reads_what_was_imported(world: World) -> None:
    world.says("hello", ANA)
    done = imported(world, f"phone,plan\n{ANA},gold\n").body
    assert (done["created"], done["updated"]) == (0, 1)
    assert world.api("GET", f"/api/v1/contacts/{ANA}").body["fields"]["plan"] == "gold"
    world.says("again", ANA)
    assert world.api("GET", f"/api/v1/contacts/{ANA}").body["fields"]["plan"] == "gold"


def test_a_person_who_is_erased_before_the_file_is_worked_off_stays_erased(world: World) -> None:
    world.says("hello", BIA)
    accepted = world.api("POST", IMPORT, f"phone,name\n{BIA},Bia\n")
    assert world.api("DELETE", f"/api/v1/contacts/{BIA}").status == 204
    run()
    done = world.api("GET", accepted.headers["location"]).body
    assert [one["code"] for one in done["errors"]] == ["person_erased"]
    assert world.api("GET", f"/api/v1/contacts/{BIA}").status == 404
    items = boto3.client("dynamodb").scan(TableName="table")["Items"]
    assert BIA not in str([item for item in items if item["pk"]["S"] != "ERASURES"])  # the erasure ends later


def test_a_large_file_is_uploaded(world: World) -> None:
    opened = world.api("POST", IMPORTS, {"country": "BR"})
    assert opened.status == 201, opened.body
    import_id = opened.body["import_id"]
    assert f"/imports/acme/{import_id}.csv" in opened.body["upload_url"]
    assert world.api("GET", f"{IMPORTS}/{import_id}").body["status"] == "waiting"
    run()
    key = f"imports/acme/{import_id}.csv"
    boto3.client("s3").put_object(Bucket="lake", Key=key, Body=b"phone\n5511988880005\n")
    for _ in range(2):
        assert world.api("POST", f"{IMPORTS}/{import_id}/start").status == 202
    run()
    done = world.api("GET", f"{IMPORTS}/{import_id}").body
    assert (done["status"], done["created"]) == ("completed", 1)
    assert world.api("POST", f"{IMPORTS}/{import_id}/start").status == 202
    assert run()["imports"] == 0


@pytest.mark.parametrize("text", ["name\nAna\n", "phone,phone\n", "phone,first name\n", "\n"])
def test_a_file_that_is_not_valid_is_refused_at_once(world: World, text: str) -> None:
    answer = world.api("POST", IMPORT, text)
    assert (answer.status, answer.body["code"]) == (422, "import_invalid")


def test_what_the_route_does_not_take(world: World) -> None:
    as_json = world.api("POST", IMPORT, {"phone": "1"})
    assert (as_json.status, as_json.body["code"]) == (415, "content_type_unsupported")
    large = world.api("POST", IMPORT, "phone\n" + "5" * 5_000_000)
    assert (large.status, large.body["code"]) == (413, "body_too_large")
    assert world.api("POST", IMPORT, "").status == 422
    assert world.api("POST", IMPORT, "phone\n", role="analyst").status == 403
    for path in (f"{IMPORTS}/0-0", f"{IMPORTS}/0-0/start"):
        answer = world.api("POST" if path.endswith("start") else "GET", path)
        assert (answer.status, answer.body["code"]) == (404, "import_unknown")
