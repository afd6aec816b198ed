"""Messages as a phone shows them."""

from datetime import UTC
from time import process_time
from typing import Any

import pytest

from local.console.bubbles import Choice, Media, as_html, clock_time, first_unsettled, phone_bubble, transcript_bubble
from local.graph_phones import Phone, ScreenEntry


def received(payload: dict[str, Any], status: str = "delivered") -> dict[str, Any]:
    """What the simulator's phone shows of a message that the business sent."""
    phone = Phone("5511999990001")
    entry = phone.add_outbound("wamid.1", payload, "100", 1_700_000_000)
    entry.status = status
    return as_json(entry)


def wrote(message: dict[str, Any], status: str = "sent") -> dict[str, Any]:
    entry = Phone("5511999990001").add_inbound({"id": "wamid.2", **message}, "100", 1_700_000_000)
    entry.status = status
    return as_json(entry)


def as_json(entry: ScreenEntry) -> dict[str, Any]:
    import msgspec

    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(entry))
    return found


def test_what_the_person_wrote_is_on_their_right_with_ticks() -> None:
    bubble = phone_bubble(wrote({"type": "text", "text": {"body": "Oi"}}, "read"))
    assert (bubble.mine, bubble.speaker, bubble.text, bubble.ticks) == (True, "user", "Oi", "read")
    assert phone_bubble(wrote({"type": "text", "text": {"body": "Oi"}})).ticks == "sent"


def test_what_the_business_sent_is_on_the_left_without_ticks() -> None:
    bubble = phone_bubble(received({"type": "text", "text": {"body": "Olá"}}))
    assert (bubble.mine, bubble.text, bubble.ticks) == (False, "Olá", "")


def interactive(kind: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": "Choose"}, "action": action, **more}}


def test_reply_buttons_can_be_tapped() -> None:
    action = {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]}
    more = {"header": {"type": "text", "text": "Head"}, "footer": {"text": "Foot"}}
    bubble = phone_bubble(received(interactive("button", action, **more)))
    assert bubble.buttons == (Choice("y", "Yes"),)
    assert (bubble.header, bubble.text, bubble.footer) == ("Head", "Choose", "Foot")


def test_a_picture_above_the_buttons_is_shown_as_a_picture() -> None:
    header = {"type": "image", "image": {"link": "https://example.com/a/sun.jpg"}}
    bubble = phone_bubble(received(interactive("button", {"buttons": []}, header=header)))
    assert bubble.media == Media("image", "sun.jpg", "https://example.com/a/sun.jpg")


def test_a_list_opens_with_its_rows() -> None:
    rows = [{"id": "a", "title": "A", "description": "first"}, {"id": "b", "title": "B"}]
    action = {"button": "Options", "sections": [{"rows": rows[:1]}, {"rows": rows[1:]}]}
    bubble = phone_bubble(received(interactive("list", action)))
    assert bubble.menu == "Options"
    assert bubble.rows == (Choice("a", "A", "first"), Choice("b", "B"))
    assert bubble.buttons == ()


