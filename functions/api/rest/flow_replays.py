"""The latest conversations with a flow, replayed on a draft of it.

People's messages are for agents and admins only (`rest.conversations`). So a builder learns how many conversations would go
another way, and where; an admin also reads what the bot would say.
"""

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field

import pytake.wiring.flow_tests as wiring
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.flow_tests.rendering import render_message
from pytake.conversation.flow_tests.replay import Difference
from pytake.engine import FlowError
from pytake.whatsapp.outbound import OutboundMessage
from rest.caller import caller
from rest.flow_tests import DraftOfFlow
from rest.flows import saved_draft
from rest.identifiers import FlowId
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import flow_has_errors, flow_unknown
from rest.throttle import throttle

REPLAYS_PER_SECOND = 1

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


class FlowReplay(DraftOfFlow):
    """The draft to replay on, and how many conversations to replay."""

    days: int = Field(default=7, ge=1, le=90, strict=True)
    limit: int = Field(default=100, ge=1, le=500, strict=True)


class ReplayDifference(ApiModel):
    """The first turn of a conversation that differs. `number` counts the conversations that do; nothing names the person.

    `recorded` and `now` of a `status` or `node_id` have one entry, those of a `path` one for each node (`node: exit`), those of
    `messages` one for each text. The texts are null unless an admin asks, and so is what differs in other parts.
    """

    number: int
    at: datetime
    turn: int = Field(description="The turn of the conversation, from one")
    node_id: str | None = Field(description="Where the turn ends on the draft")
    part: Literal["status", "node_id", "path", "messages", "events", "effects", "record"]
    recorded: list[str] | None
    now: list[str] | None


class FlowReplayResult(ApiModel):
    """How many conversations go on the draft as they went. `blocked`: not replayed to their end, because a turn is not kept any
    more or another flow runs in them. `complete`: all conversations of the days were looked at."""

    same: int
    different: int
    blocked: int
    complete: bool
    differences: list[ReplayDifference]


@router.post(
    "/api/v1/flows/<flow_id>/replay",
    summary="Replay the latest conversations on a draft",
    tags=["Flows"],
    openapi_extensions=route_docs("builder", problems=["flow_unknown", "flow_has_errors", "too_many_requests"]),
)
def replay_conversations(flow_id: FlowId, request: FlowReplay) -> FlowReplayResult:
    """Nothing is stored, sent or called: the recorded answers of APIs and models are used. Replays for at most eight seconds. A
    person may ask this once a second."""
    who = caller(router, "builder")
    throttle(who, "replay", REPLAYS_PER_SECOND)
    document = {**(request.document or saved_draft(who.organization_id, flow_id)), "id": flow_id}
    asked = (who.organization_id, document, request.documents, flow_id, request.days, request.limit)
    try:
        found = wiring.replay_recent()(*asked)
    except UnknownFlowError:
        raise flow_unknown(flow_id) from None
    except FlowError as error:
        raise flow_has_errors(error.problems) from None
    shown = [_difference(number, one, who.role == "admin") for number, one in enumerate(found.differences, 1)]
    return FlowReplayResult(
        same=found.same,
        different=len(shown),
        blocked=found.blocked,
        complete=found.complete,
        differences=shown,
    )


def _difference(number: int, found: Difference, may_read: bool) -> ReplayDifference:
    return ReplayDifference.model_validate(
        {
            "number": number,
            "at": datetime.fromtimestamp(found.at, UTC),
            "turn": found.turn,
            "node_id": found.node_id,
            "part": found.part,
            "recorded": _shown(found.part, found.recorded, may_read),
            "now": _shown(found.part, found.now, may_read),
        }
    )


def _shown(part: str, value: Any, may_read: bool) -> list[str] | None:
    match part:
        case "status" | "node_id":
            return [str(value)] if value is not None else []
        case "path":
            return [f"{step['node_id']}: {step['exit']}" for step in value]
        case "messages" if may_read:
            return [render_message(message) for message in msgspec.convert(value, list[OutboundMessage])]
    return None
