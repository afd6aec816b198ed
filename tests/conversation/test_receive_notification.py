"""The webhook: which bodies are accepted, what is queued, and what operators see."""

import contextlib
import json
import tracemalloc
from typing import Any

import pytest

from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.receive_notification import MAX_TRIES, BadSignatureError
from pytake.conversation.status_filter import MAX_LOOKUPS
from pytake.whatsapp import signature
from pytake.whatsapp.inbound import NotJsonError, NotWhatsAppError, read_notification
from pytake.whatsapp.unverified import MAX_BODY_BYTES, MAX_NUMBERS, MAX_TOKENS, BodyTooLargeError, check_size
from tests.conversation.product import ECHO_FLOW, NUMBER, Product

OTHER = "200000000000002"
OTHER_SECRET = "globex-app-secret"
FORGED = "sha256=" + "0" * 64


def test_a_wrong_or_missing_signature_queues_nothing(product: Product) -> None:
    raw = json.dumps(product.notification(product.message("Olá"))).encode()
    for header in (None, "", "sha256=", "sha256=" + "0" * 64, signature.sign("another-secret", raw)):
        with pytest.raises(BadSignatureError):
            product.receive(raw, header)
    assert product.queues.inbound == []


def test_what_is_no_notification_is_refused(product: Product) -> None:
    with pytest.raises(NotJsonError):
        product.receive(b"<html>", FORGED)
    with pytest.raises(NotWhatsAppError):
        product.receive(b'{"object": "page"}', FORGED)


def test_an_unknown_number_is_told_to_operators_and_costs_nothing_else(product: Product) -> None:
    body = product.notification(product.message("Olá"))
    body["entry"] += product.notification(product.message("Hi"), number="999999999999999")["entry"]
    received = product.post(body)
    assert (received.messages, received.unknown_numbers) == (1, 1)
    assert product.events.types == ["webhook.unknown_number"]


def hostile_bodies() -> dict[str, bytes]:
    """What a stranger posts to make us work: each was expensive once."""
    empty = '{"object":"whatsapp_business_account","entry":[{"changes":[%s]}]}'
    number = '{"field":"messages","value":{"metadata":{"phone_number_id":"%d"}}}'
    update = '{"field":"account_update FORGED","value":{"event":"DISABLED_UPDATE"}}'
    return {
        "empty changes": (empty % ",".join(["{}"] * 10_000)).encode(),
        "unknown numbers": (empty % ",".join(number % n for n in range(2_000))).encode(),
        "a known number among unknown ones": (
            empty % ",".join([number % n for n in range(9)] + [number % int(NUMBER)])
        ).encode(),
        "news of the account": (empty % ",".join([update] * 3_000)).encode(),
        "nothing that can be read": (empty % ",".join(["7"] * 10_000)).encode(),
        "an account": b'{"object":"whatsapp_business_account","entry":[%s]}'
        % b",".join(b'{"id":"%d"}' % n for n in range(5_000)),
        "the account of a known number": b'{"object":"whatsapp_business_account","entry":[{"id":"5","changes":[]}]}',
        "deep": b"[" * 100_000,
    }


@pytest.mark.parametrize("header", [None, "sha256=0", FORGED])
@pytest.mark.parametrize("name", hostile_bodies())
def test_a_stranger_costs_one_look_up_and_no_event(product: Product, name: str, header: str | None) -> None:
    looked_up: list[int] = []
    find = product.tenants.find_numbers
    product.tenants.find_numbers = lambda ids: looked_up.append(len(ids)) or find(ids)  # type: ignore[assignment, func-returns-value]
    product.add_organization("acme", NUMBER, ECHO_FLOW, waba_id="5")
    find_accounts = product.tenants.find_accounts
    product.tenants.find_accounts = lambda ids: looked_up.append(len(ids)) or find_accounts(ids)  # type: ignore[assignment, func-returns-value]
    with contextlib.suppress(BadSignatureError, NotJsonError, NotWhatsAppError):
        received = product.receive(hostile_bodies()[name], header)
        assert (received.messages, received.statuses) == (0, 0)
    assert len(looked_up) <= 1
    assert sum(looked_up) <= MAX_NUMBERS
    assert product.events.types == []
    assert (product.queues.inbound, product.queues.statuses) == ([], [])


