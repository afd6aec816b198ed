"""Flows that may not be saved: their problems, what an editor can offer, one turn. Nothing is stored, sent or called."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import AfterValidator, ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.conversation.flow_tests.mocks import mock_keys
from pytake.conversation.flow_tests.offline_conversation import sample_contact
from pytake.conversation.flow_tests.rendering import render_message
from pytake.conversation.rehearsal import (
    Rehearsal,
    RehearsalError,
    RehearsalSettings,
    RehearsalStatus,
    RehearsedTurn,
)
from pytake.engine import Completion, Contact, Effect, EffectResult, FlowError, HttpRequest, Input
from pytake.wiring import shared
from rest.caller import caller
from rest.flow_problems import FlowProblem, flow_problems
from rest.flows import saved_draft
from rest.identifiers import FLOW_ID
from rest.message_content import MessageContent, message_content
from rest.models import ApiModel, ThisCentury
from rest.openapi import route_docs
from rest.organization import known_timezone
from rest.problems import flow_has_errors, unprocessable
from rest.throttle import throttle

VALIDATIONS_PER_SECOND = 5
REHEARSALS_PER_SECOND = 20
"""Of one person. A rehearsal's turn is asked again for each call that it makes, and tests of flows are many turns."""

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Documents = Annotated[
    dict[str, dict[str, Any]],
    Field(description="Drafts of the flows that jumps enter, by id. For the others the published flows count"),
]


class FlowValidation(ApiModel):
    """A flow document, saved or not."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]
    documents: Documents = Field(default_factory=dict)


class NodePlace(ApiModel):
    """A node of a flow."""

    flow_id: str
    node_id: str


class KnownVariable(ApiModel):
    """A variable that the flow assigns, and what it can hold after any of its assignments."""

    name: str
    kinds: list[Literal["text", "number", "missing", "other"]] = Field(
        description="`missing`: it can be empty; `other`: an object, a list, true or false"
    )
    values: list[str | int | float | bool | None] | None = Field(
        description="All its values; null: too many, or unknown"
    )
    minimum: float | None = Field(description="The least number; null: no bound")
    maximum: float | None
    longest: int | None = Field(description="The most characters of a text; null: no bound")
    description: str = Field(description="The same in English words, such as `a number, at least 1`")
    assigned_by: list[NodePlace]


class KnownExit(ApiModel):
    """An exit of a node. `target` null: the flow ends there. `field`: the field of the node's data that says so."""

    exit: str
    target: str | None
    field: str


class KnownNode(NodePlace):
    """A node of the flow, or of a sub-flow, with its exits. `waits`: for the person, a timer or an event."""

    type: str
    waits: bool
    exits: list[KnownExit]


class FlowCompletion(ApiModel):
    """What an editor can offer. Nodes that cannot be read are missing."""

    variables: list[KnownVariable]
    nodes: list[KnownNode]


class FlowInspection(ApiModel):
    """The problems of a document, errors first. It can be published if none of them is an error."""

    publishable: bool
    problems: list[FlowProblem]
    completion: FlowCompletion


class RehearsedContact(ApiModel):
    """The person after the turn: a flow may save fields and tags."""

    name: str
    phone: str | None
    language: str
    fields: dict[str, Any]
    tags: list[str]


class RehearsalContact(ApiModel):
    """The person who writes."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="Ana", max_length=200)
    phone: str | None = Field(default="+5511999990000", max_length=30)
    language: str = Field(default="", max_length=20, description="Selects the texts of a flow with several languages")
    fields: dict[str, Any] = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list, max_length=100)


class RehearsalMedia(ApiModel):
    """A file that the person sends."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(default="rehearsal", max_length=200)
    type: Literal["image", "video", "audio", "document", "sticker"]
    mime_type: str | None = Field(default=None, max_length=100)
    caption: str | None = Field(default=None, max_length=1024)
    filename: str | None = Field(default=None, max_length=240)


class RehearsalLocation(ApiModel):
    """A place that the person sends."""

    model_config = ConfigDict(extra="forbid")

    latitude: float = Field(ge=-90, le=90, strict=True)
    longitude: float = Field(ge=-180, le=180, strict=True)
    name: str | None = Field(default=None, max_length=1000)
    address: str | None = Field(default=None, max_length=1000)


