"""Every type of message, from Meta's webhook to its variable and the answer."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from pytake.conversation.records import TurnRecord
from pytake.engine import State
from tests.conversation.product import NUMBER, PHONE, Product
from tests.engine.conversations import document, node

PAYLOADS = Path(__file__).parents[1] / "whatsapp" / "payloads"
END = node("end", "end", message="Thank you.")


def sent(name: str) -> dict[str, Any]:
    """A message as Meta's documentation or a real webhook shows it."""
    body = json.loads((PAYLOADS / f"{name}.json").read_bytes())
    message: dict[str, Any] = body["entry"][0]["changes"][0]["value"]["messages"][0]
    return {key: value for key, value in message.items() if key not in ("from", "id", "timestamp")}


def asking(kind: str | None = None, **data: Any) -> Product:
    """A product whose bot waits for an answer."""
    validation = {"type": kind, "error_message": "Not that."} if kind else None
    product = Product()
    ask = node("ask", "question", question="Well?", variable="v", validation=validation, next_node_id="note", **data)
    note = node("note", "question", question="Noted.", variable="w", next_node_id="end")
    product.add_organization("acme", NUMBER, document(ask, note, END))
    product.say("hi")
    return product


def answer(product: Product, content: dict[str, Any]) -> TurnRecord:
    """The turn of a message."""
    message = {**product.message(""), "type": None, **content}
    message.pop("text", None)
    if "text" in content:
        message["text"] = content["text"]
    product.post(product.notification(message))
    (record,) = product.run_queues()
    return record


def variables(product: Product) -> dict[str, Any]:
    session = product.conversations.stored[product.key()].session
    return State.decode(session.state).variables if session is not None and session.state is not None else {}


def texts(product: Product, since: int = 1) -> list[str]:
    return [
        payload["text"]["body"] if payload["type"] == "text" else payload["interactive"]["body"]["text"]
        for payload in product.graph.sent[since:]
    ]


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("image", {"type": "image"}),
        ("video", {"type": "video"}),
        ("audio_voice", {"type": "audio"}),
        ("document", {"type": "document"}),
        ("sticker", {"type": "sticker"}),
    ],
)
def test_media_answers_a_media_question_with_its_id_type_and_caption(name: str, stored: dict[str, Any]) -> None:
    product = asking("media")
    content = sent(name)
    record = answer(product, content)
    meta = content[content["type"]]
    expected = {"id": meta["id"], "mime_type": meta["mime_type"], **stored}
    expected |= {part: meta[part] for part in ("caption", "filename") if meta.get(part)}
    assert variables(product)["v"] == expected
    assert (record.node_id, record.input.type, texts(product)) == ("note", "media", ["Noted."])


def test_media_is_no_answer_to_a_question_for_text() -> None:
    product = asking("text")
    record = answer(product, sent("image"))
    assert ([step.exit for step in record.path], texts(product)) == (["invalid"], ["Not that."])
    assert "v" not in variables(product)


@pytest.mark.parametrize("name", ["location", "location_without_name"])
def test_a_place_answers_a_location_question(name: str) -> None:
    product = asking("location")
    content = sent(name)
    answer(product, content)
    found = {part: value for part, value in content["location"].items() if part in variables(product)["v"]}
    assert variables(product)["v"] == found
    assert {"latitude", "longitude"} <= found.keys()
    assert product.graph.sent[0]["interactive"]["type"] == "location_request_message"


def test_a_form_answers_the_node_that_sent_it() -> None:
    product = Product()
    form = node(
        "form", "whatsapp_flow", flow_id="77", cta="Open", text="Fill this in.", variable="v", next_node_id="note"
    )
    note = node("note", "question", question="{{v.name}}, {{v.age}}", variable="w", next_node_id="end")
    product.add_organization("acme", NUMBER, document(form, note, END))
    product.say("hi")
    token = product.graph.sent[0]["interactive"]["action"]["parameters"]["flow_token"]
    old = sent("form")  # opened from a message of long ago
    assert [step.exit for step in answer(product, old).path] == ["invalid"]
    new = copy.deepcopy(old)
    filled = {"flow_token": token, "name": "João", "age": 34}
    new["interactive"]["nfm_reply"]["response_json"] = json.dumps(filled)
    answer(product, new)
    assert variables(product)["v"] == {"name": "João", "age": 34}
    assert texts(product)[-1] == "João, 34"


@pytest.mark.parametrize("name", ["form_response_is_no_json", "form_response_is_a_list"])
def test_a_form_that_cannot_be_read_is_still_an_answer_to_anything(name: str) -> None:
    product = asking("any")
    answer(product, sent(name))
    assert isinstance(variables(product)["v"], dict)


@pytest.mark.parametrize("name", ["template_quick_reply", "template_quick_reply_without_context"])
def test_the_quick_reply_of_a_template_answers(name: str) -> None:
    content = sent(name)
    payload = content["button"]["payload"] = f"QUIET-{content['button']['payload']}"
    buttons = [{"label": "Confirmar", "value": payload, "next_node_id": "end"}, {"label": "Não", "value": "no"}]
    product = asking(buttons=buttons)
    record = answer(product, content)
    assert (record.path[0].exit, texts(product)) == (f"button:{payload}", ["Thank you."])
    free = asking("any")
    answer(free, content)
    assert variables(free)["v"] == payload


def test_the_quick_reply_of_a_template_that_says_stop_opts_out() -> None:
    product = asking("any")
    answer(product, sent("template_quick_reply_without_context"))
    assert product.conversations.stored[product.key()].opted_out


