"""Templates in Meta's terms: what fits a send, which definitions break a rule, and what webhooks say."""

import json
from pathlib import Path
from typing import Any

import pytest

from pytake.whatsapp.template_changes import TemplateChange, changed_components, read_change
from pytake.whatsapp.template_rules import definition_problems
from pytake.whatsapp.templates import MessageTemplate, mismatches, read_template

PAYLOADS = Path(__file__).parent / "payloads"
Json = dict[str, Any]

HEADER = {"type": "HEADER", "format": "TEXT", "text": "Pedido {{1}}"}
BODY = {"type": "BODY", "text": "Oi {{1}}, o pedido {{2}} está pronto, {{1}}."}
IMAGE = {"type": "HEADER", "format": "IMAGE"}
URL = {"type": "URL", "text": "Ver", "url": "https://x.example/{{1}}"}
BUTTONS = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Ok"}, URL]}


def template(*components: Json, **more: Any) -> MessageTemplate:
    return MessageTemplate("order_ready", "pt_BR", components=list(components), **more)


def texts(type_: str, *values: str, **more: Any) -> Json:
    return {"type": type_, "parameters": [{"type": "text", "text": value} for value in values], **more}


def button(index: int | str, sub_type: str, **parameter: Any) -> Json:
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]}


NAMED = {"type": "BODY", "text": "Oi {{name}}, pedido {{order}}."}
BY_NAME = {
    "type": "body",
    "parameters": [
        {"type": "text", "parameter_name": "order", "text": "42"},
        {"type": "text", "parameter_name": "name", "text": "Ana"},
    ],
}
CARD: Json = {"components": [IMAGE, {"type": "BODY", "text": "{{1}}"}]}
SENT_CARD: Json = {
    "components": [{"type": "header", "parameters": [{"type": "image", "image": {"id": "9"}}]}, texts("body", "Ana")]
}
CAROUSEL: Json = {"type": "CAROUSEL", "cards": [CARD, CARD]}
OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Só hoje", "has_expiration": True}}
OTP = {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]}

FITTING: list[tuple[MessageTemplate, list[Json]]] = [
    (template({"type": "BODY", "text": "Oi"}), []),
    (template(HEADER, BODY), [texts("header", "42"), texts("BODY", "Ana", "42")]),
    (template(BODY), [{"type": "body", "parameters": [{"type": "currency"}, {"type": "date_time"}]}]),
    (template(NAMED, parameter_format="NAMED"), [BY_NAME]),
    (template(IMAGE, {"type": "BODY", "text": "Oi"}), [SENT_CARD["components"][0]]),
    (template({"type": "BODY", "text": "Oi"}, BUTTONS), [button("1", "url", type="text", text="42")]),
    (
        template({"type": "BODY", "text": "Oi"}, BUTTONS),
        [button(0, "quick_reply", type="payload", payload="p"), button(1, "URL", type="text", text="42")],
    ),
    (
        template({"type": "BODY"}, OTP, category="AUTHENTICATION"),
        [texts("body", "123"), button("0", "url", type="text", text="123")],
    ),
    (template({"type": "BODY", "text": "Oi"}, CAROUSEL), [{"type": "carousel", "cards": [SENT_CARD, SENT_CARD]}]),
    (
        template({"type": "BODY", "text": "Oi"}, OFFER),
        [{"type": "limited_time_offer", "parameters": [{"type": "limited_time_offer"}]}],
    ),
    (MessageTemplate("order_ready", "pt_BR"), [texts("body", "of a template whose components are not known")]),
]

MISFITS: list[tuple[MessageTemplate, list[Json], str, str]] = [
    (template(BODY), [], "count", "body"),
    (template(BODY), [texts("body", "Ana")], "count", "0"),
    (template(BODY), [texts("body", "Ana", "42", "x")], "count", "0"),
    (
        template(BODY),
        [{"type": "body", "parameters": [{"type": "text"}, {"type": "image"}]}],
        "format",
        "0.parameters.1",
    ),
    (template(NAMED, parameter_format="NAMED"), [texts("body", "Ana", "42")], "format", "0"),
    (template({"type": "BODY", "text": "Oi"}), [texts("header", "42")], "count", "0"),
    (template(HEADER), [], "count", "header"),
    (template(IMAGE), [], "format", "header"),
    (template(IMAGE), [texts("header", "x")], "format", "0.parameters.0"),
    (template(BUTTONS), [], "count", "buttons.1"),
    (template(BUTTONS), [button("1", "quick_reply", type="payload")], "format", "0.sub_type"),
    (template(BUTTONS), [button("1", "url", type="payload")], "format", "0.parameters.0"),
    (template(), [button("0", "url", type="text")], "count", "0.index"),
    (template({"type": "BODY"}, OTP, category="AUTHENTICATION"), [texts("body", "1")], "count", "buttons.0"),
    (template(CAROUSEL), [{"type": "carousel", "cards": [SENT_CARD]}], "count", "0.cards"),
    (
        template(CAROUSEL),
        [{"type": "carousel", "cards": [SENT_CARD, {"components": SENT_CARD["components"][:1]}]}],
        "count",
        "0.cards.1.components.body",
    ),
    (template(OFFER), [], "count", "limited_time_offer"),
    (template(), [{"type": "footer"}], "format", "0"),
]


