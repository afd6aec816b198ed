"""Two organizations and four roles at every route of the OpenAPI document, so that every new route is tested."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3
import pytest

from pytake.contacts.imports import Import, ImportProblem
from pytake.conversation.media.keys import upload_key
from pytake.conversation.ports.media import MediaFile, Upload
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.whatsapp.templates import MessageTemplate
from pytake.wiring import api as api_wiring
from pytake.wiring.templates import templates
from rest.application import openapi_document
from tests.functions.bodies import BODIES, MARK, SEQUENCE
from tests.functions.conftest import Answer, running_gateway
from tests.functions.samples import FLOW, NUMBER
from tests.functions.world import ANA, FIRST, World

ROLES = ("admin", "builder", "agent", "analyst")
NEIGHBOUR = "other-"
"""What the ids of the other organizations begin with."""

DELIVERY = urlsafe_b64encode(json.dumps([FIRST, ANA, 1, 0], separators=(",", ":")).encode()).decode().rstrip("=")
IMPORT_ID = f"0-{'0' * 12}"
MEDIA_ID = f"up-{'0' * 32}"

PARAMETERS = {
    "query_name": "drop_off",
    "text": MARK,
    "delivery_id": DELIVERY,
    "state": "dead",
    "flow_id": "hello",
    "version": "1",
    "phone": ANA,
    "phone_number_id": FIRST,
    "name": f"{MARK}-secret",
    "template_name": "order_ready",
    "language": "pt_BR",
    "media_id": MEDIA_ID,
    "campaign_id": MARK,
    "reply_id": MARK,
    "segment_id": "vips",
    "import_id": IMPORT_ID,
    "sequence_id": MARK,
}
"""What acme has, by the names of path parameters and required query parameters. Each of them needs an entry."""

ERASES = "DELETE /api/v1/contacts/{phone}"
NEITHER = {
    ERASES,
    "PUT /api/v1/contacts/{phone}",
    "PUT /api/v1/contacts/{phone}/consent",
    "PUT /api/v1/campaigns/{campaign_id}",
    "POST /api/v1/flows/import",
    "POST /api/v1/queries/{query_name}",
    "PUT /api/v1/flows/{flow_id}",
    "PUT /api/v1/organization",
    "PUT /api/v1/secrets/{name}",
    "PUT /api/v1/segments/{segment_id}",
}
"""What an organization may do with any name within its own data; and erasing, which does not reveal whether it knew a person."""


class Operation(NamedTuple):
    name: str
    method: str
    path: str
    roles: list[str]
    query: dict[str, str]
    in_path: bool


def operations() -> Iterator[Operation]:
    for path, methods in openapi_document()["paths"].items():
        for method, described in methods.items():
            name, address, query = f"{method.upper()} {path}", path, {}
            for parameter in described.get("parameters", ()):
                value = PARAMETERS.get(parameter["name"], "no-entry")
                if parameter["in"] == "path":
                    address = address.replace("{" + parameter["name"] + "}", value)
                elif parameter["in"] == "query" and parameter["required"]:
                    query[parameter["name"]] = value
            yield Operation(name, method.upper(), address, described["x-roles"], query, address != path)


OPERATIONS = list(operations())
by_name = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


class Acme:
    """An organization with something at every route, and a neighbour with a number of its own."""

    def __init__(self, world: World) -> None:
        self._api = world.api
        flow = FLOW | {"name": f"{MARK} flow"}
        flow["nodes"] = [
            {"id": "start", "type": "start", "data": {"next_node_id": "ask"}},
            {"id": "ask", "type": "question", "data": {"question": f"{MARK}?", "variable": "v", "next_node_id": "end"}},
            {"id": "end", "type": "end", "data": {}},
        ]
        world.api("PUT", "/api/v1/flows/hello", flow)
        assert world.api("POST", "/api/v1/flows/hello/publish").status == 200
        world.api("PUT", f"/api/v1/numbers/{FIRST}", NUMBER | {"apology": f"{MARK} apology", "waba_id": "5"})
        world.api("PUT", "/api/v1/teams", {"teams": {f"{MARK}-team": {"name": f"{MARK} team"}}})
        reply = {"title": f"{MARK} reply", "text": f"{MARK} text"}
        assert world.api("PUT", "/api/v1/canned-replies", {"replies": {MARK: reply}}).status == 200
        world.api("PUT", f"/api/v1/secrets/{MARK}-secret", {"value": f"{MARK}-value", "hosts": ["x.io"]})
        world.api("PUT", "/api/v1/organization", {"retention_days": 33})
        hours = {"hours": [{"days": ["sun"], "opens": "10:00", "closes": "12:00"}]}
        world.api("PUT", "/api/v1/timetables", {"timetables": {f"{MARK}-hours": hours}})
        assert world.api("PUT", f"/api/v1/sequences/{MARK}", SEQUENCE).status == 200
        key = TemplateKey("acme", "5", "order_ready", "pt_BR")
        body = [{"type": "BODY", "text": f"{MARK} text"}]
        copied = StoredTemplate("5", MessageTemplate("order_ready", "pt_BR", components=body))
        templates().change(key, lambda _: copied)
        file = MediaFile(b"%PDF-1.7", "application/pdf", f"{MARK}.pdf")
        api_wiring.media_library()._files.put(upload_key("acme", MEDIA_ID), file)
        api_wiring.media_library()._uploads.put("acme", Upload(MEDIA_ID, file.mime_type, 8, time.time(), file.filename))
        api_wiring.media_library().add("acme", file, keep=True)
        campaign = BODIES["PUT /api/v1/campaigns/{campaign_id}"] | {"name": f"{MARK} campaign"}
        assert world.api("PUT", f"/api/v1/campaigns/{MARK}", campaign).status == 200
        world.says(f"{MARK} hello")
        segment = {"name": f"{MARK} segment", "all": [{"field": "name", "operator": "!=", "value": MARK}]}
        assert world.api("PUT", "/api/v1/segments/vips", segment).status == 200
        problem = ImportProblem(2, "phone_invalid", MARK)
        api_wiring.imports().put(
            Import(id=IMPORT_ID, organization_id="acme", created_at=time.time(), status="completed", errors=[problem])
        )
        self.before = self.everything()
        self._stored = self._storage()

    def ask(self, operation: Operation, org: str, role: str) -> Answer:
        body = BODIES.get(operation.name)
        return self._api(operation.method, operation.path, body, org=org, role=role, query=operation.query or None)

    def is_as_before(self) -> bool:
        """Whether acme has what it had. Reading all of it is expensive, so that is done only if something was stored."""
        stored = self._storage()
        if stored == self._stored:
            return True
        self._stored = stored
        return self.everything() == self.before

    def _storage(self) -> list[Any]:
        """Everything that is stored, without the items that are only in partitions of the neighbours."""
        items = boto3.resource("dynamodb").Table("table").scan()
        assert "LastEvaluatedKey" not in items
        partitions = ("pk", "due_pk", "recent_pk", "log_pk")
        found: list[Any] = [
            item
            for item in items["Items"]
            if not all(NEIGHBOUR in item[partition] for partition in partitions if partition in item)
        ]
        files = boto3.client("s3").list_objects_v2(Bucket="lake").get("Contents", [])
        found += [(file["Key"], file["ETag"]) for file in files]
        secrets = boto3.client("secretsmanager").list_secrets(MaxResults=100)
        assert "NextToken" not in secrets
        return found + [(secret["Name"], secret["LastChangedDate"]) for secret in secrets["SecretList"]]

    def everything(self) -> str:
        """All that acme can read of itself."""
        answers = [self.ask(operation, "acme", "admin") for operation in OPERATIONS if operation.method == "GET"]
        bodies = [answer.body for answer in answers if answer.status == 200]
        for link in (body for body in bodies if isinstance(body, dict) and "url" in body):
            link.pop("url")  # a link is new each time
            link.pop("expires_at")
        for count in (body for body in bodies if isinstance(body, dict) and "seen" in body):
            count.pop("as_of")  # it is counted for each request
        return json.dumps(bodies, sort_keys=True)


@pytest.fixture(scope="module")
def acme() -> Iterator[Acme]:
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "isolation") as gateway:
        yield Acme(World(gateway))


def test_every_parameter_and_every_body_has_an_example() -> None:
    for path, methods in openapi_document()["paths"].items():
        for method, described in methods.items():
            name = f"{method.upper()} {path}"
            needed = {
                parameter["name"]
                for parameter in described.get("parameters", ())
                if parameter["in"] == "path" or (parameter["in"] == "query" and parameter["required"])
            }
            missing = needed - PARAMETERS.keys()
            assert not missing, f"{name} has new parameters: add an entry to PARAMETERS for {', '.join(missing)}"
            has_body, has_entry = "requestBody" in described, name in BODIES
            assert has_body <= has_entry, f"{name} takes a body: add an entry to BODIES"
            assert has_entry <= has_body, f"{name} takes no body: remove its entry from BODIES"


def test_acme_sees_its_own(acme: Acme) -> None:
    assert acme.before.count(MARK) > 8


def test_a_change_of_what_acme_has_is_noticed(acme: Acme) -> None:
    table = boto3.resource("dynamodb").Table("table")
    [team] = [item for item in table.scan()["Items"] if f"{MARK}-team" in str(item) and item["sk"] == "TEAMS"]
    key = {name: team[name] for name in ("pk", "sk")}
    table.delete_item(Key=key)
    assert not acme.is_as_before()
    table.put_item(Item=team)
    assert acme.is_as_before()


@by_name
def test_another_organization_gets_and_changes_nothing(acme: Acme, operation: Operation) -> None:
    answer = acme.ask(operation, f"{NEIGHBOUR}{OPERATIONS.index(operation)}", "admin")  # one that has nothing yet
    said = json.dumps(answer.body)
    for given in (operation.path, *operation.query.values()):
        for part in given.split("/"):
            said = said.replace(part, "")  # what it asked for may be repeated to it
    assert MARK not in said
    assert answer.status < 500 or "analytics" in operation.path
    if operation.in_path and operation.name not in NEITHER:
        assert answer.status in (404, 409), answer
    if operation.method != "GET":
        assert acme.is_as_before()


@by_name
def test_a_role_without_the_right_gets_403_and_changes_nothing(acme: Acme, operation: Operation) -> None:
    for role in set(ROLES) - set(operation.roles):
        answer = acme.ask(operation, "acme", role)
        assert (answer.status, answer.body["code"]) == (403, "role_not_allowed"), role
        assert MARK not in json.dumps(answer.body)
    if operation.method != "GET":
        assert acme.is_as_before()


@by_name
def test_a_role_with_the_right_is_let_in(acme: Acme, operation: Operation) -> None:
    if operation.method == "GET":  # what writes is let in by the tests of its route
        for role in operation.roles:
            assert acme.ask(operation, "acme", role).status != 403, role


@pytest.mark.parametrize(
    "claims",
    [
        {"org": "", "role": "admin"},
        {"org": "acme", "role": ""},
        {"org": "acme", "role": "root"},
        {"org": "acme/other", "role": "admin"},
        {"org": "acme#", "role": "admin"},
        {"org": "*", "role": "admin"},
        {"org": "acme", "role": "Admin"},
    ],
    ids=str,
)
def test_a_token_that_does_not_say_who_is_nobodys(acme: Acme, claims: dict[str, str]) -> None:
    for operation in OPERATIONS:
        answer = acme.ask(operation, **claims)
        assert (answer.status, answer.body["code"]) == (401, "token_incomplete"), operation.name


def test_the_admins_may_do_everything() -> None:
    assert all("admin" in operation.roles for operation in OPERATIONS)
