"""The contract of the `TenantRepository`, `Secrets` and `Flows` ports."""

import hashlib
from collections.abc import Callable

import boto3
import pytest
from msgspec.structs import replace
from pynamodb.transactions import TransactWrite

from pytake.aws import flows as aws_flows
from pytake.aws.flows import DynamoFlows
from pytake.aws.secrets import SecretsManagerSecrets
from pytake.aws.table import Table
from pytake.aws.tenants import DynamoTenants
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.tenants import TENANT_CACHE_SECONDS, DraftChangedError, Flows, Secrets, TenantRepository
from pytake.conversation.records import FlowMetadata, FlowVersion, Number, NumberSecrets, Organization, StoredDraft
from pytake.engine.timetable import Hours, Timetable
from tests.contracts.conftest import BUCKET
from tests.fakes import FrozenClock


def number(organization_id: str = "acme", id_: str = "100000000000001", token: str = "token-1") -> Number:
    digest = hashlib.sha256(token.encode()).hexdigest()
    return Number(organization_id, id_, "+55 11 4000-0001", default_flow_id="main", verify_token_hash=digest)


def test_a_number_is_found_by_id_by_token_and_in_its_list(tenants: TenantRepository) -> None:
    tenants.put_number(number())
    assert tenants.number("100000000000001") == number()
    assert tenants.knows_verify_token("token-1")
    assert tenants.numbers("acme") == [number()]
    assert tenants.numbers("globex") == []
    assert tenants.number("999") is None
    assert not tenants.knows_verify_token("token-2")


def test_numbers_are_found_together(tenants: TenantRepository) -> None:
    tenants.put_number(number(id_="100"))
    tenants.put_number(number("globex", "200", "token-2"))
    assert tenants.find_numbers([]) == {}
    for _ in range(2):  # read, then cached
        found = tenants.find_numbers(["200", "300", "100"])
        assert {id_: one.organization_id for id_, one in found.items()} == {"100": "acme", "200": "globex"}
    tenants.put_number(number(id_="300", token="token-3"))
    assert "300" in tenants.find_numbers(["300"]), "a number is known as soon as it is connected"


def test_a_new_verify_token_replaces_the_old_one(tenants: TenantRepository) -> None:
    tenants.put_number(number())
    tenants.put_number(number(token="token-2"))
    assert tenants.knows_verify_token("token-2")
    assert not tenants.knows_verify_token("token-1")


def test_nobody_takes_over_a_number_or_a_verify_token(tenants: TenantRepository) -> None:
    tenants.put_number(number())
    with pytest.raises(ConflictError):
        tenants.put_number(number("globex", token="token-2"))
    with pytest.raises(ConflictError):
        tenants.put_number(number("globex", "100000000000002", token="token-1"))
    assert tenants.number("100000000000001") == number()
    assert tenants.number("100000000000002") is None


def test_numbers_of_one_meta_app_share_a_verify_token(tenants: TenantRepository) -> None:
    tenants.put_number(number(id_="100", token="app"))
    tenants.put_number(number(id_="200", token="app"))
    tenants.put_number(number(id_="100", token="new"))
    assert tenants.knows_verify_token("app"), "200 still uses it"
    with pytest.raises(ConflictError):
        tenants.put_number(number("globex", "300", token="app"))
    tenants.put_number(number(id_="200", token="new"))
    assert not tenants.knows_verify_token("app")
    assert tenants.knows_verify_token("new")
    tenants.put_number(number("globex", "300", token="app"))
    assert tenants.knows_verify_token("app"), "a token that no number uses is free"


def test_a_verify_token_of_the_previous_release_can_be_shared_and_changed(table: Table) -> None:
    """Its entry holds the id of its only number, as the entry of an unshared token does today."""
    tenants = DynamoTenants(table, FrozenClock())
    tenants.put_number(number(id_="100", token="app"))
    entry = table.item.get("VERIFY#" + hashlib.sha256(b"app").hexdigest(), "NUMBER")
    assert entry.state == "100"
    tenants.put_number(number(id_="200", token="app"))
    tenants.put_number(number(id_="100", token="new"))
    assert tenants.knows_verify_token("app")


