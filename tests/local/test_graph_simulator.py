"""The Graph API of the simulated WhatsApp: what it accepts, reports and rejects."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from local.graph_simulator import TrafficLimits
from local.graph_webhooks import ACCOUNT_ID
from pytake.meta.graph_api import GraphApi
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.graph import message_payload, read_receipt_payload
from pytake.whatsapp.outbound import Text
from pytake.whatsapp.sending import AcceptedMessage, SendFailedError
from tests.local.simulator_harness import ANA, NUMBER, TOKEN, SimulatorHarness, run_scenario, text


def test_an_accepted_message_is_on_the_phone_and_reported_sent_and_delivered() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        answer = await world.send({**text("Olá"), "biz_opaque_callback_data": "turn-7:0"})
        assert answer.status_code == 200
        body = answer.json()
        assert body["messaging_product"] == "whatsapp"
        assert body["contacts"] == [{"input": f"+{ANA}", "wa_id": ANA}]
        (message,) = body["messages"]
        assert message["id"].startswith("wamid.")

        statuses = await world.statuses()
        assert [(status["id"], status["status"]) for status in statuses] == [
            (message["id"], "sent"),
            (message["id"], "delivered"),
        ]
        for status in statuses:
            assert (status["recipient_id"], status["biz_opaque_callback_data"]) == (ANA, "turn-7:0")
            assert status["pricing"] == {
                "billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service",
            }  # fmt: skip
            assert status["conversation"]["origin"] == {"type": "service"}
        assert len(world.posts) == 1

        _, on_screen = await world.screen()
        assert (on_screen["direction"], on_screen["text"], on_screen["status"]) == ("out", "Olá", "delivered")

    run_scenario(scenario)


def test_the_tokens_and_numbers_are_checked_with_metas_own_errors() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        refused = await world.send(text(), token="another")
        assert refused.status_code == 401
        error = refused.json()["error"]
        assert (error["code"], error["type"]) == (190, "OAuthException")
        assert error["error_data"]["messaging_product"] == "whatsapp"
        assert error["fbtrace_id"]
        anonymous = await world.client.post(f"/_graph/v25.0/{NUMBER}/messages", json={})
        assert anonymous.json()["error"]["code"] == 190
        unknown = (await world.send(text(), number="999")).json()["error"]
        assert (unknown["code"], unknown["error_subcode"]) == (100, 33)
        elsewhere = await world.client.get("/_graph/v25.0/me/accounts")
        assert (elsewhere.status_code, elsewhere.json()["error"]["code"]) == (400, 100)

    run_scenario(scenario)


def test_a_profile_is_read_with_the_numbers_own_token_only() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        async def profile(number: str, token: str, fields: str = "") -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {token}"}
            answer = await world.client.get(f"/_graph/v25.0/{number}{fields}", headers=headers)
            return answer.status_code, answer.json()

        known = {
            "id": NUMBER,
            "display_phone_number": "+55 11 4000-0001",
            "verified_name": "Business +55 11 4000-0001",
        }
        assert await profile(NUMBER, TOKEN) == (200, known)
        _, asked = await profile(NUMBER, TOKEN, "?fields=status,webhook_configuration")
        address = {"application": "http://webhook.example/api/v1/whatsapp/webhook"}
        assert asked == {"id": NUMBER, "status": "CONNECTED", "webhook_configuration": address}
        _, asked = await profile(NUMBER, TOKEN, "?fields=health_status")
        nodes = {entity["entity_type"]: entity["id"] for entity in asked["health_status"]["entities"]}
        assert nodes == {"PHONE_NUMBER": NUMBER, "WABA": ACCOUNT_ID}
        for number, token, refusal in ((NUMBER, "another", (401, 190)), ("999", TOKEN, (400, 100))):
            status, body = await profile(number, token)
            assert (status, body["error"]["code"]) == refusal

    run_scenario(scenario)


def test_a_number_added_at_run_time_sends_with_its_own_token() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        number = {"app_secret": "app-secret", "access_token": "second", "display_phone_number": "+55 11 4000-0002"}
        answer = await world.client.put("/_sim/numbers/2", json=number)
        assert answer.json() == {"phone_number_id": "2", "display_phone_number": "+55 11 4000-0002"}
        assert (await world.write({"text": "oi", "phone_number_id": "2"})).status_code == 202
        assert (await world.send(text(), number="2", token="second")).status_code == 200
        assert (await world.send(text())).json()["error"]["code"] == 131047
        assert {change.phone_number_id for change in await world.webhook_changes()} == {"2"}
        numbers = (await world.client.get("/_sim/numbers")).json()["numbers"]
        assert [number["phone_number_id"] for number in numbers] == [NUMBER, "2"]

    run_scenario(scenario)


def test_outside_the_window_only_templates_are_taken() -> None:
    template = {"type": "template", "template": {"name": "reminder", "language": {"code": "pt_BR"}}}

    async def scenario(world: SimulatorHarness) -> None:
        refused = await world.send(text())
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, 131047)
        assert (await world.send(template)).status_code == 200
        await world.write_text()
        world.now += 24 * 3600 - 1
        assert (await world.send(text())).status_code == 200
        world.now += 1
        assert (await world.send(text())).json()["error"]["code"] == 131047
        assert (await world.client.put("/_sim/limits", json={"window": False})).json()["window"] is False
        assert (await world.send(text())).status_code == 200

    run_scenario(scenario)


def test_a_click_on_an_ad_opens_the_window_for_72_hours() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        ad = {"type": "text", "text": {"body": "oi"}, "referral": {"source_type": "ad", "ctwa_clid": "x"}}
        assert (await world.write({"raw": ad})).status_code == 202
        world.now += 60 * 3600
        assert (await world.send(text())).status_code == 200

    run_scenario(scenario)


def test_one_recipient_gets_a_burst_of_45_and_then_one_in_6_seconds() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        await world.write_text(phone="5511900000000")
        codes = [(await world.send(text())).status_code for _ in range(46)]
        assert codes == [200] * 45 + [400]
        refused = await world.send(text())
        assert refused.json()["error"]["code"] == 131056
        assert (await world.send(text(), to="+5511900000000")).status_code == 200
        world.now += 6
        assert (await world.send(text())).status_code == 200
        assert (await world.send(text())).status_code == 400

    run_scenario(scenario)


def test_a_number_sends_and_receives_80_a_second() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        codes = [(await world.send(text())).status_code for _ in range(80)]
        assert codes == [200] * 79 + [429]
        assert (await world.send(text())).json()["error"]["code"] == 130429
        world.now += 1
        assert (await world.send(text())).status_code == 200

    run_scenario(scenario, limits=TrafficLimits(pair_rate=False))


def test_a_read_tick_and_a_typing_indicator_are_seen_on_the_phone() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text("primeira")
        await world.write_text("segunda")
        last = (await world.screen())[-1]
        answer = await world.graph(read_receipt_payload(last["id"], typing=True))
        assert answer.json() == {"success": True}
        assert [message["status"] for message in await world.screen()] == ["read", "read"]
        screen = (await world.client.get(f"/_sim/phones/{ANA}/messages")).json()
        assert screen["typing"] is True
        await world.send(text())
        screen = (await world.client.get(f"/_sim/phones/{ANA}/messages")).json()
        assert screen["typing"] is False
        unknown = await world.graph(read_receipt_payload("wamid.UNKNOWN"))
        assert unknown.json()["error"]["code"] == 131009
        world.now += 30 * 86_400 + 1
        too_old = await world.graph(read_receipt_payload(last["id"]))
        assert too_old.json()["error"]["code"] == 131009

    run_scenario(scenario)


def test_a_hidden_number_is_written_to_by_its_user_id() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        assert (await world.write({"text": "oi", "name": "Ana"}, phone="BR.1A2B")).status_code == 202
        (change,) = await world.webhook_changes()
        message = change.messages[0]
        assert (message.contact_id, message.phone, message.profile_name) == ("BR.1A2B", None, "Ana")
        answer = await world.graph(message_payload(Text("Olá"), "BR.1A2B", "turn-1:0"))
        assert answer.json()["contacts"] == [{"input": "BR.1A2B", "user_id": "BR.1A2B"}]
        assert {status["recipient_user_id"] for status in await world.statuses()} == {"BR.1A2B"}

    run_scenario(scenario)


def test_either_spelling_of_a_number_reaches_the_phone_that_wrote() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text(phone="551187654321")
        answer = await world.send(text(), to="+5511987654321")
        assert answer.json()["contacts"] == [{"input": "+5511987654321", "wa_id": "551187654321"}]

    run_scenario(scenario)


def test_a_refused_message_leaves_no_trace() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.send(text())
        assert (await world.client.get("/_sim/phones")).json() == {"phones": []}
        assert await world.webhook_changes() == []

    run_scenario(scenario)


def test_phones_and_added_numbers_survive_a_restart(tmp_path: Path) -> None:
    state_file = tmp_path / "whatsapp.json"

    async def before(world: SimulatorHarness) -> None:
        await world.write_text("antes")
        number = {"app_secret": "app-secret", "access_token": "second", "display_phone_number": "+55 11 4000-0002"}
        await world.client.put("/_sim/numbers/2", json=number)

    async def after(world: SimulatorHarness) -> None:
        assert (await world.send(text("depois"))).status_code == 200
        first, second = await world.screen()
        assert (first["text"], second["text"], second["seq"]) == ("antes", "depois", 2)
        assert (await world.graph(read_receipt_payload(first["id"]))).status_code == 200
        assert (await world.write({"text": "oi", "phone_number_id": "2"})).status_code == 202

    run_scenario(before, state_file=state_file)
    assert state_file.stat().st_mode & 0o077 == 0
    run_scenario(after, state_file=state_file)

    async def all_forgotten(world: SimulatorHarness) -> None:
        assert world.simulator.delete_phones() == 1
        assert (await world.client.get("/_sim/phones")).json()["phones"] == []

    run_scenario(all_forgotten, state_file=state_file)
    state_file.write_text("{")
    run_scenario(lambda world: world.write_text(), state_file=state_file)


def test_the_products_client_understands_the_simulator_over_a_real_connection() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        app = Starlette(routes=world.simulator.routes())
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None))
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0)
        port = server.servers[0].sockets[0].getsockname()[1]
        payload = message_payload(Text("Olá"), ANA, "turn-1:0")
        try:
            await asyncio.to_thread(use_client, f"http://127.0.0.1:{port}/_graph", payload)
            assert len(await world.screen()) == 0
            await world.write_text()
            await world.client.put("/_sim/faults", json={"rules": [{"kind": "cut_before", "times": 1}]})
            failed = await asyncio.to_thread(failure, f"http://127.0.0.1:{port}/_graph", payload)
            assert failed.error_class is ErrorClass.AMBIGUOUS
            assert len(await world.screen()) == 1
            await world.client.put("/_sim/faults", json={"rules": [{"kind": "cut_after", "times": 1}]})
            failed = await asyncio.to_thread(failure, f"http://127.0.0.1:{port}/_graph", payload)
            assert failed.error_class is ErrorClass.AMBIGUOUS
            assert len(await world.screen()) == 2
            assert (await world.statuses())[0]["biz_opaque_callback_data"] == "turn-1:0"
            accepted = await asyncio.to_thread(success, f"http://127.0.0.1:{port}/_graph", payload)
            assert accepted == AcceptedMessage((await world.screen())[-1]["id"], wa_id=ANA)
        finally:
            server.should_exit = True
            await serving

    def use_client(url: str, payload: dict[str, object]) -> None:
        failed = failure(url, payload)
        assert (failed.error_class, failed.code) == (ErrorClass.WINDOW_CLOSED, 131047)
        with GraphApi(url, "v25.0") as graph, pytest.raises(SendFailedError) as caught:
            graph.send(NUMBER, "another", payload)
        assert caught.value.error_class is ErrorClass.FATAL_TOKEN

    def failure(url: str, payload: dict[str, object]) -> SendFailedError:
        try:
            success(url, payload)
        except SendFailedError as error:
            return error
        raise AssertionError("the message was accepted")

    def success(url: str, payload: dict[str, object]) -> AcceptedMessage:
        with GraphApi(url, "v25.0") as graph:
            return graph.send(NUMBER, TOKEN, payload)

    run_scenario(scenario)


def test_delivered_messages_are_in_the_ledger_and_the_first_service_messages_of_a_month_are_free() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        await world.write_text(phone="14165550123")
        template = {"type": "template", "template": {"name": "hello", "language": {"code": "en"}}}
        for message in (text(), text(), text(), template):
            assert (await world.send(message)).status_code == 200
        assert (await world.send(text(), to="+14165550123")).status_code == 200
        priced = [(s["status"], s["pricing"]["category"], s["pricing"]["type"]) for s in await world.statuses()]
        assert priced[4:] == [
            ("sent", "service", "regular"),
            ("delivered", "service", "regular"),
            ("sent", "utility", "regular"),
            ("delivered", "utility", "regular"),
            ("sent", "service", "regular"),
            ("delivered", "service", "regular"),
        ]
        ledger = (await world.client.get("/_sim/billing")).json()["messages"]
        assert [(one["country"], one["category"], one["type"], one["messages"]) for one in ledger] == [
            ("BR", "service", "free_customer_service", 2),
            ("BR", "service", "regular", 1),
            ("BR", "utility", "regular", 1),
            ("CA", "service", "regular", 1),
        ]
        assert {(one["month"], one["phone_number_id"]) for one in ledger} == {("2026-11", NUMBER)}

    run_scenario(scenario, limits=TrafficLimits(free_service_messages=2))
