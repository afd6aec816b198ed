"""What operators run against a stack, on the real local cloud: doctor, and organizations and numbers that leave."""

import json

import pytest

from local import demo
from tests.cloud.aws import Aws
from tests.cloud.business import Business, end
from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

START = {"id": "start", "type": "start", "data": {"greeting": "Hi!", "next_node_id": "end"}}


def test_doctor_finds_the_demo_in_order(cloud: Cloud) -> None:
    result = cloud.command("doctor", "--org", demo.ORGANIZATION_ID, "--json")
    states = {finding["check"]: finding["state"] for finding in json.loads(result.stdout)}
    number = f"number {demo.PHONE_NUMBER_ID}"
    assert {name: states[name] for name in ("issuer", "webhook", "REST API", number)} == dict.fromkeys(
        ("issuer", "webhook", "REST API", number), "ok"
    )
    assert states["sending rate"] == "warning"
    assert (result.exit_code, "alarms" in states) == (0, False)


def test_a_number_needs_its_own_token_and_moves_with_everything(cloud: Cloud, new_phone: str) -> None:
    business = Business(cloud, START, end("end", "Bye"))
    assert business.answer(new_phone, "Hello") == "Hi!\n\nBye"
    invented = {
        "display_phone_number": "+1 415 555 0100",
        "verify_token": "invented-verify-token",
        "app_secret": "invented-secret",
        "access_token": "invented-token",
    }
    with cloud.api("admin", "rival") as api:
        refused = api.put(f"/numbers/{business.number}", json=invented)
        assert (refused.status_code, refused.json()["code"]) == (422, "number_unverified")
    moved = cloud.command("number", "move", business.number, "--from", business.organization_id, "--to", "rival")
    assert moved.exit_code == 0, moved.output
    with cloud.api("admin", "rival") as api:
        assert [number["phone_number_id"] for number in api.get("/numbers").json()] == [business.number]
        for status in (204, 204):
            assert api.delete(f"/numbers/{business.number}").status_code == status
        assert api.get("/numbers").json() == []


def test_a_deleted_organization_leaves_nothing(cloud: Cloud, new_phone: str) -> None:
    aws, business = Aws(cloud), Business(cloud, START, end("end", "Bye"))
    business.answer(new_phone, "Hello")
    assert business.organization_id in aws.table()
    deleted = cloud.command("organization", "delete", business.organization_id, "--yes")
    assert deleted.exit_code == 0, deleted.output
    assert "1 numbers" in deleted.stdout
    assert business.organization_id not in aws.table()
    secrets = aws.client("secretsmanager").list_secrets()["SecretList"]
    assert [secret["Name"] for secret in secrets if business.organization_id in secret["Name"]] == []
    assert cloud.denied_requests() == []