@pytest.mark.parametrize(("known", "sent"), FITTING)
def test_a_send_that_meta_takes_fits(known: MessageTemplate, sent: list[Json]) -> None:
    assert mismatches(known, sent) == []


@pytest.mark.parametrize(("known", "sent", "kind", "field"), MISFITS)
def test_what_does_not_fit_is_told_with_its_place(
    known: MessageTemplate, sent: list[Json], kind: str, field: str
) -> None:
    assert [(found.kind, found.field) for found in mismatches(known, sent)] == [(kind, field)]


def test_a_listed_template_is_read_leniently() -> None:
    raw = {
        "id": 7,
        "name": "order_ready",
        "language": "pt-BR",
        "category": "utility",
        "status": "APPROVED",
        "parameter_format": "named",
        "components": [NAMED, 7],
        "quality_score": {"score": "GREEN"},
        "rejected_reason": "NONE",
        "of_tomorrow": {},
    }
    expected = MessageTemplate("order_ready", "pt_BR", "7", "UTILITY", "APPROVED", "NAMED", [NAMED], "GREEN")
    assert read_template(raw) == expected
    for broken in (None, {}, raw | {"name": "Order ready"}, raw | {"language": "../x"}, raw | {"name": "a\n"}):
        assert read_template(broken) is None


def definition(**change: Any) -> Json:
    body = {"type": "BODY", "text": "Oi {{1}}", "example": {"body_text": [["Ana"]]}}
    return {"name": "order_ready", "language": "pt_BR", "category": "UTILITY", "components": [body], **change}


def with_parts(*parts: Json, **change: Any) -> Json:
    return definition(components=[{"type": "BODY", "text": "Oi"}, *parts], **change)


def buttons(*found: Json) -> Json:
    return {"type": "BUTTONS", "buttons": list(found)}


REPLY, LINK = {"type": "QUICK_REPLY", "text": "Ok"}, {"type": "URL", "text": "Ver", "url": "https://x.example"}
FILE = {**IMAGE, "example": {"header_handle": ["4::abc"]}}

VALID = [
    definition(),
    with_parts({"type": "header", "format": "text", "text": "Pedido"}, {"type": "FOOTER", "text": "Loja"}),
    with_parts(FILE, buttons(REPLY, REPLY, LINK, {"type": "PHONE_NUMBER", "text": "Ligar", "phone_number": "+551140"})),
    definition(
        parameter_format="NAMED",
        components=[
            {**NAMED, "example": {"body_text_named_params": [{"param_name": "name"}, {"param_name": "order"}]}}
        ],
    ),
    with_parts(OFFER, FILE, category="MARKETING"),
    with_parts({"type": "CAROUSEL", "cards": [{"components": [FILE, {"type": "BODY", "text": "Oi"}]}] * 2}),
    definition(
        category="AUTHENTICATION",
        components=[
            {"type": "BODY", "add_security_recommendation": True},
            {"type": "FOOTER", "code_expiration_minutes": 5},
            buttons({"type": "otp", "otp_type": "copy_code"}),
        ],
        message_send_ttl_seconds=600,
    ),
]

