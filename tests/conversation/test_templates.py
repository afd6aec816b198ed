"""The copy of an account's templates: webhooks in any order, lists, and what a stopped template does."""

import functools
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pytake.conversation.flow_authoring import NotPublishableError
from pytake.conversation.ports.tenants import UnknownNumberError
from pytake.conversation.templates.check import UnsendableTemplateError, check_template
from pytake.conversation.templates.manage import (
    InvalidTemplateError,
    ManageTemplates,
    TemplateFilters,
    UnknownAccountError,
    UnknownTemplateError,
)
from pytake.conversation.templates.stops import ReportStoppedTemplates
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.whatsapp.outbound import Template
from pytake.whatsapp.sending import NumberProfile
from pytake.whatsapp.templates import MessageTemplate
from tests.conversation.product import ECHO_FLOW, NUMBER, Product

PAYLOADS = Path(__file__).parents[1] / "whatsapp" / "payloads"
WABA = "102290129340398"
OTHER = "200000000000002"
KEY = TemplateKey("acme", WABA, "order_ready", "pt_BR")
BODY: list[dict[str, Any]] = [{"type": "BODY", "text": "Oi"}]
LISTED = MessageTemplate("order_ready", "pt_BR", "7", "UTILITY", "APPROVED", components=BODY, quality="GREEN")


class Account:
    """An account at Meta, and the profile of its number."""

    def __init__(self) -> None:
        self.listed: list[MessageTemplate] = [LISTED]
        self.asked: list[tuple[str, ...]] = []
        self.waba_id: str | None = WABA

    def profile(self, phone_number_id: str, access_token: str) -> NumberProfile:
        return NumberProfile(phone_number_id, waba_id=self.waba_id)

    def templates(self, waba_id: str, access_token: str) -> Iterator[list[MessageTemplate]]:
        self.asked.append(("list", waba_id, access_token))
        for template in self.listed:
            yield [template]

    def create_template(self, waba_id: str, access_token: str, definition: dict[str, Any]) -> MessageTemplate:
        self.asked.append(("create", waba_id, access_token))
        return MessageTemplate(definition["name"], definition["language"], "8", None, "PENDING")

    def delete_template(self, waba_id: str, access_token: str, name: str, template_id: str | None) -> None:
        self.asked.append(("delete", waba_id, access_token, name, template_id or "all"))


@pytest.fixture
def product() -> Product:
    made = Product()
    made.add_organization("acme", NUMBER, ECHO_FLOW, waba_id=WABA)
    return made


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def manage(product: Product, account: Account) -> ManageTemplates:
    report = ReportStoppedTemplates(product.events)
    return ManageTemplates(product.tenants, product.secrets, product.templates, account, account, report, product.clock)


def webhook(product: Product, name: str, at: int | None = None) -> None:
    """Meta posts a payload, and the statuses function processes what it queued."""
    body = json.loads((PAYLOADS / f"{name}.json").read_bytes())
    if at is not None:
        body["entry"][0]["time"] = at
    product.post(body)
    while product.queues.statuses:
        product.keep_templates(product.queues.statuses.pop(0))


def stored(product: Product) -> StoredTemplate:
    return product.templates.stored[KEY]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("template_paused", {"status": "PAUSED"}),
        ("template_unpaused", {"status": "APPROVED"}),
        ("template_disabled", {"status": "DISABLED"}),
        ("template_rejected", {"status": "REJECTED", "reason": "INVALID_FORMAT"}),
        ("template_pending_deletion", {"status": "PENDING_DELETION"}),
        ("template_archived", {"status": "ARCHIVED"}),
        ("template_flagged", {"status": "FLAGGED"}),
        ("template_in_appeal", {"status": "IN_APPEAL"}),
        ("template_quality", {"quality": "YELLOW"}),
        ("template_quality_named_as_status", {"quality": "RED"}),
        ("template_category_announced", {"category": "UTILITY"}),
        ("template_category_changed", {"category": "MARKETING"}),
        ("template_components", {}),
    ],
)
def test_each_webhook_changes_its_part_of_the_copy(
    product: Product, manage: ManageTemplates, name: str, kept: dict[str, str]
) -> None:
    product.clock.now = 1_769_999_000.0
    manage.sync("acme", NUMBER)
    before = stored(product).template
    webhook(product, name)
    after = stored(product).template
    assert {field: getattr(after, field) for field in kept} == kept
    changed = {
        field
        for field in ("status", "category", "quality", "components", "reason")
        if getattr(before, field) != getattr(after, field)
    }
    assert changed <= {*kept, "components"}
    assert ("components" in changed) == (name == "template_components")
    assert (stored(product).next_category == "MARKETING") == (name == "template_category_announced")


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("template_pending_deletion", "PENDING_DELETION"),
        ("template_archived", "ARCHIVED"),
        ("template_in_appeal", "IN_APPEAL"),
        ("template_flagged", None),
    ],
)
def test_only_a_flagged_template_is_still_sent_and_none_of_them_raises_an_alarm(
    product: Product, manage: ManageTemplates, name: str, refused: str | None
) -> None:
    product.clock.now = 1_769_999_000.0
    manage.sync("acme", NUMBER)
    webhook(product, name)
    send = functools.partial(
        check_template, product.templates, product.tenants.by_id[NUMBER], Template("order_ready", "pt_BR")
    )
    if refused is None:
        send()
    else:
        with pytest.raises(UnsendableTemplateError, match=refused):
            send()
    assert product.events.types == ["webhook.account_update"]


