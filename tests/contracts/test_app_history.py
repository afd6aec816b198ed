"""The contract of the `AppHistory` port."""

from typing import Any

import pytest

from pytake.aws.app_history import DynamoAppHistory
from pytake.aws.erasure import DynamoErasure
from pytake.aws.event_log import DynamoEventLog
from pytake.aws.table import Table
from pytake.conversation.history_messages import HistoryMessage
from pytake.conversation.records import ConversationKey
from pytake.whatsapp.input import InputMedia
from tests import fakes
from tests.table import kept

DAY = 86_400
ANA = ConversationKey("acme", "100000000000001", "5511999999999")
OTHER = ConversationKey("acme", "100000000000002", "5511999999999")


@pytest.fixture(params=["fake", "aws"])
def history(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> Any:
    if request.param == "fake":
        return fakes.MemoryAppHistory(clock)
    return DynamoAppHistory(request.getfixturevalue("table"), kept(), clock)


def message(number: int, at: float, **more: Any) -> HistoryMessage:
    return HistoryMessage(f"wamid.{number}", at, by_business=False, type="text", text=f"said {number}", **more)


def test_messages_come_back_by_their_times_once(history: Any, clock: fakes.FrozenClock) -> None:
    messages = [message(number, clock.now - number, status="READ") for number in range(250)]
    history.add(ANA, messages[::2])
    history.add(ANA, messages)
    history.add(OTHER, messages[:1])
    assert history.of_conversation(ANA) == messages[::-1]
    assert history.of_conversation(OTHER) == messages[:1]


def test_a_placeholder_never_replaces_what_it_stands_for(history: Any, clock: fakes.FrozenClock) -> None:
    media = InputMedia("99", "image", "image/jpeg", "caption")
    image = HistoryMessage("wamid.1", clock.now, by_business=True, type="image", text="caption", media=media)
    placeholder = HistoryMessage("wamid.1", clock.now, by_business=True, type="media_placeholder")
    history.add(ANA, [image])
    history.add(ANA, [placeholder])
    assert history.of_conversation(ANA) == [placeholder, image]


def test_a_message_is_kept_as_long_as_one_that_was_received_then(history: Any, clock: fakes.FrozenClock) -> None:
    old, newer = message(1, clock.now - 90 * DAY), message(2, clock.now - 89 * DAY)
    history.add(ANA, [old, newer])
    assert history.of_conversation(ANA) == [newer]
    clock.forward(DAY)
    assert history.of_conversation(ANA) == []


def test_a_retention_that_was_shortened_holds_for_what_is_stored(table: Table, clock: fakes.FrozenClock) -> None:
    DynamoAppHistory(table, kept(), clock).add(ANA, [message(1, clock.now - 30 * DAY), message(2, clock.now)])
    assert len(DynamoAppHistory(table, kept(20), clock).of_conversation(ANA)) == 1


def test_erasing_the_person_removes_the_history(table: Table, clock: fakes.FrozenClock) -> None:
    history = DynamoAppHistory(table, kept(), clock)
    history.add(ANA, [message(number, clock.now - number) for number in range(30)])
    erasure = DynamoErasure(table, DynamoEventLog(table, kept()))
    assert erasure.remove(erasure.begin("acme", [ANA], clock.now)) == 30
    assert history.of_conversation(ANA) == []
