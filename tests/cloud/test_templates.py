"""Message templates through the whole system: created at Meta, kept current by its webhooks, and stopped with them."""

import uuid

import httpx
import pytest

from tests.cloud.conftest import Cloud
from tests.cloud.waiting import until

pytestmark = pytest.mark.cloud

NUMBER, WABA = "100000000000077", "100000000000770"
ORDER_READY = "/templates/order_ready/pt_BR"
DECIDE = "/_sim/templates/order_ready/pt_BR"
BODY = [{"type": "BODY", "text": "O pedido {{1}} saiu.", "example": {"body_text": [["42"]]}}]
SENT = {
    "name": "order_ready",
    "language": "pt_BR",
    "components": [{"type": "body", "parameters": [{"type": "text", "text": "42"}]}],
}


def test_a_template_that_meta_pauses_stops_until_it_is_approved_again(cloud: Cloud, new_phone: str) -> None:
    number = {"app_secret": "orders-app-secret", "access_token": "orders-access-token"}
    number |= {"display_phone_number": "+55 11 4000-0077", "waba_id": WABA}
    of_account = {"waba_id": WABA}
    cloud.http.put(f"/_sim/numbers/{NUMBER}", json=number).raise_for_status()
    with cloud.api() as api:

        def status() -> str:
            return str(api.get(ORDER_READY).json().get("status"))

        def send() -> httpx.Response:
            path = f"/conversations/{new_phone}/send"
            return api.post(path, params={"phone_number_id": NUMBER}, json={"template": SENT})

        secret = {"verify_token": f"orders-{uuid.uuid4().hex}"}
        stored = api.put(f"/numbers/{NUMBER}", json=number | secret)
        assert (stored.status_code, stored.json()["waba_id"]) == (200, WABA)
        new = {"phone_number_id": NUMBER, "name": "order_ready", "language": "pt_BR", "category": "UTILITY"}
        created = api.post("/templates", json=new | {"components": BODY})
        assert created.status_code == 200, created.text
        until(lambda: status() == "APPROVED")  # the webhook told it
        assert send().status_code == 200
        assert cloud.answers(new_phone, 1)[0]["phone_number_id"] == NUMBER

        cloud.http.put(DECIDE, json=of_account | {"status": "PAUSED", "title": "FIRST_PAUSE"}).raise_for_status()
        until(lambda: status() == "PAUSED")
        refused = send()
        assert (refused.status_code, refused.json()["code"]) == (409, "template_not_approved")
        cloud.http.put(DECIDE, json=of_account | {"status": "APPROVED", "title": "UNPAUSE"}).raise_for_status()
        until(lambda: status() == "APPROVED")
        assert send().status_code == 200
        assert len(cloud.answers(new_phone, 2)) == 2

        synced = api.post("/templates/sync", json={"phone_number_id": NUMBER})
        assert [one["name"] for one in synced.json()] == ["order_ready"]
        api.delete("/templates/order_ready", params={"phone_number_id": NUMBER}).raise_for_status()
        assert api.get(ORDER_READY).status_code == 404
        api.delete(f"/numbers/{NUMBER}").raise_for_status()
    assert cloud.denied_requests() == []
