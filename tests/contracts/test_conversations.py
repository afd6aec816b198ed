"""The contract of the `Conversations` port."""

from collections import Counter

import pytest
from msgspec.structs import replace

from pytake.aws.conversations import DynamoConversations
from pytake.aws.table import RECENT_SHARDS, Table, conversation_pk, recent_pk, session_end
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.conversations import AlreadyCommittedError, Conversations
from pytake.conversation.records import (
    MARKER_SECONDS,
    Conversation,
    ConversationKey,
    Session,
    TurnRecord,
)
from pytake.engine import Contact, Event, Input, Step
from pytake.whatsapp.outbound import Button, ReplyButtons, Text
from tests.fakes import FrozenClock
from tests.table import kept

KEY = ConversationKey("acme", "100000000000001", "5511999999999")
NOW = 1_770_000_000.25


def conversation(seq: int, **fields: object) -> Conversation:
    return Conversation(key=KEY, contact=Contact(id=KEY.contact_id, name="Ana"), seq=seq, **fields)  # type: ignore[arg-type]


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


def test_the_last_turns_of_several_conversations_are_read_together(conversations: Conversations) -> None:
    other = conversation(1)
    other.key = ConversationKey("acme", KEY.phone_number_id, "5511988888888")
    for seq in (1, 2):
        conversations.commit(conversation(seq), record(seq))
    conversations.commit(other, record(1, "wamid.other"))
    unknown = conversation(7)
    unknown.key = ConversationKey("globex", KEY.phone_number_id, KEY.contact_id)
    found = conversations.latest_turns([conversation(2), other, unknown])
    assert found == {KEY: record(2), other.key: record(1, "wamid.other")}
    assert conversations.latest_turns([]) == {}


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


def listed(conversations: Conversations, until: float | None = None, *, with_agents: bool = False) -> list[str]:
    """One of the organization's lists, as contact ids."""
    places = conversations.recent("acme", until, with_agents=with_agents)
    return [place.key.contact_id for place in places]


def spoke(
    conversations: Conversations, contact_id: str, at: float, organization_id: str = "acme", *, human: bool = False
) -> None:
    key = ConversationKey(organization_id, "100000000000001", contact_id)
    known = conversations.load(key)
    seq = (known.seq if known else 0) + 1
    session = Session("s", at, at + 60, human=True) if human else None
    contact = Contact(id=contact_id)
    conversations.commit(Conversation(key=key, contact=contact, seq=seq, session=session, active_at=at), record(seq))


def test_the_list_has_each_conversation_once_the_newest_ten_minutes_first(conversations: Conversations) -> None:
    for number in range(20):
        spoke(conversations, f"55{number:02}", NOW - number * 600)
    spoke(conversations, "999", NOW, "globex")
    everybody = [f"55{number:02}" for number in range(20)]
    assert listed(conversations) == everybody
    assert listed(conversations, NOW - 5 * 600) == everybody[5:]
    spoke(conversations, "5519", NOW + 600)
    assert listed(conversations) == ["5519", *everybody[:19]]


