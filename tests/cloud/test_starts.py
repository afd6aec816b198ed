"""Conversations that the organization starts, through the whole system: by an event on the bus, and by a sequence."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cloud.aws import Aws
from tests.cloud.conftest import Cloud
from tests.cloud.waiting import until

pytestmark = pytest.mark.cloud

NUMBER, WABA = "100000000000088", "100000000000880"
BODY = [{"type": "BODY", "text": "O pedido {{1}} saiu.", "example": {"body_text": [["42"]]}}]
COMPONENTS = [{"type": "body", "parameters": [{"type": "text", "text": "{{order}}"}]}]
TEMPLATE = {"name": "order_left", "language": "pt_BR", "components": COMPONENTS}
FLOW: dict[str, Any] = {
    "format": 1,
    "id": "delivery",
    "name": "Delivery",
    "language": "en",
    "start_node_id": "start",
    "nodes": [
        {
            "id": "start",
            "type": "start",
            "data": {"parameters": [{"name": "order", "required": True}], "next_node_id": "end"},
        },
        {"id": "end", "type": "end", "data": {"message": "{{order}}: {{input.text}}"}},
    ],
}


def test_an_event_and_a_sequence_open_a_conversation_and_the_answer_starts_the_flow(
    cloud: Cloud, new_phone: str
) -> None:
    aws = Aws(cloud)
    number = {"app_secret": "left-app-secret", "access_token": "left-access-token"}
    number |= {"display_phone_number": "+55 11 4000-0088", "waba_id": WABA}
    cloud.http.put(f"/_sim/numbers/{NUMBER}", json=number).raise_for_status()
    with cloud.api() as api:
        api.put("/flows/delivery", json=FLOW).raise_for_status()
        api.post("/flows/delivery/publish").raise_for_status()
        secret = {"verify_token": f"left-{uuid.uuid4().hex}"}
        api.put(f"/numbers/{NUMBER}", json=number | secret).raise_for_status()
        new = {"phone_number_id": NUMBER, "name": "order_left", "language": "pt_BR", "category": "UTILITY"}
        api.post("/templates", json=new | {"components": BODY}).raise_for_status()
        until(lambda: api.get("/templates/order_left/pt_BR").json().get("status") == "APPROVED")

        def answer(text: str, count: int) -> str:
            said = {"text": text, "phone_number_id": NUMBER, "name": "Ana"}
            cloud.http.post(f"/_sim/phones/{new_phone}/messages", json=said).raise_for_status()
            return str(cloud.answers(new_phone, count)[count - 1]["text"])

        detail = {"phone_number_id": NUMBER, "to": new_phone, "flow_id": "delivery", "parameters": {"order": "42"}}
        entry = {
            "Source": "shop",
            "DetailType": "conversation.start",
            "Detail": json.dumps(detail | {"template": TEMPLATE}),
        }
        answered = aws.client("events").put_events(Entries=[entry])
        assert answered["FailedEntryCount"] == 0
        assert cloud.answers(new_phone, 1)[0]["type"] == "template"
        assert answer("tomorrow", 2) == "42: tomorrow"

        due = datetime.now(UTC) + timedelta(seconds=10)
        step = {"hours": -1, "flow_id": "delivery", "parameters": {"order": "43"}, "template": TEMPLATE}
        sequence = {"name": "Reminders", "phone_number_id": NUMBER, "on": {"field": "visit"}, "steps": [step]}
        api.put("/sequences/visits", json=sequence).raise_for_status()
        fields = {"visit": (due + timedelta(hours=1)).isoformat()}
        api.put(f"/contacts/{new_phone}", json={"name": "Ana", "fields": fields}).raise_for_status()
        until(lambda: datetime.now(UTC) > due)
        aws.run("due")
        assert cloud.answers(new_phone, 3)[2]["type"] == "template"
        assert answer("today", 4) == "43: today"
        api.delete("/sequences/visits").raise_for_status()
        api.delete(f"/numbers/{NUMBER}").raise_for_status()
    assert cloud.denied_requests() == []
