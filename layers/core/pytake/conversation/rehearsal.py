"""One turn of a draft, for a person who tries it: the engine runs, nothing is stored, sent or called.

The caller keeps the rehearsal between two turns and gives it back. It holds nothing of the organization, so a person who
changes it only misleads their own rehearsal. One that does not fit the flow is refused.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from pytake.conversation.flow_authoring import FlowAuthoring
from pytake.conversation.handoff import handoff_of
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.records import DEFAULT_COMMANDS
from pytake.engine import (
    Contact,
    Context,
    Effect,
    EffectResult,
    Event,
    Flow,
    Input,
    State,
    Step,
    Turn,
    built_in_text,
    compile_flow,
    continue_turn,
    take_turn,
)
from pytake.engine.contact_changes import contact_after
from pytake.whatsapp.outbound import OutboundMessage, Text

RehearsalStatus = Literal["waiting", "completed", "handoff", "failed", "human", "effect"]

TIMER, RETURN = "timer", "return"
"""Inputs of a rehearsal: the waiting node's time has come; the agent returns the conversation to the bot."""

_LATEST = 2**33
"""The year 2242: no timer is later."""

_COUNTRIES = {"pt_BR": "BR", "en": "US", "es": "ES"}


class RehearsalError(Exception):
    """The rehearsal or the input does not fit the flow. The message says why."""