def concurrently(table: Table, monkeypatch: pytest.MonkeyPatch, others: Callable[[], None]) -> None:
    """Let others write once, after the next transaction has read and before it writes."""
    commit = TransactWrite._commit

    def interrupted(transaction: TransactWrite) -> None:
        monkeypatch.setattr(TransactWrite, "_commit", commit)
        others()
        commit(transaction)

    monkeypatch.setattr(TransactWrite, "_commit", interrupted)


def test_concurrent_changes_of_one_number_leave_one_verify_token(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    tenants, others = DynamoTenants(table, FrozenClock()), DynamoTenants(table, FrozenClock())
    tenants.put_number(number(token="app"))
    concurrently(table, monkeypatch, lambda: others.put_number(number(token="first")))
    tenants.put_number(number(token="second"))
    assert [tenants.knows_verify_token(token) for token in ("app", "first", "second")] == [False, False, True]


def test_a_token_that_two_numbers_take_and_leave_at_once_counts_both(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants, others = DynamoTenants(table, FrozenClock()), DynamoTenants(table, FrozenClock())
    tenants.put_number(number(id_="100", token="app"))
    concurrently(table, monkeypatch, lambda: others.put_number(number(id_="200", token="app")))
    tenants.put_number(number(id_="100", token="new"))
    assert tenants.knows_verify_token("app"), "200 took it meanwhile"
    concurrently(table, monkeypatch, lambda: others.put_number(number("globex", "300", token="free")))
    with pytest.raises(ConflictError):
        tenants.put_number(number(id_="100", token="free"))


def test_a_number_that_stops_while_it_is_changed_stays_stopped(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    tenants, others = DynamoTenants(table, FrozenClock()), DynamoTenants(table, FrozenClock())
    tenants.put_number(number())
    concurrently(table, monkeypatch, lambda: (others.stop_number(number(), "fatal_token:190"), None)[1])
    tenants.put_number(number(token="new"))
    stopped = tenants.number("100000000000001", fresh=True)
    assert stopped is not None
    assert stopped.stopped_reason == "fatal_token:190"


def test_a_removed_number_is_free_for_another_organization_and_its_id_is_kept(tenants: TenantRepository) -> None:
    tenants.put_number(number())
    tenants.put_number(number(id_="200"))  # shares the verify token
    tenants.stop_number(number(), "fatal_token:190")
    for _ in range(2):
        tenants.remove_number(number())
    assert tenants.number("100000000000001") is None
    assert [one.phone_number_id for one in tenants.numbers("acme")] == ["200"]
    assert tenants.number_ids("acme") == ["100000000000001", "200"]
    assert tenants.knows_verify_token("token-1"), "another number uses it"
    tenants.remove_number(number(id_="200"))
    assert not tenants.knows_verify_token("token-1")
    tenants.put_number(number("globex"))
    tenants.remove_number(number())  # it is not acme's any more
    assert tenants.number("100000000000001") == number("globex"), "it does not stay stopped"
    tenants.remove_number(number("globex"))
    tenants.put_number(number())
    assert tenants.numbers("acme") == [number()]


def test_a_number_moves_to_another_organization(tenants: TenantRepository) -> None:
    tenants.put_number(number())
    tenants.stop_number(number(), "fatal_token:190")
    moved = Number("globex", "100000000000001", "+55 11 4000-0001")
    tenants.move_number(number(), moved)
    assert tenants.number("100000000000001") == moved
    assert (tenants.numbers("acme"), tenants.numbers("globex")) == ([], [moved])
    assert tenants.number_ids("acme") == ["100000000000001"]
    assert not tenants.knows_verify_token("token-1")
    with pytest.raises(ConflictError):
        tenants.move_number(number(), Number("third", "100000000000001", "+55 11 4000-0001"))
    assert tenants.number("100000000000001") == moved


def test_a_stopped_number_stays_stopped_until_it_is_resumed(tenants: TenantRepository) -> None:
    tenants.put_number(number())
    assert tenants.stop_number(number(), "fatal_token:190")
    assert not tenants.stop_number(number(), "fatal_token:0")
    tenants.confirm_stop(number(), 5.5)
    tenants.confirm_stop(number(), 7.5)
    tenants.put_number(number())
    stopped = tenants.number("100000000000001")
    assert stopped is not None
    assert (stopped.stopped_reason, stopped.stopped_at) == ("fatal_token:190", 5.5)
    assert tenants.numbers("acme") == [stopped]
    tenants.begin_resuming(number(), 1.0)
    resuming = tenants.number("100000000000001", fresh=True)
    assert resuming is not None
    assert (resuming.stopped_reason, resuming.stopped_at, resuming.resuming_at) == (None, None, 1.0)
    tenants.end_resuming(number())
    tenants.put_number(number())
    assert tenants.number("100000000000001") == replace(number(), resumed_at=1.0)


def test_a_number_that_is_stopped_again_while_it_resumes_stays_stopped(tenants: TenantRepository) -> None:
    tenants.put_number(number())
    tenants.begin_resuming(number(), 1.0)  # it is not stopped
    tenants.confirm_stop(number(), 1.0)  # nor is there anything to confirm
    tenants.stop_number(number(), "fatal_token:190")
    tenants.begin_resuming(number(), 1.0)
    assert tenants.stop_number(number(), "fatal_account:368")
    tenants.end_resuming(number())
    stopped = tenants.number("100000000000001")
    assert stopped is not None
    assert (stopped.stopped_reason, stopped.stopped_at, stopped.resuming_at) == ("fatal_account:368", None, None)


def test_what_a_number_announces_to_hold_is_confirmed_once_and_can_be_extended(tenants: TenantRepository) -> None:
    def announced() -> tuple[float | None, float | None]:
        found = tenants.number("100000000000001", fresh=True)
        assert found is not None
        return found.held_since, found.held_until

    tenants.put_number(number())
    tenants.confirm_holding(number(), 1.0)
    assert announced() == (None, None)
    tenants.hold_turns_until(number(), 100.0, 1.0)
    tenants.confirm_holding(number(), 2.0)
    tenants.confirm_holding(number(), 3.0)
    assert announced() == (2.0, 100.0)
    tenants.hold_turns_until(number(), 90.0, 50.0)
    assert announced() == (2.0, 100.0), "one that holds longer stays"
    tenants.hold_turns_until(number(), 200.0, 50.0)
    tenants.put_number(number())
    assert announced() == (2.0, 200.0)
    tenants.hold_turns_until(number(), 300.0, 200.0)
    assert announced() == (None, 300.0), "it has ended and begins again"


def test_an_organization_without_settings_has_the_defaults(tenants: TenantRepository) -> None:
    assert tenants.organization("acme") == Organization("acme")
    tenants.put_organization(Organization("acme", messages_per_minute=600, language="pt_BR"))
    assert tenants.organization("acme").messages_per_minute == 600
    assert tenants.organization("globex").messages_per_minute is None


def test_settings_and_timetables_do_not_overwrite_each_other(tenants: TenantRepository) -> None:
    hours = [Hours(days=["mon"], opens="09:00", closes="18:00")]
    tenants.put_timetables("acme", {"support": Timetable(hours=hours, holidays=["12-25"])})
    tenants.put_organization(Organization("acme", language="es"))
    tenants.put_timetables("acme", {"shop": Timetable(hours=hours)})
    assert tenants.organization("acme") == Organization(
        "acme", language="es", timetables={"shop": Timetable(hours=hours)}
    )
    assert tenants.organization("globex").timetables == {}


def test_removed_secrets_are_gone_and_can_be_stored_again(secrets: Secrets) -> None:
    stored = NumberSecrets("app-secret", "access-token")
    for number_id in ("1", "2"):
        secrets.put("acme", number_id, stored)
    secrets.remove("acme", "1")
    assert secrets.of_number("acme", "1", fresh=True) is None
    assert secrets.of_number("acme", "2") == stored
    secrets.remove("acme", "1")
    secrets.put("acme", "1", stored)
    assert secrets.of_number("acme", "1") == stored


def test_secrets_are_kept_per_organization_and_number(secrets: Secrets) -> None:
    stored = NumberSecrets("app-secret", "access-token", "older-secret")
    assert secrets.of_number("acme", "1") is None
    assert secrets.app_secrets("acme", "1") == ()
    assert secrets.access_token("acme", "1") is None
    secrets.put("acme", "1", stored)
    assert secrets.of_number("acme", "1") == stored
    assert secrets.app_secrets("acme", "1") == ("app-secret", "older-secret")
    assert secrets.access_token("acme", "1") == "access-token"
    assert secrets.of_number("globex", "1") is None
    secrets.put("acme", "1", NumberSecrets("new", "access-token"))
    assert secrets.of_number("acme", "1", fresh=True) == NumberSecrets("new", "access-token")


def test_cached_app_secrets_cost_no_request(aws: None) -> None:
    client = boto3.client("secretsmanager")
    secrets = SecretsManagerSecrets(lambda: client, "pytake/test/", lambda: 0)
    secrets.put("acme", "1", NumberSecrets("app-secret", "token", "older-secret"))
    assert secrets.cached_app_secrets("acme", "1") == ()
    assert secrets.app_secrets("acme", "1")
    client.delete_secret(SecretId="pytake/test/acme/1/app-secret", ForceDeleteWithoutRecovery=True)
    assert secrets.cached_app_secrets("acme", "1") == ("app-secret", "older-secret")


def test_each_kind_of_secret_is_stored_apart(aws: None) -> None:
    """The webhook's role reads app secrets only, the sender's access tokens only (tests/template/test_roles.py)."""
    client = boto3.client("secretsmanager")
    SecretsManagerSecrets(lambda: client, "pytake/test/", lambda: 0).put(
        "acme", "1", NumberSecrets("app-secret", "token")
    )
    stored = {
        secret["Name"]: client.get_secret_value(SecretId=secret["Name"])["SecretString"]
        for secret in client.list_secrets()["SecretList"]
    }
    assert stored == {
        "pytake/test/acme/1/app-secret": '{"app_secret":"app-secret"}',
        "pytake/test/acme/1/access-token": '{"access_token":"token"}',
    }


def test_secrets_do_not_show_in_a_repr() -> None:
    assert "app-secret" not in repr(NumberSecrets("app-secret", "access-token"))


def version(n: int, text: str = "Hi") -> FlowVersion:
    document = {"id": "main", "name": "Main", "start_node_id": "start", "nodes": [{"id": "start", "text": text}]}
    return FlowVersion("main", n, 1_770_000_000.0 + n, {"main": document}, "ana", ["sub"])


def test_drafts_and_versions_are_read_back(flows: Flows) -> None:
    assert flows.summary("acme", "main") is None
    flows.put_draft("acme", version(1).documents["main"], 1.0)
    summary = flows.summary("acme", "main")
    assert summary is not None
    assert (summary.name, summary.latest_version, summary.published_version) == ("Main", 0, None)
    assert flows.draft("acme", "main") == StoredDraft(version(1).documents["main"], 1, 1.0)
    assert flows.draft("globex", "main") is None

    flows.publish("acme", version(1), "Main")
    flows.publish("acme", version(2, "Hello"), "Main")
    assert flows.version("acme", "main", 1) == version(1)
    assert flows.version("acme", "main", 2) == version(2, "Hello")
    assert flows.version("acme", "main", 3) is None
    assert [v.version for v in flows.versions("acme", "main")] == [2, 1]
    assert all(v.documents == {} for v in flows.versions("acme", "main"))
    assert [(s.flow_id, s.latest_version, s.published_version) for s in flows.summaries("acme")] == [("main", 2, 2)]
    assert flows.summaries("globex") == []


def test_a_draft_is_replaced_by_whoever_knows_it_only(flows: Flows) -> None:
    with pytest.raises(DraftChangedError) as none_there:
        flows.put_draft("acme", {"id": "main", "nodes": []}, 1.0, "any")
    assert none_there.value.revision is None
    assert flows.draft("acme", "main") is None
    assert flows.summaries("acme") == []
    assert flows.put_draft("acme", {"id": "main", "nodes": [1]}, 1.0, "none") == 1
    for expected in ("none", 2, 0):
        with pytest.raises(DraftChangedError) as changed:
            flows.put_draft("acme", {"id": "main", "name": "Late", "nodes": [2]}, 2.0, expected)  # type: ignore[arg-type]
        assert changed.value.revision == 1
    assert flows.draft("acme", "main") == StoredDraft({"id": "main", "nodes": [1]}, 1, 1.0)
    assert [summary.name for summary in flows.summaries("acme")] == ["main"]
    assert flows.put_draft("acme", {"id": "main", "nodes": [3]}, 3.0, 1) == 2
    assert flows.put_draft("acme", {"id": "main", "nodes": [4]}, 4.0, "any") == 3
    assert flows.put_draft("acme", {"id": "main", "nodes": [5]}, 5.0) == 4


def test_a_draft_of_before_there_were_revisions_can_be_replaced_too(table: Table) -> None:
    flows = DynamoFlows(table, lambda: boto3.client("s3"), BUCKET)
    flows.put_draft("acme", {"id": "main", "nodes": [1]}, 1.0)
    entry = table.item.get("ORG#acme#FLOW#main", "DRAFT")
    entry.update([table.item.revision.remove()])
    assert flows.draft("acme", "main") == StoredDraft({"id": "main", "nodes": [1]}, 0, 1.0)
    assert flows.put_draft("acme", {"id": "main", "nodes": [2]}, 2.0, 0) == 1
    with pytest.raises(DraftChangedError):
        flows.put_draft("acme", {"id": "main", "nodes": [3]}, 3.0, 0)


def test_a_version_is_immutable(flows: Flows) -> None:
    flows.publish("acme", version(1), "Main")
    with pytest.raises(ConflictError):
        flows.publish("acme", version(1, "changed"), "Main")
    assert flows.version("acme", "main", 1) == version(1)


def test_long_lists_come_in_parts(flows: Flows) -> None:
    for number in range(1, 4):
        flows.publish("acme", version(number), "Main")
    for flow_id in ("b", "a", "c"):
        flows.put_draft("acme", {"id": flow_id}, 1.0)
    flows.put_draft("globex", {"id": "d"}, 1.0)
    assert [s.flow_id for s in flows.summaries("acme", 2)] == ["a", "b"]
    assert [s.flow_id for s in flows.summaries("acme", 2, after="b")] == ["c", "main"]
    assert flows.summaries("acme", 2, after="main") == []
    assert [v.version for v in flows.versions("acme", "main", 2)] == [3, 2]
    assert [v.version for v in flows.versions("acme", "main", 2, before=2)] == [1]
    assert flows.versions("acme", "main", 2, before=1) == []


def test_the_pointer_moves_to_versions_that_exist_only(flows: Flows) -> None:
    flows.publish("acme", version(1), "Main")
    flows.publish("acme", version(2), "Main")
    flows.point_to("acme", "main", 1, 9.0, "bia")
    summary = flows.summary("acme", "main")
    assert summary is not None
    assert (summary.latest_version, summary.published_version) == (2, 1)
    with pytest.raises(ConflictError):
        flows.point_to("acme", "main", 3, 9.0, "bia")


def test_a_flow_is_filed_and_the_last_change_has_an_author(flows: Flows) -> None:
    with pytest.raises(ConflictError):
        flows.put_metadata("acme", "main", FlowMetadata(), 1.0, "ana")
    flows.put_draft("acme", {"id": "main"}, 1.0, by="ana")
    assert flows.draft("acme", "main") == StoredDraft({"id": "main"}, 1, 1.0, "ana")
    changes = []

    def note() -> None:
        summary = flows.summary("acme", "main")
        assert summary is not None
        changes.append((summary.last_change, summary.updated_by, summary.updated_at, summary.metadata.folder))

    note()
    filed = FlowMetadata("Sales", ["spring", "vip"], archived=True)
    flows.put_metadata("acme", "main", filed, 2.0, "bia")
    note()
    flows.publish("acme", version(1), "Main")
    note()
    flows.point_to("acme", "main", 1, 9.0, "carla")
    note()
    assert changes == [
        ("saved", "ana", 1.0, None),
        ("filed", "bia", 2.0, "Sales"),
        ("published", "ana", 1_770_000_001.0, "Sales"),
        ("rolled_back", "carla", 9.0, "Sales"),
    ]
    assert [summary.metadata for summary in flows.summaries("acme")] == [filed]


def test_a_saved_draft_leaves_the_pointer_alone(flows: Flows) -> None:
    flows.publish("acme", version(1), "Main")
    flows.put_draft("acme", version(2).documents["main"], 2.0)
    summary = flows.summary("acme", "main")
    assert summary is not None
    assert (summary.latest_version, summary.published_version) == (1, 1)


def test_a_document_larger_than_an_item_is_kept(flows: Flows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_flows, "ITEM_BYTES", 10)
    flows.publish("acme", version(1), "Main")
    flows.put_draft("acme", version(2).documents["main"], 2.0)
    assert flows.version("acme", "main", 1) == version(1)
    assert flows.draft("acme", "main") == StoredDraft(version(2).documents["main"], 1, 2.0)


def test_the_organizations_of_an_account_are_found_by_its_numbers(tenants: TenantRepository) -> None:
    tenants.put_number(replace(number(id_="100"), waba_id="5"))
    tenants.put_number(replace(number(id_="200"), waba_id="5"))
    tenants.put_number(replace(number("globex", "300", "token-2"), waba_id="5"))
    tenants.put_number(replace(number("globex", "400", "token-2"), waba_id="6"))
    for _ in range(2):  # read, then cached
        found = tenants.find_accounts(["5", "7"])
        assert found == {"5": {"100": "acme", "200": "acme", "300": "globex"}}
    assert tenants.find_accounts([]) == {}


def test_an_account_loses_a_number_that_is_moved_or_removed(tenants: TenantRepository, clock: FrozenClock) -> None:
    of_account = {id_: replace(number(id_=id_), waba_id="5") for id_ in ("100", "200", "300")}
    for one in of_account.values():
        tenants.put_number(one)
    tenants.put_number(replace(of_account["100"], waba_id="6"))
    tenants.remove_number(of_account["200"])
    tenants.move_number(of_account["300"], Number("globex", "300", "+55 11 4000-0001", waba_id="5"))
    clock.forward(TENANT_CACHE_SECONDS)
    assert tenants.find_accounts(["5", "6"]) == {"5": {"300": "globex"}, "6": {"100": "acme"}}
    tenants.remove_number(Number("globex", "300", "+55 11 4000-0001"))
    clock.forward(TENANT_CACHE_SECONDS)
    assert tenants.find_accounts(["5"]) == {}
