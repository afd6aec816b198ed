"""What arrives from Meta: one fixture per payload the provider can send, all in Meta's own escaping."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytake.whatsapp.inbound import Change, IncomingMessage, NotJsonError, NotWhatsAppError, read_notification
from pytake.whatsapp.input import Input, InputLocation, InputMedia
from pytake.whatsapp.message_input import FORM_TEXT, read_input, takes_turn

PAYLOADS = Path(__file__).parent / "payloads"
NUMBER = "106540352242922"
BSUID = "BR.1A2B3C4D5E6F7G8H9I"

# Fixture: what the person said, without Meta's own payload, and whether the bot answers.
ANSWERS: dict[str, tuple[Input, bool]] = {
    "text": (Input("text", "Olá! Quero saber o preço 😀"), True),
    "text_forwarded_with_context": (Input("text", "Este aqui"), True),
    "text_from_an_ad": (Input("text", "Vi o anúncio"), True),
    "text_in_a_group": (Input("text", "Oi pessoal"), True),
    "image": (
        Input(
            "media",
            "Meu comprovante",
            media=InputMedia("1003383421387256", "image", "image/jpeg", "Meu comprovante"),
        ),
        True,
    ),
    "video": (Input("media", media=InputMedia("1003383421387257", "video", "video/mp4")), True),
    "audio_voice": (Input("media", media=InputMedia("1003383421387258", "audio", "audio/ogg; codecs=opus")), True),
    "document": (
        Input(
            "media",
            "Contrato assinado",
            media=InputMedia("1003383421387259", "document", "application/pdf", "Contrato assinado", "contrato.pdf"),
        ),
        True,
    ),
    "sticker": (Input("media", media=InputMedia("1003383421387260", "sticker", "image/webp")), True),
    "location": (
        Input(
            "location",
            "Praça da Sé, São Paulo, SP",
            location=InputLocation(-23.55052, -46.633308, "Praça da Sé", "São Paulo, SP"),
        ),
        True,
    ),
    "location_without_name": (
        Input("location", "-23.55052,-46.633308", location=InputLocation(-23.55052, -46.633308)),
        True,
    ),
    "contacts": (Input("contacts", "Maria Souza, Pedro"), True),
    "button_reply": (Input("reply", "Falar com vendas", reply_id="sales"), True),
    "list_reply": (Input("reply", "Plano Pro", reply_id="plan_pro"), True),
    "form": (Input("form", "Sent", response={"flow_token": "token-1", "name": "João", "age": 34}), True),
    "form_response_is_a_list": (Input("form", "Sent", response={FORM_TEXT: "[1, 2]"}), True),
    "form_response_is_no_json": (Input("form", "Sent", response={FORM_TEXT: "João, Rua A"}), True),
    "call_permission_reply": (Input("call_permission", "accept"), False),
    "interactive_unknown": (Input("unknown", "Card 2"), True),
    "template_quick_reply": (Input("reply", "Confirmar", reply_id="CONFIRM-2231", is_template_reply=True), True),
    "template_quick_reply_without_context": (
        Input("reply", "Parar promoções", reply_id="STOP", is_template_reply=True),
        True,
    ),
    "reaction": (Input("reaction", "👍"), False),
    "reaction_removed": (Input("reaction"), False),
    "order": (Input("order", "Sem cebola"), True),
    "system_number_changed": (Input("system", "User João changed from 5511987654321 to 5521987654321"), False),
    "system_user_id_changed": (Input("system", "User João changed"), False),
    "edit": (Input("edit", "Quis dizer sim"), False),
    "revoke": (Input("revoke"), False),
    "unsupported": (Input("unsupported"), True),
    "unavailable_of_a_companion": (Input("unsupported"), True),
    "unknown_type": (Input("unknown"), True),
    "hidden_number": (Input("text", "Não mostro meu número"), True),
}


def changes_of(name: str) -> list[Change]:
    notification = read_notification((PAYLOADS / f"{name}.json").read_bytes())
    assert notification.problems == []
    return notification.changes


def change_of(name: str) -> Change:
    (change,) = changes_of(name)
    return change


def message_of(name: str) -> IncomingMessage:
    change = change_of(name)
    assert change.problems == []
    (message,) = change.messages
    return message


def post(value: Any, field: Any = "messages") -> bytes:
    document = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"value": value, "field": field}]}],
    }
    return json.dumps(document).encode()


def received(message: Any) -> bytes:
    return post({"metadata": {"phone_number_id": NUMBER}, "messages": [message]})


@pytest.mark.parametrize("name", ANSWERS)
def test_what_the_person_said(name: str) -> None:
    expected, answered = ANSWERS[name]
    answer = read_input(message_of(name).raw)
    assert (answer.type, answer.text, answer.reply_id) == (expected.type, expected.text, expected.reply_id)
    assert (answer.media, answer.location, answer.response) == (expected.media, expected.location, expected.response)
    assert takes_turn(answer.type) is answered


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
def test_every_payload_is_read_without_losing_its_raw_message(path: Path) -> None:
    document = json.loads(path.read_bytes())
    values = [change["value"] for entry in document["entry"] for change in entry["changes"]]
    for value, change in zip(values, read_notification(path.read_bytes()).changes, strict=True):
        for message in change.messages:
            assert message.raw in value.get("messages", []) or change.field == "user_id_update"


def test_a_message_knows_its_number_its_sender_and_its_time() -> None:
    message = message_of("text")
    assert message.phone_number_id == NUMBER
    assert (message.contact_id, message.phone, message.user_id) == ("5511987654321", "+5511987654321", None)
    assert (message.profile_name, message.type, message.timestamp) == ("João Silva", "text", 1794000000)


def test_the_content_of_the_provider_is_kept() -> None:
    assert read_input(message_of("order").raw).payload["product_items"][0]["quantity"] == 2
    assert read_input(message_of("reaction").raw).payload == {"message_id": "wamid.OFFER", "emoji": "👍"}
    assert read_input(message_of("unsupported").raw).payload["errors"][0]["code"] == 131051
    assert read_input(message_of("unknown_type").raw).payload["hologram"] == {"depth": 3}
    assert len(read_input(message_of("contacts").raw).payload) == 3


def test_a_sender_who_hides_the_number_is_known_by_the_business_scoped_id() -> None:
    message = message_of("hidden_number")
    assert (message.contact_id, message.phone, message.user_id) == (BSUID, None, BSUID)
    assert message.profile_name == "Ana"


def test_a_message_that_names_no_sender_is_of_the_one_hidden_contact() -> None:
    assert message_of("hidden_number_known_by_its_contact").contact_id == BSUID


def test_a_message_that_names_no_sender_is_never_given_to_a_contact_with_a_number() -> None:
    change = change_of("one_good_message_among_broken_ones")
    assert [message.id for message in change.messages] == ["wamid.GOOD"]


def test_the_phone_is_the_contact_where_both_ids_are_given() -> None:
    message = message_of("phone_and_user_id")
    assert (message.contact_id, message.user_id) == ("5511987654321", BSUID)


def test_a_changed_user_id_is_told_about_the_id_it_was() -> None:
    assert message_of("system_user_id_changed").contact_id == BSUID
    assert message_of("system_number_changed").contact_id == "5511987654321"


@pytest.mark.parametrize("name", ["user_id_update", "user_id_update_with_phone"])
def test_the_field_user_id_update_is_read_like_the_system_message(name: str) -> None:
    message = message_of(name)
    assert (message.contact_id, message.type) == (BSUID, "system")
    system = message.raw["system"]
    assert (system["type"], system["previous_user_id"], system["user_id"]) == ("user_changed_user_id", BSUID, "BR.NEW1")
    assert message_of(name).id == message.id, "a repeated post has the same id"
    assert change_of(name).others == []


@pytest.mark.parametrize("update", [{"user_id": "BR.NEW1"}, {"user_id": {"current": "BR.NEW1"}}, {}, "x", None])
def test_an_update_that_does_not_say_whose_id_changed_is_kept(update: Any) -> None:
    value = {"metadata": {"phone_number_id": NUMBER}, "user_id_update": [update]}
    (change,) = read_notification(post(value, "user_id_update")).changes
    assert (change.messages, change.others) == ([], [{"field": "user_id_update", "value": value}])


def test_ids_and_the_username_stand_beside_the_phone() -> None:
    for name, phone in (("hidden_number_with_parent", None), ("phone_parent_and_user_id", "+5511987654321")):
        message = message_of(name)
        assert (message.phone, message.user_id, message.parent_user_id) == (phone, BSUID, "BR.ENT.9B")
        assert message.username == "ana.s", "Meta's examples have it with and without @"


def test_contacts_are_matched_by_id_not_by_position() -> None:
    names = {message.id: message.profile_name for message in change_of("contacts_in_another_order").messages}
    assert names == {"wamid.A": "João Silva", "wamid.B": "Bill"}


def test_timestamps_come_in_seconds_milliseconds_and_numbers() -> None:
    times = {message.id: message.timestamp for message in change_of("timestamps").messages}
    assert times == {"wamid.MS": 1794000000, "wamid.NUM": 1794000000, "wamid.BAD": 0, "wamid.NONE": 0}


def test_every_change_goes_to_its_own_number() -> None:
    first, second, third = changes_of("several_numbers_and_accounts")
    assert [(m.id, m.phone_number_id) for m in first.messages] == [("wamid.N1", NUMBER)]
    assert [(m.id, m.phone_number_id) for m in second.messages] == [("wamid.N2", "106540352242923")]
    assert [status["status"] for status in second.statuses] == ["read"]
    assert (third.account_id, third.statuses[0]["id"]) == ("102290129340399", "wamid.OUT2")


def test_one_broken_part_never_costs_the_others() -> None:
    change = change_of("one_good_message_among_broken_ones")
    assert [message.id for message in change.messages] == ["wamid.GOOD"]
    assert change.messages[0].profile_name == "João Silva"
    assert [status["id"] for status in change.statuses] == ["wamid.S"]
    assert len(change.problems) == 7
    assert "messages[1] (wamid.NOFROM) has no sender" in change.problems


def test_statuses_are_kept_as_they_came() -> None:
    change = change_of("statuses")
    assert [status["status"] for status in change.statuses] == ["sent", "delivered", "read", "played"]
    assert {status["biz_opaque_callback_data"] for status in change.statuses} == {"turn-7:0"}
    assert change_of("status_failed").statuses[0]["errors"][0]["code"] == 131047
    assert change_of("status_failed_template_paused").statuses[0]["errors"][0]["code"] == 132015
    assert change_of("status_of_a_hidden_number").statuses[0]["recipient_user_id"] == BSUID


@pytest.mark.parametrize(
    "name",
    [
        "account_update",
        "calls",
        "field_of_tomorrow",
        "message_template_status_update",
        "messaging_handovers",
        "smb_message_echoes",
        "standby_field",
        "business_username_update",
    ],
)
def test_other_fields_are_kept_and_never_answered_or_settled(name: str) -> None:
    document = json.loads((PAYLOADS / f"{name}.json").read_bytes())
    (raw,) = document["entry"][0]["changes"]
    change = change_of(name)
    assert (change.messages, change.statuses, change.problems) == ([], [], [])
    assert change.others == [raw]


def test_standby_copies_inside_messages_are_observed_and_never_answered() -> None:
    change = change_of("standby_inside_messages")
    assert change.messages == []
    assert change.others[0]["field"] == "standby"
    assert change.others[0]["value"][0]["text"] == {"body": "para o outro app"}


def test_errors_and_unknown_keys_of_a_value_are_kept() -> None:
    (errors,) = change_of("errors_on_the_value").others
    assert (errors["field"], errors["value"][0]["code"]) == ("errors", 130429)
    tomorrow = change_of("value_of_tomorrow")
    assert tomorrow.others == [{"field": "moods", "value": ["happy"]}]
    assert tomorrow.messages[0].raw["mood"] == "happy"


def test_messages_without_a_receiving_number_are_a_problem() -> None:
    (change,) = read_notification(post({"messages": [{"id": "wamid.1", "from": "551"}]})).changes
    assert change.messages == []
    assert change.problems == ["1 message(s) without metadata.phone_number_id"]


@pytest.mark.parametrize("body", [b"", b"hello", b"\xff\xfe", b'{"object":', b'{"a": NaN}', b"[" * 50_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(NotJsonError):
        read_notification(body)


@pytest.mark.parametrize("body", [b"null", b"[]", b"{}", b'"x"', b'{"object": "page", "entry": []}'])
def test_what_is_not_whatsapp_is_refused(body: bytes) -> None:
    with pytest.raises(NotWhatsAppError):
        read_notification(body)


def test_a_text_cut_inside_an_emoji_costs_only_that_character() -> None:
    body = received({"id": "wamid.1", "from": "551", "type": "text", "text": {"body": "oi \ud83d"}})
    (message,) = read_notification(body).changes[0].messages
    assert read_input(message.raw).text == "oi ?"


def test_a_whole_post_of_a_thousand_updates_is_read() -> None:
    messages = [{"id": f"wamid.{n}", "from": str(5511900000000 + n), "type": "text"} for n in range(1000)]
    contacts = [{"wa_id": str(5511900000000 + n), "profile": {"name": f"P{n}"}} for n in reversed(range(1000))]
    body = post({"metadata": {"phone_number_id": NUMBER}, "contacts": contacts, "messages": messages})
    (change,) = read_notification(body).changes
    assert [message.profile_name for message in change.messages] == [f"P{n}" for n in range(1000)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        "text",
        "image",
        "audio",
        "location",
        "contacts",
        "interactive",
        "button",
        "reaction",
        "order",
        "system",
        "edit",
        "revoke",
        "unsupported",
        "x",
    ]
)
KEYS = st.sampled_from(
    [
        "body",
        "id",
        "title",
        "type",
        "payload",
        "text",
        "latitude",
        "longitude",
        "name",
        "button_reply",
        "list_reply",
        "nfm_reply",
        "response_json",
        "message",
    ]
)
CONTENT = JSON | st.recursive(
    JSON | KINDS,
    lambda inner: st.dictionaries(KEYS, inner | KINDS, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=12,
)


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(KINDS)
    identity = {"id": "wamid.1", "from": "551", "type": kind, kind: draw(CONTENT)}
    return identity | draw(
        st.dictionaries(st.sampled_from(["id", "from", "timestamp", "type", "text"]), JSON, max_size=2)
    )


@settings(deadline=None)
@given(JSON | st.fixed_dictionaries({"object": st.just("whatsapp_business_account"), "entry": JSON}))
def test_no_json_raises_anything_but_not_whatsapp(document: Any) -> None:
    try:
        read_notification(json.dumps(document).encode())
    except NotWhatsAppError:
        assert not isinstance(document, dict) or document.get("object") != "whatsapp_business_account"


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["metadata", "contacts", "messages", "statuses", "standby"]), JSON), JSON)
def test_no_value_of_a_change_raises(value: Any, field: Any) -> None:
    read_notification(post(value, field))
    read_notification(post(value))


@settings(deadline=None)
@given(st.lists(messages() | JSON, max_size=4), JSON)
def test_no_message_raises_and_every_message_is_read_or_is_a_problem(found: list[Any], contacts: Any) -> None:
    body = post({"metadata": {"phone_number_id": NUMBER}, "contacts": contacts, "messages": found})
    (change,) = read_notification(body).changes
    assert len(change.messages) + sum(p.startswith("messages[") for p in change.problems) == len(found)
    for message in change.messages:
        assert message.id
        assert message.contact_id
        assert isinstance(read_input(message.raw).text, str)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_the_two_refusals(body: bytes) -> None:
    with pytest.raises((NotJsonError, NotWhatsAppError)):
        read_notification(body)
