"""A person is erased from the local cloud: a search over every byte of the table, the bucket, the queues and the logs."""

import base64
import json
import time
import uuid
from typing import Any

import pytest

from local.demo import PHONE_NUMBER_ID
from tests.cloud.aws import Aws
from tests.cloud.conftest import Cloud, text_notification

pytestmark = pytest.mark.cloud

FLOW: dict[str, Any] = {
    "format": 1,
    "language": "pt_BR",
    "report_variables": ["city"],
    "start_node_id": "start",
    "nodes": [
        {"id": "start", "type": "start", "data": {"next_node_id": "name"}},
        {"id": "name", "type": "question", "data": {"question": "Nome?", "variable": "name", "next_node_id": "save"}},
        {
            "id": "save",
            "type": "action",
            "data": {
                "actions": [{"type": "save_contact", "field": "name", "value": "{{name}}"}],
                "next_node_id": "city",
            },
        },
        {
            "id": "city",
            "type": "question",
            "data": {"question": "E a cidade, {{name}}?", "variable": "city", "next_node_id": "more"},
        },
        {
            "id": "more",
            "type": "question",
            "data": {"question": "Algo mais?", "variable": "more", "next_node_id": "end"},
        },
        {"id": "end", "type": "end", "data": {"message": "Tchau, {{name}}."}},
    ],
}


def words_of(phone: str, texts: list[str], wamids: list[str]) -> list[str]:
    """All identifiers of a person, also as contained in Meta's ids."""
    shifted = [base64.b64encode(b"x" * shift + phone.encode()).decode()[4:12] for shift in range(3)]
    return [phone, *texts, *wamids, *shifted]


def test_no_byte_of_an_erased_person_is_left(cloud: Cloud, new_phone: str, tmp_path: Any) -> None:
    aws, word = Aws(cloud), uuid.uuid4().hex
    flow_id = f"erasure-{word}"
    texts = [f"Zebedeu{uuid.uuid4().hex[:8]}", f"Xapuri{uuid.uuid4().hex[:8]}", f"segredo{uuid.uuid4().hex[:8]}"]
    with cloud.api() as api:
        api.put(f"/flows/{flow_id}", json={**FLOW, "id": flow_id, "name": flow_id}).raise_for_status()
        api.post(f"/flows/{flow_id}/publish").raise_for_status()
        api.put(f"/numbers/{PHONE_NUMBER_ID}", json=_with_keyword(api, f"erase {word}", flow_id)).raise_for_status()
    time.sleep(5.2)  # workers keep what they know of a number for five seconds
    cloud.say(new_phone, f"erase {word}")
    for number, text in enumerate(texts[:2], start=1):
        cloud.answers(new_phone, number)
        cloud.say(new_phone, text)
    cloud.answers(new_phone, 3)
    aws.export()
    cloud.say(new_phone, texts[2])
    cloud.answers(new_phone, 4)
    aws.export()
    wamids = [message["id"] for message in cloud.screen(new_phone) if message.get("id")]
    dead = aws.outputs["InboundDeadLettersUrl"]
    item = {"organization_id": "demo", "phone_number_id": PHONE_NUMBER_ID, "contact_id": new_phone}
    body = json.dumps({**item, "message": {"id": "wamid.dead", "text": texts[0]}, "received_at": time.time()})
    group = {"MessageGroupId": f"{PHONE_NUMBER_ID}:{new_phone}", "MessageDeduplicationId": new_phone}
    aws.client("sqs").send_message(QueueUrl=dead, MessageBody=body, **group)
    texts.append(f"Importado{uuid.uuid4().hex[:8]}")
    with cloud.api("agent") as api:
        file = f"phone,note\n{new_phone},{texts[3]}\n5511,{texts[3]}\n"
        accepted = api.post("/contacts/import", content=file.encode(), headers={"Content-Type": "text/csv"})
        assert accepted.status_code == 202, accepted.text
        done = {"status": "running"}
        while done["status"] == "running":  # the API has started the job, too
            aws.run("imports")
            done = api.get(f"/contacts/imports/{accepted.json()['import_id']}").json()
    assert (done["status"], done["rows"], done["error_count"]) == ("completed", 2, 1)
    described = words_of(new_phone, texts, wamids)
    assert all(word in aws.table() for word in [new_phone, *texts])
    assert texts[1].encode() in aws.bucket(str(tmp_path))
    before = aws.rows(str(tmp_path))

    with cloud.api("agent") as api:
        assert api.delete(f"/contacts/{new_phone}").status_code == 204
    assert not any(text in aws.table() for text in texts), "at once"
    aws.let_settle()
    aws.export()
    table, bucket, queues, logs = aws.table(), aws.bucket(str(tmp_path)), aws.queues(), _logs(cloud)
    for word in described:
        assert word not in table, word
        assert word.encode() not in bucket, word
        assert word not in queues, word
        assert word not in logs, word
    assert aws.rows(str(tmp_path)) == before

    stale = text_notification(new_phone, texts[0]).replace(
        str(int(time.time()))[:6].encode(), str(int(time.time()) - 1_000_000)[:6].encode()
    )
    cloud.post_webhook(stale).raise_for_status()
    cloud.say(new_phone, "Olá")
    cloud.answers(new_phone, 5)
    with cloud.api("agent") as api:
        said = api.get(f"/whatsapp-analytics/conversations/{new_phone}/transcript").json()["messages"]
    assert [message["text"] for message in said if message["speaker"] == "user"] == ["Olá"]
    assert not any(text in aws.table() for text in texts)


def _with_keyword(api: Any, word: str, flow_id: str) -> dict[str, Any]:
    from local import demo

    number = api.get(f"/numbers/{PHONE_NUMBER_ID}").json()
    return {
        "display_phone_number": number["display_phone_number"],
        "default_flow_id": number["default_flow_id"],
        "keywords": {**number["keywords"], word: flow_id},
        "verify_token": demo.VERIFY_TOKEN,
        "app_secret": demo.APP_SECRET,
        "access_token": demo.ACCESS_TOKEN,
    }


def _logs(cloud: Cloud) -> str:
    """What the functions logged: the simulator of Meta and the person's phone have logs of their own."""
    paths = sorted((cloud.data_dir / "logs").glob("*.log"))
    return "\n".join(path.read_text(errors="replace") for path in paths)