def test_many_of_the_same_ten_minutes_are_listed_once_each(conversations: Conversations) -> None:
    contacts = [f"55{number}" for number in range(10, 21)]
    for contact_id in contacts:
        spoke(conversations, contact_id, NOW)
    assert sorted(listed(conversations)) == contacts
    assert {place.at for place in conversations.recent("acme")} == {NOW // 600 * 600}


def test_who_agents_have_is_listed_by_the_last_message(conversations: Conversations) -> None:
    for number in range(5):
        spoke(conversations, f"55{number}", NOW + number / 8, human=True)
    spoke(conversations, "559", NOW)
    assert listed(conversations, with_agents=True) == ["554", "553", "552", "551", "550"]
    assert listed(conversations, NOW + 2 / 8, with_agents=True) == ["552", "551", "550"]
    assert listed(conversations) == ["559"]
    spoke(conversations, "552", NOW + 1)
    assert listed(conversations, with_agents=True) == ["554", "553", "551", "550"]
    assert sorted(listed(conversations)) == ["552", "559"]


def test_the_list_of_an_organization_is_spread_over_partitions(table: Table, clock: FrozenClock) -> None:
    conversations = DynamoConversations(table, kept(), clock)
    for number in range(40):
        spoke(conversations, f"55{number}", NOW)
    used = {entry.recent_pk for entry in table.item.scan() if entry.recent_pk}
    assert used == {recent_pk("acme", shard) for shard in range(RECENT_SHARDS)}


def test_sessions_that_expire_together_are_due_over_an_hour() -> None:
    """Otherwise all sessions of an hour end in its first minute."""
    minutes = Counter(
        int(session_end(f"ORG#acme#CONV#1#{contact}", NOW + 5) - NOW - 5) // 60 for contact in range(6000)
    )
    assert set(minutes) == set(range(60))
    assert max(minutes.values()) < 160
    for contact in range(20):
        pk = f"ORG#acme#CONV#1#{contact}"
        ends = {session_end(pk, NOW + second) for second in range(3600)}
        assert len(ends) <= 2, "a chat moves its entry at most once an hour"
        assert all(0 <= session_end(pk, NOW + second) - (NOW + second) < 3600 for second in range(0, 7200, 77))


def test_who_never_said_anything_is_not_listed(conversations: Conversations) -> None:
    conversations.commit(conversation(1), record(1))
    assert listed(conversations) == []


def test_entries_of_the_previous_release_are_listed(table: Table) -> None:
    """It had one partition for all conversations of an organization, in hours."""
    conversations = DynamoConversations(table, kept(), FrozenClock(NOW))
    spoke(conversations, "551", NOW)
    key = conversation_pk(ConversationKey("acme", "100000000000001", "551"))
    table.item(key, "STATE").update([table.item.recent_pk.set("ORG#acme"), table.item.recent_at.set(NOW - NOW % 3600)])
    assert listed(conversations) == ["551"]


def test_those_that_exist_are_loaded_together(conversations: Conversations) -> None:
    spoke(conversations, "551", NOW)
    spoke(conversations, "552", NOW)
    keys = [ConversationKey("acme", "100000000000001", contact_id) for contact_id in ("551", "552", "553")]
    loaded = conversations.load_all(keys)
    assert sorted(found.key.contact_id for found in loaded) == ["551", "552"]
    assert all(found == conversations.load(found.key) for found in loaded)
    assert conversations.load_all([]) == []


def test_of_many_messages_none_is_taken_twice(conversations: Conversations) -> None:
    """More messages than an adapter keeps in one item, over more days than it must."""
    for seq in range(1, 61):
        conversations.commit(conversation(seq), record(seq))
    for seq in range(1, 61):
        with pytest.raises(AlreadyCommittedError):
            conversations.commit(conversation(61), record(61, f"wamid.{seq}"))
        assert conversations.turn_of_message(KEY, f"wamid.{seq}") == record(seq)


def test_a_message_is_known_for_as_long_as_meta_may_repeat_it(conversations: Conversations) -> None:
    """Many messages a day, then few: those of the last eight days are always known."""
    at, said = NOW, list[tuple[float, str]]()
    for seq in range(1, 121):
        at += (seq % 7) * (4_000 if seq <= 80 else 20_000)
        turn = replace(record(seq), at=at)
        conversations.commit(conversation(seq), turn)
        said.append((at, f"wamid.{seq}"))
        if seq % 20 == 0:
            for told_at, message_id in said:
                if told_at > at - MARKER_SECONDS:
                    with pytest.raises(AlreadyCommittedError):
                        conversations.commit(conversation(seq + 1), replace(record(seq + 1, message_id), at=at))


def test_a_winner_that_was_not_seen_is_not_overwritten(conversations: Conversations) -> None:
    """Two workers hold the same conversation; one of them loads others in between."""
    other = ConversationKey("globex", KEY.phone_number_id, KEY.contact_id)
    conversations.commit(conversation(1), record(1))
    conversations.load(KEY)
    conversations.load(other)
    conversations.commit(conversation(2), record(2))
    with pytest.raises(ConflictError):
        conversations.commit(conversation(2), record(2, "wamid.other"))
    with pytest.raises(AlreadyCommittedError):
        conversations.commit(conversation(2), record(2, "wamid.2"))
