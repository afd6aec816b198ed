"""Agents at work on the local cloud: the real indexes, queues and roles, and a phone that receives."""

import time
from typing import Any

import httpx
import pytest

from tests.cloud.conftest import Cloud
from tests.conftest import new_phone

pytestmark = pytest.mark.cloud

another_phone = new_phone


def listed(api: httpx.Client) -> list[str]:
    """The contacts of all pages of one conversation each."""
    contacts: list[str] = []
    query: dict[str, Any] = {"limit": 1}
    while True:
        page = api.get("/conversations", params=query).raise_for_status().json()
        contacts += [found["contact_id"] for found in page["conversations"]]
        if page["next_cursor"] is None:
            return contacts
        query["cursor"] = page["next_cursor"]


def delivered(api: httpx.Client, phone: str, speaker: str) -> list[dict[str, Any]]:
    """The messages of a speaker, as soon as the last one has arrived."""
    end = time.monotonic() + 60
    while True:
        answer = api.get(f"/whatsapp-analytics/conversations/{phone}/transcript").raise_for_status()
        said = [message for message in answer.json()["messages"] if message["speaker"] == speaker]
        if said and said[-1]["delivery"] in ("sent", "delivered", "read"):
            return said
        assert time.monotonic() < end, said
        time.sleep(0.2)


def test_an_agent_takes_over_writes_hands_back_and_forgets(cloud: Cloud, new_phone: str, another_phone: str) -> None:
    for phone in (new_phone, another_phone):
        cloud.say(phone, "Olá")
        cloud.answers(phone, 1)
    with cloud.api("agent") as api:
        contacts = listed(api)
        assert len(contacts) == len(set(contacts))
        assert {new_phone, another_phone} <= set(contacts)

        sent = api.post(f"/conversations/+{new_phone}/send", json={"text": "Bea here."}).raise_for_status().json()
        assert cloud.answers(new_phone, 2)[-1]["text"] == "Bea here."
        (message,) = delivered(api, new_phone, "agent")
        assert (message["text"], message["turn"]) == ("Bea here.", sent["turn"])
        assert api.get(f"/conversations/{new_phone}").json()["mode"] == "human"
        assert api.post(f"/conversations/{new_phone}/resume").json()["mode"] == "bot"
        assert api.post(f"/conversations/{new_phone}/close").json()["status"] == "idle"

        assert api.delete(f"/contacts/{new_phone}").status_code == 204
        assert api.get(f"/conversations/{new_phone}").status_code == 404
        assert api.get(f"/conversations/{another_phone}").status_code == 200
        assert new_phone not in listed(api)