class Rehearsal(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a rehearsal is between two turns. `human`: the flow has handed over to agents, and cannot continue if it `ended`."""

    flow_id: str
    contact: Contact
    seed: int = 0
    turns: int = 0
    state: State | None = None
    human: bool = False
    ended: bool = False


class RehearsedTurn(Struct, frozen=True):
    """What a turn did. With the status `effect` it is not finished: repeat it with the result of `effect`.

    `human`: agents have the conversation, so the bot did nothing. `timer` is what the node gets at `due_at`, if there is one.
    """

    rehearsal: Rehearsal
    status: RehearsalStatus
    at: float
    messages: list[OutboundMessage]
    path: list[Step]
    events: list[Event]
    variables: dict[str, Any]
    node_id: str | None = None
    effect: Effect | None = None
    due_at: float | None = None
    timer: Literal["timeout", "resume"] = "timeout"


class RehearsalSettings(Struct, frozen=True):
    """When and where a rehearsal takes place. None: the organization's time zone; the country of the flow's language."""

    now: float
    timezone: str | None = None
    country: str | None = None


class RehearseTurn:
    """The use case behind `POST /api/v1/flows/rehearse`."""

    def __init__(self, flows: FlowAuthoring, tenants: TenantRepository) -> None:
        self._flows = flows
        self._tenants = tenants

    def __call__(
        self,
        organization_id: str,
        document: dict[str, Any],
        others: Mapping[str, dict[str, Any]],
        rehearsal: Rehearsal,
        said: Input,
        results: Mapping[str, EffectResult],
        settings: RehearsalSettings,
    ) -> RehearsedTurn:
        """Take the turn that follows when the person does `said`. `results` are the results of the turn's calls by their key.

        Raises `FlowError` for a flow that cannot run, and `RehearsalError`.
        """
        flow_id = str(document.get("id"))
        flow = compile_flow(self._flows.bundle(organization_id, document, others), flow_id)
        _check(rehearsal, flow)
        given = rehearsal
        if said.type == RETURN:
            rehearsal = _returned(rehearsal)
            if rehearsal.state is None or flow.timer_input(rehearsal.state) != "handed_back":
                return _silent(rehearsal, "completed" if rehearsal.state is None else "waiting", settings.now)
            said = Input(type="handed_back")
        elif rehearsal.human:
            return _silent(rehearsal, "human", settings.now)
        said, now = _timed(said, rehearsal, flow, settings.now)
        organization = self._tenants.organization(organization_id)
        context = Context(
            now=now,
            seed=f"{rehearsal.seed}:{rehearsal.turns + 1}",
            contact=rehearsal.contact,
            country=settings.country or _COUNTRIES[flow.language],
            commands=DEFAULT_COMMANDS,
            timezone=settings.timezone or organization.timezone,
            constants=organization.constants,
            timetables=organization.timetables,
            message_id=None
            if said.type in ("timeout", "resume", "event", "handed_back", "reaction")
            else f"wamid.{rehearsal.turns + 1}",
        )
        turn = take_turn(flow, rehearsal.state, said, context)
        while turn.effect is not None:
            result = results.get(turn.effect.key)
            if result is None:
                return _rehearsed(given, turn, flow, now, "effect")
            turn = continue_turn(flow, turn, said, result, context)
        return _rehearsed(_after(rehearsal, turn, flow, now), turn, flow, now, turn.status)


def _check(rehearsal: Rehearsal, flow: Flow) -> None:
    if rehearsal.flow_id != flow.id:
        raise RehearsalError(f"The rehearsal is of the flow {rehearsal.flow_id!r}, the document is {flow.id!r}.")
    state = rehearsal.state
    if state is None:
        return
    times = [state.due_at, *(frame.due_at for frame in state.stack)]
    if any(time is not None and not 0 <= time < _LATEST for time in times):
        raise RehearsalError("The rehearsal waits until an impossible time.")
    places = [(state.sub_flow_id or flow.id, state.node_id), *((frame.flow_id, frame.node_id) for frame in state.stack)]
    for flow_id, node_id in places:
        if (flow_id, node_id) not in flow.nodes:
            raise RehearsalError(
                f"The rehearsal is at the node {node_id!r} of {flow_id!r}, which does not exist any more."
            )


def _timed(said: Input, rehearsal: Rehearsal, flow: Flow, now: float) -> tuple[Input, float]:
    """The input for the engine, and its time: a timer moves the clock to its own time."""
    if said.type != TIMER:
        return said, now
    state = rehearsal.state
    if state is None or state.due_at is None:
        raise RehearsalError("No node waits for a timer.")
    return Input(type=flow.timer_input(state)), max(now, state.due_at)


def _returned(rehearsal: Rehearsal) -> Rehearsal:
    if not rehearsal.human:
        raise RehearsalError("The bot has the conversation already.")
    return replace(rehearsal, human=False, ended=False, state=None if rehearsal.ended else rehearsal.state)


def _silent(rehearsal: Rehearsal, status: RehearsalStatus, now: float) -> RehearsedTurn:
    """A turn in which the bot did nothing."""
    state = rehearsal.state
    variables, node_id = (state.variables, state.node_id) if state is not None else ({}, None)
    return RehearsedTurn(rehearsal, status, now, [], [], [], variables, node_id)


def _after(rehearsal: Rehearsal, turn: Turn, flow: Flow, now: float) -> Rehearsal:
    contact, turns = contact_after(rehearsal.contact, turn.events), rehearsal.turns + 1
    if turn.status == "handoff":
        ended = handoff_of(turn, flow, now).ended
        return replace(rehearsal, contact=contact, turns=turns, state=turn.handoff_state, human=True, ended=ended)
    return replace(rehearsal, contact=contact, turns=turns, state=turn.state)


def _rehearsed(rehearsal: Rehearsal, turn: Turn, flow: Flow, now: float, status: RehearsalStatus) -> RehearsedTurn:
    messages = turn.messages
    if status == "failed":
        messages = [Text(built_in_text(flow.language, "apology"))]  # the number may have its own
    waits = turn.state is not None and turn.due_at is not None and status == "waiting"
    return RehearsedTurn(
        rehearsal=rehearsal,
        status=status,
        at=now,
        messages=messages,
        path=turn.path,
        events=turn.events,
        variables=turn.variables,
        node_id=turn.node_id,
        effect=turn.effect if status == "effect" else None,
        due_at=turn.due_at if waits else None,
        timer="resume" if turn.state is not None and flow.timer_input(turn.state) == "resume" else "timeout",
    )
