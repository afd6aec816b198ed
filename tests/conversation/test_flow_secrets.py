"""Which secrets are accepted, and the problem of a flow that uses an unknown one."""

from typing import Any

import pytest

from pytake.conversation.flow_secrets import (
    MAX_SECRETS,
    MAX_VALUE_BYTES,
    FlowSecretRefusedError,
    ManageFlowSecrets,
    UnknownSecretError,
)
from pytake.engine import Surroundings, compile_flow, validate
from tests import fakes
from tests.conversation.product import Product


@pytest.fixture
def store() -> fakes.MemoryFlowSecrets:
    return fakes.MemoryFlowSecrets()


@pytest.fixture
def keep(store: fakes.MemoryFlowSecrets) -> ManageFlowSecrets:
    return ManageFlowSecrets(store)


def calling_with(secret: str) -> dict[str, Any]:
    return {
        "format": 1,
        "id": "main",
        "language": "en",
        "start_node_id": "call",
        "nodes": [
            {"id": "call", "type": "api_call", "data": {"url": f"https://x.io/{secret}", "next_node_id": "end"}},
            {"id": "end", "type": "end", "data": {}},
        ],
    }


def test_names_come_in_order_and_values_never(keep: ManageFlowSecrets) -> None:
    keep.put("acme", "B", "value-b", ["x.io"])
    keep.put("acme", "A", "value-a", ["x.io"])
    assert list(keep.hosts("acme")) == ["A", "B"]


@pytest.mark.parametrize(
    "name", ["TOKEN", "a", "api_token", "api-token", "TOKEN2", "2", "_", "-", "señal", "令牌", "x" * 64]
)
def test_a_name_that_is_kept_works_in_a_template(keep: ManageFlowSecrets, name: str) -> None:
    keep.put("acme", name, "value", ["x.io"])
    flow = calling_with("{{secrets." + name + "}}")
    compile_flow({"main": flow}, "main")
    assert validate({"main": flow}, "main", Surroundings(keep.hosts("acme"))) == []


@pytest.mark.parametrize("name", ["", " ", "a b", "a.b", "a[0]", "a|b", "{{a}}", "a/b", "a\n", "a\0", "x" * 65])
def test_a_name_that_no_template_can_hold_is_refused(
    keep: ManageFlowSecrets, store: fakes.MemoryFlowSecrets, name: str
) -> None:
    with pytest.raises(FlowSecretRefusedError) as refused:
        keep.put("acme", name, "value", ["x.io"])
    assert refused.value.code == "secret_name_invalid"
    assert store.stored == {}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "secret_too_short"),
        ("abc", "secret_too_short"),
        ("  abc  ", "secret_too_short"),
        ("v4lue" * 2000, "secret_too_large"),
        ("ü" * (MAX_VALUE_BYTES // 2 + 1), "secret_too_large"),
    ],
)
def test_a_value_that_cannot_be_kept_is_refused_without_quoting_it(
    keep: ManageFlowSecrets, store: fakes.MemoryFlowSecrets, value: str, code: str
) -> None:
    with pytest.raises(FlowSecretRefusedError) as refused:
        keep.put("acme", "TOKEN", value, ["x.io"])
    assert refused.value.code == code
    assert "v4lue" not in str(refused.value)
    assert store.stored == {}


@pytest.mark.parametrize(
    ("hosts", "kept"),
    [
        (["api.example.com"], ("api.example.com",)),
        (["API.example.com.", "api.example.com", " b.io "], ("api.example.com", "b.io")),
        (["127.0.0.1", "localhost", "[2606:4700::1111]", "::1"], ("127.0.0.1", "localhost", "2606:4700::1111", "::1")),
        (["xn--mnchen-3ya.example", "_srv.x.io"], ("xn--mnchen-3ya.example", "_srv.x.io")),
    ],
)
def test_hosts_are_kept_as_they_are_compared(keep: ManageFlowSecrets, hosts: list[str], kept: tuple[str, ...]) -> None:
    assert keep.put("acme", "TOKEN", "value", hosts) == kept
    assert keep.hosts("acme") == {"TOKEN": kept}


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["x.io"] + [f"x{number}.io" for number in range(10)],
        [""],
        ["https://x.io"],
        ["x.io/path"],
        ["x.io:443"],
        ["*.x.io"],
        ["x.io", "münchen.example"],
        ["user@x.io"],
        ["x" * 254],
        ["x.io\n.evil"],
    ],
)
def test_a_secret_names_its_hosts(keep: ManageFlowSecrets, store: fakes.MemoryFlowSecrets, hosts: list[str]) -> None:
    with pytest.raises(FlowSecretRefusedError) as refused:
        keep.put("acme", "TOKEN", "value", hosts)
    assert refused.value.code == "secret_hosts_invalid"
    assert store.stored == {}


def test_so_many_secrets_and_no_more(keep: ManageFlowSecrets) -> None:
    for number in range(MAX_SECRETS):
        keep.put("acme", f"S{number}", "value", ["x.io"])
    with pytest.raises(FlowSecretRefusedError) as refused:
        keep.put("acme", "ANOTHER", "value", ["x.io"])
    assert refused.value.code == "secrets_full"
    keep.put("acme", "S0", "another value", ["x.io"])
    keep.remove("acme", "S1")
    keep.put("acme", "ANOTHER", "value", ["x.io"])


def test_what_would_not_fit_into_one_secret_is_refused(keep: ManageFlowSecrets) -> None:
    for number in range(7):
        keep.put("acme", f"S{number}", "x" * MAX_VALUE_BYTES, ["x.io"])
    with pytest.raises(FlowSecretRefusedError) as refused:
        keep.put("acme", "S7", '"' * MAX_VALUE_BYTES, ["x.io"])
    assert refused.value.code == "secrets_full"


def test_an_unknown_secret_cannot_be_removed(keep: ManageFlowSecrets) -> None:
    with pytest.raises(UnknownSecretError):
        keep.remove("acme", "TOKEN")


def test_whoever_saves_or_publishes_a_flow_hears_of_secrets_that_are_missing(product: Product) -> None:
    flow = calling_with("{{secrets.TOKEN}}")
    saved = product.authoring.save_draft("acme", "main", flow)
    assert [(found.code, found.severity, found.node_id) for found in saved.problems] == [
        ("unknown_secret", "warning", "call")
    ]
    version, problems = product.authoring.publish("acme", "main", "ana")
    assert (version.version, [found.code for found in problems]) == (1, ["unknown_secret"])
    ManageFlowSecrets(product.flow_secrets).put("acme", "TOKEN", "value", ["x.io"])
    assert product.authoring.draft("acme", "main").problems == []
    ManageFlowSecrets(product.flow_secrets).put("acme", "TOKEN", "value", ["y.io"])
    assert [found.code for found in product.authoring.draft("acme", "main").problems] == ["secret_host_refused"]
    assert [found.code for found in product.authoring.save_draft("globex", "main", flow).problems] == ["unknown_secret"]
