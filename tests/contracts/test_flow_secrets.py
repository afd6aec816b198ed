"""The contract of `FlowSecretStore`, for the fake and for Secrets Manager."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest

from pytake.conversation.flow_secrets import ManageFlowSecrets
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.tenants import FlowSecret, FlowSecretStore, FlowSecretsUnreadableError
from pytake.effects.flow_secrets import MAX_ATTEMPTS, SecretsManagerFlowSecrets, SecretsManagerFlowSecretStore

SECRET = "pytake/test/acme/flow-secrets"


def secret(value: str) -> FlowSecret:
    return FlowSecret(value, ("x.io",))


def test_what_is_stored_is_listed_by_name(flow_secret_store: FlowSecretStore) -> None:
    assert flow_secret_store.hosts("acme") == {}
    flow_secret_store.change("acme", lambda known: {**known, "ONE": secret("value-1")})
    flow_secret_store.change("acme", lambda known: {**known, "TWO": secret("value-2")})
    assert sorted(flow_secret_store.hosts("acme")) == ["ONE", "TWO"]
    flow_secret_store.change("acme", lambda known: {"TWO": known["TWO"]})
    assert flow_secret_store.hosts("acme") == {"TWO": ("x.io",)}


def test_organizations_have_secrets_of_their_own(flow_secret_store: FlowSecretStore) -> None:
    flow_secret_store.change("acme", lambda _: {"ONE": secret("value-1")})
    assert flow_secret_store.hosts("globex") == {}
    flow_secret_store.change("globex", lambda known: {**known, "TWO": secret("value-2")})
    assert [list(flow_secret_store.hosts(name)) for name in ("acme", "globex")] == [["ONE"], ["TWO"]]


def test_a_change_that_is_given_up_changes_nothing(flow_secret_store: FlowSecretStore) -> None:
    flow_secret_store.change("acme", lambda _: {"ONE": secret("value-1")})

    def refuse(_: Mapping[str, FlowSecret]) -> Mapping[str, FlowSecret]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        flow_secret_store.change("acme", refuse)
    assert flow_secret_store.hosts("acme") == {"ONE": ("x.io",)}


@pytest.fixture
def client(aws: None) -> Any:
    return boto3.client("secretsmanager")


@pytest.fixture
def store(client: Any) -> SecretsManagerFlowSecretStore:
    return SecretsManagerFlowSecretStore(lambda: client, "pytake/test/", lambda _: None)


@pytest.mark.parametrize("stored_before", [True, False], ids=["changed", "created"])
def test_somebody_who_writes_meanwhile_loses_nothing(
    client: Any, store: SecretsManagerFlowSecretStore, stored_before: bool
) -> None:
    if stored_before:
        store.change("acme", lambda _: {"OLD": secret("value-0")})
    others = iter([1])

    def slowly(known: Mapping[str, FlowSecret]) -> Mapping[str, FlowSecret]:
        for _ in others:  # the first time only
            store.change("acme", lambda theirs: {**theirs, "THEIRS": secret("value-1")})
        return {**known, "OURS": secret("value-2")}

    store.change("acme", slowly)
    assert set(store.hosts("acme")) == {"THEIRS", "OURS", *(["OLD"] if stored_before else [])}


def test_who_never_gets_a_turn_is_told_so(store: SecretsManagerFlowSecretStore) -> None:
    times: Iterator[int] = iter(range(MAX_ATTEMPTS))

    def overtaken(known: Mapping[str, FlowSecret]) -> Mapping[str, FlowSecret]:
        number = next(times)
        store.change("acme", lambda theirs: {**theirs, f"THEIRS-{number}": secret("value")})
        return {**known, "OURS": secret("value")}

    with pytest.raises(ConflictError):
        store.change("acme", overtaken)
    assert len(store.hosts("acme")) == MAX_ATTEMPTS


def test_the_same_again_writes_nothing(client: Any, store: SecretsManagerFlowSecretStore) -> None:
    store.change("acme", lambda _: {"ONE": secret("value-1")})
    before = len(client.list_secret_version_ids(SecretId=SECRET)["Versions"])
    store.change("acme", lambda known: {**known, "ONE": secret("value-1")})
    assert len(client.list_secret_version_ids(SecretId=SECRET)["Versions"]) == before


def test_what_is_stored_is_what_calls_use(client: Any, store: SecretsManagerFlowSecretStore) -> None:
    ManageFlowSecrets(store).put("acme", "TOKEN", 'quotes " and ümlauts', ["x.io"])
    calls = SecretsManagerFlowSecrets(lambda: client, "pytake/test/", lambda: 0.0)
    assert calls.of_organization("acme") == {"TOKEN": secret('quotes " and ümlauts')}


def test_what_an_operator_broke_is_left_as_it_is(client: Any, store: SecretsManagerFlowSecretStore) -> None:
    client.create_secret(Name=SECRET, SecretString=json.dumps({"TOKEN": 5}))
    with pytest.raises(FlowSecretsUnreadableError):
        store.hosts("acme")
    with pytest.raises(FlowSecretsUnreadableError):
        ManageFlowSecrets(store).put("acme", "OTHER", "value", ["x.io"])
    assert json.loads(client.get_secret_value(SecretId=SECRET)["SecretString"]) == {"TOKEN": 5}