def test_the_newest_holds_in_every_order(product: Product, manage: ManageTemplates) -> None:
    product.clock.now = 1_769_999_000.0
    news = [
        ("template_paused", 1_770_000_100),
        ("template_unpaused", 1_770_010_900),
        ("template_paused", 1_770_000_100),
    ]
    for order in itertools.permutations(news):
        product.templates.stored.clear()
        for name, at in order:
            webhook(product, name, at)
        assert stored(product).template.status == "APPROVED"


def test_a_late_webhook_does_not_undo_the_list_nor_the_list_a_newer_webhook(
    product: Product, manage: ManageTemplates
) -> None:
    product.clock.now = 1_770_000_200.9
    manage.sync("acme", NUMBER)
    webhook(product, "template_paused", 1_770_000_100)
    assert stored(product).template.status == "APPROVED"
    webhook(product, "template_paused", 1_770_000_200)
    assert stored(product).template.status == "PAUSED", "Meta counts whole seconds"
    webhook(product, "template_unpaused", 1_770_000_500)
    product.clock.now = 1_770_000_400.0
    manage.sync("acme", NUMBER)
    assert stored(product).title == "UNPAUSE"


def test_a_webhook_without_a_time_counts_when_it_arrives(product: Product) -> None:
    body = json.loads((PAYLOADS / "template_paused.json").read_bytes())
    del body["entry"][0]["time"]
    product.post(body)
    (item,) = product.queues.statuses
    assert item.account_changes[0].at == int(product.clock.now)


def test_a_template_that_was_never_listed_has_no_components(product: Product) -> None:
    webhook(product, "template_components")
    webhook(product, "template_paused")
    assert (stored(product).template.status, stored(product).template.components) == ("PAUSED", None)


def test_each_organization_of_the_account_keeps_its_own_copy(product: Product) -> None:
    product.add_organization("globex", OTHER, ECHO_FLOW, waba_id=WABA)
    product.add_organization("initech", "300000000000003", ECHO_FLOW, waba_id=WABA, app_secret="its-own-secret")
    webhook(product, "template_paused")
    assert {key.organization_id for key in product.templates.stored} == {"acme", "globex"}


def test_a_stopped_template_is_told_once_and_again_only_when_repeated(product: Product) -> None:
    def told() -> list[tuple[str | None, str | None]]:
        found = [event.detail for event in product.events.events if event.type == "template.stopped"]
        return [(detail["reason"], detail["cause"]) for detail in found]

    webhook(product, "template_paused")
    webhook(product, "template_quality")
    assert told() == [("template_paused", "FIRST_PAUSE")]
    webhook(product, "template_unpaused")
    webhook(product, "template_paused")
    assert len(told()) == 1, "a late pause changes nothing"
    webhook(product, "template_rejected", 1_770_020_000)
    assert told()[1:] == [("template_rejected", "INVALID_FORMAT")]


def test_a_list_adds_changes_and_deletes(product: Product, manage: ManageTemplates, account: Account) -> None:
    assert [one.template for one in manage.sync("acme", NUMBER)] == [LISTED]
    assert account.asked == [("list", WABA, "access-acme")]
    paused = MessageTemplate("promo", "en", "9", "MARKETING", "PAUSED", components=BODY)
    account.listed = [paused]
    product.clock.forward(60)
    manage.sync("acme", NUMBER)
    assert stored(product).is_deleted
    page = manage.page("acme", 10, "", TemplateFilters())
    assert [one.template for one in page.templates] == [paused]
    assert [event.type for event in product.events.events] == ["template.stopped"]
    deleted = manage.page("acme", 10, "", TemplateFilters(status="DELETED")).templates
    assert [one.template.name for one in deleted] == ["order_ready"]
    assert product.templates.listed_at("acme", WABA) == int(product.clock.now)


def test_filters_and_parts_of_the_list(product: Product, manage: ManageTemplates, account: Account) -> None:
    account.listed = [
        MessageTemplate(f"t{n:03}", "en" if n % 2 else "pt_BR", str(n), "UTILITY", "APPROVED", components=BODY)
        for n in range(30)
    ]
    manage.sync("acme", NUMBER)
    names: list[str] = []
    after: str | None = ""
    while after is not None:
        page = manage.page("acme", 4, after, TemplateFilters(language="en"))
        assert len(page.templates) <= 4
        names += [one.template.name for one in page.templates]
        after = page.end
    assert names == [f"t{n:03}" for n in range(1, 30, 2)]
    assert manage.page("globex", 10, "", TemplateFilters()).templates == []


