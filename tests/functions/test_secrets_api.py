"""The REST API's secrets of flows: stored, listed by name, forgotten, never shown."""

from typing import Any

import boto3
import pytest

from tests.functions.conftest import Gateway

PATH = "/api/v1/secrets"
VALUE = "s3cr3t-value"
HOSTS = ["x.io"]


def test_a_secret_is_stored_listed_and_forgotten(gateway: Gateway) -> None:
    assert gateway.api("GET", PATH).body == []
    assert gateway.api("PUT", f"{PATH}/TOKEN", {"value": VALUE, "hosts": HOSTS}).body == {
        "name": "TOKEN",
        "hosts": HOSTS,
    }
    assert gateway.api("PUT", f"{PATH}/OTHER", {"value": VALUE, "hosts": HOSTS}).status == 200
    assert gateway.api("GET", PATH).body == [{"name": "OTHER", "hosts": HOSTS}, {"name": "TOKEN", "hosts": HOSTS}]
    deleted = gateway.api("DELETE", f"{PATH}/TOKEN")
    assert (deleted.status, deleted.body) == (204, "")
    assert gateway.api("GET", PATH).body == [{"name": "OTHER", "hosts": HOSTS}]
    again = gateway.api("DELETE", f"{PATH}/TOKEN")
    assert (again.status, again.body["code"]) == (404, "secret_unknown")


def test_names_may_be_percent_encoded(gateway: Gateway) -> None:
    assert gateway.api("PUT", f"{PATH}/se%C3%B1al", {"value": VALUE, "hosts": HOSTS}).body == {
        "name": "señal",
        "hosts": HOSTS,
    }
    assert gateway.api("DELETE", f"{PATH}/se%C3%B1al").status == 204


def test_builders_read_names_and_only_admins_write(gateway: Gateway) -> None:
    gateway.api("PUT", f"{PATH}/TOKEN", {"value": VALUE, "hosts": HOSTS})
    assert gateway.api("GET", PATH, role="builder").body == [{"name": "TOKEN", "hosts": HOSTS}]
    for role in ("agent", "analyst"):
        assert gateway.api("GET", PATH, role=role).status == 403
    for role in ("builder", "agent", "analyst"):
        assert gateway.api("PUT", f"{PATH}/TOKEN", {"value": "another", "hosts": HOSTS}, role=role).status == 403
        assert gateway.api("DELETE", f"{PATH}/TOKEN", role=role).status == 403


def test_another_organization_sees_and_forgets_its_own_only(gateway: Gateway) -> None:
    gateway.api("PUT", f"{PATH}/TOKEN", {"value": VALUE, "hosts": HOSTS})
    assert gateway.api("GET", PATH, org="globex").body == []
    assert gateway.api("DELETE", f"{PATH}/TOKEN", org="globex").status == 404
    assert gateway.api("GET", PATH).body == [{"name": "TOKEN", "hosts": HOSTS}]


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("TOKEN", {"value": "abc", "hosts": HOSTS}, "secret_too_short"),
        ("TOKEN", {"value": "x" * 8193, "hosts": HOSTS}, "secret_too_large"),
        ("TOKEN", {"value": "ü" * 8000, "hosts": HOSTS}, "secret_too_large"),
        ("TOKEN", {"value": "   s   ", "hosts": HOSTS}, "secret_too_short"),
        ("TOKEN", {"value": VALUE, "hosts": HOSTS, "name": "OTHER"}, "invalid_request"),
        ("TOKEN", {"value": 12345, "hosts": HOSTS}, "invalid_request"),
        ("TOKEN", {}, "invalid_request"),
        ("TOKEN", {"value": VALUE}, "invalid_request"),
        ("TOKEN", {"value": VALUE, "hosts": []}, "secret_hosts_invalid"),
        ("TOKEN", {"value": VALUE, "hosts": ["https://x.io/"]}, "secret_hosts_invalid"),
        ("TOKEN", {"value": VALUE, "hosts": "x.io"}, "invalid_request"),
        ("a.b", {"value": VALUE, "hosts": HOSTS}, "secret_name_invalid"),
        ("a%20b", {"value": VALUE, "hosts": HOSTS}, "secret_name_invalid"),
        ("x" * 65, {"value": VALUE, "hosts": HOSTS}, "secret_name_invalid"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_never_quoted(
    gateway: Gateway, name: str, body: dict[str, Any], code: str
) -> None:
    refused = gateway.api("PUT", f"{PATH}/{name}", body)
    assert (refused.status, refused.body["code"]) == (422, code)
    assert VALUE not in str(refused.body)
    assert gateway.api("GET", PATH).body == []


def test_values_are_in_secrets_manager_and_in_no_answer_and_no_log(
    gateway: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = [gateway.api("PUT", f"{PATH}/TOKEN", {"value": VALUE, "hosts": HOSTS}), gateway.api("GET", PATH)]
    stored = boto3.client("secretsmanager").get_secret_value(SecretId="pytake/test/acme/flow-secrets")
    assert VALUE in stored["SecretString"]
    assert VALUE not in str(answers)
    assert VALUE not in "".join(capfd.readouterr())


def test_what_an_operator_broke_is_said_to_be_broken(gateway: Gateway) -> None:
    boto3.client("secretsmanager").create_secret(Name="pytake/test/acme/flow-secrets", SecretString="[]")
    for answer in (
        gateway.api("GET", PATH),
        gateway.api("PUT", f"{PATH}/TOKEN", {"value": VALUE, "hosts": HOSTS}),
        gateway.api("DELETE", f"{PATH}/TOKEN"),
    ):
        assert (answer.status, answer.body["code"]) == (409, "secrets_unreadable")
