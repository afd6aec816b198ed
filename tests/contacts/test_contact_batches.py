"""Requests for many contacts: what is sent, how much work they are, and what DynamoDB leaves over."""

import json
from collections.abc import Callable
from typing import Any

import botocore.httpsession
import botocore.serialize
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from msgspec.structs import replace

from pytake.aws.contact_batches import THROTTLE_PAUSES, DynamoContactBatches
from pytake.aws.table import Table
from pytake.contacts.consent import ConsentChange
from pytake.contacts.import_ports import Identities, ImportedContact
from pytake.contacts.records import new_contact

Answer = Callable[[str, dict[str, Any]], dict[str, Any]]


class Cloud:
    """Answers requests to DynamoDB, and keeps them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.pauses: list[float] = []
        self.answer: Answer = lambda *_: {"Responses": {}, "UnprocessedKeys": {}}
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setattr(botocore.httpsession.URLLib3Session, "send", lambda _, request: self.send(request))
        self.batches = DynamoContactBatches(Table("contacts-of-test", "us-east-1"), self.pauses.append)

    def send(self, request: Any) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        name = (target if isinstance(target, str) else target.decode()).rpartition(".")[2]
        asked = json.loads(request.body)
        assert int(request.headers["Content-Length"]) == len(request.body)
        self.asked.append((name, asked))
        headers = HTTPHeaders()
        headers["x-amzn-RequestId"] = "test"
        response = AWSResponse(request.url, 200, headers, None)
        response._content = json.dumps(self.answer(name, asked)).encode()  # type: ignore[attr-defined]
        return response


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(monkeypatch)


def people(count: int) -> list[Identities]:
    return [Identities((f"55119{index:08d}",), None) for index in range(count)]


def test_a_request_is_sent_whole_and_botocore_does_not_walk_through_it(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked = []
    serialize = botocore.serialize.JSONSerializer._serialize  # type: ignore[attr-defined]

    def counted(self: Any, *arguments: Any) -> None:
        walked.append(arguments)
        serialize(self, *arguments)

    monkeypatch.setattr(botocore.serialize.JSONSerializer, "_serialize", counted)
    change = ConsentChange("marketing", "granted", "form", 1.0)
    found = cloud.batches.find("acme", people(40))
    writes = [ImportedContact(replace(one.contact, name="Zé"), [change]) for one in found]
    assert len(cloud.batches.save("acme", writes)) == 40
    *reads, (name, written) = cloud.asked
    keys = [key for _, read in reads for key in read["RequestItems"]["contacts-of-test"]["Keys"]]
    assert ({name for name, _ in reads}, len(keys)) == ({"BatchGetItem"}, 120)
    assert all(read["RequestItems"]["contacts-of-test"]["ConsistentRead"] for _, read in reads)
    actions = [action["Put"] for action in written["TransactItems"]]
    assert (name, len(actions)) == ("TransactWriteItems", 80)
    assert json.loads(actions[0]["Item"]["body"]["S"])["name"] == "Zé"
    assert len(walked) < 40


def test_what_dynamodb_leaves_over_is_asked_again_after_a_pause(cloud: Cloud) -> None:
    left = [3]

    def answer(_: str, asked: dict[str, Any]) -> dict[str, Any]:
        keys = asked["RequestItems"]["contacts-of-test"]["Keys"]
        if left[0]:
            left[0] -= 1
            return {"Responses": {}, "UnprocessedKeys": {"contacts-of-test": {"Keys": keys, "ConsistentRead": True}}}
        body = json.dumps({"contact_id": "5511900000000", "name": "Ana"})
        item = {**keys[0], "body": {"S": body}, "revision": {"N": "4"}}
        found = [item] if keys[0]["sk"]["S"] == "PROFILE" else []
        return {"Responses": {"contacts-of-test": found}, "UnprocessedKeys": {}}

    cloud.answer = answer
    place = ("ORG#acme#CONTACT#5511900000000", "PROFILE")
    read = cloud.batches._read([place])
    assert [(at, item.revision) for at, item in read.items()] == [(place, 4)]
    assert cloud.pauses == list(THROTTLE_PAUSES[:3])


def test_a_contact_that_was_never_stored_is_new(cloud: Cloud) -> None:
    [found] = cloud.batches.find("acme", people(1))
    assert found.contact == new_contact("5511900000000")