class RehearsalInput(ApiModel):
    """What happens. `text`: the person writes; `reply`: taps `reply_id` with the title `text`; `reaction`: reacts to the latest
    message with the emoji `text`; `media`, `location`; `contacts`, `order`: sends what Meta would report as `payload`; `form`:
    fills in a form with the answers `response`; `event`: a program reports the event `text` with the data `payload`; `timer`:
    the waiting node's time has come; `return`: the agent returns the conversation to the bot."""

    model_config = ConfigDict(extra="forbid")

    type: Literal[
        "text", "reply", "reaction", "media", "location", "contacts", "order", "form", "event", "timer", "return"
    ] = "text"
    text: str = Field(default="", max_length=4096)
    reply_id: str | None = Field(default=None, max_length=256)
    media: RehearsalMedia | None = None
    location: RehearsalLocation | None = None
    response: dict[str, Any] | None = None
    payload: Any = None


class CallResult(ApiModel):
    """How an API or model call ended. Without `ok`, the node takes its error exit, with `error` as the reason."""

    model_config = ConfigDict(extra="forbid")

    ok: bool = Field(strict=True)
    status: int | None = Field(default=None, ge=100, le=599, strict=True)
    body: Any = None
    error: str | None = Field(default=None, max_length=1000)


class FlowRehearsal(ApiModel):
    """One turn, either of `document` or of the saved draft `flow_id`."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any] | None = None
    flow_id: str | None = Field(default=None, pattern=FLOW_ID)
    documents: Documents = Field(default_factory=dict)
    rehearsal: dict[str, Any] | None = Field(
        default=None, description="`rehearsal` of the previous answer, unchanged; null: the conversation begins"
    )
    input: RehearsalInput = Field(default_factory=RehearsalInput)
    results: dict[str, CallResult] = Field(
        default_factory=dict, description="The results of this turn's calls, by the `key` of each `effect`"
    )
    now: ThisCentury | None = Field(default=None, description="The time of the turn; null: the present")
    timezone: Annotated[str, AfterValidator(known_timezone)] | None = Field(
        default=None, max_length=64, description="An IANA name; null: the organization's time zone"
    )
    country: str | None = Field(
        default=None, pattern="^[A-Z]{2}$", description="Whose national phone numbers are read; null: by the language"
    )
    contact: RehearsalContact | None = Field(
        default=None, description="The person; null: as in the previous turn, or a sample"
    )
    seed: int = Field(default=0, ge=0, le=2**53, strict=True, description="Another seed makes other random choices")


class RehearsedStep(NodePlace):
    """A node that the turn visited, and the exit that it took."""

    exit: str


class RehearsedEvent(ApiModel):
    """Something that happened in the turn (docs/events.md and docs/flow-reference.md)."""

    type: str
    data: dict[str, Any]


class RequestedCall(ApiModel):
    """A call that the turn waits for. `key` names it in `results`. `request` is the whole request as the flow makes it."""

    key: str
    type: Literal["api_call", "ai_prompt", "start_flow", "send_email"]
    request: dict[str, Any] = Field(description="Secrets are shown as `{{secrets.NAME}}`")
    mock: str = Field(description="The key of the call's answer in the `http_mocks` of a flow test")


class RehearsalTimer(ApiModel):
    """When the flow goes on without the person. `kind`: `timeout` of a question, `resume` after a delay."""

    due_at: datetime
    kind: Literal["timeout", "resume"]


class RehearsedFlowTurn(ApiModel):
    """What a turn did.

    `status`: `waiting` for the next input; `completed`; `handoff` to agents; `human`: agents have the conversation, the bot did
    nothing; `failed`: the person gets an apology and starts over; `effect`: the turn waits for a call, so send the same request
    again with the result of `effect` in `results`.
    """

    rehearsal: dict[str, Any] = Field(description="Send it unchanged with the next turn")
    status: RehearsalStatus
    at: datetime
    node_id: str | None
    messages: list[MessageContent]
    texts: list[str] = Field(description="What the person reads, one text per message, as a flow test expects it")
    path: list[RehearsedStep]
    events: list[RehearsedEvent]
    variables: dict[str, Any]
    contact: RehearsedContact
    effect: RequestedCall | None
    timer: RehearsalTimer | None


@router.post(
    "/api/v1/flows/validate",
    summary="The problems of any flow, and what an editor can offer",
    tags=["Flows"],
    openapi_extensions=route_docs("builder", problems=["too_many_requests"]),
)
def validate_flow(request: FlowValidation) -> FlowInspection:
    """Nothing is stored. A person may ask this 5 times a second."""
    who = caller(router, "builder")
    throttle(who, "validate", VALIDATIONS_PER_SECOND)
    problems, completion = wiring.flow_authoring().inspect(who.organization_id, request.document, request.documents)
    publishable = all(problem.severity != "error" for problem in problems)
    return FlowInspection(
        publishable=publishable, problems=flow_problems(problems, request.document), completion=_completion(completion)
    )


@router.post(
    "/api/v1/flows/rehearse",
    summary="One turn of a flow, saved or not",
    tags=["Flows"],
    openapi_extensions=route_docs(
        "builder", problems=["flow_unknown", "flow_has_errors", "rehearsal_invalid", "too_many_requests"]
    ),
)
def rehearse_flow(request: FlowRehearsal) -> RehearsedFlowTurn:
    """Nothing is stored, sent or called. A person may ask this 20 times a second."""
    who = caller(router, "builder")
    throttle(who, "rehearse", REHEARSALS_PER_SECOND)
    if (request.document is None) == (request.flow_id is None):
        raise unprocessable("rehearsal_invalid", "Send either `document` or `flow_id`.")
    document = request.document or saved_draft(who.organization_id, str(request.flow_id))
    rehearsal = _rehearsal(request, str(document.get("id")))
    said = msgspec.convert(request.input.model_dump(exclude_none=True), Input)
    results = {key: EffectResult(**result.model_dump()) for key, result in request.results.items()}
    now = request.now.timestamp() if request.now is not None else shared.clock()
    settings = RehearsalSettings(now, request.timezone, request.country)
    try:
        turn = wiring.rehearse_turn()(
            who.organization_id, document, request.documents, rehearsal, said, results, settings
        )
    except FlowError as error:
        raise flow_has_errors(error.problems) from None
    except RehearsalError as error:
        raise unprocessable("rehearsal_invalid", f"{error} Begin again without a rehearsal.") from None
    return _turn(turn)


def _rehearsal(request: FlowRehearsal, flow_id: str) -> Rehearsal:
    """The rehearsal to continue, or a new one. Raises the 422 problem `rehearsal_invalid`."""
    person = request.contact or RehearsalContact()
    contact = Contact(id=sample_contact(request.seed).id, **person.model_dump())
    if request.rehearsal is None:
        return Rehearsal(flow_id, contact, request.seed)
    try:
        found = msgspec.convert(request.rehearsal, Rehearsal)
    except msgspec.ValidationError as error:
        detail = (
            f"This is not a rehearsal that the API returned: {error}. Send it unchanged, or begin again without one."
        )
        raise unprocessable("rehearsal_invalid", detail) from None
    return found if request.contact is None else msgspec.structs.replace(found, contact=contact)


def _completion(found: Completion) -> FlowCompletion:
    variables = [
        KnownVariable(
            **msgspec.structs.asdict(variable)
            | {"assigned_by": [NodePlace(flow_id=place[0], node_id=place[1]) for place in variable.assigned_by]}
        )
        for variable in found.variables
    ]
    return FlowCompletion(
        variables=variables, nodes=[KnownNode.model_validate(msgspec.to_builtins(node)) for node in found.nodes]
    )


def _turn(turn: RehearsedTurn) -> RehearsedFlowTurn:
    timer = None
    if turn.due_at is not None:
        timer = RehearsalTimer(due_at=datetime.fromtimestamp(turn.due_at, UTC), kind=turn.timer)
    return RehearsedFlowTurn(
        rehearsal=msgspec.to_builtins(turn.rehearsal),
        status=turn.status,
        at=datetime.fromtimestamp(turn.at, UTC),
        node_id=turn.node_id,
        messages=[message_content(message) for message in turn.messages],
        texts=[render_message(message) for message in turn.messages],
        path=[RehearsedStep(**msgspec.structs.asdict(step)) for step in turn.path],
        events=[RehearsedEvent(type=event.type, data=event.data) for event in turn.events],
        variables=turn.variables,
        contact=RehearsedContact.model_validate(turn.rehearsal.contact, from_attributes=True),
        effect=_call(turn.effect) if turn.effect is not None else None,
        timer=timer,
    )


def shown_request(effect: Effect) -> dict[str, Any]:
    """A call as the flow makes it, with the names of secrets in place of their values."""
    shown = effect.with_secret_names() if isinstance(effect, HttpRequest) else effect
    request: dict[str, Any] = msgspec.to_builtins(shown)
    return {name: value for name, value in request.items() if name not in ("key", "type")}


def _call(effect: Effect) -> RequestedCall:
    type_ = msgspec.to_builtins(effect)["type"]
    return RequestedCall(key=effect.key, type=type_, request=shown_request(effect), mock=mock_keys(effect)[0])
