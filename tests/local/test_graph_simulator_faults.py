"""Faults on request, and webhook posts that are repeated until they are answered with 200."""

import asyncio
from typing import Any

import httpx

from tests.local.simulator_harness import ANA, SimulatorHarness, run_scenario, text


async def faults(world: SimulatorHarness, *rules: dict[str, Any]) -> None:
    answer = await world.client.put("/_sim/faults", json={"rules": list(rules)})
    assert answer.status_code == 200


def test_an_error_is_answered_as_often_as_asked_and_only_to_its_phone() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        await world.write_text(phone="5511900000000")
        rule = {"kind": "error", "code": 130429, "status": 429, "times": 2, "phone": f"+{ANA}", "retry_after": 3}
        await faults(world, rule)
        refused = await world.send(text())
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, 130429)
        assert refused.headers["retry-after"] == "3"
        assert (await world.send(text(), to="+5511900000000")).status_code == 200
        assert (await world.client.get("/_sim/faults")).json()["rules"][0]["times"] == 1
        assert (await world.send(text())).status_code == 429
        assert (await world.send(text())).status_code == 200
        assert (await world.client.get("/_sim/faults")).json() == {"rules": []}

    run_scenario(scenario)


def test_an_error_without_times_stays_until_it_is_removed() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        await faults(world, {"kind": "error", "code": 2, "status": 500, "is_transient": True})
        for _ in range(3):
            assert (await world.send(text())).json()["error"]["is_transient"] is True
        assert (await world.client.delete("/_sim/faults")).status_code == 204
        assert (await world.send(text())).status_code == 200

    run_scenario(scenario)


def test_a_hanging_send_is_taken_late() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        world.slept.clear()
        await faults(world, {"kind": "hang", "seconds": 12, "times": 1})
        assert (await world.send(text())).status_code == 200
        assert 12 in world.slept

    run_scenario(scenario)


def test_statuses_can_be_dropped_delayed_and_turned_into_failures() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        await faults(world, {"kind": "drop_status", "times": 1})
        await world.send(text("dropped"))
        assert await world.statuses() == []
        await faults(world, {"kind": "drop_status", "state": "sent", "times": 1})
        await world.send(text("half"))
        assert [status["status"] for status in await world.statuses()] == ["delivered"]
        world.posts.clear()
        await faults(world, {"kind": "fail_status", "code": 131026, "times": 1})
        assert (await world.send(text("failing"))).status_code == 200
        (failed,) = await world.statuses()
        assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131026)
        assert [message["status"] for message in await world.screen()][1:] == ["sent", "delivered", "failed"]
        world.posts.clear()
        await faults(world, {"kind": "delay_status", "seconds": 90, "times": 1})
        await world.send(text("late"))
        assert len(await world.statuses()) == 2
        assert 90 in world.slept

    run_scenario(scenario)


def test_a_webhook_can_come_twice() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await faults(world, {"kind": "duplicate_webhook", "phone": ANA, "times": 1})
        await world.write({"text": "oi"})
        await world.write({"text": "de novo"})
        texts = [message.raw["text"]["body"] for change in await world.webhook_changes() for message in change.messages]
        assert sorted(texts) == ["de novo", "oi", "oi"]

    run_scenario(scenario)


def test_an_unknown_fault_is_refused() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        unknown: list[Any] = [{"rules": [{"kind": "melt"}]}, {"rules": [{"kind": "error", "count": 1}]}, {"faults": []}]
        for rules in unknown:
            answer = await world.client.put("/_sim/faults", json=rules)
            assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_body")
        answer = await world.client.put("/_sim/limits", json={"messages_per_second": 0})
        assert answer.status_code == 422

    run_scenario(scenario)


def test_anything_but_200_repeats_the_whole_post_with_backoff() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        world.answers = [500, 403, 202, 200]
        await world.write({"text": "oi"})
        await world.simulator.idle()
        assert len(world.posts) == 4
        assert len(set(world.posts)) == 1
        assert world.slept == [1, 2, 4]
        (message,) = await world.screen()
        assert message["status"] == "delivered"
        counters = (await world.client.get("/_sim/webhooks")).json()
        assert (counters["delivered"], counters["failed_tries"], counters["waiting"]) == (1, 3, 0)
        assert counters["last_failure"].startswith("HTTP 202")

    run_scenario(scenario)


def test_a_webhook_that_never_answers_200_is_given_up_after_36_hours() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        world.answers = [500] * 5000
        await world.write({"text": "oi"})
        await world.simulator.idle()
        assert 36 * 3600 <= sum(world.slept) < 37 * 3600
        assert (await world.screen())[0]["status"] == "sent"
        assert (await world.client.get("/_sim/webhooks")).json()["given_up"] == 1

    run_scenario(scenario)


def test_messages_of_one_phone_arrive_in_the_order_they_were_written() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        for number in range(20):
            await world.write({"text": str(number)})
        texts = [message.raw["text"]["body"] for change in await world.webhook_changes() for message in change.messages]
        assert texts == [str(number) for number in range(20)]

    run_scenario(scenario)


def test_a_slow_webhook_holds_up_no_call() -> None:
    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def scenario(world: SimulatorHarness) -> None:
        for _ in range(40):
            assert (await world.write({"text": "oi"})).status_code == 202
        assert (await world.send(text())).status_code == 200
        assert len(await world.screen()) == 41
        assert (await world.client.get("/_sim/webhooks")).json()["waiting"] > 0

    run_scenario(scenario, transport=httpx.MockTransport(hang))


def test_statuses_of_one_moment_come_in_one_post() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        for number in range(10):
            await world.send(text(str(number)))
        assert len(await world.statuses()) == 20
        assert len(world.posts) == 1

    run_scenario(scenario, sleep=collecting)


async def collecting(_seconds: float) -> None:
    for _ in range(200):
        await asyncio.sleep(0)
