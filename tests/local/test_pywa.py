"""pywa, a client of the Cloud API that other people wrote, sends every kind of message and reads every webhook."""

import json
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any

import pytest
from msgspec.structs import replace
from pywa import types
from pywa.types.callback import CallPermissionRequestButton, ContactInfoRequestButton, VoiceCallButton
from pywa_async import WhatsApp
from pywa_async import types as updates

from tests.local.pywa_client import Pywa
from tests.local.simulator_harness import ANA, CREDENTIALS, NUMBER, START, TOKEN, SimulatorHarness, run_scenario

IMAGE, VIDEO, LINK = "https://example.com/a.jpg", "https://example.com/a.mp4", "https://example.com"
BUTTONS = [types.Button("Yes", "yes"), types.Button("No", "no")]
LIST = types.SectionList(
    "Menu",
    [
        types.Section("Day", [types.SectionRow("Soup", "soup", "Hot")]),
        types.Section("Night", [types.SectionRow("Rice", "rice")]),
    ],
)
URL_CARDS = [types.ImageCarouselCard(image=IMAGE, buttons=types.URLButton("Open", LINK), body="Card") for _ in range(2)]
REPLY_CARDS = [types.VideoCarouselCard(video=VIDEO, buttons=BUTTONS, body="Card") for _ in range(2)]
FORM = types.FlowButton("Open", flow_id="1", flow_action_screen="FIRST", flow_token="t")
CARD = types.Contact(name=types.Contact.Name(formatted_name="Ana", first_name="Ana"))
PRODUCTS = [types.ProductsSection("New", ["sku1", "sku2"])]

Send = Callable[[WhatsApp, str], Awaitable[Any]]
"""Sends one message; the text is the id of the person's last message."""

SENDS: dict[str, Send] = {
    "text": lambda wa, _: wa.send_message(ANA, f"Hi {LINK}", preview_url=True),
    "text to a number with plus": lambda wa, _: wa.send_message(f"+{ANA}", "Hi"),
    "reply": lambda wa, id_: wa.send_message(ANA, "Hi", reply_to_message_id=id_),
    "callback data": lambda wa, _: wa.send_message(ANA, "Hi", tracker="turn-1:0"),
    "buttons": lambda wa, _: wa.send_message(ANA, "Really?", header="H", footer="F", buttons=BUTTONS),
    "list": lambda wa, _: wa.send_message(ANA, "What?", buttons=LIST),
    "link": lambda wa, _: wa.send_message(ANA, "See", buttons=types.URLButton("Open", LINK)),
    "form": lambda wa, _: wa.send_message(ANA, "Fill in", buttons=FORM),
    "call button": lambda wa, _: wa.send_message(ANA, "Call", buttons=VoiceCallButton("Call")),
    "call permission": lambda wa, _: wa.send_message(ANA, "May we call?", buttons=CallPermissionRequestButton()),
    "contact request": lambda wa, _: wa.send_message(ANA, "Your number?", buttons=ContactInfoRequestButton()),
    "contact request by its own call": lambda wa, _: wa.request_contact_info(ANA, "Your number?"),
    "image": lambda wa, _: wa.send_image(ANA, IMAGE, caption="C"),
    "video": lambda wa, _: wa.send_video(ANA, VIDEO, caption="C"),
    "document": lambda wa, _: wa.send_document(ANA, "https://example.com/a.pdf", filename="a.pdf", caption="C"),
    "audio": lambda wa, _: wa.send_audio(ANA, "https://example.com/a.mp3"),
    "voice": lambda wa, _: wa.send_voice(ANA, "https://example.com/a.ogg"),
    "sticker": lambda wa, _: wa.send_sticker(ANA, "https://example.com/a.webp"),
    "reaction": lambda wa, id_: wa.send_reaction(ANA, "\N{THUMBS UP SIGN}", id_),
    "reaction taken back": lambda wa, id_: wa.remove_reaction(ANA, id_),
    "location": lambda wa, _: wa.send_location(ANA, -23.5, -46.6, "Shop", "Street 1"),
    "location request": lambda wa, _: wa.request_location(ANA, "Where are you?"),
    "contact": lambda wa, _: wa.send_contact(ANA, CARD),
    "catalog": lambda wa, _: wa.send_catalog(ANA, "Our catalog", "F", thumbnail_product_sku="sku1"),
    "product": lambda wa, _: wa.send_product(ANA, "7", "sku1"),
    "products": lambda wa, _: wa.send_products(ANA, "7", PRODUCTS, "Products", "Choose"),
    "carousel of links": lambda wa, _: wa.send_carousel(ANA, body="See", cards=URL_CARDS),
    "carousel of replies": lambda wa, _: wa.send_carousel(ANA, body="See", cards=REPLY_CARDS),
    "template": lambda wa, _: wa.send_template(
        ANA,
        "order_ready",
        types.templates.TemplateLanguage.PORTUGUESE_BR,
        [types.templates.BodyText.params("Ana")],
    ),
}

ITEM = {"product_retailer_id": "sku1", "quantity": 2, "item_price": 9.5, "currency": "BRL"}

