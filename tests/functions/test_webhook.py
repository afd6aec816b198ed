"""The webhook as API Gateway calls it."""

import json

import boto3
import pytest

from pytake.whatsapp import signature
from pytake.wiring.webhook import receive_notification
from tests.functions.conftest import Gateway
from tests.functions.samples import BODY, NUMBER, NUMBER_PATH, SIGNED


@pytest.fixture
def connected(gateway: Gateway) -> Gateway:
    assert gateway.api("PUT", NUMBER_PATH, NUMBER).status == 200
    return gateway


@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        (
            {"hub.mode": "subscribe", "hub.verify_token": "demo-verify-token", "hub.challenge": "1158201444"},
            200,
            "1158201444",
        ),
        ({"hub.mode": "subscribe", "hub.verify_token": "wrong-token", "hub.challenge": "1"}, 403, None),
        ({"hub.mode": "subscribe", "hub.challenge": "1"}, 403, None),
        ({"hub.mode": "unsubscribe", "hub.verify_token": "demo-verify-token"}, 400, None),
        (None, 400, None),
    ],
)
def test_verification(connected: Gateway, query: dict[str, str] | None, status: int, body: str | None) -> None:
    answer = connected.webhook("GET", query=query)
    assert answer.status == status
    assert answer.content_type == "text/plain"
    if body is not None:
        assert answer.body == body


def test_a_signed_message_is_queued(connected: Gateway) -> None:
    answer = connected.webhook("POST", BODY, x_hub_signature_256=SIGNED)
    assert (answer.status, answer.body) == (200, {"status": "received"})
    (item,) = connected.queued("inbound")
    assert (item["organization_id"], item["contact_id"], item["profile_name"]) == ("acme", "5511999999999", "Ana")
    assert item["message"]["text"]["body"] == "Olá https://x"


def test_a_function_url_takes_what_the_route_takes(connected: Gateway) -> None:
    """Its root is Meta's address (WebhookEndpoint). The event is that of the route with another path and domain."""
    query = {"hub.mode": "subscribe", "hub.verify_token": "demo-verify-token", "hub.challenge": "7"}
    assert connected.webhook("GET", query=query, path="/").body == "7"
    assert connected.webhook("POST", BODY, path="/", x_hub_signature_256=SIGNED).status == 200
    assert connected.webhook("POST", BODY, path="/", x_hub_signature_256="sha256=" + "0" * 64).status == 403
    assert connected.webhook("GET", path="/favicon.ico").status == 400
    assert connected.webhook("DELETE", path="/").status == 403
    assert len(connected.queued("inbound")) == 1


def test_a_base64_encoded_body_is_verified_by_its_raw_bytes(connected: Gateway) -> None:
    assert connected.webhook_base64(BODY.encode(), SIGNED).status == 200
    assert len(connected.queued("inbound")) == 1


@pytest.mark.parametrize("header", ["", "sha256=" + "0" * 64, "sha1=abc", SIGNED.upper(), SIGNED[:-1]])
def test_a_wrong_signature_is_refused(connected: Gateway, header: str) -> None:
    assert connected.webhook("POST", BODY, x_hub_signature_256=header).status == 403
    assert connected.queued("inbound") == []


def test_a_changed_body_is_refused(connected: Gateway) -> None:
    changed = json.dumps(json.loads(BODY))
    assert connected.webhook("POST", changed, x_hub_signature_256=SIGNED).status == 403


@pytest.mark.parametrize("body", ["", "<html>", '"text"', "[]", "{}", '{"object":"page","entry":[]}', "\x00"])
def test_what_is_not_metas_gets_400(connected: Gateway, body: str) -> None:
    assert connected.webhook("POST", body, x_hub_signature_256=SIGNED).status == 400


def test_an_unknown_number_gets_200_and_is_counted(connected: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    body = BODY.replace("100000000000001", "999999999999999")
    assert connected.webhook("POST", body, x_hub_signature_256=SIGNED).status == 200
    assert connected.queued("inbound") == []
    printed = capsys.readouterr().out
    assert '"UnverifiedPosts"' in printed
    assert "webhook.unknown_number" not in printed


@pytest.mark.parametrize("header", [None, "sha256=" + "0" * 64])
def test_an_unsigned_post_writes_one_log_line_and_one_metric(
    connected: Gateway, capsys: pytest.CaptureFixture[str], header: str | None
) -> None:
    change = {"field": "account_update FORGED"}
    numbers = [100000000000001, *range(500)]
    for changes in (numbers, numbers[1:]):
        entry = {"changes": [{**change, "value": {"metadata": {"phone_number_id": str(n)}}} for n in changes]}
        body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]})
        capsys.readouterr()
        connected.webhook("POST", body, **({"x_hub_signature_256": header} if header else {}))
        printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        assert len(printed) <= 2
        assert not any("FORGED" in line for line in printed)


def test_a_body_that_meta_never_sends_gets_413(connected: Gateway) -> None:
    assert connected.webhook("POST", " " * 3_000_001, x_hub_signature_256=SIGNED).status == 413


def test_statuses_go_to_their_own_queue(connected: Gateway) -> None:
    status = {"id": "wamid.2", "status": "read", "timestamp": "1770000001", "recipient_id": "5511999999999"}
    value = {"metadata": {"phone_number_id": "100000000000001"}, "statuses": [status]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]})
    signed = signature.sign("demo-app-secret", body.encode())
    assert connected.webhook("POST", body, x_hub_signature_256=signed).status == 200
    assert connected.queued("statuses")[0]["statuses"] == [status]
    assert connected.queued("inbound") == []


def test_a_refusing_queue_gets_500_so_that_meta_comes_again(connected: Gateway) -> None:
    boto3.client("sqs").delete_queue(QueueUrl=connected.queues["inbound"])
    assert connected.webhook("POST", BODY, x_hub_signature_256=SIGNED).status == 500


def test_logs_hold_no_text_no_phone_and_no_secret(connected: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    connected.webhook("POST", BODY, x_hub_signature_256=SIGNED)
    connected.webhook("POST", BODY, x_hub_signature_256="sha256=0")
    printed = capsys.readouterr().out
    assert "webhook.received" in printed
    for private in ("Olá", "Ol\\u00e1", "5511999999999", "Ana", "demo-app-secret", "demo-access-token"):
        assert private not in printed


def test_two_app_secrets_are_valid_while_one_is_replaced_and_a_leaked_one_can_be_ended(connected: Gateway) -> None:
    new = "the-new-app-secret"
    signed = {secret: signature.sign(secret, BODY.encode()) for secret in ("demo-app-secret", new)}

    def taken() -> list[int]:
        receive_notification.cache_clear()  # type: ignore[attr-defined]  # a new process: the API and the webhook share no cache
        return [connected.webhook("POST", BODY, x_hub_signature_256=one).status for one in signed.values()]

    assert taken() == [200, 403]
    change = {"display_phone_number": NUMBER["display_phone_number"], "app_secret": new}
    assert connected.api("PUT", NUMBER_PATH, change).status == 200
    assert taken() == [200, 200]
    change["previous_app_secret"] = new
    assert connected.api("PUT", NUMBER_PATH, change).status == 200
    assert taken() == [403, 200]
