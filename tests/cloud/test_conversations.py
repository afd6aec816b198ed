"""Whole conversations through the whole system: the real template, the real handlers, a simulated WhatsApp."""

import json
import re
import time
import uuid
from typing import Any

import pytest

from local import demo
from tests.cloud.conftest import Cloud, text_notification

pytestmark = pytest.mark.cloud

MENU: dict[str, Any] = {
    "format": 1,
    "id": "menu",
    "name": "Menu",
    "language": "en",
    "start_node_id": "start",
    "nodes": [
        {
            "id": "start",
            "type": "start",
            "data": {"greeting": "Hello from {{contact.name}}'s shop.", "next_node_id": "menu"},
        },
        {
            "id": "menu",
            "type": "message",
            "data": {
                "text": "Where to?",
                "buttons": [
                    {"label": "Left", "value": "left", "next_node_id": "left"},
                    {"label": "Right", "value": "right", "next_node_id": "right"},
                ],
            },
        },
        {"id": "left", "type": "end", "data": {"message": "You went left."}},
        {"id": "right", "type": "end", "data": {"message": "You went right."}},
    ],
}


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in messages]


def tap(cloud: Cloud, phone: str, reply_id: str) -> None:
    cloud.http.post(f"/_sim/phones/{phone}/messages", json={"reply_id": reply_id}).raise_for_status()


def converse(cloud: Cloud, phone: str, *said: str) -> list[str]:
    """Send messages, each after the answer to the previous one, and return all answers."""
    for count, text in enumerate(said, start=1):
        cloud.say(phone, text)
        cloud.answers(phone, count)
    return texts(cloud.answers(phone, len(said)))


def test_the_lead_qualifier_from_the_first_message_to_the_last(cloud: Cloud, new_phone: str) -> None:
    assert cloud.post_webhook(text_notification(new_phone, "Olá")).status_code == 200
    first = cloud.answers(new_phone, 1)[0]
    assert first["text"].startswith("Olá! Sou a assistente")
    assert [button["id"] for button in first["buttons"]] == ["sim", "nao"]
    assert first["message"]["interactive"]["type"] == "button"

    for count, said in enumerate(
        ["sim", "Ana Maria Souza", "ana@", "ana@example.com", "(11) 98765-4321", "120"], start=2
    ):
        cloud.say(new_phone, said)
        cloud.answers(new_phone, count)
    answers = texts(cloud.answers(new_phone, 7))
    assert answers[2] == "Prazer, Ana! Qual é o seu e-mail?"
    assert answers[3] == "Esse e-mail não parece válido. Pode conferir e enviar de novo?"
    assert answers[6].startswith("O que mais interessa")
    tap(cloud, new_phone, "baterias")
    cloud.answers(new_phone, 8)
    for count, said in enumerate(["01310-100", "Av. Paulista, 1000", "São Paulo"], start=9):
        cloud.say(new_phone, said)
        cloud.answers(new_phone, count)
    last = cloud.answers(new_phone, 11)[-1]["text"]
    for value in (
        "Ana Maria Souza",
        "ana@example.com",
        "+5511987654321",
        "120",
        "baterias",
        "Av. Paulista, 1000",
        "01310-100",
    ):
        assert value in last

    cloud.say(new_phone, "Oi de novo")
    assert cloud.answers(new_phone, 12)[-1]["text"].startswith("Olá! Sou a assistente")
    assert len(cloud.answers(new_phone, 12)) == 12


