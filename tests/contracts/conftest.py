"""Fixtures that run the same tests on the fakes and on the real adapters (on moto, without concurrency)."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pytake.aws.aliases import DynamoAliases
from pytake.aws.budgets import DynamoBudgetLedger
from pytake.aws.contacts import DynamoContacts
from pytake.aws.conversations import DynamoConversations
from pytake.aws.deliveries import DynamoDeliveries
from pytake.aws.erasure import DynamoErasure
from pytake.aws.event_log import DynamoEventLog
from pytake.aws.flows import DynamoFlows
from pytake.aws.held_turns import DynamoHeldTurns
from pytake.aws.rate_slots import DynamoRateSlots
from pytake.aws.secrets import SecretsManagerSecrets
from pytake.aws.segments import DynamoSegments
from pytake.aws.table import Table
from pytake.aws.templates import DynamoTemplates
from pytake.aws.tenants import DynamoTenants
from pytake.effects.flow_secrets import SecretsManagerFlowSecretStore
from tests import fakes
from tests.aws_session import share_sessions
from tests.fakes.budgets import MemoryBudgetLedger
from tests.table import create_table, kept

REGION = "us-east-1"
TABLE = "contracts"
BUCKET = "contracts-lake"


@pytest.fixture
def clock() -> fakes.FrozenClock:
    return fakes.FrozenClock()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        share_sessions(monkeypatch)
        yield


@pytest.fixture
def table(aws: None) -> Table:
    create_table(TABLE)
    return Table(TABLE, REGION)


def _implementation(request: pytest.FixtureRequest, fake: Callable[[], Any], real: Callable[[Table], Any]) -> Any:
    if request.param == "fake":
        return fake()
    return real(request.getfixturevalue("table"))


@pytest.fixture(params=["fake", "aws"])
def conversations(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> Any:
    return _implementation(request, fakes.MemoryConversations, lambda table: DynamoConversations(table, kept(), clock))


@pytest.fixture(params=["fake", "aws"])
def contacts(request: pytest.FixtureRequest) -> Any:
    return _implementation(request, fakes.MemoryContacts, DynamoContacts)


@pytest.fixture(params=["fake", "aws"])
def segments(request: pytest.FixtureRequest) -> Any:
    return _implementation(request, fakes.MemorySegments, DynamoSegments)


@pytest.fixture(params=["fake", "aws"])
def identified(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> Any:
    """Conversations, and the identities that their commits write."""

    def fake() -> Any:
        conversations = fakes.MemoryConversations()
        return conversations, conversations.aliases

    def real(table: Table) -> Any:
        return DynamoConversations(table, kept(), clock), DynamoAliases(table, clock)

    return _implementation(request, fake, real)


@pytest.fixture(params=["fake", "aws"])
def deliveries(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> Any:
    return _implementation(request, fakes.MemoryDeliveries, lambda table: DynamoDeliveries(table, clock, kept()))


@pytest.fixture(params=["fake", "aws"])
def slots(request: pytest.FixtureRequest) -> Any:
    return _implementation(request, fakes.MemoryRateSlots, DynamoRateSlots)


@pytest.fixture
def other_worker(request: pytest.FixtureRequest, slots: Any) -> Any:
    """The same slots in another, new process."""
    return DynamoRateSlots(request.getfixturevalue("table")) if isinstance(slots, DynamoRateSlots) else slots


@pytest.fixture(params=["fake", "aws"])
def budget_ledger(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> Any:
    return _implementation(request, MemoryBudgetLedger, lambda table: DynamoBudgetLedger(table, clock))


@pytest.fixture(params=["fake", "aws"])
def held_turns(request: pytest.FixtureRequest) -> Any:
    return _implementation(request, fakes.MemoryHeldTurns, DynamoHeldTurns)


@pytest.fixture
def aws_remembered(table: Table, clock: fakes.FrozenClock) -> Any:
    """The adapters of `remembered`."""
    return (
        DynamoConversations(table, kept(), clock),
        DynamoDeliveries(table, clock, kept()),
        DynamoHeldTurns(table),
        DynamoErasure(table, DynamoEventLog(table, kept())),
    )


@pytest.fixture(params=["fake", "aws"])
def remembered(request: pytest.FixtureRequest) -> Any:
    """Conversations, deliveries and held turns, and what erases from them."""
    if request.param == "aws":
        return request.getfixturevalue("aws_remembered")
    ports = fakes.MemoryConversations(), fakes.MemoryDeliveries(), fakes.MemoryHeldTurns()
    return *ports, fakes.MemoryErasure(*ports)


@pytest.fixture(params=["fake", "aws"])
def tenants(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> Any:
    return _implementation(request, fakes.MemoryTenants, lambda table: DynamoTenants(table, clock))


@pytest.fixture(params=["fake", "aws"])
def templates(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> Any:
    return _implementation(request, fakes.MemoryTemplates, lambda table: DynamoTemplates(table, clock))


@pytest.fixture(params=["fake", "aws"])
def flows(request: pytest.FixtureRequest) -> Any:
    def real(table: Table) -> DynamoFlows:
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        return DynamoFlows(table, lambda: s3, BUCKET)

    return _implementation(request, fakes.MemoryFlows, real)


@pytest.fixture(params=["fake", "aws"])
def flow_secret_store(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return fakes.MemoryFlowSecrets()
    request.getfixturevalue("aws")
    client = boto3.client("secretsmanager")
    return SecretsManagerFlowSecretStore(lambda: client, "pytake/test/", lambda _: None)


@pytest.fixture(params=["fake", "aws"])
def secrets(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> Any:
    if request.param == "fake":
        return fakes.MemorySecrets()
    request.getfixturevalue("aws")
    client = boto3.client("secretsmanager")
    return SecretsManagerSecrets(lambda: client, "pytake/test/", clock)
