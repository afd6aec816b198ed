"""The ids of library files in messages, and nothing that only looks like one."""

from typing import Any

import msgspec
import pytest

from pytake.whatsapp.library_files import with_meta_ids
from pytake.whatsapp.outbound import (
    Button,
    Card,
    Carousel,
    CtaUrl,
    Media,
    MediaHeader,
    OutboundMessage,
    ReplyButtons,
    Template,
    Text,
)

FILE = f"file-{'0' * 32}"
HEADER = MediaHeader("image", id=FILE)
BUTTONS = [Button(FILE, FILE)]
PARAMETER = {"type": "image", "image": {"id": FILE}}


@pytest.mark.parametrize(
    ("message", "place"),
    [
        (Media("image", id=FILE, caption=FILE), ["id"]),
        (ReplyButtons("Hi", BUTTONS, header=HEADER), ["header", "id"]),
        (CtaUrl("Hi", "Open", "https://x.io", header=HEADER), ["header", "id"]),
        (
            Carousel("Hi", [Card(MediaHeader("image", id="1")), Card(HEADER, buttons=BUTTONS)]),
            ["cards", 1, "header", "id"],
        ),
        (
            Template("a", "en", [{"type": "header", "parameters": [PARAMETER]}]),
            ["components", 0, "parameters", 0, "image", "id"],
        ),
        (
            Template("a", "en", [{"type": "carousel", "cards": [{"components": [{"parameters": [PARAMETER]}]}]}]),
            ["components", 0, "cards", 0, "components", 0, "parameters", 0, "image", "id"],
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_the_id_of_the_file_is_replaced(message: OutboundMessage, place: list[Any]) -> None:
    before = msgspec.to_builtins(message)
    sent = with_meta_ids(message, {FILE: "meta-1"}.__getitem__)
    expected = msgspec.to_builtins(message)
    inner = expected
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = "meta-1"
    assert (msgspec.to_builtins(sent), msgspec.to_builtins(message)) == (expected, before)


@pytest.mark.parametrize(
    "message",
    [
        Text(FILE),
        Media("image", id="1234567890"),
        Media("image", link=f"https://x.io/{FILE}"),
        ReplyButtons("Hi", BUTTONS, header=FILE),
        ReplyButtons("Hi", BUTTONS),
        CtaUrl("Hi", "Open", "https://x.io", header=MediaHeader("image", id="1")),
        Carousel("Hi", [Card(MediaHeader("image", id="1"), buttons=BUTTONS), Card(product_retailer_id=FILE)]),
        Template("a", "en", [{"type": "body", "parameters": [{"type": "text", "text": FILE}]}]),
        Template("a", "en", [{"type": "button", "parameters": [{"type": "payload", "payload": FILE}]}, "odd"]),  # type: ignore[list-item]
        Template("a", "en"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_message_without_library_files_stays_as_it_is(message: OutboundMessage) -> None:
    assert with_meta_ids(message, {}.__getitem__) is message
