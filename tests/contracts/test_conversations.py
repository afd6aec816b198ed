"""Promises of the `Conversations` port."""

import pytest

from pytake.conversation.ports import AlreadyCommittedError, ConflictError, Conversations
from pytake.conversation.records import Conversation, ConversationKey, Session, TurnRecord
from pytake.engine import Contact, Event, Input, Step
from pytake.whatsapp.outbound import Button, ReplyButtons, Text

KEY = ConversationKey("acme", "100000000000001", "5511999999999")
NOW = 1_770_000_000.25


def conversation(seq: int, **fields: object) -> Conversation:
    return Conversation(KEY, Contact(id=KEY.contact_id, name="Ana"), seq=seq, **fields)  # type: ignore[arg-type]


def record(seq: int, message_id: str | None = None) -> TurnRecord:
    return TurnRecord(
        seq=seq,
        at=NOW + seq,
        session_id="s",
        status="waiting",
        input=Input(text="Olá"),
        message_id=message_id or f"wamid.{seq}",
        path=[Step("main", "start", "next"), Step("main", "q_name", "wait")],
        messages=[Text("Oi!"), ReplyButtons("Tudo bem?", [Button("y", "Sim")])],
        events=[Event("session_started", {"flow_id": "main"})],
    )


def test_nothing_is_known_of_a_stranger(conversations: Conversations) -> None:
    assert conversations.load(KEY) is None
    assert conversations.turns(KEY) == []
    assert conversations.turn_of_message(KEY, "wamid.1") is None


def test_a_commit_is_read_back_whole(conversations: Conversations) -> None:
    session = Session("s", NOW, NOW + 60, state=b'{"f":"main","n":"q_name"}', timer_at=NOW + 30)
    committed = conversation(1, session=session, last_inbound_at=NOW, opted_out=True, apologised_at=NOW)
    conversations.commit(committed, record(1))
    assert conversations.load(KEY) == committed
    assert conversations.turns(KEY) == [record(1)]
    assert conversations.turn_of_message(KEY, "wamid.1") == record(1)


def test_a_message_is_committed_once(conversations: Conversations) -> None:
    conversations.commit(conversation(1), record(1))
    with pytest.raises(AlreadyCommittedError):
        conversations.commit(conversation(2), record(2, "wamid.1"))
    loaded = conversations.load(KEY)
    assert loaded is not None
    assert loaded.seq == 1
    assert conversations.turns(KEY) == [record(1)]


def test_a_message_committed_by_the_winner_of_a_race_is_known_as_committed(conversations: Conversations) -> None:
    conversations.commit(conversation(1), record(1, "wamid.same"))
    with pytest.raises(AlreadyCommittedError):
        conversations.commit(conversation(1), record(1, "wamid.same"))


@pytest.mark.parametrize("stale", [1, 3])
def test_the_loser_of_a_race_writes_nothing(conversations: Conversations, stale: int) -> None:
    conversations.commit(conversation(1), record(1))
    with pytest.raises(ConflictError):
        conversations.commit(conversation(stale), record(stale, "wamid.other"))
    assert conversations.turn_of_message(KEY, "wamid.other") is None
    assert len(conversations.turns(KEY)) == 1


def test_turns_come_in_order(conversations: Conversations) -> None:
    for seq in range(1, 13):
        conversations.commit(conversation(seq), record(seq))
    assert [turn.seq for turn in conversations.turns(KEY)] == list(range(1, 13))


def test_organizations_with_the_same_contact_are_strangers(conversations: Conversations) -> None:
    other = ConversationKey("globex", KEY.phone_number_id, KEY.contact_id)
    conversations.commit(conversation(1), record(1))
    assert conversations.load(other) is None
    assert conversations.turns(other) == []
    assert conversations.turn_of_message(other, "wamid.1") is None


def due(conversations: Conversations, now: float) -> list[ConversationKey]:
    return [found.key for found in conversations.due(now)]


def test_what_is_due_is_found_and_what_is_over_is_not(conversations: Conversations) -> None:
    timer = Session("s", NOW, NOW + 86_400, state=b"{}", timer_at=NOW + 30)
    conversations.commit(conversation(1, session=timer), record(1))
    assert due(conversations, NOW + 29) == []
    assert due(conversations, NOW + 30) == [KEY]
    conversations.commit(conversation(2), record(2))
    assert due(conversations, NOW + 1_000_000) == []


def test_an_expired_session_is_due_within_the_hour(conversations: Conversations) -> None:
    conversations.commit(conversation(1, session=Session("s", NOW, NOW + 60)), record(1))
    assert due(conversations, NOW + 59) == []
    assert due(conversations, NOW + 60 + 3600) == [KEY]
