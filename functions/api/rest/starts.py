"""Start a conversation with a person: a flow, a message template, or a template whose answer starts a flow."""

from http import HTTPStatus
from typing import Annotated, Any, Literal, Self
from uuid import uuid4

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field, model_validator

import pytake.wiring.api as wiring
from pytake.conversation.opening import RefusalCode, StartRefusedError
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.ports.tenants import UnknownNumberError
from pytake.conversation.queues import FlowStart, StartTemplate
from pytake.engine import FlowError
from pytake.whatsapp.templates import LANGUAGE, NAME, language_code
from rest.caller import caller
from rest.idempotency import idempotency_key, queue_unavailable
from rest.identifiers import FLOW_ID, PHONE_NUMBER_ID
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.people import Phone, person
from rest.problems import PROBLEM_CODES, ProblemError, not_found, unprocessable

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

TemplateCategory = Literal["marketing", "utility", "authentication"]

REFUSALS: dict[RefusalCode, str] = {
    "in_session": "A flow runs for the person. Start the conversation when it has ended.",
    "with_agent": "An agent has the conversation. Start it when they have returned or closed it.",
    "opted_out": "The person opted out of messages.",
    "no_consent": "The person does not consent to the purpose of this template: marketing needs consent that was granted.",
    "template_missing": "The number's account has no such template in this language. GET /api/v1/templates lists them.",
    "template_paused": "Meta sends nothing with this template at the moment. GET /api/v1/templates shows its status.",
    "flow_unknown": "No such flow is published. GET /api/v1/flows lists the flows.",
    "window_closed": "The person last wrote more than 24 hours ago, or never: name a `template`.",
    "parameter_missing": "The flow or the template needs a value that is not given, or that is empty.",
    "parameters_too_large": "The parameters may have 60,000 bytes as JSON.",
    "media_unknown": "The organization does not have a file of the template, or no longer. GET /api/v1/media lists its files.",
    "media_unsupported": "A file of the template is of another kind than its parameter.",
    "budget_exhausted": "The budget of this month does not allow the template. GET /api/v1/reports/budget shows what is left.",
    "price_unknown": "The organization has a budget, and the rate card has no price for this country and category.",
    "recipient_invalid": "Write the phone number with its country code, or use a business-scoped user id.",
}


class OpeningTemplate(ApiModel):
    """The template that opens the conversation. `components` has Meta's format for sending. Its texts may contain `{{...}}`, such
    as `{{contact.name}}`, with the contact's data and the parameters.

    `category` is the template's category at Meta, for accounts without a copy of their templates.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=NAME)
    language: str = Field(pattern=LANGUAGE)
    components: list[dict[str, Any]] = Field(default_factory=list, max_length=20)
    category: TemplateCategory | None = None

    def opening(self) -> StartTemplate:
        """The template as the use cases take it."""
        return StartTemplate(self.name, language_code(self.language), self.components, self.category)


class ConversationStart(ApiModel):
    """What is started: `flow_id`, `template`, or both. With both, the person's answer to the template starts the flow."""

    model_config = ConfigDict(extra="forbid")

    phone_number_id: str = Field(pattern=PHONE_NUMBER_ID, description="The number that writes")
    flow_id: str | None = Field(default=None, pattern=FLOW_ID)
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Values for the `parameters` of the flow's start"
    )
    template: OpeningTemplate | None = None

    @model_validator(mode="after")
    def _starts_something(self) -> Self:
        if self.flow_id is None and self.template is None:
            raise ValueError("give a `flow_id`, a `template`, or both")
        return self

    def start(self) -> FlowStart:
        """The start as the use case takes it. A person in a session is left alone."""
        opens = self.template.opening() if self.template is not None else None
        return FlowStart(self.flow_id, self.parameters, opens, only_idle=True)


class StartLinks(ApiModel):
    """Where the conversation is, once its turn is taken."""

    conversation: str
    transcript: str


class StartResponse(ApiModel):
    """The start is queued, in order with the person's messages. `id` is the `message_id` of its turn in the audit records."""

    id: str
    phone_number_id: str
    contact_id: str
    start: Literal["queued"] = "queued"
    links: StartLinks


@router.post(
    "/api/v1/conversations/<phone>/start",
    summary="Start a conversation with a person",
    tags=["Conversations"],
    status_code=HTTPStatus.ACCEPTED.value,
    openapi_extensions=route_docs(
        "agent",
        "builder",
        problems=["person_invalid", "number_unknown", *REFUSALS, "queue_unavailable"],
    ),
)
def start_conversation(
    phone: Phone,
    request: ConversationStart,
    key_header: Annotated[str | None, idempotency_key("starts")] = None,
) -> Response[StartResponse]:
    """Within 24 hours of the person's last message, a flow starts at once. With a `template`, which is needed outside, only that
    is sent, and the answer starts the flow, also days later. What changes before the turn is taken is checked once more; the
    operator event `turn.start_refused` then has the code."""
    who = caller(router, "agent", "builder")
    request_id = key_header or uuid4().hex
    try:
        queued = wiring.start_flow()(
            who.organization_id,
            request.phone_number_id,
            person(phone),
            request.start(),
            f"api:{request_id}",
            who.request_id,
        )
    except StartRefusedError as refused:
        raise start_refused(refused.code) from None
    except UnknownNumberError:
        raise number_unknown(request.phone_number_id) from None
    except FlowError as error:
        raise invalid_template(error) from None
    except QueueingFailedError:
        detail = "The start could not be queued. Send it again with this Idempotency-Key."
        raise queue_unavailable(detail, request_id) from None
    key = queued.key
    at = f"phone_number_id={key.phone_number_id}"
    body = StartResponse(
        id=queued.message_id,
        phone_number_id=key.phone_number_id,
        contact_id=key.contact_id,
        links=StartLinks(
            conversation=f"/api/v1/conversations/{key.contact_id}?{at}",
            transcript=f"/api/v1/whatsapp-analytics/conversations/{key.contact_id}/transcript?{at}",
        ),
    )
    return Response(HTTPStatus.ACCEPTED.value, content_type="application/json", body=body)


def start_refused(code: RefusalCode, field: str | None = None) -> ProblemError:
    """The problem of a start that is refused. `field` is the place in the request, if it is known."""
    place: dict[str, Any] = {"errors": [{"field": field, "message": REFUSALS[code]}]} if field is not None else {}
    status = PROBLEM_CODES[code].status
    return ProblemError(status, code, REFUSALS[code], **place)


def number_unknown(phone_number_id: str) -> ProblemError:
    """The problem of a number that the organization does not have."""
    detail = f"This organization has no number {phone_number_id!r}. GET /api/v1/numbers lists them."
    return not_found("number_unknown", detail)


def invalid_template(error: FlowError) -> ProblemError:
    """The problem of a template with expressions that are not valid."""
    errors = [
        {"field": f"template.{problem.field or 'components'}", "message": problem.message} for problem in error.problems
    ]
    detail = "An expression in the template is not valid; `errors` lists each place."
    return unprocessable("invalid_request", detail, errors=errors)