ACTIONS: dict[str, Any] = {
    "text": {"text": "Hi"},
    "image": {"media": {"type": "image", "caption": "C"}},
    "voice": {"media": {"type": "audio", "voice": True}},
    "document": {"media": {"type": "document"}},
    "location": {"location": {"latitude": -23.5, "longitude": -46.6}},
    "contacts": {"raw": {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ana", "first_name": "Ana"}}]}},
    "video": {"media": {"type": "video"}},
    "sticker": {"media": {"type": "sticker"}},
    "order": {"raw": {"type": "order", "order": {"catalog_id": "7", "text": "Today", "product_items": [ITEM]}}},
    "hidden number": {"raw": {"type": "text", "text": {"body": "Hi"}, "from": None}},
}


@pytest.mark.parametrize("name", SENDS)
def test_pywa_sends_it(name: str) -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        sent = await SENDS[name](Pywa(world).client, (await world.screen())[-1]["id"])
        last = (await world.screen())[-1]
        assert (sent.id, last["direction"]) == (last["id"], "out")

    run_scenario(scenario)


@pytest.mark.parametrize("name", ACTIONS)
def test_pywa_reads_what_a_person_sends(name: str) -> None:
    async def scenario(world: SimulatorHarness) -> None:
        assert (await world.write(ACTIONS[name])).status_code == 202
        await world.simulator.idle()
        [update] = await Pywa(world).reads(world.posts)
        assert isinstance(update, updates.Message)
        assert update.from_user.wa_id == (None if name == "hidden number" else ANA)
        assert str(update.from_user.bsuid).startswith("BR.")

    run_scenario(scenario)


def test_pywa_reads_a_tapped_button_and_statuses() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        pywa = Pywa(world)
        await SENDS["buttons"](pywa.client, "")
        await world.simulator.idle()
        assert (await world.write({"reply_id": "yes"})).status_code == 202
        await world.simulator.idle()
        read = await pywa.reads(world.posts)
        assert [update.data for update in read if isinstance(update, updates.CallbackButton)] == ["yes"]
        statuses = [update for update in read if isinstance(update, updates.MessageStatus)]
        # Of several statuses in one post, it reads the first: of "sent" and "delivered" here.
        assert [status.status.value for status in statuses] == ["sent", "read"]
        assert {status.from_user.wa_id for status in statuses} == {ANA}

    run_scenario(scenario)


@pytest.mark.parametrize(
    ("offered", "action", "kind", "data"),
    [
        ("list", {"reply_id": "rice"}, updates.CallbackSelection, "rice"),
        ("form", {"form": {"city": "Recife"}}, updates.FlowCompletion, {"city": "Recife"}),
        ("text", {"reaction": {"emoji": "+1"}}, updates.Message, "+1"),
    ],
)
def test_pywa_reads_an_answer_to_what_it_sent(offered: str, action: dict[str, Any], kind: type, data: object) -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        await SENDS[offered](Pywa(world).client, "")
        await world.simulator.idle()
        world.posts.clear()
        assert (await world.write(action)).status_code == 202
        await world.simulator.idle()
        [update] = [read for read in await Pywa(world).reads(world.posts) if isinstance(read, kind)]
        if isinstance(update, updates.FlowCompletion):
            assert (update.response, update.token) == (data, "t")
        elif isinstance(update, updates.Message):
            assert update.reaction is not None
            assert update.reaction.emoji == data
        else:
            assert update.data == data

    run_scenario(scenario)


EDIT = {"original_message_id": "wamid.A", "message": {"type": "text", "text": {"body": "new"}}}
OF_NUMBER = f"/_sim/numbers/{NUMBER}"
REVOKE = {"type": "revoke", "revoke": {"original_message_id": "wamid.A"}}

EVENTS: dict[str, tuple[str, str, dict[str, Any], type, dict[str, object]]] = {
    "edit": (
        *("POST", f"/_sim/phones/{ANA}/messages", {"raw": {"type": "edit", "edit": EDIT}}),
        *(updates.EditedMessage, {"message.text": "new", "original_message_id": "wamid.A"}),
    ),
    "revoke": (
        *("POST", f"/_sim/phones/{ANA}/messages", {"raw": REVOKE}),
        *(updates.DeletedMessage, {"original_message_id": "wamid.A"}),
    ),
    "echo": (
        *("POST", f"{OF_NUMBER}/echoes", {"phone": ANA, "text": "From the phone app"}),
        *(updates.OutgoingMessage, {"text": "From the phone app"}),
    ),
    "revoked echo": (
        *("POST", f"{OF_NUMBER}/echoes", {"phone": ANA, "raw": REVOKE}),
        *(updates.OutgoingDeletedMessage, {"original_message_id": "wamid.A"}),
    ),
    "preference": (
        *("POST", f"{OF_NUMBER}/preferences", {"phone": ANA, "marketing": "stop"}),
        *(updates.UserMarketingPreferences, {"value": "stop", "category": "marketing_messages"}),
    ),
    "another number": (
        *("PUT", f"/_sim/phones/{ANA}/identity", {"phone": "5511911112222"}),
        *(updates.PhoneNumberChange, {"old_wa_id": ANA, "new_wa_id": "5511911112222"}),
    ),
    "another user id": (
        *("PUT", f"/_sim/phones/{ANA}/identity", {"user_id": "BR.new", "reports": ["system"]}),
        *(updates.PhoneNumberChange, {"old_wa_id": ANA, "new_user_id": "BR.new"}),
    ),
    "account": (
        *("POST", f"{OF_NUMBER}/account", {"event": "ACCOUNT_OFFBOARDED"}),
        *(updates.AccountUpdate, {"event": "ACCOUNT_OFFBOARDED", "timestamp": datetime.fromtimestamp(START, UTC)}),
    ),
}


@pytest.mark.parametrize("name", EVENTS)
def test_pywa_reads_what_meta_reports(name: str) -> None:
    """It has no handler for `history`, `smb_app_state_sync` and `user_id_update`."""
    method, path, body, kind, expected = EVENTS[name]

    async def scenario(world: SimulatorHarness) -> None:
        world.simulator.add_number(NUMBER, replace(CREDENTIALS, coexists=True))
        await world.write_text()
        assert (await world.client.request(method, path, json=body)).status_code in (200, 202)
        await world.simulator.idle()
        [update] = await Pywa(world).reads(world.posts)
        assert isinstance(update, kind)
        assert {path: attrgetter(path)(update) for path in expected} == expected

    run_scenario(scenario)


def test_pywa_marks_a_message_read_and_shows_typing() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        client, message = Pywa(world).client, (await world.screen())[-1]["id"]
        assert await client.mark_message_as_read(message)
        phone = world.simulator.network.phones.get(ANA)
        assert phone is not None
        assert ((await world.screen())[-1]["status"], phone.typing(world.now)) == ("read", False)
        assert await client.indicate_typing(message)
        assert phone.typing(world.now)

    run_scenario(scenario)


def test_pywa_reads_the_business_profile() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        profile = await Pywa(world).client.get_business_profile()
        assert (profile.about, profile.industry.value) == (f"Business {CREDENTIALS.display_phone_number}", "OTHER")
        path = f"/_graph/v25.0/{NUMBER}/whatsapp_business_profile"
        refused = await world.client.get(path, headers={"Authorization": "Bearer another"})
        assert refused.json()["error"]["code"] == 190
        plain = await world.client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert plain.json() == {"data": [{"messaging_product": "whatsapp"}]}

    run_scenario(scenario)


def test_a_message_to_the_user_id_reaches_the_phone_that_has_it() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write({"text": "Hi"})
        await world.simulator.idle()
        [message] = await Pywa(world).reads(world.posts)
        await Pywa(world).client.send_message(message.from_user.bsuid, "Hello")
        assert (await world.screen())[-1]["text"] == "Hello"

    run_scenario(scenario)


def test_pywa_uploads_sends_downloads_and_deletes_a_file() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await world.write_text()
        client = Pywa(world).client
        media = await client.upload_media(b"\xff\xd8jpeg", mime_type="image/jpeg", filename="a.jpg")
        await client.send_image(ANA, media)
        assert (await world.screen())[-1]["message"]["image"] == {"id": media.id}
        url = await client.get_media_url(media.id)
        assert (await client.get_media_bytes(url.url), url.mime_type) == (b"\xff\xd8jpeg", "image/jpeg")
        assert await client.delete_media(media.id)
        gone = await world.client.get(f"/_graph/v25.0/{media.id}", headers={"Authorization": f"Bearer {TOKEN}"})
        assert gone.status_code == 400
        assert json.loads(gone.content)["error"]["error_subcode"] == 33

    run_scenario(scenario)


def test_pywa_downloads_what_a_person_sent() -> None:
    picture = b"\x89PNG picture"

    async def scenario(world: SimulatorHarness) -> None:
        sent = {"type": "image", "mime_type": "image/png", "content": b64encode(picture).decode()}
        assert (await world.write({"media": sent})).status_code == 202
        await world.simulator.idle()
        pywa = Pywa(world)
        [message] = await pywa.reads(world.posts)
        assert message.image.sha256 == sha256(picture).hexdigest()
        url = await pywa.client.get_media_url(message.image.id)
        assert (url.sha256, await pywa.client.get_media_bytes(url.url)) == (message.image.sha256, picture)
        for wrong in ({"content": "?"}, {"mime_type": "video/x-msvideo"}):
            assert (await world.write({"media": sent | wrong})).json()["error"]["code"] == "bad_file"

    run_scenario(scenario)


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [(b"x" * (5 * 1024 * 1024 + 1), "image/png"), (b"MZ", "video/x-msvideo"), (b"", "image/png")],
)
def test_a_file_that_meta_would_refuse_is_refused(content: bytes, mime_type: str) -> None:
    async def scenario(world: SimulatorHarness) -> None:
        form = {"messaging_product": "whatsapp", "type": mime_type}
        for token, status in ((TOKEN, 400), ("another", 401)):
            answer = await world.client.post(
                f"/_graph/v25.0/{NUMBER}/media",
                data=form,
                files={"file": ("a", content, mime_type)},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert answer.status_code == status

    run_scenario(scenario)
