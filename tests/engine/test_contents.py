"""What a message can hold besides text, files and options: limits, conflicts, quoting."""

from typing import Any

import pytest

from pytake.engine import Turn, validate
from pytake.engine.problems import Problem
from pytake.whatsapp.outbound import LocationRequest, ReplyButtons, Text
from tests.engine.conversations import Talk, document, flow_of, node

END = node("end", "end")
PRODUCT = {"catalog_id": "7", "product_retailer_id": "sku1"}
IMAGE = {"type": "image", "id": "1"}
LINK = {"label": "Open", "url": "https://example.com"}
CARD = {"media": IMAGE, "cta_url": LINK}


def problems(**data: Any) -> list[tuple[str, str | None]]:
    found: list[Problem] = validate({"main": document(node("m", "message", **data, next_node_id="end"), END)}, "main")
    return [(problem.code, problem.field) for problem in found if problem.severity == "error"]


def sections(*titles: str | None, products: int = 1) -> dict[str, Any]:
    ids = [f"sku{index}" for index in range(products)]
    return {"catalog_id": "7", "sections": [{"title": title, "product_retailer_ids": ids} for title in titles]}


def options(*values: str, **more: Any) -> dict[str, Any]:
    return {"media": IMAGE, "buttons": [{"label": f"{value[:18]}!", "value": value, **more} for value in values]}


WRONG_AND_RIGHT: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("invalid_value", "reaction.emoji", {"reaction": {"emoji": "ok"}}, {"reaction": {"emoji": "1️⃣"}}),
    ("conflicting_fields", "reply_to", {"reaction": {"emoji": "👍"}, "reply_to": "w"}, {"text": "T", "reply_to": "w"}),
    (
        "invalid_value",
        "location.latitude",
        {"location": {"latitude": 90.1, "longitude": 0}},
        {"location": {"latitude": "-90", "longitude": 180}},
    ),
    (
        "invalid_value",
        "location.longitude",
        {"location": {"latitude": 0, "longitude": "far"}},
        {"location": {"latitude": 0, "longitude": -180}},
    ),
    ("invalid_value", "contacts[0].name", {"contacts": [{"name": " "}]}, {"contacts": [{"name": "Ana"}]}),
    ("too_many", "contacts", {"contacts": [{"name": "A"}] * 258}, {"contacts": [{"name": "A"}] * 257}),
    ("conflicting_fields", "product", {"product": PRODUCT, "catalog": {}, "text": "T"}, {"product": PRODUCT}),
    (
        "invalid_value",
        "product.catalog_id",
        {"product": {**PRODUCT, "catalog_id": ""}},
        {"product": PRODUCT, "text": "T"},
    ),
    ("missing_field", "text", {"catalog": {"thumbnail": "sku1"}}, {"catalog": {"thumbnail": "sku1"}, "text": "T"}),
    (
        "missing_field",
        "header",
        {"products": sections("A"), "text": "T"},
        {"products": sections(None), "text": "T", "header": "H"},
    ),
    (
        "missing_field",
        "products.sections[1].title",
        {"products": sections("A", None), "text": "T", "header": "H"},
        {"products": sections("A", "B"), "text": "T", "header": "H"},
    ),
    (
        "too_many",
        "products.sections",
        {"products": sections("A", products=31), "text": "T", "header": "H"},
        {"products": sections("A", products=30), "text": "T", "header": "H"},
    ),
    (
        "too_many",
        "products.sections",
        {"products": sections(*"ABCDEFGHIJK"), "text": "T", "header": "H"},
        {"products": sections(*"ABCDEFGHIJ"), "text": "T", "header": "H"},
    ),
    (
        "too_long",
        "products.sections[0].title",
        {"products": sections("A" * 25), "text": "T", "header": "H"},
        {"products": sections("A" * 24), "text": "T", "header": "H"},
    ),
    ("missing_field", "carousel", {"carousel": [CARD], "text": "T"}, {"carousel": [CARD, CARD], "text": "T"}),
    ("too_many", "carousel", {"carousel": [CARD] * 11, "text": "T"}, {"carousel": [CARD] * 10, "text": "T"}),
    (
        "conflicting_fields",
        "carousel",
        {"carousel": [CARD, options("a")], "text": "T"},
        {"carousel": [options("a"), options("b")], "text": "T"},
    ),
    (
        "conflicting_fields",
        "carousel",
        {"carousel": [options("a"), options("b", "c")], "text": "T"},
        {"carousel": [options("a", "d"), options("b", "c")], "text": "T"},
    ),
    (
        "conflicting_fields",
        "carousel[0]",
        {"carousel": [{**CARD, "product": PRODUCT}, {"product": PRODUCT}], "text": "T"},
        {"carousel": [{"product": PRODUCT}, {"product": PRODUCT}], "text": "T"},
    ),
    (
        "invalid_value",
        "carousel[0].media",
        {"carousel": [{"media": {"type": "audio", "id": "1"}, "cta_url": LINK}] * 2, "text": "T"},
        {"carousel": [{"media": {"type": "video", "id": "1"}, "cta_url": LINK}] * 2, "text": "T"},
    ),
    (
        "too_long",
        "carousel[0].text",
        {"carousel": [{**CARD, "text": "1\n2\n3\n4"}, CARD], "text": "T"},
        {"carousel": [{**CARD, "text": "1\n2\n3"}, CARD], "text": "T"},
    ),
    (
        "too_long",
        "carousel[0].text",
        {"carousel": [{**CARD, "text": "b" * 161}, CARD], "text": "T"},
        {"carousel": [{**CARD, "text": "b" * 160}, CARD], "text": "T"},
    ),
    (
        "too_many",
        "carousel[0].buttons",
        {"carousel": [options(*"abcd"), options(*"efgh")], "text": "T"},
        {"carousel": [options(*"abc"), options(*"efg")], "text": "T"},
    ),
    (
        "duplicate_value",
        "carousel",
        {"carousel": [options("a"), options("a")], "text": "T"},
        {"carousel": [options("a"), options("b")], "text": "T"},
    ),
    (
        "conflicting_fields",
        "carousel[0].buttons[0].section",
        {"carousel": [options("a", section="S"), options("b")], "text": "T"},
        {"carousel": [options("a"), options("b")], "text": "T", "variable": "plan"},
    ),
    (
        "missing_field",
        "buttons",
        {"carousel": [CARD, CARD], "text": "T", "variable": "plan"},
        {"carousel": [options("a"), options("b")], "text": "T", "variable": "plan"},
    ),
]


