"""The simulated Graph API rejects each violated limit and accepts everything that the product sends."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.graph_errors import GraphApiError
from local.graph_phones import Phone
from local.graph_rules import check_message, recipient_of
from pytake.whatsapp.graph import message_payload
from tests.local.simulator_harness import SimulatorHarness, buttons, interactive, options, run_scenario, text
from tests.whatsapp.graph_cases import CASES

Json = dict[str, Any]


def refusal(message: Json) -> GraphApiError:
    with pytest.raises(GraphApiError) as caught:
        check_message({"messaging_product": "whatsapp", "to": "+5511987654321", **message})
    return caught.value


@pytest.mark.parametrize("message", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_what_the_product_sends_is_taken(message: Any) -> None:
    check_message(message_payload(message, "5511987654321", "x" * 512))


def cta(**parameters: Any) -> Json:
    action = {"name": "cta_url", "parameters": {"display_text": "Abrir", "url": "https://example.com", **parameters}}
    return interactive({"type": "cta_url", "body": {"text": "Veja"}, "action": action})


def flow(**parameters: Any) -> Json:
    known = {"flow_message_version": "3", "flow_id": "9", "flow_cta": "Abrir", "flow_token": "t", **parameters}
    action = {"name": "flow", "parameters": {key: value for key, value in known.items() if value is not None}}
    return interactive({"type": "flow", "body": {"text": "Veja"}, "action": action})


def with_part(message: Json, **parts: Any) -> Json:
    return interactive({**message["interactive"], **parts})


def template(*components: Json, **more: Any) -> Json:
    content = {"name": "reminder", "language": {"code": "pt_BR"}, "components": list(components), **more}
    return {"type": "template", "template": content}


ROW = {"id": "a", "title": "A"}
YES = ("yes", "Sim")

AT_THE_LIMIT: list[Json] = [
    text("x" * 4096),
    buttons(("i" * 256, "t" * 20), ("b", "B"), ("c", "C"), body="x" * 1024),
    with_part(buttons(YES), header={"type": "text", "text": "h" * 60}, footer={"text": "f" * 60}),
    options(*({"id": f"{n}" * 20, "title": "t" * 24, "description": "d" * 72} for n in range(10))),
    with_part(options({"id": "r" * 200, "title": "A"}), body={"text": "x" * 4096}),
    cta(display_text="x" * 20),
    flow(flow_cta="x" * 20),
    {"type": "image", "image": {"link": "https://example.com/a.jpg", "caption": "c" * 1024}},
    {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": ""}},
    {"type": "location", "location": {"latitude": -23.5, "longitude": -46.6, "name": "Sé"}},
    {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ana"}, "phones": [{"phone": "+55"}]}]},
    {**text(), "context": {"message_id": "wamid.1"}},
]


@pytest.mark.parametrize("message", AT_THE_LIMIT)
def test_a_message_at_the_limit_is_taken(message: Json) -> None:
    check_message({"messaging_product": "whatsapp", "to": "+5511987654321", **message})


VIDEO: Json = {"type": "video", "video": {"link": "https://example.com/a.mp4"}}
CARD: Json = {
    "card_index": 0,
    "type": "cta_url",
    "header": {"type": "image", "image": {"link": "https://example.com/a.jpg"}},
    "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://example.com"}},
}


REPLY = {"type": "quick_reply", "quick_reply": {"id": "a", "title": "A"}}
REPLIES_CARD = {
    "card_index": 0,
    "type": "cta_url",
    "header": {"type": "image", "image": {"id": "1"}},
    "action": {"buttons": [REPLY]},
}


def carousel(*cards: Json) -> Json:
    return interactive({"type": "carousel", "body": {"text": "a"}, "action": {"cards": list(cards)}})


def section(products: int, title: str | None = "New") -> Json:
    items = [{"product_retailer_id": f"sku{number}"} for number in range(products)]
    return {"product_items": items} | ({"title": title} if title else {})


def product(kind: str, action: Json, header: Json | None = {"type": "text", "text": "Products"}) -> Json:  # noqa: B006
    return interactive({"type": kind, "body": {"text": "a"}, "action": action} | ({"header": header} if header else {}))


REFUSED: list[tuple[Json, int, str]] = [
    (text("x" * 4097), 131009, "text.body"),
    (text(""), 131009, "text.body"),
    (text("  \n"), 131009, "text.body"),
    ({"type": "text"}, 131008, "text"),
    ({"type": "text", "text": "Oi"}, 100, "text"),
    ({"type": "text", "text": {"body": 7}}, 100, "text.body"),
    ({"type": "text", "text": {"body": "a", "preview_url": "yes"}}, 100, "preview_url"),
    ({"type": "text", "text": {"body": "a", "colour": "red"}}, 100, "colour"),
    ({**text(), "biz_opaque_callback_data": "x" * 513}, 131009, "biz_opaque_callback_data"),
    ({**text(), "recipient_type": "group"}, 131009, "recipient_type"),
    ({**text(), "priority": 1}, 100, "priority"),
    ({"type": "hologram", "hologram": {}}, 100, "type"),
    ({"type": ["text"]}, 100, "type"),
    (buttons(*((str(n), str(n)) for n in range(4))), 131009, "buttons"),
    (buttons(), 131009, "buttons"),
    (buttons(("a", "t" * 21)), 131009, "title"),
    (buttons(("i" * 257, "A")), 131009, "id"),
    (buttons(("a", "")), 131009, "title"),
    (buttons(("a", "A"), ("a", "B")), 131009, "Duplicated id"),
    (buttons(("a", "A"), ("b", "A")), 131009, "Duplicated title"),
    (buttons(YES, body="x" * 1025), 131009, "interactive.body.text"),
    (with_part(buttons(YES), footer={"text": "f" * 61}), 131009, "footer"),
    (with_part(buttons(YES), header={"type": "text", "text": "h" * 61}), 131009, "header"),
    (with_part(buttons(YES), header={"type": "sticker", "sticker": {"id": "1"}}), 131009, "header.type"),
    (with_part(buttons(YES), header={"type": "image", "image": {"id": "1", "filename": "a"}}), 100, "filename"),
    (interactive({"type": "button", "action": {"buttons": []}}), 131008, "body"),
    (interactive({"type": "address_message", "body": {"text": "a"}, "action": {}}), 100, "interactive['type']"),
    (interactive({"type": "carousel", "body": {"text": "a"}, "action": {"cards": [CARD]}}), 131009, "cards"),
    (carousel(CARD, {**CARD, "card_index": 2}), 131009, "cards[1].card_index"),
    (carousel(CARD, {**CARD, "card_index": 1, "header": VIDEO}), 131009, "same header"),
    (carousel(REPLIES_CARD, {**REPLIES_CARD, "card_index": 1, "action": {"buttons": [REPLY, REPLY]}}), 131009, "same"),
    (carousel(CARD, {**CARD, "card_index": 1, "body": {"text": "b" * 161}}), 131009, "cards[1].body.text"),
    (carousel(CARD, {**CARD, "card_index": 1, "body": {"text": "1\n2\n3\n4"}}), 131009, "line breaks"),
    (product("product", {"catalog_id": "7"}), 131008, "product_retailer_id"),
    (product("product_list", {"catalog_id": "7", "sections": [section(1)]}, header=None), 131008, "header"),
    (product("product_list", {"catalog_id": "7", "sections": [section(31)]}), 131009, "product count"),
    (product("product_list", {"catalog_id": "7", "sections": [section(1)] * 11}), 131009, "sections"),
    (product("product_list", {"catalog_id": "7", "sections": [section(1, None)] * 2}), 131008, "title"),
    (product("catalog_message", {"name": "catalog"}), 131009, "name"),
    (product("request_contact_info", {"name": "request_contact_info"}), 100, "header"),
    (options(*({"id": f"{n}", "title": "A"} for n in range(11))), 131009, "row count"),
    (options(), 131009, "rows"),
    (options({"id": "a", "title": "t" * 25}), 131009, "title"),
    (options({"id": "i" * 201, "title": "A"}), 131009, "id"),
    (options({"id": "a", "title": "A", "description": "d" * 73}), 131009, "description"),
    (options(ROW, ROW), 131009, "Duplicated id"),
    (options(ROW, header={"type": "image", "image": {"id": "1"}}), 131009, "header.type"),
    (with_part(options(ROW), action={"button": "b" * 21, "sections": [{"rows": [ROW]}]}), 131009, "button"),
    (with_part(options(ROW), action={"sections": [{"rows": [ROW]}]}), 131008, "button"),
    (with_part(options(ROW), action={"button": "b", "sections": [{"rows": [ROW]}] * 2}), 131008, "title"),
    (with_part(options(ROW), body={"text": "x" * 4097}), 131009, "body"),
    (cta(display_text="x" * 21), 131009, "display_text"),
    (cta(url="ftp://example.com"), 131009, "url"),
    (cta(url=None), 131008, "url"),
    (with_part(cta(), action={"name": "cta", "parameters": {}}), 131009, "action.name"),
    (
        interactive({"type": "location_request_message", "body": {"text": "a"}, "action": {"name": "send"}}),
        131009,
        "action",
    ),
    (
        interactive(
            {
                "type": "location_request_message",
                "body": {"text": "a"},
                "footer": {"text": "b"},
                "action": {"name": "send_location"},
            }
        ),
        100,
        "footer",
    ),
    (flow(flow_message_version="2"), 131009, "flow_message_version"),
    (flow(flow_id=None), 100, "flow_id"),
    (flow(flow_cta="x" * 21), 131009, "flow_cta"),
    (flow(flow_action="jump"), 131009, "flow_action"),
    (flow(flow_action_payload={"screen": "A", "data": {}}), 131009, "data"),
    (template(name="Olá"), 132001, "name"),
    (template(name=None), 131008, "name"),
    (template(language={}), 131008, "language.code"),
    (template({"type": "side"}), 131009, "type"),
    (template({"type": "button", "index": 0}), 131008, "sub_type"),
    (template({"type": "button", "sub_type": "url", "index": 11}), 131009, "index"),
    (template({"type": "body", "parameters": [{"type": "text", "text": "a\nb"}]}), 132018, "new-line"),
    ({"type": "image", "image": {"link": "https://a.example/b", "id": "1"}}, 100, "exactly one"),
    ({"type": "image", "image": {}}, 100, "exactly one"),
    ({"type": "image", "image": {"link": "not a link"}}, 131009, "link"),
    ({"type": "image", "image": {"id": "1", "caption": "c" * 1025}}, 131009, "caption"),
    ({"type": "audio", "audio": {"id": "1", "caption": "c"}}, 100, "caption"),
    ({"type": "sticker", "sticker": {"id": "1", "caption": "c"}}, 100, "caption"),
    ({"type": "video", "video": {"id": "1", "filename": "c"}}, 100, "filename"),
    ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, 131009, "latitude"),
    ({"type": "location", "location": {"latitude": "north", "longitude": 0}}, 131009, "latitude"),
    ({"type": "location", "location": {"latitude": 1}}, 131008, "longitude"),
    ({"type": "contacts", "contacts": []}, 131009, "contacts"),
    ({"type": "contacts", "contacts": [{"name": {}}]}, 131008, "formatted_name"),
    ({"type": "reaction", "reaction": {"message_id": "wamid.1"}}, 131008, "emoji"),
    ({"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "ok"}}, 131009, "one emoji"),
    (
        {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": ""}, "context": {"message_id": "wamid.2"}},
        100,
        "no context",
    ),
]


@pytest.mark.parametrize(("message", "code", "named"), REFUSED)
def test_a_message_over_a_limit_is_refused_and_says_why(message: Json, code: int, named: str) -> None:
    refused = refusal(message)
    assert refused.code == code
    assert named in refused.details


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({}, 131008),
        ({"to": "+55 11 98765-4321"}, 131009),
        ({"to": "+123"}, 131009),
        ({"to": 5511987654321}, 131009),
        ({"recipient": "ana"}, 131009),
        ({"to": "++5511987654321"}, 131009),
    ],
)
def test_a_recipient_is_a_phone_number_or_a_user_id(payload: Json, code: int) -> None:
    with pytest.raises(GraphApiError) as caught:
        recipient_of(payload)
    assert caught.value.code == code


def test_a_recipient_is_known_by_digits_or_by_its_user_id() -> None:
    assert recipient_of({"to": "+5511987654321"}) == "5511987654321"
    assert recipient_of({"to": "5511987654321", "recipient": "BR.1A2B"}) == "5511987654321"
    assert recipient_of({"recipient": "BR.1A2B"}) == "BR.1A2B"
    assert recipient_of({"recipient": "BR.ENT.1A2B"}) == "BR.ENT.1A2B"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"to": "+5511987654321", **text()}, 100),
        ({"messaging_product": "sms", "to": "+5511987654321", **text()}, 100),
        (["a list"], 100),
        ({"messaging_product": "whatsapp", "status": "delivered", "message_id": "wamid.1"}, 131009),
        ({"messaging_product": "whatsapp", "status": "read"}, 131008),
        (
            {
                "messaging_product": "whatsapp",
                "status": "read",
                "message_id": "wamid.1",
                "typing_indicator": {"type": "voice"},
            },
            131009,
        ),
        ({"messaging_product": "whatsapp", "to": "+551140000001", **text()}, 131021),
    ],
)
def test_a_refusal_is_answered_in_metas_words(payload: Any, code: int) -> None:
    async def scenario(world: SimulatorHarness) -> None:
        answer = await world.graph(payload)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
        assert answer.json()["error"]["error_data"]["details"]

    run_scenario(scenario)


ANYTHING: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({}) | st.just([{}])
)


@st.composite
def spoiled(draw: st.DrawFn) -> Json:
    """A message of the product with one changed value."""
    payload = copy.deepcopy(message_payload(draw(st.sampled_from(CASES))[1], "5511987654321", "turn-1:0"))
    found: Any = payload
    while True:
        key = draw(st.sampled_from(sorted(found) if isinstance(found, dict) else range(len(found))))
        if not isinstance(found[key], dict | list) or not found[key] or draw(st.booleans()):
            found[key] = draw(ANYTHING)
            return payload
        found = found[key]


@settings(deadline=None)
@given(spoiled())
def test_a_spoiled_message_is_refused_or_can_be_shown(payload: Json) -> None:
    try:
        recipient_of(payload)
        check_message(payload)
    except GraphApiError:
        return
    entry = Phone("5511987654321").add_outbound("wamid.1", payload, "1", 0.0)
    assert isinstance(entry.text, str)