def test_a_tap_follows_the_buttons_own_target_and_organizations_never_mix(cloud: Cloud, new_phone: str) -> None:
    organization_id, number, secret = f"org-{uuid.uuid4().hex[:8]}", str(uuid.uuid4().int)[:15], "another-app-secret"
    setup = {
        "display_phone_number": "+1 415 555 0100",
        "verify_token": f"token-{number}",
        "app_secret": secret,
        "access_token": "another-access-token",
        "default_flow_id": "menu",
    }
    with cloud.api("admin", organization_id) as api:
        api.put("/organization", json={"messages_per_minute": 600}).raise_for_status()
        api.put("/flows/menu", json=MENU).raise_for_status()
        api.post("/flows/menu/publish").raise_for_status()
        api.put(f"/numbers/{number}", json=setup).raise_for_status()
        assert [flow["flow_id"] for flow in api.get("/flows").json()] == ["menu"]
    credentials = {"app_secret": secret, "access_token": "another-access-token", "display_phone_number": "14155550100"}
    cloud.http.put(f"/_sim/numbers/{number}", json=credentials).raise_for_status()

    there = {"phone_number_id": number, "name": "Ana"}
    cloud.say(new_phone, "Oi")  # the demo's number
    cloud.answers(new_phone, 1)
    cloud.http.post(f"/_sim/phones/{new_phone}/messages", json={"text": "Hi", **there}).raise_for_status()
    menu = cloud.answers(new_phone, 2)[-1]
    assert menu["phone_number_id"] == number
    assert menu["text"] == "Hello from Ana's shop.\n\nWhere to?"
    cloud.http.post(f"/_sim/phones/{new_phone}/messages", json={"reply_id": "right", **there}).raise_for_status()
    assert cloud.answers(new_phone, 3)[-1]["text"] == "You went right."
    cloud.say(new_phone, "sim")  # the demo's conversation is where it was
    assert cloud.answers(new_phone, 4)[-1]["text"] == "Ótimo! Qual é o seu nome completo?"


def test_the_same_post_five_times_at_once_makes_one_turn(cloud: Cloud, new_phone: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    body = text_notification(new_phone, "Oi")
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: cloud.post_webhook(body).status_code, range(5)))
    assert answers == [200] * 5
    cloud.answers(new_phone, 1)
    cloud.say(new_phone, "sim")
    assert len(cloud.answers(new_phone, 2)) == 2


def test_two_quick_messages_are_answered_in_order(cloud: Cloud, new_phone: str) -> None:
    cloud.say(new_phone, "Oi")
    cloud.say(new_phone, "sim")
    answers = texts(cloud.answers(new_phone, 2))
    assert answers[0].startswith("Olá! Sou a assistente")
    assert answers[1] == "Ótimo! Qual é o seu nome completo?"


def test_many_people_at_once_all_get_their_own_answers(cloud: Cloud) -> None:
    people = [f"55118{uuid.uuid4().int % 10**8:08d}" for _ in range(60)]
    for said in ("Oi", "sim"):
        for phone in people:
            cloud.say(phone, said)
    for n, phone in enumerate(people):
        cloud.answers(phone, 2, seconds=120)
        cloud.say(phone, f"Pessoa{n} Silva")
    for n, phone in enumerate(people):
        assert texts(cloud.answers(phone, 3, seconds=120))[2] == f"Prazer, Pessoa{n}! Qual é o seu e-mail?"
        assert len(cloud.screen(phone)) == 6


def test_an_unknown_number_gets_200_and_is_counted(cloud: Cloud, new_phone: str) -> None:
    body = text_notification(new_phone, "Oi").replace(demo.PHONE_NUMBER_ID.encode(), b"999999999999999")
    assert cloud.post_webhook(body).status_code == 200
    log = cloud.data_dir / "logs" / "pytake-local-webhook.log"
    end = time.monotonic() + 10
    while '"UnverifiedPosts"' not in log.read_text():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_logs_hold_no_text_no_phone_and_no_secret(cloud: Cloud, new_phone: str) -> None:
    converse(cloud, new_phone, "Oi", "sim", "Zeferina Confidencial")
    written = "".join(path.read_text(errors="replace") for path in (cloud.data_dir / "logs").glob("pytake-local-*.log"))
    assert "turn.taken" in written
    # Every function got its settings for metrics, and one id went through all of them.
    assert {"Turns", "BillableMessages"} <= set(re.findall(r'"Name":"(\w+)"', written))
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    for taken in (line for line in lines if line.get("message") == "turn.taken" and "correlation_id" in line):
        same = {line["service"] for line in lines if line.get("correlation_id") == taken["correlation_id"]}
        assert {"webhook", "flow_runner"} <= same
    for private in ("Zeferina", new_phone, demo.APP_SECRET, demo.ACCESS_TOKEN):
        assert private not in written