def test_a_created_template_is_copied_and_its_approval_of_the_same_second_counts(
    product: Product, manage: ManageTemplates, account: Account
) -> None:
    product.clock.now = 1_770_000_100.7
    definition = {"name": "order_ready", "language": "pt_BR", "category": "UTILITY", "components": BODY}
    created = manage.create("acme", NUMBER, definition)
    assert (created.template.id, created.template.status, created.template.components) == ("8", "PENDING", BODY)
    webhook(product, "template_unpaused", 1_770_000_100)
    assert stored(product).template.status == "APPROVED"
    with pytest.raises(InvalidTemplateError):
        manage.create("acme", NUMBER, definition | {"name": "Order"})
    assert len(account.asked) == 1


def test_a_template_is_deleted_in_one_language_or_in_all(
    product: Product, manage: ManageTemplates, account: Account
) -> None:
    english = MessageTemplate("order_ready", "en", "9", "UTILITY", "APPROVED", components=BODY)
    account.listed = [LISTED, english]
    manage.sync("acme", NUMBER)
    product.clock.forward(1)
    manage.delete("acme", NUMBER, "order_ready", "pt-BR")
    with pytest.raises(UnknownTemplateError):
        manage.one("acme", "order_ready", "pt_BR")
    assert manage.one("acme", "order_ready", "en").template == english
    with pytest.raises(UnknownTemplateError):
        manage.delete("acme", NUMBER, "order_ready", "es")
    manage.delete("acme", NUMBER, "order_ready", None)
    assert manage.page("acme", 10, "", TemplateFilters()).templates == []
    assert [asked[3:] for asked in account.asked if asked[0] == "delete"] == [
        ("order_ready", "7"),
        ("order_ready", "all"),
    ]


def test_a_number_without_an_account_learns_it(product: Product, manage: ManageTemplates, account: Account) -> None:
    product.add_organization("globex", OTHER, ECHO_FLOW)
    account.waba_id = None
    with pytest.raises(UnknownAccountError):
        manage.sync("globex", OTHER)
    account.waba_id = "77"
    manage.sync("globex", OTHER)
    number = product.tenants.number(OTHER)
    assert number is not None
    assert (number.waba_id, account.asked) == ("77", [("list", "77", "access-globex")])
    with pytest.raises(UnknownNumberError):
        manage.sync("globex", NUMBER)


def test_the_copies_leave_with_the_last_number_of_the_account(product: Product, manage: ManageTemplates) -> None:
    product.add_organization("acme", OTHER, ECHO_FLOW, waba_id=WABA)
    manage.sync("acme", NUMBER)
    product.offboard.remove("acme", NUMBER, "admin")
    assert len(product.templates.of_account("acme", WABA)) == 1
    product.offboard.move("acme", OTHER, "globex", "operator")
    assert product.templates.of_account("acme", WABA) == []
    assert product.tenants.find_accounts([WABA]) == {WABA: {OTHER: "globex"}}


SENDS_TEMPLATE: dict[str, Any] = {
    "format": 1,
    "id": "sends",
    "name": "Sends",
    "language": "en",
    "languages": ["en", "pt_BR"],
    "start_node_id": "t",
    "nodes": [
        {"id": "t", "type": "template", "data": {"name": "order_ready", "language": "en", "next_node_id": "e"}},
        {"id": "e", "type": "end", "data": {}},
    ],
}


def test_a_draft_is_compared_with_the_templates_when_each_account_was_copied(
    product: Product, manage: ManageTemplates, account: Account
) -> None:
    def found() -> list[tuple[str, str | None]]:
        draft = product.authoring.save_draft("acme", "sends", SENDS_TEMPLATE)
        return [(problem.code, problem.field) for problem in draft.problems]

    assert found() == []
    account.listed = [replace(LISTED, language="en"), MessageTemplate("promo", "pt_BR")]
    manage.sync("acme", NUMBER)
    assert found() == [("unknown_message_template", "language")], "it is spoken in Portuguese, too"
    body = [{"type": "BODY", "text": "Oi {{1}}"}]
    account.listed = [replace(LISTED, language="en", components=body), LISTED]
    product.clock.forward(1)
    manage.sync("acme", NUMBER)
    assert found() == [("message_template_parameters", "components")]
    with pytest.raises(NotPublishableError):
        product.authoring.publish("acme", "sends", "bea")
    product.add_organization("acme", OTHER, None, waba_id="another")
    assert found() == [], "the other account was not copied"


def test_a_flow_without_a_template_node_reads_no_templates(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product.templates, "listed_at", None)
    product.authoring.save_draft("acme", "echo", ECHO_FLOW)
