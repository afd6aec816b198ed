"""Reactions: to which message, and whether one answers the question at which a conversation waits (ADR 38)."""

from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.records import Conversation
from pytake.engine import FlowError, Input, State, StateError
from pytake.whatsapp.input import APP_ECHO

LOOKBACK_TURNS = 20
"""How many turns back a message may be that a reaction answers. Its question was asked there, and not answered since."""


def reacted_id(input_: Input) -> str | None:
    """The message to which an input reacts; None for anything else."""
    payload = input_.payload
    if input_.type == APP_ECHO and isinstance(payload, dict):
        payload = payload.get("reaction") if payload.get("type") == "reaction" else None
    elif input_.type != "reaction":
        return None
    found = payload.get("message_id") if isinstance(payload, dict) else None
    return found if isinstance(found, str) else None


class ReactionAnswers:
    """Says whether a reaction is an answer. Reads nothing unless the waiting question gives a meaning to its emoji."""

    def __init__(self, conversations: Conversations, deliveries: Deliveries, flows: FlowLibrary) -> None:
        self._conversations = conversations
        self._deliveries = deliveries
        self._flows = flows

    def __call__(self, before: Conversation, reaction: Input, now: float) -> bool:
        """Whether the reaction answers the conversation's flow: to a message with which it asked the question that waits."""
        session, target = before.open_session(now), reacted_id(reaction)
        if session is None or session.state is None or session.human or session.opened or before.opted_out:
            return False
        try:
            state = State.decode(session.state)
            flow = self._flows.version(before.key.organization_id, state.flow_id, state.version)
        except (StateError, FlowError):
            return False  # the next message reports it
        if target is None or flow is None or not flow.takes_reaction(state, reaction.text):
            return False
        sent = self._deliveries.of_conversation(before.key, max(0, before.seq - LOOKBACK_TURNS))
        turn = next((entry.turn for entry in sent if entry.message_id == target), None)
        asked = self._conversations.turn(before.key, turn) if turn is not None else None
        return asked is not None and (asked.session_id, asked.node_id) == (session.id, state.node_id)
