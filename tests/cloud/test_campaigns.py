"""A campaign through the whole system: started over REST, sent to simulated phones, and answered."""

import uuid

import httpx
import pytest

from tests.cloud.aws import Aws
from tests.cloud.business import Business, end
from tests.cloud.conftest import Cloud
from tests.cloud.waiting import until

pytestmark = pytest.mark.cloud

WABA = "100000000000990"
TEMPLATE = {
    "name": "spring_sale",
    "language": "pt_BR",
    "category": "MARKETING",
    "components": [
        {"type": "BODY", "text": "Oi {{1}}, quer ver as ofertas?", "example": {"body_text": [["Ana"]]}},
    ],
}
NAMED = [{"type": "body", "parameters": [{"type": "text", "text": "{{contact.name}}"}]}]


def test_a_campaign_reaches_those_who_agreed_and_their_answers_go_on_in_the_flow(cloud: Cloud) -> None:
    question = {
        "id": "ask",
        "type": "question",
        "data": {"question": "You said {{input.text}}. Which city?", "variable": "city", "next_node_id": "end"},
    }
    start = {"id": "start", "type": "start", "data": {"next_node_id": "ask"}}
    business = Business(cloud, start, question, end("end", "See you in {{city}}."))
    number = {"app_secret": "app-secret", "access_token": "access-token", "waba_id": WABA}
    number |= {"display_phone_number": "+1 415 555 0100"}
    cloud.http.put(f"/_sim/numbers/{business.number}", json=number).raise_for_status()
    phones = [f"55119{uuid.uuid4().int % 10**8:08d}" for _ in range(4)]
    with cloud.api("admin", business.organization_id) as api:
        verify = {"verify_token": f"token-{uuid.uuid4().hex}"}
        api.put(f"/numbers/{business.number}", json=number | verify).raise_for_status()
        api.post("/templates", json=TEMPLATE | {"phone_number_id": business.number}).raise_for_status()
        until(lambda: api.get("/templates/spring_sale/pt_BR").json().get("status") == "APPROVED")
        for index, phone in enumerate(phones):
            api.put(f"/contacts/{phone}", json={"name": f"P{index}", "tags": ["vip"]}).raise_for_status()
            state = "granted" if index else "withdrawn"
            consent = {"marketing": {"state": state, "source": "form"}}
            api.put(f"/contacts/{phone}/consent", json=consent).raise_for_status()
        vips = {"name": "VIPs", "all": [{"field": "tags", "operator": "contains", "value": "vip"}]}
        api.put("/segments/vips", json=vips).raise_for_status()
        template = {"name": "spring_sale", "language": "pt_BR", "components": NAMED}
        campaign = {"name": "Spring", "phone_number_id": business.number, "segment_id": "vips", "template": template}
        api.put("/campaigns/spring", json=campaign | {"flow_id": "main"}).raise_for_status()
        started = api.post("/campaigns/spring/start")
        assert started.status_code == 200, started.text
        assert api.post("/campaigns/spring/start").json()["status"] == "running"

        until(lambda: Aws(cloud).run("campaigns") is not None and _status(api) == "completed")

        texts = [cloud.answers(phone, 1)[0]["text"] for phone in phones[1:]]
        assert texts == [f"spring_sale: P{index}" for index in (1, 2, 3)]
        assert cloud.screen(phones[0]) == [], "no consent"
        business.answer(phones[1], "Sim", 2)
        business.answer(phones[1], "Recife", 3)
        said = [message["text"] for message in cloud.answers(phones[1], 3)]
        assert said[1:] == ["You said Sim. Which city?", "See you in Recife."]
        counts = api.get("/campaigns/spring").json()["counts"]
        assert (counts["planned"], counts["waiting"], counts["skipped"]) == (3, 0, {"no_consent": 1})
    assert cloud.denied_requests() == []


def _status(api: httpx.Client) -> str:
    return str(api.get("/campaigns/spring").json()["status"])
