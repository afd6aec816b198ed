"""The simulated phone app of a coexisting number: its webhooks are what the product reads."""

import json
from typing import Any

import pytest

from local.graph_simulator import NumberCredentials, TrafficLimits
from pytake.whatsapp.coexistence import read_app_messages, refused_history
from pytake.whatsapp.input import APP_HISTORY
from pytake.whatsapp.preferences import read_preferences, stops_marketing
from tests.local.simulator_harness import ANA, CREDENTIALS, NUMBER, SECRET, SimulatorHarness, run_scenario, text

Json = dict[str, Any]

COEXISTING = NumberCredentials(SECRET, CREDENTIALS.access_token, CREDENTIALS.display_phone_number, coexists=True)


async def act(world: SimulatorHarness, what: str, body: Json, status: int = 202) -> Json:
    world.simulator.add_number(NUMBER, COEXISTING)
    answer = await world.client.post(f"/_sim/numbers/{NUMBER}/{what}", json=body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def posted(world: SimulatorHarness) -> list[tuple[str, Json]]:
    await world.simulator.idle()
    changes = [json.loads(body)["entry"][0]["changes"][0] for body in world.posts]
    return [(change["field"], change["value"]) for change in changes]


def test_an_echo_is_on_the_phone_and_in_the_webhook_and_opens_no_window() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        answer = await act(world, "echoes", {"phone": f"+{ANA}", "text": "Já resolvo"})
        [screen] = await world.screen()
        assert (screen["direction"], screen["text"], screen["id"]) == ("out", "Já resolvo", answer["id"])
        [(field, value)] = await posted(world)
        [message] = read_app_messages(field, value, NUMBER, [])
        assert (message.id, message.contact_id, message.type) == (answer["id"], ANA, "app_echo")
        assert message.raw["app_echo"]["text"] == {"body": "Já resolvo"}
        assert value["message_echoes"][0]["from"] == COEXISTING.digits
        refused = await world.send(text())
        assert refused.json()["error"]["code"] == 131047

    run_scenario(scenario)


def test_an_echo_with_the_same_id_is_posted_again_and_shown_once() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        for _ in range(2):
            await act(world, "echoes", {"phone": "BR.1A2B", "raw": {"type": "revoke", "revoke": {}}, "id": "wamid.E"})
        assert len(await world.screen("BR.1A2B")) == 1
        changes = await posted(world)
        assert [value["message_echoes"][0]["id"] for _, value in changes] == ["wamid.E", "wamid.E"]
        assert "to" not in changes[0][1]["message_echoes"][0]

    run_scenario(scenario)


def test_history_comes_in_phases_and_chunks_out_of_order() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        now = int(world.now)
        ages = (60, 3600, 2 * 86_400, 100 * 86_400, 200 * 86_400)
        messages = [{"timestamp": now - age, "text": f"{age}", "by_business": age == 3600} for age in ages]
        answer = await act(world, "history", {"threads": [{"phone": ANA, "messages": messages}], "chunk_messages": 1})
        assert answer == {"messages": 4, "webhooks": 4}
        changes = await posted(world)
        told = [value["history"][0]["metadata"] for _, value in changes]
        assert [one["chunk_order"] for one in told] == [4, 3, 2, 1]
        assert [one["phase"] for one in told] == [2, 1, 0, 0]
        assert told[0]["progress"] == 100
        read = [message for field, value in changes for message in read_app_messages(field, value, NUMBER, [])]
        assert {message.contact_id for message in read} == {ANA}
        shared = [raw for message in read for raw in message.raw[APP_HISTORY]]
        assert [(raw["text"]["body"], "to" in raw) for raw in shared] == [
            ("8640000", False),
            ("172800", False),
            ("3600", True),
            ("60", False),
        ]

    run_scenario(scenario)


def test_the_owner_may_refuse_to_share_the_history() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await act(world, "history", {"refused": True})
        [(field, value)] = await posted(world)
        assert (field, refused_history(value)) == ("history", [2593109])

    run_scenario(scenario)


def test_the_contacts_of_the_app_are_synced() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        added = {"phone": ANA, "full_name": "Ana S.", "first_name": "Ana"}
        await act(world, "contacts", {"contacts": [added, {"phone": ANA, "action": "remove"}]})
        [(field, value)] = await posted(world)
        assert field == "smb_app_state_sync"
        first, second = value["state_sync"]
        assert (first["action"], first["contact"]["full_name"], first["contact"]["phone_number"]) == (
            "add",
            "Ana S.",
            ANA,
        )
        assert "full_name" not in second["contact"]

    run_scenario(scenario)


def test_a_person_stops_marketing_as_meta_reports_it() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        assert await act(world, "preferences", {"phone": ANA, "marketing": "stop"}) == {"marketing": "stop"}
        [(field, value)] = await posted(world)
        [message] = read_preferences(value, NUMBER, [])
        assert (field, message.contact_id) == ("user_preferences", ANA)
        assert stops_marketing(message.raw["user_preference"]) is True
        assert message.timestamp == int(world.now)

    run_scenario(scenario)


def test_the_account_reports_the_end_of_coexistence() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await act(world, "account", {"event": "ACCOUNT_OFFBOARDED"})
        [(field, value)] = await posted(world)
        assert (field, value) == ("account_update", {"event": "ACCOUNT_OFFBOARDED", "phone_number": COEXISTING.digits})
        answer = await world.client.post(f"/_sim/numbers/{NUMBER}/echoes", json={"phone": ANA, "text": "x"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_coexisting")

    run_scenario(scenario)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("echoes", {"phone": ANA}),
        ("echoes", {"phone": "x", "text": "x"}),
        ("history", {"threads": [{"phone": ANA, "messages": [{"text": "x"}]}]}),
        ("contacts", {"contacts": [{"phone": ANA, "action": "rename"}]}),
        ("account", {}),
        ("preferences", {"phone": ANA, "marketing": "pause"}),
    ],
)
def test_a_wrong_request_says_what_is_wrong(what: str, body: Json) -> None:
    async def scenario(world: SimulatorHarness) -> None:
        assert (await act(world, what, body, 422))["error"]["code"] in ("bad_body", "one_action")

    run_scenario(scenario)


def test_a_coexisting_number_sends_twenty_messages_a_second_and_says_so() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        world.simulator.add_number(NUMBER, COEXISTING)
        await world.write_text()
        world.now += 10
        answers = [(await world.send(text())).status_code for _ in range(25)]
        assert answers.count(200) == 20
        headers = {"Authorization": f"Bearer {COEXISTING.access_token}"}
        profile = await world.client.get(f"/_graph/v25.0/{NUMBER}?fields=is_on_biz_app,platform_type", headers=headers)
        assert profile.json() == {"id": NUMBER, "is_on_biz_app": True, "platform_type": "CLOUD_API"}

    run_scenario(scenario, limits=TrafficLimits(pair_rate=False))
