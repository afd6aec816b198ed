"""Replays an organization's latest conversations with a flow on a draft of it. Nothing is stored, sent or called."""

import heapq
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from pytake.conversation.flow_authoring import FlowAuthoring
from pytake.conversation.flow_tests.replay import Difference, Replayer
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.records import ConversationKey, TurnRecord
from pytake.engine import compile_flow

REPLAY_SECONDS = 8.0
"""How long one request replays. The function ends after 29 seconds."""

MOST_LOOKED_AT = 500
"""One request reads the turns of at most so many people's conversations."""

_LIST_SECONDS = 600
"""The list of conversations knows the time of the last message by ten minutes."""


class RecentReplay(Struct, frozen=True):
    """How many sessions go as before, those that do not, and how many could not be replayed to their end.

    `complete`: every conversation of the days was looked at.
    """

    same: int
    differences: list[Difference]
    blocked: int
    complete: bool


class ReplayRecent:
    """The use case behind `POST /api/v1/flows/{flow_id}/replay`."""

    def __init__(
        self, flows: FlowAuthoring, conversations: Conversations, clock: Clock, monotonic: Callable[[], float]
    ) -> None:
        self._flows = flows
        self._conversations = conversations
        self._clock = clock
        self._monotonic = monotonic

    def __call__(
        self,
        organization_id: str,
        document: dict[str, Any],
        others: Mapping[str, dict[str, Any]],
        flow_id: str,
        days: int,
        most: int,
    ) -> RecentReplay:
        """Replay at most `most` sessions with the flow of the last `days` on the document, those of the newest message first.

        Raises `FlowError` for a document that cannot run, and `UnknownFlowError`.
        """
        self._flows.known(organization_id, flow_id)
        bundle = self._flows.bundle(organization_id, document, others)
        compile_flow(bundle, flow_id)
        replayer, until = Replayer(bundle), self._monotonic() + REPLAY_SECONDS
        same, blocked, differences, complete = 0, 0, list[Difference](), True
        for looked_at, key in enumerate(self._keys(organization_id, self._clock() - days * 86400)):
            sessions = self._sessions(key, flow_id, self._clock() - days * 86400)
            for records in sessions:
                if same + blocked + len(differences) == most or self._monotonic() >= until:
                    return RecentReplay(same, differences, blocked, complete=False)
                (result,) = replayer.replay(records)
                if result.difference is not None:
                    differences.append(result.difference)
                elif result.skipped is not None:
                    blocked += 1
                else:
                    same += 1
            if looked_at + 1 == MOST_LOOKED_AT or self._monotonic() >= until:
                complete = False
                break
        return RecentReplay(same, differences, blocked, complete)

    def _keys(self, organization_id: str, since: float) -> Iterator[ConversationKey]:
        """The conversations with a message since a time, the newest first. An entry may be in both lists for a moment."""
        lists = (self._conversations.recent(organization_id, with_agents=mine) for mine in (False, True))
        seen: set[ConversationKey] = set()
        for position in heapq.merge(*lists, key=lambda position: -position.at):
            if position.at < since - _LIST_SECONDS:
                return
            if position.key not in seen:
                seen.add(position.key)
                yield position.key

    def _sessions(self, key: ConversationKey, flow_id: str, since: float) -> Iterator[list[TurnRecord]]:
        """The sessions of a conversation in which the flow ran, and which went on after a time."""
        found: dict[str, list[TurnRecord]] = {}
        for record in self._conversations.turns(key):
            if record.session_id:
                found.setdefault(record.session_id, []).append(record)
        for records in found.values():
            if records[-1].at >= since and any(record.flow_id == flow_id for record in records):
                yield records
