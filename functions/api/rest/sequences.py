"""Sequences: follow-ups relative to a date of a contact, or to an answer that did not come."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field, model_validator

import pytake.wiring.api as wiring
from pytake.conversation.opening import StartRefusedError
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.tenants import UnknownNumberError
from pytake.conversation.queues import FlowStart
from pytake.conversation.sequences.manage import SequencesFullError, SequenceUnknownError
from pytake.conversation.sequences.records import Sequence, Step
from pytake.engine import FlowError
from rest.caller import caller
from rest.contacts import ContactResponse, contact_response
from rest.identifiers import FLOW_ID, PHONE_NUMBER_ID
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import ProblemError, conflict, not_found, unprocessable
from rest.starts import OpeningTemplate, invalid_template, number_unknown, start_refused

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

SequenceId = Annotated[
    str, Path(pattern=FLOW_ID, description="The sequence's id, which you choose: letters, digits, `.`, `_`, `-`")
]


class SequenceTrigger(ApiModel):
    """What the steps follow: the date in the contact's `field`, or the `event` that the person has not answered."""

    model_config = ConfigDict(extra="forbid")

    field: str | None = Field(default=None, min_length=1, max_length=100)
    event: Literal["no_answer"] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.field is None) == (self.event is None):
            raise ValueError("give either `field` or `event`")
        return self


