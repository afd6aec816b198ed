"""Whatever a person writes, the message that a flow builds from it is one that Meta takes, or an event says what was left out."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytake.engine.sending import web_address
from pytake.engine.template_parameters import UnusableParameterError, sendable_components
from pytake.whatsapp.outbound import Media, Text
from tests.depth import share
from tests.engine.conversations import Talk, document, flow_of, node, texts
from tests.engine.meta_limits import assert_sendable

END = node("e", "end")
SAID = "{{input.text}}"
LINK = "https://example.com/a.png"
CARDS = [{"media": {"type": "image", "link": LINK}, "cta_url": {"label": "Go", "url": LINK}} for _ in range(2)]


def message(**data: Any) -> dict[str, Any]:
    return node("m", "message", **data, next_node_id="e")


def buttons(**fields: Any) -> list[dict[str, Any]]:
    return [{"label": "One", "value": "1"}, {"label": "Two", "value": "2", **fields}]


def card(**fields: Any) -> list[dict[str, Any]]:
    return [{**CARDS[0], **fields}, CARDS[1]]


def template(kind: str, *parameters: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return node(
        "m",
        "template",
        name="reminder",
        language="en",
        components=[{"type": kind, "parameters": list(parameters), **fields}],
        next_node_id="e",
    )


def options(**fields: Any) -> dict[str, Any]:
    return {"list": "rows", "label": "{{item}}", **fields}


NODES: dict[str, dict[str, Any]] = {
    "text": message(text=SAID),
    "media link": message(text="Look:", media={"type": "image", "link": SAID}),
    "media id": message(text="Look:", media={"type": "image", "id": SAID}),
    "media id over options": message(text="Look:", media={"type": "image", "id": SAID}, buttons=buttons()),
    "media caption": message(media={"type": "image", "link": LINK, "caption": SAID}),
    "file name": message(media={"type": "document", "link": LINK, "filename": SAID}),
    "file name over options": message(
        text="?", media={"type": "document", "link": LINK, "filename": SAID}, buttons=buttons()
    ),
    "header": message(text="?", header=SAID, footer=SAID, buttons=buttons()),
    "header of a text": message(text="Hello", header=SAID, footer=SAID),
    "button": message(text="?", buttons=buttons(label=SAID)),
    "body over buttons": message(text=SAID, buttons=buttons()),
    "row": message(
        text=SAID, list_button=SAID, buttons=[{**one, "section": SAID} for one in buttons(label=SAID, description=SAID)]
    ),
    "link": message(text=SAID, cta_url={"label": SAID, "url": SAID}, header=SAID, footer=SAID),
    "part of a link": message(text="Look:", cta_url={"label": "Go", "url": "https://example.com/" + SAID}),
    "location request": message(text=SAID, location_request=True, header=SAID),
    "contact request": message(text=SAID, contact_request=True),
    "location": message(location={"latitude": SAID, "longitude": SAID}),
    "location name": message(location={"latitude": 1, "longitude": 2, "name": SAID, "address": SAID}),
    "contact": message(contacts=[{"name": SAID}]),
    "contact details": message(
        contacts=[{"name": "Ana", "phones": [SAID], "emails": [SAID], "urls": [SAID], "organization": SAID}]
    ),
    "product": message(text=SAID, product={"catalog_id": SAID, "product_retailer_id": SAID}, footer=SAID),
    "products": message(
        text=SAID,
        header=SAID,
        products={"catalog_id": "1", "sections": [{"product_retailer_ids": [SAID, "2"], "title": SAID}] * 2},
    ),
    "catalog": message(text=SAID, catalog={"thumbnail": SAID}, footer=SAID),
    "carousel": message(text=SAID, carousel=CARDS),
    "card text": message(text="Look:", carousel=card(text=SAID)),
    "card link": message(text="Look:", carousel=card(cta_url={"label": SAID, "url": LINK})),
    "card file": message(text="Look:", carousel=card(media={"type": "image", "id": SAID})),
    "card product": message(
        text="Look:",
        carousel=[{"product": {"catalog_id": "1", "product_retailer_id": one}} for one in (SAID, "2")],
    ),
    "card catalog": message(
        text="Look:",
        carousel=[{"product": {"catalog_id": SAID, "product_retailer_id": one}} for one in ("1", "2")],
    ),
    "card buttons": message(
        text="Look:",
        carousel=[
            {"media": CARDS[0]["media"], "buttons": [{"label": SAID, "value": str(index)}]} for index in range(2)
        ],
    ),
    "reply": message(text="Yes", reply_to=SAID),
    "reaction": message(reaction={"emoji": "👍", "message_id": SAID}),
    "question": node("m", "question", question=SAID, variable="v", header=SAID, footer=SAID, next_node_id="e"),
    "options": node(
        "m",
        "question",
        question=SAID,
        variable="v",
        options_from=options(description="{{item}}", section="{{item}}"),
        multiple={"done_label": SAID},
        next_node_id="e",
    ),
    "options with values": node(
        "m",
        "question",
        question="?",
        variable="v",
        options_from=options(label="{{item}} {{item}}", value="{{item}}"),
        next_node_id="e",
    ),
    "form": node(
        "m",
        "whatsapp_flow",
        flow_id="1",
        cta=SAID,
        variable="v",
        text=SAID,
        header=SAID,
        footer=SAID,
        screen="A",
        data={"said": SAID},
        next_node_id="e",
    ),
    "template body": template("body", {"type": "text", "text": SAID}),
    "template header": template("header", {"type": "text", "text": SAID}),
    "template link": template("button", {"type": "text", "text": SAID}, sub_type="url", index=0),
    "template payload": template("button", {"type": "payload", "payload": SAID}, sub_type="quick_reply", index=0),
    "template code": template("button", {"type": "coupon_code", "coupon_code": SAID}, sub_type="copy_code", index=0),
    "template file": template("header", {"type": "document", "document": {"link": SAID, "filename": SAID}}),
    "template image": template("header", {"type": "image", "image": {"id": SAID}}),
    "template amount": template(
        "body", {"type": "currency", "currency": {"fallback_value": SAID, "code": "BRL", "amount_1000": SAID}}
    ),
    "template place": template(
        "header",
        {"type": "location", "location": {"latitude": "1", "longitude": "2", "name": SAID, "address": SAID}},
    ),
    "handoff": node("m", "handoff", message=SAID),
    "end": node("m", "end", message=SAID),
}
"""A node with what the person wrote in each field that takes an expression."""

ODD = [
    "",
    " ",
    "\n",
    "a\nb\tc",
    "a     b",
    "\x00",
    "\x1b[31m\x07",
    "\ud800",
    "a\udfffb",
    "\u200b",
    "\u2028",
    "\ufffe\uffff",
    "👍" * 3000,
    "x" * 20_000,
    "x " * 3000,
    "1" * 400,
    "https://",
    "https://example.com/" + "a" * 3000,
    "https://example.com/a b",
    "http:// example.com",
    "1e999",
    "nan",
    "-",
]
WRITTEN = st.text(max_size=40) | st.sampled_from(ODD) | st.text(st.characters(), max_size=5).map(lambda one: one * 300)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("a  report\nof\tMay.pdf", "a report of May.pdf"),
        ("x" * 300 + ".pdf", "x" * 235 + "….pdf"),
        ("x. " + "y" * 300, "x. " + "y" * 236 + "…"),
    ],
)
def test_the_name_of_a_file_keeps_its_ending(written: str, sent: str) -> None:
    (message,) = Talk(flow_of(document(NODES["file name"], END))).say(written).messages
    assert isinstance(message, Media)
    assert message.filename == sent


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://example.com/a b?c=\n", "https://example.com/a%20b?c="),
        ("https://example.com?q=a\tb", "https://example.com?q=a%09b"),
        ("HTTPS://Example.com/á", "https://Example.com/á"),
        ("https://exam ple.com/", None),
    ],
)
def test_white_space_in_a_link_is_encoded(written: str, url: str | None) -> None:
    assert web_address(written) == url


def test_a_sentence_is_not_the_id_of_a_message_or_a_file() -> None:
    """Meta refuses the whole message for an id that it did not give."""
    reply = Talk(flow_of(document(NODES["reply"], END)))
    assert [getattr(message, "reply_to", None) for message in reply.say("wamid.HBg=").messages] == ["wamid.HBg="]
    assert [getattr(message, "reply_to", None) for message in reply.say("the last one").messages] == [None]
    for name, reported in (("reaction", "content_missing"), ("media id", "address_missing")):
        turn = Talk(flow_of(document(NODES[name], END))).say("the last one")
        assert reported in {event.type for event in turn.events}
        assert all(isinstance(message, Text) for message in turn.messages)


@pytest.mark.parametrize(
    ("parameter", "sent"),
    [
        ({"type": "text", "text": "Ana\n \tMaria     Silva  e    Souza"}, "Ana Maria Silva  e    Souza"),
        ({"type": "text", "text": "x" * 1025}, "x" * 1023 + "…"),
        ({"type": "text", "text": " \n"}, None),
        ({"type": "payload", "payload": "x" * 129}, None),
        ({"type": "coupon_code", "coupon_code": "SAVE10"}, "SAVE10"),
        ({"type": "coupon_code", "coupon_code": "x" * 21}, None),
    ],
)
def test_a_parameter_of_a_template_becomes_what_meta_takes_or_is_refused(
    parameter: dict[str, Any], sent: str | None
) -> None:
    for components in ([part := {"type": "body", "parameters": [parameter]}], [{"cards": [{"components": [part]}]}]):
        if sent is None:
            with pytest.raises(UnusableParameterError, match=parameter["type"]):
                sendable_components(components)
        else:
            assert json.dumps(sent) in json.dumps(sendable_components(components))


def test_a_template_with_an_empty_parameter_is_left_out_and_reported() -> None:
    """The flow goes on, and the place is named. Meta would refuse the whole message."""
    turn = Talk(flow_of(document(NODES["template body"], node("e", "end", message="Bye")))).say(" ")
    assert texts(turn) == ["Bye"]
    field = "components[0].parameters[0].text"
    assert [event.data for event in turn.events if event.type == "content_missing"] == [
        {"node_id": "m", "field": field}
    ]


@pytest.mark.parametrize("name", NODES)
def test_what_people_write_never_makes_a_message_undeliverable(name: str) -> None:
    rows = node("rows", "set_variable", variable="rows", value=[SAID, "b", f"{SAID} b"], next_node_id="m")
    flow = flow_of(document(rows, NODES[name], END))

    @settings(max_examples=share(200), deadline=None)
    @given(WRITTEN)
    def say(written: str) -> None:
        talk = Talk(flow)
        turn = talk.say(written)
        for message in turn.messages:
            assert_sendable(message)
        assert turn.status != "failed"
        reported = {event.type for event in turn.events} & {"content_missing", "address_missing", "value_too_large"}
        assert turn.messages or reported or not written.strip()

    for one in ODD:
        say = example(one)(say)
    say()
