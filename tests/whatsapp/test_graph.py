"""The exact requests that Meta gets."""

from typing import Any

import pytest

from pytake.whatsapp.graph import message_payload, read_receipt_payload
from pytake.whatsapp.outbound import (
    OutboundMessage,
    Text,
)
from tests.whatsapp.graph_cases import CASES


@pytest.mark.parametrize(("message", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_message_becomes_metas_request(message: OutboundMessage, expected: dict[str, Any]) -> None:
    assert message_payload(message, "5511987654321", "turn-7:0") == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+5511987654321",
        "biz_opaque_callback_data": "turn-7:0",
        **expected,
    }


def test_a_phone_is_written_to_with_a_plus_and_a_hidden_number_by_its_id() -> None:
    assert message_payload(Text("Oi"), "+5511987654321", "c")["to"] == "+5511987654321"
    hidden = message_payload(Text("Oi"), "BR.1A2B", "c")
    assert hidden["recipient"] == "BR.1A2B"
    assert "to" not in hidden


def test_callback_data_is_never_cut() -> None:
    assert message_payload(Text("Oi"), "551", "x" * 512)["biz_opaque_callback_data"] == "x" * 512
    with pytest.raises(ValueError, match="513"):
        message_payload(Text("Oi"), "551", "x" * 513)
    with pytest.raises(ValueError, match="a recipient"):
        message_payload(Text("Oi"), "", "x")


def test_a_read_tick_may_come_with_a_typing_indicator() -> None:
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"}
    assert read_receipt_payload("wamid.1") == read
    assert read_receipt_payload("wamid.1", typing=True) == {**read, "typing_indicator": {"type": "text"}}