class SequenceStep(ApiModel):
    """One follow-up: `days` and `hours` after the date or the silence, before a date if they are negative; `at`: at this local
    time, in place of the time of the day. It starts `flow_id`, sends `template`, or both: the answer then starts the flow."""

    model_config = ConfigDict(extra="forbid")

    days: int = Field(default=0, ge=-365, le=365)
    hours: int = Field(default=0, ge=-24 * 365, le=24 * 365)
    at: str | None = Field(default=None, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    flow_id: str | None = Field(default=None, pattern=FLOW_ID)
    parameters: dict[str, Any] = Field(default_factory=dict)
    template: OpeningTemplate | None = None

    @model_validator(mode="after")
    def _starts_something(self) -> Self:
        if self.flow_id is None and self.template is None:
            raise ValueError("give a `flow_id`, a `template`, or both")
        return self


class SequenceRequest(ApiModel):
    """A sequence. The time zone is that of the contact's field `timezone`, or of the organization.

    `until_answer`: once the person has written after the first follow-up of a date, the others are not sent. After a silence an
    answer always ends them.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, pattern=r"\S")
    phone_number_id: str = Field(pattern=PHONE_NUMBER_ID, description="The number that writes")
    on: SequenceTrigger
    steps: list[SequenceStep] = Field(min_length=1, max_length=10)
    enabled: bool = True
    until_answer: bool = True

    @model_validator(mode="after")
    def _follows(self) -> Self:
        if self.on.event is not None and any(step.days < 0 or step.hours < 0 for step in self.steps):
            raise ValueError("nothing can follow a silence before it begins: `days` and `hours` must be 0 or more")
        return self

    def sequence(self, id_: str) -> Sequence:
        """The sequence as the use case takes it."""
        return Sequence(
            id=id_,
            name=self.name,
            phone_number_id=self.phone_number_id,
            field=self.on.field,
            steps=[_step(step) for step in self.steps],
            enabled=self.enabled,
            until_answer=self.until_answer,
        )


class SequenceResponse(ApiModel):
    """A sequence as stored."""

    id: str
    name: str
    phone_number_id: str
    on: SequenceTrigger
    steps: list[SequenceStep]
    enabled: bool
    until_answer: bool
    revision: int


class SequenceList(ApiModel):
    """The organization's sequences, by id."""

    sequences: list[SequenceResponse]


class NextFollowUp(ApiModel):
    """The step (its place in `steps`, from 0) of one person, and when it is due. Builders do not see who the person is."""

    due_at: datetime
    step: int
    contact: ContactResponse | None


class SequencePreview(ApiModel):
    """The next follow-ups, the earliest first. `total`: how many lie ahead of the newest 1,000 contacts; `complete`: the
    organization has no others."""

    follow_ups: list[NextFollowUp]
    total: int
    complete: bool


@router.get(
    "/api/v1/sequences",
    summary="The sequences",
    tags=["Sequences"],
    openapi_extensions=route_docs("builder"),
)
def list_sequences() -> SequenceList:
    who = caller(router, "builder")
    return SequenceList(sequences=[_answer(one) for one in wiring.manage_sequences().all(who.organization_id)])


@router.get(
    "/api/v1/sequences/<sequence_id>",
    summary="A sequence",
    tags=["Sequences"],
    openapi_extensions=route_docs("builder", problems=["sequence_unknown"]),
)
def get_sequence(sequence_id: SequenceId) -> SequenceResponse:
    who = caller(router, "builder")
    try:
        return _answer(wiring.manage_sequences().get(who.organization_id, sequence_id))
    except SequenceUnknownError:
        raise _unknown(sequence_id) from None


@router.get(
    "/api/v1/sequences/<sequence_id>/preview",
    summary="The next follow-ups of a sequence",
    tags=["Sequences"],
    openapi_extensions=route_docs("builder", problems=["sequence_unknown"]),
)
def preview_sequence(sequence_id: SequenceId, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> SequencePreview:
    """By the dates of the contacts as they are now, also while the sequence is switched off. Who opted out is left out;
    consent, answers and sessions are looked at when a follow-up is due. A silence is not known before it happens: such a sequence
    has none."""
    who = caller(router, "builder")
    try:
        sequence = wiring.manage_sequences().get(who.organization_id, sequence_id)
    except SequenceUnknownError:
        raise _unknown(sequence_id) from None
    found = wiring.preview_follow_ups()(who.organization_id, sequence, limit)
    seen = who.role == "admin"
    return SequencePreview(
        follow_ups=[
            NextFollowUp(
                due_at=datetime.fromtimestamp(one.due_at, UTC),
                step=one.step,
                contact=contact_response(one.contact) if seen else None,
            )
            for one in found.follow_ups
        ],
        total=found.total,
        complete=found.complete,
    )


@router.put(
    "/api/v1/sequences/<sequence_id>",
    summary="Create or replace a sequence",
    tags=["Sequences"],
    openapi_extensions=route_docs(
        "builder",
        problems=[
            "number_unknown",
            "flow_unknown",
            "parameter_missing",
            "parameters_too_large",
            "media_unknown",
            "media_unsupported",
            "sequences_full",
            "sequence_busy",
        ],
    ),
)
def put_sequence(sequence_id: SequenceId, request: SequenceRequest) -> SequenceResponse:
    """Contacts that have the date already are planned within minutes. A follow-up whose time has passed is not sent."""
    who = caller(router, "builder")
    try:
        return _answer(wiring.manage_sequences().put(who.organization_id, request.sequence(sequence_id), who.author()))
    except UnknownNumberError:
        raise number_unknown(request.phone_number_id) from None
    except StartRefusedError as refused:
        raise start_refused(refused.code) from None
    except FlowError as error:
        raise invalid_template(error) from None
    except SequencesFullError:
        detail = "The organization has 50 sequences already. Remove one, or add steps to another."
        raise unprocessable("sequences_full", detail) from None
    except ConflictError:
        raise conflict("sequence_busy", "Another request is writing the sequence. Try again.") from None


@router.delete(
    "/api/v1/sequences/<sequence_id>",
    summary="Remove a sequence",
    tags=["Sequences"],
    status_code=HTTPStatus.NO_CONTENT.value,
    openapi_extensions=route_docs("builder", problems=["sequence_unknown"]),
)
def delete_sequence(sequence_id: SequenceId) -> Response[str]:
    """Its follow-ups are not sent any more."""
    who = caller(router, "builder")
    try:
        wiring.manage_sequences().delete(who.organization_id, sequence_id, who.author())
    except SequenceUnknownError:
        raise _unknown(sequence_id) from None
    return Response(status_code=HTTPStatus.NO_CONTENT.value, body="")


def _step(step: SequenceStep) -> Step:
    opens = step.template.opening() if step.template is not None else None
    return Step(FlowStart(step.flow_id, step.parameters, opens, only_idle=True), step.days, step.hours, step.at)


def _answer(sequence: Sequence) -> SequenceResponse:
    trigger = {"field": sequence.field} if sequence.field is not None else {"event": "no_answer"}
    return SequenceResponse(
        id=sequence.id,
        name=sequence.name,
        phone_number_id=sequence.phone_number_id,
        on=SequenceTrigger.model_validate(trigger),
        steps=[_shown(step) for step in sequence.steps],
        enabled=sequence.enabled,
        until_answer=sequence.until_answer,
        revision=sequence.revision,
    )


def _shown(step: Step) -> SequenceStep:
    opens = step.start.template
    template = (
        OpeningTemplate(name=opens.name, language=opens.language, components=opens.components, category=opens.category)
        if opens is not None
        else None
    )
    return SequenceStep(
        days=step.days,
        hours=step.hours,
        at=step.at,
        flow_id=step.start.flow_id,
        parameters=step.start.parameters,
        template=template,
    )


def _unknown(sequence_id: str) -> ProblemError:
    return not_found("sequence_unknown", f"There is no sequence {sequence_id!r}. GET /api/v1/sequences lists them.")