@pytest.mark.parametrize(("code", "field", "wrong", "right"), WRONG_AND_RIGHT)
def test_a_content_beyond_metas_limits_is_an_error(
    code: str, field: str, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    assert (code, field) in problems(**wrong)
    assert problems(**right) == []


def after(*nodes: dict[str, Any], merge_texts: bool = True) -> Turn:
    following = [one["id"] for one in nodes[1:]] + ["end"]
    linked = [
        {**one, "data": {**one["data"], "next_node_id": next_}} for one, next_ in zip(nodes, following, strict=True)
    ]
    return Talk(flow_of(document(*linked, END, merge_texts=merge_texts))).say("hi")


QUOTE = node("quote", "message", text="Noted.", reply_to="{{input.message_id}}")


def test_a_text_after_a_reply_is_merged_into_it() -> None:
    turn = after(node("a", "message", text="Hello."), QUOTE, node("b", "message", text="Bye."))
    assert turn.messages == [Text("Hello."), Text("Noted.\n\nBye.", reply_to="wamid.1")]


def test_a_reply_is_not_drawn_into_the_next_message() -> None:
    turn = after(QUOTE, node("b", "message", text="Where?", location_request=True))
    assert turn.messages == [Text("Noted.", reply_to="wamid.1"), LocationRequest("Where?")]


def test_options_quote_a_message_without_merging() -> None:
    buttons = [{"label": "Yes"}]
    ask = node("ask", "message", text="Really?", reply_to="{{input.message_id}}", buttons=buttons)
    sent = after(ask, merge_texts=False).messages
    assert [type(message) for message in sent] == [ReplyButtons]
    assert getattr(sent[0], "reply_to", None) == "wamid.1"


@pytest.mark.parametrize("quoted", ["{{missing}}", "w" * 513])
def test_a_reply_to_an_unusable_id_quotes_nothing(quoted: str) -> None:
    turn = after(node("a", "message", text="Hello.", reply_to=quoted))
    assert turn.messages == [Text("Hello.")]