@pytest.mark.parametrize(
    "body", [b" " * (MAX_BODY_BYTES + 1), b"[" + b"{}," * MAX_TOKENS + b"{}]", b"[" * (MAX_TOKENS + 1)]
)
def test_what_is_larger_than_meta_sends_is_refused_unread(product: Product, body: bytes) -> None:
    for header in (FORGED, signature.sign("demo-app-secret", body)):
        with pytest.raises(BodyTooLargeError):
            product.receive(body, header)


# Of a dozen forms that were measured these take the most, read as usual and read because of a text cut in an emoji.
@pytest.mark.parametrize(("change", "end"), [("{}", "{}"), ('{"a":0}', '"\\ud83d"')])
def test_the_largest_body_takes_less_than_200_mb(change: str, end: str) -> None:
    """A body of a tenth of the size is measured: what it takes grows with the number of its parts."""
    tokens = change.count("{") + change.count("[") + 1
    most = min((MAX_TOKENS - 10) // tokens, (MAX_BODY_BYTES - 100) // (len(change) + 1))
    changes = [change] * (most // 10)
    body = f'{{"object":"whatsapp_business_account","entry":[{{"changes":[{",".join([*changes, end])}]}}]}}'.encode()
    check_size(body)
    tracemalloc.start()
    found = read_notification(body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.changes or found.problems
    assert peak < 20_000_000


def test_news_that_is_repeated_is_published_once(product: Product) -> None:
    body = product.notification(product.message("Olá"))
    update = {"field": "account_update", "value": {"event": "DISABLED_UPDATE"}}
    body["entry"].append({"id": "waba", "changes": [update] * 50 + [{"field": "messages", "value": None}] * 50})
    assert product.post(body).messages == 1
    assert sorted(product.events.types) == [
        "webhook.account_update",
        "webhook.account_update",
        "webhook.malformed_part",
    ]


def test_statuses_leave_although_a_message_is_refused(product: Product) -> None:
    product.queues.put_inbound = refuse  # type: ignore[method-assign]
    body = product.notification(product.message("Olá"))
    status = {"id": "wamid.s", "status": "read", "timestamp": "1770000000", "recipient_id": "5511900000000"}
    body["entry"][0]["changes"][0]["value"]["statuses"] = [status]
    with pytest.raises(QueueingFailedError):
        product.post(body)
    assert [item.statuses for item in product.queues.statuses] == [[status]]


def refuse(_: object) -> None:
    raise QueueingFailedError("refused")


def test_a_post_signed_by_one_organization_cannot_bring_messages_for_another(product: Product) -> None:
    product.add_organization("globex", OTHER, ECHO_FLOW, app_secret=OTHER_SECRET)
    body = product.notification(product.message("mine"))
    body["entry"] += product.notification(product.message("forged"), number=OTHER)["entry"]
    product.post(body)
    assert [item.organization_id for item in product.queues.inbound] == ["acme"]
    assert product.events.types == ["webhook.bad_signature"]


def test_a_number_whose_secret_is_wrong_does_not_keep_out_those_behind_it(product: Product) -> None:
    """Two organizations with one Meta app; the first has two numbers and stored another app's secret for both."""
    body: dict[str, Any] = {"object": "whatsapp_business_account", "entry": []}
    for org, number, secret in (("wrong", "301", "secret-1"), ("wrong", "302", "secret-2"), ("globex", OTHER, "right")):
        product.add_organization(org, number, ECHO_FLOW, app_secret=secret)
        body["entry"] += product.notification(product.message("Hi"), number=number)["entry"]
    product.post(body, "right")
    assert [item.organization_id for item in product.queues.inbound] == ["globex"]
    assert product.events.types == ["webhook.bad_signature"] * 2


def test_the_previous_app_secret_is_good_during_a_rotation(product: Product) -> None:
    product.add_organization("acme", NUMBER, ECHO_FLOW, app_secret="the-next-secret")
    body = product.notification(product.message("Olá"))
    assert product.post(body, "the-next-secret").messages == 1
    assert product.post(product.notification(product.message("Olá")), "demo-app-secret").messages == 1


def test_a_post_of_a_thousand_updates_is_split_whole(product: Product) -> None:
    messages = [product.message(f"m{n}", phone=str(5511900000000 + n % 50)) for n in range(600)]
    body = product.notification(*messages)
    statuses = [
        {"id": f"wamid.s{n}", "status": "sent", "timestamp": "1770000000", "recipient_id": "5511900000000"}
        for n in range(400)
    ]
    value = {"metadata": {"phone_number_id": NUMBER}, "statuses": statuses}
    body["entry"][0]["changes"].append({"field": "messages", "value": value})
    received = product.post(body)
    assert (received.messages, received.statuses) == (600, 400)
    assert len(product.queues.inbound) == 600
    assert sum(len(item.statuses) for item in product.queues.statuses) == 400
    assert len(product.queues.statuses) < 10


def test_a_malformed_part_never_costs_the_others(product: Product) -> None:
    body = product.notification(product.message("Olá"))
    value = body["entry"][0]["changes"][0]["value"]
    value["messages"] += [None, 7, {"type": "text"}, {"id": "wamid.x"}]
    body["entry"] += ["nonsense", {"changes": [{"value": None}]}]
    received = product.post(body)
    assert received.messages == 1
    assert received.problems >= 4


def test_messages_of_one_post_are_put_in_the_order_they_were_written(product: Product) -> None:
    late, early = product.message("second"), product.message("first")
    late["timestamp"], early["timestamp"] = "1770000002", "1770000001"
    product.post(product.notification(late, early))
    assert [item.message["text"]["body"] for item in product.queues.inbound] == ["first", "second"]


def test_verify_tokens(product: Product) -> None:
    assert product.receive.verify_token("verify-acme")
    assert not product.receive.verify_token("verify-nobody")
    assert not product.receive.verify_token("")


def statuses(product: Product, *told: tuple[str, str | None, str], number: str = NUMBER) -> Any:
    """Post statuses, each a status, a message id and callback data; returns the result."""
    entries = [
        {"id": id_, "status": word, "timestamp": "1770000000", "biz_opaque_callback_data": data}
        for word, id_, data in told
    ]
    body = product.notification(number=number)
    value = {"metadata": {"phone_number_id": number}, "statuses": entries}
    body["entry"][0]["changes"] = [{"field": "messages", "value": value}]
    return product.post(body)


def queued(product: Product) -> list[str]:
    return [status["status"] for item in product.queues.statuses for status in item.statuses]


def sent_once(product: Product) -> tuple[str, str]:
    """The id and the callback data of an accepted message."""
    product.say("Olá")
    [entry] = product.deliveries.of_conversation(product.key())
    assert entry.message_id is not None
    return entry.message_id, product.graph.sent[-1]["biz_opaque_callback_data"]


def test_that_an_accepted_message_was_sent_is_not_queued(product: Product) -> None:
    id_, data = sent_once(product)
    received = statuses(product, ("sent", id_, data))
    assert (received.statuses, received.suppressed) == (0, 1)
    assert queued(product) == []


def test_every_other_status_is_queued(product: Product) -> None:
    id_, data = sent_once(product)
    foreign = data.replace("acme", "globex")
    words = [("delivered", id_, data), ("read", id_, data), ("failed", id_, data)]
    odd = [("sent", "wamid.other", data), ("sent", id_, foreign), ("sent", id_, "nonsense"), ("sent", id_, data + "|2")]
    received = statuses(product, *words, *odd)
    assert (received.statuses, received.suppressed) == (7, 0)


def test_that_a_message_was_sent_whose_fate_is_unknown_settles_it(product: Product) -> None:
    id_, data = sent_once(product)
    [place] = product.deliveries.entries
    product.deliveries.entries[place].state = "ambiguous"
    assert statuses(product, ("sent", id_, data)).statuses == 1
    product.settle(product.queues.statuses.pop())
    assert product.deliveries.entries[place].reached_meta


def test_many_at_once_are_queued_without_a_look(product: Product) -> None:
    id_, data = sent_once(product)
    assert statuses(product, *[("sent", id_, data)] * (MAX_LOOKUPS + 1)).statuses == MAX_LOOKUPS + 1
    assert statuses(product, *[("sent", id_, data)] * MAX_LOOKUPS).statuses == 0


def test_a_sent_beside_a_further_status_is_queued_without_a_look(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, data = sent_once(product)
    looked: list[int] = []
    is_accepted = product.deliveries.is_accepted
    monkeypatch.setattr(
        product.deliveries, "is_accepted", lambda *place, **of: (looked.append(1), is_accepted(*place, **of))[1]
    )
    assert statuses(product, ("sent", id_, data), ("delivered", id_, data)).statuses == 2
    assert looked == []
    assert statuses(product, ("sent", id_, data)).statuses == 0
    assert looked == [1]


def account_update(waba_id: str) -> dict[str, Any]:
    change = {"field": "account_update", "value": {"event": "DISABLED_UPDATE"}}
    return {"object": "whatsapp_business_account", "entry": [{"id": waba_id, "time": 1770000000, "changes": [change]}]}


def test_a_change_of_an_account_is_verified_by_its_numbers(product: Product) -> None:
    product.add_organization("acme", NUMBER, ECHO_FLOW, waba_id="5")
    product.add_organization("globex", OTHER, ECHO_FLOW, app_secret=OTHER_SECRET, waba_id="5")
    product.post(account_update("5"))
    detail = {"field": "account_update", "account_id": "5"}
    assert [(event.type, event.organization_id, event.detail) for event in product.events.events] == [
        ("webhook.account_update", "acme", detail)
    ]
    with pytest.raises(BadSignatureError):
        product.post(account_update("5"), "another-secret")
    product.post(account_update("6"))
    assert len(product.events.events) == 1, "no number of this account is connected"


def shared_account(product: Product) -> tuple[dict[str, Any], str]:
    """A change of an account that organizations with four Meta apps share, and the secret of the last one's app."""
    for at in range(4):
        secret = f"secret-of-app-{at}"
        product.add_organization(f"org-{at}", f"20000000000000{at}", None, app_secret=secret, waba_id="5")
    return account_update("5"), secret


def test_a_change_of_an_account_with_many_apps_is_taken_at_one_of_meta_s_tries(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    (body, secret), read, app_secrets = shared_account(product), [], product.secrets.app_secrets

    def counting(organization_id: str, phone_number_id: str, *, fresh: bool = False) -> tuple[str, ...]:
        read.append(organization_id)
        return app_secrets(organization_id, phone_number_id, fresh=fresh)

    monkeypatch.setattr(product.secrets, "app_secrets", counting)
    refused = 0
    for _ in range(3):  # Meta repeats what was refused, for days
        read.clear()
        with contextlib.suppress(BadSignatureError):
            product.post(body, secret)
            break
        refused += 1
        assert len(set(read)) == MAX_TRIES
        product.clock.forward(60)
    assert [event.organization_id for event in product.events.events] == ["org-3"]
    assert refused <= 1


def test_cached_secrets_of_an_account_with_many_apps_are_tried_at_once(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, secret = shared_account(product)
    monkeypatch.setattr(product.secrets, "cached_app_secrets", product.secrets.app_secrets)
    for _ in range(3):
        product.post(body, secret)
        with pytest.raises(BadSignatureError):
            product.post(body, "another-secret")
        product.clock.forward(60)
    assert [event.organization_id for event in product.events.events] == ["org-3"] * 3


def test_an_account_beside_messages_is_told_to_the_organizations_that_signed(product: Product) -> None:
    product.add_organization("acme", NUMBER, ECHO_FLOW, waba_id="5")
    product.add_organization("globex", OTHER, ECHO_FLOW, app_secret=OTHER_SECRET, waba_id="7")
    body = product.notification(product.message("Olá"))
    body["entry"] += [*account_update("5")["entry"], *account_update("7")["entry"]]
    assert product.post(body).messages == 1
    assert [event.organization_id for event in product.events.events] == ["acme", None]