def test_the_quick_reply_of_a_campaign_opens_a_conversation_and_chooses_its_flow() -> None:
    product = Product()
    product.publish("acme", document(node("hi", "message", text="Other.", next_node_id="end"), END, id="other"))
    confirm = document(node("e", "end", message="Confirmed: {{input.reply_id}}"), id="confirm")
    product.publish("acme", confirm)
    product.add_organization("acme", NUMBER, document(END, id="main"), keywords={"confirmar": "confirm"})
    answer(product, sent("template_quick_reply"))
    assert texts(product, since=0) == ["Confirmed: CONFIRM-2231"]


@pytest.mark.parametrize(("name", "field"), [("button_reply", "button_reply"), ("list_reply", "list_reply")])
def test_taps_answer_by_their_id(name: str, field: str) -> None:
    content = sent(name)
    reply = content["interactive"][field]
    product = asking(buttons=[{"label": "One", "value": reply["id"]}, {"label": "Two", "value": "2"}])
    answer(product, content)
    assert variables(product)["v"] == reply["id"]


def test_a_tap_on_an_older_message_is_told_so_and_asked_again() -> None:
    product = asking("text")
    record = answer(product, sent("button_reply"))
    assert [event.type for event in record.events] == ["stale_reply"]
    assert texts(product) == ["That option is no longer available.\n\nWell?"]


@pytest.mark.parametrize("name", ["contacts", "order"])
def test_contacts_and_orders_answer_where_anything_does(name: str) -> None:
    product = asking("any")
    content = sent(name)
    answer(product, content)
    assert variables(product)["v"] == content[name]


def test_an_order_becomes_variables() -> None:
    product = asking("order")
    record = answer(product, sent("text"))
    assert [step.exit for step in record.path] == ["invalid"]
    record = answer(product, sent("order"))
    assert variables(product)["v"] == {
        "catalog_id": "194836987003835",
        "note": "Sem cebola",
        "items": [
            {"product_retailer_id": "di9ozbzfi4", "quantity": 2, "price": 30, "currency": "BRL", "total": 60},
        ],
        "count": 2,
        "totals": {"BRL": 60},
        "currency": "BRL",
        "total": 60,
    }
    assert record.node_id == "note"


def test_contacts_become_variables() -> None:
    product = asking("contacts")
    answer(product, sent("contacts"))
    assert {"name", "phones", "emails", "organization"} == variables(product)["v"][0].keys()


def test_a_flow_quotes_the_message_of_the_person_and_reacts_to_it() -> None:
    product = Product()
    react = node("react", "message", reaction={"emoji": "👍"}, next_node_id="quote")
    quote = node("quote", "message", text="Noted.", reply_to="{{input.message_id}}", next_node_id="end")
    product.add_organization("acme", NUMBER, document(react, quote, node("end", "end")))
    record = answer(product, sent("text"))
    first, second = product.graph.sent
    assert first["reaction"] == {"message_id": record.message_id, "emoji": "👍"}
    assert second["context"] == {"message_id": record.message_id}


SILENT = ["reaction", "reaction_removed", "edit", "revoke", "system_number_changed", "call_permission_reply"]


@pytest.mark.parametrize("name", SILENT)
def test_what_is_no_answer_is_recorded_and_changes_nothing(name: str) -> None:
    product = asking("text")
    content = sent(name)
    record = answer(product, content)
    assert (record.status, record.message_type, record.path) == ("recorded", content["type"], [])
    assert texts(product) == []
    assert product.say("Ana") == ["Noted."]
    session = product.conversations.turns(product.key())[0].session_id
    assert record.session_id == session  # it is part of the conversation


@pytest.mark.parametrize("name", SILENT)
def test_what_is_no_answer_opens_no_conversation(name: str) -> None:
    product = Product()
    product.add_organization("acme", NUMBER, document(END))
    assert answer(product, sent(name)).session_id == ""
    assert product.graph.sent == []


def test_an_edit_is_kept_with_its_new_words() -> None:
    product = asking("text")
    record = answer(product, sent("edit"))
    assert (record.input.type, record.input.text) == ("edit", "Quis dizer sim")
    assert record.input.payload["original_message_id"] == "wamid.OLD"


@pytest.mark.parametrize("name", ["unsupported", "unknown_type", "interactive_unknown"])
def test_what_nobody_can_read_is_asked_for_again(name: str) -> None:
    product = asking("text")
    record = answer(product, sent(name))
    assert ([step.exit for step in record.path], texts(product)) == (["invalid"], ["Not that."])


def test_the_product_answers_media_with_media() -> None:
    product = Product()
    picture = {"type": "image", "link": "https://x.io/map.png"}
    ask = node("ask", "question", question="Photo?", variable="v", validation={"type": "media"}, next_node_id="back")
    back = node(
        "back", "message", text="Yours: {{v.caption}}", media={"type": "image", "id": "{{v.id}}"}, next_node_id="map"
    )
    product.add_organization(
        "acme", NUMBER, document(ask, back, node("map", "message", media=picture, next_node_id="end"), END)
    )
    product.say("hi")
    answer(product, sent("image"))
    image = sent("image")["image"]
    assert [payload["type"] for payload in product.graph.sent[1:]] == ["image", "image", "text"]
    assert product.graph.sent[1]["image"] == {"id": image["id"], "caption": f"Yours: {image['caption']}"}
    assert product.graph.sent[2]["image"] == {"link": "https://x.io/map.png"}
    assert product.graph.sent[1]["to"] == f"+{PHONE}"