INVALID = [
    (definition(name="Order"), "name"),
    (definition(language="português"), "language"),
    (definition(category="PROMO"), "category"),
    (definition(components=[]), "components"),
    (definition(components=[{"type": "BODY", "text": "Oi {{1}}"}]), "BODY.example"),
    (definition(components=[{"type": "BODY", "text": "Oi {{2}}", "example": {"body_text": [["a"]]}}]), "BODY.text"),
    (definition(components=[{"type": "BODY", "text": "a" * 1025}]), "BODY.text"),
    (definition(message_send_ttl_seconds=10), "message_send_ttl_seconds"),
    (definition(category="MARKETING", message_send_ttl_seconds=-1), "message_send_ttl_seconds"),
    (with_parts({"type": "BODY", "text": "twice"}), "components"),
    (with_parts({"type": "TAIL"}), "components.1.type"),
    (with_parts(IMAGE), "HEADER.example"),
    (with_parts({"type": "HEADER", "format": "SOUND"}), "HEADER.format"),
    (with_parts({"type": "FOOTER", "text": "Oi {{1}}"}), "FOOTER.text"),
    (with_parts(buttons(REPLY, LINK, REPLY)), "BUTTONS.buttons"),
    (with_parts(buttons(LINK, LINK, LINK)), "BUTTONS.buttons"),
    (with_parts(buttons({"type": "QUICK_REPLY", "text": "a" * 26})), "BUTTONS.buttons.0.text"),
    (with_parts(buttons(URL)), "BUTTONS.buttons.0.example"),
    (with_parts(buttons(URL | {"url": "https://{{1}}/x", "example": ["x"]})), "BUTTONS.buttons.0.url"),
    (with_parts(buttons({"type": "COPY_CODE", "example": "1234567890123456"})), "BUTTONS.buttons.0.example"),
    (with_parts(buttons({"type": "FLOW", "text": "Abrir"})), "BUTTONS.buttons.0.flow_id"),
    (with_parts(OFFER), "category"),
    (with_parts({"type": "CAROUSEL", "cards": [{"components": [FILE]}]}), "CAROUSEL.cards"),
    (
        with_parts({"type": "CAROUSEL", "cards": [{"components": [FILE]}, {"components": [FILE, BODY]}]}),
        "CAROUSEL.cards",
    ),
    (
        definition(category="AUTHENTICATION", components=[{"type": "BODY", "add_security_recommendation": True}]),
        "BUTTONS.buttons",
    ),
]


@pytest.mark.parametrize("valid", VALID)
def test_a_definition_by_the_rules_has_no_problem(valid: Json) -> None:
    assert definition_problems(valid) == []


@pytest.mark.parametrize(("invalid", "field"), INVALID)
def test_a_broken_rule_is_told_with_its_place(invalid: Json, field: str) -> None:
    assert field in [place for place, _ in definition_problems(invalid)]


def change_of(name: str) -> TemplateChange | None:
    (change,) = json.loads((PAYLOADS / f"{name}.json").read_bytes())["entry"][0]["changes"]
    return read_change(change["value"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("template_paused", {"status": "PAUSED", "title": "FIRST_PAUSE", "category": "UTILITY"}),
        ("template_unpaused", {"status": "APPROVED", "title": "UNPAUSE", "category": "UTILITY"}),
        ("template_disabled", {"status": "DISABLED", "title": "DISABLED"}),
        ("template_rejected", {"status": "REJECTED", "reason": "INVALID_FORMAT"}),
        ("template_quality", {"quality": "YELLOW"}),
        ("template_quality_named_as_status", {"quality": "RED"}),
        ("template_category_announced", {"category": "UTILITY", "next_category": "MARKETING"}),
        ("template_category_changed", {"category": "MARKETING"}),
    ],
)
def test_a_webhook_says_what_changed(name: str, said: Json) -> None:
    assert change_of(name) == TemplateChange("order_ready", "pt_BR", "594425479261596", **said)


@pytest.mark.parametrize("value", [None, [], {}, {"message_template_name": "x", "message_template_language": "pt_BR"}])
def test_a_webhook_that_says_nothing_of_a_template_is_left(value: Any) -> None:
    assert read_change(value) is None


def test_changed_texts_keep_what_the_webhook_does_not_name() -> None:
    change = change_of("template_components")
    assert change is not None
    assert change.texts is not None
    known = [IMAGE, BODY, {"type": "BUTTONS", "buttons": [{**URL, "example": ["x"]}]}]
    header, body, footer, changed = changed_components(known, change.texts)
    assert (header["format"], header["text"]) == ("TEXT", "Pedido")
    assert body["text"] == "Oi {{name}}, o pedido {{order}} saiu."
    assert footer == {"type": "FOOTER", "text": "Loja"}
    assert changed["buttons"] == [{**URL, "example": ["x"]}]
    kept, body = changed_components([IMAGE, BODY, {"type": "FOOTER"}], {"message_template_element": "Oi"})
    assert (kept, body["text"]) == (IMAGE, "Oi")
