"""Events that programs report to the flow of a conversation."""

from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import uuid4

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.queues import ReportedEvent
from pytake.conversation.report_event import EVENT_BYTES, EventTooLargeError, NoSessionError
from pytake.engine.limits import EVENT_NAME_CHARACTERS
from rest.caller import caller
from rest.idempotency import idempotency_key, queue_unavailable
from rest.identifiers import AtNumber
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.people import Phone, find
from rest.problems import ProblemError, conflict

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


class EventReport(ApiModel):
    """An event, by the name for which a `wait_event` node waits."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=EVENT_NAME_CHARACTERS, pattern=r"\S")
    data: Any = Field(default=None, description="Any JSON; the node stores it in its `output_variable`")


class EventResponse(ApiModel):
    """The event is queued, in order with the person's messages."""

    phone_number_id: str
    contact_id: str
    event: Literal["queued"] = "queued"


@router.post(
    "/api/v1/conversations/<phone>/events",
    summary="Report an event to the flow of a conversation",
    tags=["Conversations"],
    openapi_extensions=route_docs(
        "agent",
        problems=["conversation_unknown", "person_invalid", "no_session", "body_too_large", "queue_unavailable"],
    ),
)
def report_event(
    phone: Phone,
    event: EventReport,
    phone_number_id: AtNumber = None,
    key_header: Annotated[str | None, idempotency_key("reports")] = None,
) -> EventResponse:
    """A flow that waits for this event (`wait_event`) continues. At any other moment the event is recorded without an effect."""
    who = caller(router, "agent")
    key = find(who, phone, phone_number_id).key
    request_id = key_header or uuid4().hex
    try:
        wiring.report_event()(key, ReportedEvent(event.name.strip(), event.data), request_id, who.request_id)
    except NoSessionError:
        raise conflict("no_session", "The conversation has no open session, so no flow waits for an event.") from None
    except EventTooLargeError:
        detail = f"The event may have {EVENT_BYTES} bytes as JSON."
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail) from None
    except QueueingFailedError:
        detail = "The event could not be queued. Report it again with this Idempotency-Key."
        raise queue_unavailable(detail, request_id) from None
    return EventResponse(phone_number_id=key.phone_number_id, contact_id=key.contact_id)