def test_a_link_a_place_and_a_form_have_a_button_each() -> None:
    link = {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://example.com"}}
    assert phone_bubble(received(interactive("cta_url", link))).link == ("Open", "https://example.com")
    assert phone_bubble(received(interactive("location_request_message", {"name": "send_location"}))).asks == "location"
    form = phone_bubble(received(interactive("flow", {"name": "flow", "parameters": {"flow_cta": "Fill in"}})))
    assert (form.asks, form.asks_label) == ("form", "Fill in")


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_files_are_named_in_both_directions(kind: str) -> None:
    sent = phone_bubble(received({"type": kind, kind: {"link": "https://example.com/x.bin", "caption": "See"}}))
    assert (sent.media, sent.text) == (Media(kind, "x.bin", "https://example.com/x.bin"), "See")
    got = phone_bubble(wrote({"type": kind, kind: {"id": "1", "mime_type": "a/b"}}))
    assert got.media == Media(kind, "a/b")


def test_a_place_is_named_or_given_as_numbers() -> None:
    named = {"type": "location", "location": {"latitude": 1.5, "longitude": 2, "name": "Home", "address": "Street 1"}}
    assert phone_bubble(wrote(named)).media == Media("location", "Home, Street 1")
    assert phone_bubble(wrote({"type": "location", "location": {"latitude": 1.5, "longitude": 2}})).media == Media(
        "location", "1.5, 2"
    )


def said(**more: Any) -> dict[str, Any]:
    message = {
        "speaker": "bot",
        "text": "Hi",
        "timestamp": "2026-01-02T03:04:05Z",
        "type": "text",
        "options": [],
        "turn": 3,
    }
    return {**message, "flow_id": "f", "node_id": "n", "delivery": "read", **more}


def test_a_transcript_is_seen_from_the_agents_side() -> None:
    def node(flow_id: str | None, node_id: str | None) -> str:
        return f"{flow_id}/{node_id}"

    bot = transcript_bubble(said(options=["Yes"]), 1, node)
    assert (bot.key, bot.mine, bot.ticks, bot.note, bot.problem) == ("3-1", True, "read", "f/n", "")
    assert bot.buttons == (Choice("Yes", "Yes"),)
    person = transcript_bubble(said(speaker="user", delivery=None), 0, node)
    assert (person.mine, person.ticks) == (False, "")


@pytest.mark.parametrize(
    ("delivery", "ticks"),
    [
        ("queued", "waiting"),
        ("deferred", "waiting"),
        ("accepted", "sent"),
        ("delivered", "delivered"),
        ("dead", "failed"),
    ],
)
def test_the_ticks_tell_how_far_a_message_came(delivery: str, ticks: str) -> None:
    assert transcript_bubble(said(delivery=delivery), 0, lambda *_: "").ticks == ticks


def test_why_a_message_did_not_arrive_is_told() -> None:
    failed = transcript_bubble(said(delivery="failed", error_code=131047, reason="window"), 0, lambda *_: "")
    assert (failed.ticks, failed.problem) == ("failed", "window:131047")
    named = said(delivery="failed", error_code=131047, reason="window_closed:131047")
    assert transcript_bubble(named, 0, lambda *_: "").problem == "window_closed:131047"
    assert transcript_bubble(said(delivery="dead", reason=None, error_code=None), 0, lambda *_: "").problem == "dead"


def test_only_what_may_still_change_is_asked_for_again() -> None:
    def entry(seq: int, status: str) -> dict[str, Any]:
        return {"seq": seq, "status": status}

    assert first_unsettled([]) == 0
    assert first_unsettled([entry(1, "read"), entry(2, "failed")]) == 2
    assert first_unsettled([entry(1, "read"), entry(2, "delivered"), entry(3, "read")]) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*bold* and _italic_ and ~gone~", "<b>bold</b> and <i>italic</i> and <s>gone</s>"),
        ("2 * 3 * 4, snake_case_name", "2 * 3 * 4, snake_case_name"),
        ("line\nbreak", "line<br>break"),
        ("```*code* <b>```", "<code>*code* &lt;b&gt;</code>"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        (
            "see https://example.com/a?b=1&c=2.",
            'see <a href="https://example.com/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">'
            "https://example.com/a?b=1&amp;c=2</a>.",
        ),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ('https://e.com/"onclick="x', None),
    ],
)
def test_texts_are_safe_and_marked_as_whatsapp_marks_them(text: str, shown: str | None) -> None:
    html = as_html(text)
    if shown is not None:
        assert html == shown
    assert '"onclick' not in html


def test_the_time_is_the_phones_own() -> None:
    assert clock_time(1_700_000_000, UTC) == "22:13"


@pytest.mark.parametrize("text", ["*a " * 20_000, "_a " * 20_000, "~a " * 20_000, "*a *a" * 10_000, "```" * 20_000])
def test_marks_take_a_time_that_grows_with_the_text_only(text: str) -> None:
    """A search that looks for each mark's partner to the end took a minute for such a text."""
    began = process_time()
    as_html(text)
    assert process_time() - began < 5
