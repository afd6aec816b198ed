"""Flows that call an API with a secret and a language model, on the real system with its real adapters."""

import json
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest

from tests.cloud.business import Business, end
from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

TOKEN = f"s3cr3t-{uuid.uuid4().hex}"


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent, the token included, as careless APIs do."""

    def do_GET(self) -> None:
        authorization = self.headers.get("Authorization", "")
        self.server.seen.append(authorization)  # type: ignore[attr-defined]
        body = json.dumps({"you_sent": authorization, "order": "shipped"}).encode()
        self.send_response(200 if authorization == f"Bearer {TOKEN}" else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def shop() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_an_api_gets_the_secret_and_nothing_else_ever_shows_it(
    cloud: Cloud, new_phone: str, shop: ThreadingHTTPServer
) -> None:
    call = {
        "url": f"http://127.0.0.1:{shop.server_port}/orders",
        "headers": {"Authorization": "Bearer {{secrets.token}}"},
        "output_variable": "answer",
        "next_node_id": "told",
        "error_next_node_id": "failed",
    }
    business = Business(
        cloud,
        {"id": "call", "type": "api_call", "data": call},
        end("told", "{{answer.order}}, {{answer.you_sent}}"),
        end("failed", "No: {{answer_error}}"),
    )
    assert [problem["code"] for problem in business.problems] == ["unknown_secret"]
    assert business.answer(new_phone, "Hi").startswith("No: secret_missing")
    with cloud.api("admin", business.organization_id) as api:
        stored = api.put("/secrets/token", json={"value": TOKEN, "hosts": ["127.0.0.1"]}).raise_for_status()
        told, count = "No", 1
        while told.startswith("No") and count < 20:  # workers look for a new secret once in a second
            count += 1
            told = business.answer(new_phone, "Hi again", count)
        assert told == "shipped, Bearer ***"
        assert shop.seen == [f"Bearer {TOKEN}"]  # type: ignore[attr-defined]
        assert api.get("/flows/main").json()["problems"] == []
        answers = [
            api.get(path).raise_for_status().text
            for path in (
                "/secrets",
                "/flows/main",
                f"/conversations/{new_phone}",
                f"/conversations/{new_phone}/records",
                f"/whatsapp-analytics/conversations/{new_phone}/transcript",
            )
        ]
        assert "shipped" in answers[3]
        assert "shipped" in answers[4]
    environment = cloud.http.get("/_local/aws").json()["environment"]
    dynamodb = boto3.client(
        "dynamodb",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    [table] = dynamodb.list_tables()["TableNames"]
    items = [str(page["Items"]) for page in dynamodb.get_paginator("scan").paginate(TableName=table)]
    logs = [path.read_text(errors="replace") for path in (cloud.data_dir / "logs").iterdir()]
    assert "shipped" in str(items)
    assert logs
    for text in (stored.text, *answers, *items, str(cloud.screen(new_phone)), *logs):
        assert TOKEN not in text


def test_secrets_stored_at_the_same_moment_are_all_kept(cloud: Cloud) -> None:
    names = [f"S{number}" for number in range(6)]
    with cloud.api("admin", f"org-{uuid.uuid4().hex[:8]}") as api, ThreadPoolExecutor(len(names)) as threads:
        put = list(
            threads.map(
                lambda name: api.put(f"/secrets/{name}", json={"value": f"value-{name}", "hosts": ["x.io"]}), names
            )
        )
        assert [answer.status_code for answer in put] == [200] * len(names)
        assert [secret["name"] for secret in api.get("/secrets").json()] == names


def test_a_model_answers_by_its_script_and_an_error_takes_the_other_way(cloud: Cloud, new_phone: str) -> None:
    topic = uuid.uuid4().hex
    ask = {
        "model": "amazon.nova-lite-v1:0",
        "system": "You are brief.",
        "prompt": f"About {topic}: {{{{input.text}}}}",
        "output_variable": "said",
        "next_node_id": "told",
        "error_next_node_id": "failed",
    }
    business = Business(
        cloud,
        {"id": "ask", "type": "ai_prompt", "data": ask},
        end("told", "It says: {{said}}"),
        end("failed", "No: {{said_error}}"),
    )
    unscripted = business.answer(new_phone, "Hello")
    assert unscripted == f"It says: (No model runs here.) You wrote: About {topic}: Hello"
    rules = [
        {"contains": f"{topic}: price", "answer": "Ten."},
        {"contains": f"{topic}: busy", "error": "ThrottlingException"},
    ]
    cloud.http.post("/_sim/models", json={"rules": rules}).raise_for_status()
    assert business.answer(new_phone, "Price?", 2) == "It says: Ten."
    assert business.answer(new_phone, "Busy?", 3).startswith("No: model_throttled")
    asked = [question for question in cloud.http.get("/_sim/models").json()["asked"] if topic in question["prompt"]]
    assert [question["answer"] for question in asked[1:]] == ["Ten.", None]
    assert asked[0]["system"] == "You are brief."
