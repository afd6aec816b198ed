"""Secrets of api_call: one secret per organization, read at most once in five minutes."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from pytake.conversation.ports.tenants import FlowSecret, FlowSecretsUnreadableError
from pytake.effects.flow_secrets import CACHE_SECONDS, MIN_REFRESH_SECONDS, SecretsManagerFlowSecrets


def stored(value: str) -> str:
    return json.dumps({"TOKEN": {"value": value, "hosts": ["x.io"]}})


class Store:
    """A real client with scripted answers, and a clock that a test moves."""

    def __init__(self) -> None:
        client = boto3.client(
            "secretsmanager", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        self.stub = Stubber(client)
        self.now = 1000.0
        self.secrets = SecretsManagerFlowSecrets(lambda: client, "pytake/dev/", lambda: self.now)

    def holds(self, organization_id: str, **answer: Any) -> None:
        answer = {"VersionId": "1" * 32, **answer}
        self.stub.add_response(
            "get_secret_value",
            answer,
            {"SecretId": f"pytake/dev/{organization_id}/flow-secrets", "VersionStage": "AWSCURRENT"},
        )


@pytest.fixture
def store() -> Iterator[Store]:
    scripted = Store()
    with scripted.stub:
        yield scripted
    scripted.stub.assert_no_pending_responses()


def test_an_organization_s_secrets_are_read_once_in_five_minutes(store: Store) -> None:
    store.holds("acme", SecretString=stored("old"))
    assert store.secrets.of_organization("acme") == {"TOKEN": FlowSecret("old", ("x.io",))}
    store.now += CACHE_SECONDS - 1
    assert store.secrets.of_organization("acme") == {"TOKEN": FlowSecret("old", ("x.io",))}
    store.now += 1
    store.holds("acme", SecretString=stored("new"))
    assert store.secrets.of_organization("acme") == {"TOKEN": FlowSecret("new", ("x.io",))}


def test_who_asks_for_a_fresh_one_gets_it_once_in_a_second(store: Store) -> None:
    store.holds("acme", SecretString="{}")
    assert store.secrets.of_organization("acme") == {}
    store.now += MIN_REFRESH_SECONDS - 0.5
    assert store.secrets.of_organization("acme", fresh=True) == {}
    store.now += 0.5
    store.holds("acme", SecretString=stored("new"))
    assert store.secrets.of_organization("acme", fresh=True) == {"TOKEN": FlowSecret("new", ("x.io",))}


def test_organizations_do_not_see_one_another(store: Store) -> None:
    store.holds("acme", SecretString=stored("acme"))
    store.holds("other", SecretString="{}")
    assert store.secrets.of_organization("acme") == {"TOKEN": FlowSecret("acme", ("x.io",))}
    assert store.secrets.of_organization("other") == {}


def test_an_organization_without_secrets(store: Store) -> None:
    store.stub.add_client_error("get_secret_value", "ResourceNotFoundException")
    assert store.secrets.of_organization("acme") == {}


@pytest.mark.parametrize(
    "answer",
    [
        {"SecretString": "s3cr3t"},
        {"SecretString": '{"TOKEN": 5}'},
        {"SecretString": '{"TOKEN": "s3cr3t"}'},
        {"SecretString": '{"TOKEN": {"value": "s3cr3t"}}'},
        {"SecretString": "[]"},
        {},
    ],
)
def test_a_secret_of_another_form_is_an_error_that_does_not_quote_it(store: Store, answer: dict[str, Any]) -> None:
    store.holds("acme", **answer)
    with pytest.raises(FlowSecretsUnreadableError) as caught:
        store.secrets.of_organization("acme")
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None
