"""The phones: actions of a person reach the webhook as Meta posts them, and their messages can be read."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pytake.contacts.identities import Sender, sender_of
from pytake.whatsapp.inbound import IncomingMessage
from pytake.whatsapp.input import Input, InputMedia
from pytake.whatsapp.message_input import read_input
from tests.local.simulator_harness import (
    ANA,
    NUMBER,
    SimulatorHarness,
    buttons,
    interactive,
    options,
    run_scenario,
    text,
)


def answer_to(action: dict[str, Any], *offers: dict[str, Any]) -> tuple[Input, dict[str, Any]]:
    """What the product reads of an action, and the raw message."""
    found: list[dict[str, Any]] = []

    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        for offer in offers:
            assert (await world.send(offer)).status_code == 200
        await world.simulator.idle()
        world.posts.clear()
        assert (await world.write(action)).status_code == 202
        found.extend(message.raw for change in await world.webhook_changes() for message in change.messages)

    run_scenario(scenario)
    (raw,) = found
    return read_input(raw), raw


def test_a_text_arrives_signed_and_escaped_in_metas_shape() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        answer = await world.write({"text": "Olá / 😀", "name": "João"})
        assert answer.status_code == 202
        (change,) = await world.webhook_changes()
        (message,) = change.messages
        assert answer.json() == {"id": message.id, "seq": 1}
        assert (message.contact_id, message.phone_number_id, message.profile_name) == (ANA, NUMBER, "João")
        assert message.timestamp == int(world.now)
        assert read_input(message.raw).text == "Olá / 😀"
        assert rb"Ol\u00e1 \/ \ud83d\ude00" in world.posts[0]
        assert world.posts[0].isascii()

    run_scenario(scenario)


def test_a_tapped_button_answers_the_message_that_offered_it() -> None:
    answer, raw = answer_to({"reply_id": "sales"}, buttons(("sales", "Vendas"), ("help", "Suporte")))
    assert (answer.type, answer.reply_id, answer.text) == ("reply", "sales", "Vendas")
    assert raw["interactive"]["type"] == "button_reply"
    assert raw["context"]["from"] == "551140000001"
    assert raw["context"]["id"].startswith("wamid.")


def test_a_tapped_row_has_its_description() -> None:
    answer, raw = answer_to({"reply_id": "pro"}, options({"id": "pro", "title": "Pro", "description": "R$ 99"}))
    assert (answer.type, answer.reply_id) == ("reply", "pro")
    assert raw["interactive"]["list_reply"] == {"id": "pro", "title": "Pro", "description": "R$ 99"}


def test_a_quick_reply_of_a_template_is_a_button_of_its_own_kind() -> None:
    component = {
        "type": "button",
        "sub_type": "quick_reply",
        "index": "0",
        "parameters": [{"type": "payload", "payload": "CONFIRM"}],
    }
    template = {"name": "reminder", "language": {"code": "pt_BR"}, "components": [component]}
    answer, raw = answer_to({"reply_id": "CONFIRM"}, {"type": "template", "template": template})
    assert (raw["type"], answer.type, answer.reply_id) == ("button", "reply", "CONFIRM")


def test_the_last_offer_of_an_id_is_the_one_that_is_tapped() -> None:
    answer, _ = answer_to({"reply_id": "1"}, buttons(("1", "Antigo")), buttons(("1", "Novo")))
    assert answer.text == "Novo"


def test_what_was_never_offered_cannot_be_tapped() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        await world.send(buttons(("sales", "Vendas"), ("help", "Suporte")))
        refused = await world.write({"reply_id": "sale"})
        assert refused.status_code == 404
        error = refused.json()["error"]
        assert (error["code"], error["offered"]) == ("never_offered", ["sales", "help"])
        assert "'sale'" in error["message"]

    run_scenario(scenario)


def test_media_locations_and_forms_arrive_as_their_types() -> None:
    media, raw = answer_to({"media": {"type": "document", "caption": "Contrato", "filename": "c.pdf", "id": "77"}})
    assert media.media == InputMedia("77", "document", "application/pdf", "Contrato", "c.pdf")
    assert raw["document"]["sha256"]
    voice, raw = answer_to({"media": {"type": "audio", "voice": True, "caption": "dropped"}})
    assert (voice.text, raw["audio"]["voice"]) == ("", True)
    location, _ = answer_to({"location": {"latitude": -23.5, "longitude": -46.6, "name": "Sé"}})
    assert location.location is not None
    assert (location.location.latitude, location.text) == (-23.5, "Sé")


def test_a_form_returns_the_token_it_was_offered_with() -> None:
    parameters = {"flow_message_version": "3", "flow_id": "9", "flow_cta": "Abrir", "flow_token": "token-1"}
    offer = interactive(
        {"type": "flow", "body": {"text": "Preencha"}, "action": {"name": "flow", "parameters": parameters}}
    )
    answer, raw = answer_to({"form": {"name": "Ana"}}, offer)
    assert answer.response == {"flow_token": "token-1", "name": "Ana"}
    assert raw["context"]["id"]
    alone, _ = answer_to({"form": {"name": "Ana"}})
    assert alone.response == {"name": "Ana"}


def test_a_raw_message_gets_only_what_it_lacks_and_none_leaves_a_field_out() -> None:
    answer, raw = answer_to({"raw": {"type": "reaction", "reaction": {"message_id": "wamid.1"}, "timestamp": None}})
    assert answer.type == "reaction"
    assert raw["from"] == ANA
    assert raw["id"]
    assert "timestamp" not in raw


def test_a_reaction_is_to_the_last_message_of_the_business_and_without_an_emoji_removes_one() -> None:
    offer = buttons(("sales", "Vendas"), ("help", "Suporte"))
    liked, raw = answer_to({"reaction": {"emoji": "👍"}}, text("Oi"), offer)
    assert (liked.type, liked.text) == ("reaction", "👍")
    target = raw["reaction"]["message_id"]
    removed, raw = answer_to({"reaction": {"message_id": target}}, text("Oi"), offer)
    assert (removed.type, removed.text, raw["reaction"]) == ("reaction", "", {"message_id": target})


def test_there_is_no_reaction_to_a_message_that_the_phone_does_not_have() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        refused = await world.write({"reaction": {"emoji": "👍"}})
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_message")

    run_scenario(scenario)


def test_a_reply_may_point_at_a_message() -> None:
    _, raw = answer_to({"text": "este", "reply_to": "wamid.OFFER"})
    assert raw["context"] == {"id": "wamid.OFFER"}


def test_the_same_id_is_posted_again_and_shown_once() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        for _ in range(2):
            assert (await world.write({"text": "oi", "id": "wamid.SAME"})).json()["id"] == "wamid.SAME"
        assert [message.id for change in await world.webhook_changes() for message in change.messages] == [
            "wamid.SAME"
        ] * 2
        assert len(await world.screen()) == 1

    run_scenario(scenario)


def test_the_screen_has_both_directions_in_order() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text("oi")
        await world.send(buttons(("sales", "Vendas"), body="Como posso ajudar?"))
        await world.send(options({"id": "pro", "title": "Pro"}))
        await world.simulator.idle()
        first, second, third = await world.screen()
        assert (first["direction"], first["seq"], first["text"], first["status"]) == ("in", 1, "oi", "delivered")
        assert (second["direction"], second["type"], second["text"]) == ("out", "interactive", "Como posso ajudar?")
        assert second["buttons"] == [{"id": "sales", "title": "Vendas"}]
        assert third["rows"] == [{"id": "pro", "title": "Pro"}]
        assert third["message"]["interactive"]["type"] == "list"
        assert {message["phone_number_id"] for message in (first, second, third)} == {NUMBER}
        assert [message["seq"] for message in await world.screen(query="?after=2")] == [3]
        assert await world.screen(phone=f"+{ANA}") == await world.screen()
        assert await world.screen(phone="5511900000000") == []

    run_scenario(scenario)


def test_what_is_waited_for_comes_as_soon_as_it_is_there() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        waiting = asyncio.create_task(world.screen(query="?after=1&wait=30"))
        await asyncio.sleep(0)
        await world.send(text("chegou"))
        assert [message["text"] for message in await waiting] == ["chegou"]

    run_scenario(scenario)


def test_the_person_reads_by_opening_the_chat_or_by_writing() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        await world.send(text("um"))
        await world.simulator.idle()
        world.posts.clear()
        assert (await world.client.post(f"/_sim/phones/{ANA}/read")).json() == {"read": 1}
        assert (await world.client.post(f"/_sim/phones/{ANA}/read")).json() == {"read": 0}
        assert [status["status"] for status in await world.statuses()] == ["read"]
        await world.send({**text("dois"), "biz_opaque_callback_data": "turn-2:0"})
        await world.simulator.idle()
        world.posts.clear()
        await world.write({"text": "ok"})
        (read,) = await world.statuses()
        assert (read["status"], read["biz_opaque_callback_data"]) == ("read", "turn-2:0")

    run_scenario(scenario)


def test_phones_are_listed_and_forgotten() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text("oi", ANA)
        await world.write_text("olá", "5511900000000")
        phones = (await world.client.get("/_sim/phones")).json()["phones"]
        assert [(phone["phone"], phone["messages"], phone["last"]["text"]) for phone in phones] == [
            ("5511900000000", 1, "olá"),
            (ANA, 1, "oi"),
        ]
        assert (await world.client.delete(f"/_sim/phones/{ANA}")).status_code == 204
        assert (await world.client.delete(f"/_sim/phones/{ANA}")).status_code == 404
        assert (await world.send(text())).json()["error"]["code"] == 131047

    run_scenario(scenario)


@pytest.mark.parametrize(
    ("phone", "action", "status", "code"),
    [
        (ANA, {}, 422, "one_action"),
        (ANA, {"text": "a", "form": {}}, 422, "one_action"),
        (ANA, {"txt": "a"}, 422, "bad_body"),
        (ANA, {"text": 7}, 422, "bad_body"),
        (ANA, {"media": {"type": "hologram"}}, 422, "bad_body"),
        (ANA, {"location": {"latitude": "north", "longitude": 1}}, 422, "bad_body"),
        (ANA, {"text": "a", "phone_number_id": "9"}, 404, "unknown_number"),
        (ANA, {"reply_id": "a"}, 404, "never_offered"),
        ("ana", {"text": "a"}, 422, "bad_phone"),
        ("123", {"text": "a"}, 422, "bad_phone"),
    ],
)
def test_what_makes_no_sense_is_explained(phone: str, action: dict[str, Any], status: int, code: str) -> None:
    async def scenario(world: SimulatorHarness) -> None:
        refused = await world.write(action, phone)
        assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
        assert refused.json()["error"]["message"]
        assert (await world.client.get("/_sim/phones")).json() == {"phones": []}

    run_scenario(scenario)


def test_a_person_hides_the_phone_number_and_is_named_by_the_user_id() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        hiding = await world.client.put(f"/_sim/phones/{ANA}/identity", json={"hidden": True})
        user_id = hiding.json()["user_id"]
        await world.write({"text": "oi"})
        (change,) = await world.webhook_changes()
        (message,) = change.messages
        assert (message.contact_id, "from" in message.raw, ANA.encode() in b"".join(world.posts)) == (
            user_id,
            False,
            False,
        )
        world.posts.clear()
        payload = {"messaging_product": "whatsapp", "recipient": user_id, **text("Olá")}
        assert (await world.graph(payload)).status_code == 200
        assert {(one["recipient_user_id"], one.get("recipient_id")) for one in await world.statuses()} == {
            (user_id, None)
        }
        assert [entry["text"] for entry in await world.screen()] == ["oi", "oi", "Olá"]

    run_scenario(scenario)


def test_changes_of_the_number_and_the_user_id_are_reported_and_keep_the_messages() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        identity = "/_sim/phones/{}/identity"
        before = world.simulator.network.phones.phone_of(ANA).user_id
        await world.client.put(identity.format(ANA), json={"user_id": "BR.77a"})
        await world.client.put(identity.format(ANA), json={"phone": "+5511977776666"})
        await world.client.put(identity.format("5511977776666"), json={"user_id": "BR.88c", "reports": ["system"]})
        reported = [
            sender_of_message(message) for change in await world.webhook_changes() for message in change.messages
        ]
        assert [(sender.ids[0], sender.phone, sender.user_id) for sender in reported] == [
            (ANA, ANA, "BR.77a"),
            (before, ANA, "BR.77a"),  # the same, by the field user_id_update
            (ANA, "5511977776666", "BR.77a"),
            ("5511977776666", "5511977776666", "BR.88c"),
        ]
        assert all(sender.reports_change for sender in reported)
        assert [entry["text"] for entry in await world.screen("5511977776666")] == ["oi"]
        assert await world.screen() == []
        assert (await world.send(text(), to="+5511977776666")).status_code == 200
        await world.write_text(phone="5511900001111")
        taken = await world.client.put(identity.format("5511977776666"), json={"phone": "5511900001111"})
        assert (taken.status_code, taken.json()["error"]["code"]) == (409, "phone_taken")

    run_scenario(scenario)


def test_identities_and_choices_survive_a_restart(tmp_path: Path) -> None:
    kept = {"state_file": tmp_path / "phones.json"}

    async def before(world: SimulatorHarness) -> None:
        await world.write_text()
        await world.client.put(f"/_sim/phones/{ANA}/identity", json={"user_id": "BR.77a", "hidden": True})

    async def after(world: SimulatorHarness) -> None:
        await world.write({"text": "oi"})
        (change,) = await world.webhook_changes()
        assert change.messages[0].contact_id == "BR.77a"

    run_scenario(before, **kept)
    run_scenario(after, **kept)


def sender_of_message(message: IncomingMessage) -> Sender:
    return sender_of(message.contact_id, message.user_id, message.parent_user_id, message.username, message.raw)
