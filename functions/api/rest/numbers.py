"""WhatsApp phone numbers. Secrets are write-only."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field, SecretStr

import pytake.wiring.api as wiring
from pytake.conversation.number_setup import (
    NumberChange,
    NumberSetupError,
    NumberUnverifiedError,
    VerificationFailedError,
)
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.ports.tenants import UnknownNumberError
from pytake.conversation.records import FallbackTemplate, Number
from rest.caller import caller
from rest.cursor import read_list_cursor, write_list_cursor
from rest.flow_problems import FlowProblem, flow_problems
from rest.identifiers import PhoneNumberId
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import ProblemError, conflict, not_found, unprocessable

RESERVE_MILLISECONDS = 9_000
"""Resuming releases no further held turns when the function has less than this left."""

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


class Template(ApiModel):
    """An approved template."""

    name: str = Field(min_length=1, max_length=512)
    language: str = Field(min_length=2, max_length=16)


class NumberRequest(ApiModel):
    """A phone number's setup. Omitted secrets keep their value; a new number needs the verify token, the app secret and the
    access token."""

    model_config = ConfigDict(extra="forbid")

    display_phone_number: str = Field(description="As Meta displays it, with country code: +55 11 4000-0001")
    default_flow_id: str | None = Field(default=None, description="The flow that answers when no keyword matches")
    keywords: dict[str, str] = Field(
        default_factory=dict, description="A first message that equals the keyword starts the flow"
    )
    words: dict[str, Literal["restart", "stop", "human"]] = Field(
        default_factory=dict,
        description="Commands that work at any moment, in place of the built-in words for `restart` and `human`. The built-in"
        " words for `stop` always work",
    )
    apology: str | None = Field(
        default=None, max_length=4096, description="The message to the person when a flow fails"
    )
    fallback_template: Template | None = Field(default=None, description="Sent outside the 24-hour window")
    verify_token: SecretStr | None = Field(
        default=None, min_length=8, description="Chosen by you, sent back by Meta; one for all numbers of a Meta app"
    )
    app_secret: SecretStr | None = Field(default=None, min_length=8, description="Meta signs its webhooks with it")
    previous_app_secret: SecretStr | None = Field(
        default=None, min_length=8, description="Remains valid during a rotation"
    )
    access_token: SecretStr | None = Field(default=None, min_length=8, description="The token of a system user")
    messages_per_second: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Meta's throughput of the number; without it, 80 (20 beside the phone app)",
    )
    waba_id: str | None = Field(
        default=None,
        pattern=r"^[0-9]{1,20}$",
        description="The WhatsApp Business account of the number. Without it, Meta is asked when the access token is tried",
    )
    mark_read: bool = Field(default=True, description="Mark a message as read when its turn is taken")
    typing: bool = Field(
        default=True, description="Show the typing indicator while an API or a model is asked; needs `mark_read`"
    )
    coexists: bool = Field(
        default=False,
        description="Its owner uses it in the WhatsApp Business app, too: Meta takes 20 messages a second",
    )
    marketing_messages: bool = Field(
        default=False,
        description="Send marketing templates by Meta's Marketing Messages API, which optimises their delivery. Accept its"
        " terms at Meta first",
    )


class NumberResponse(ApiModel):
    """A phone number without its secrets. `waba_id`: its WhatsApp Business account, null while it is not known. `stopped_reason`:
    why nothing is sent; null when the number sends. `stopped_at`: since when. `resuming`: the held turns are being sent, new
    ones follow them."""

    phone_number_id: str
    display_phone_number: str
    country: str | None
    default_flow_id: str | None
    keywords: dict[str, str]
    words: dict[str, str]
    apology: str | None
    fallback_template: Template | None
    messages_per_second: int | None
    waba_id: str | None
    mark_read: bool
    typing: bool
    coexists: bool
    marketing_messages: bool
    stopped_reason: str | None
    stopped_at: datetime | None
    resuming: bool


class NumberWithProblems(NumberResponse):
    """A phone number, with a warning for each of its flows that does not exist (`flow_unknown`) or is not published
    (`flow_not_published`): a person would get the apology. The fallback template gets one if Meta would refuse it
    (`template_unknown`, `template_not_approved`, or `template_mismatch` if it needs parameters)."""

    problems: list[FlowProblem]


class ResumeResponse(ApiModel):
    """The number sends again. `conversations`: how many held conversations were released. `after`: pass it as `?after=` to
    release the rest; null when all are released."""

    phone_number_id: str
    conversations: int
    after: str | None


@router.get(
    "/api/v1/numbers",
    summary="The organization's phone numbers",
    tags=["Numbers"],
    openapi_extensions=route_docs("builder", "agent", polled=True),
)
def list_numbers() -> list[NumberResponse]:
    who = caller(router, "builder", "agent")
    return [_answer(number) for number in wiring.number_setup().numbers(who.organization_id)]


@router.get(
    "/api/v1/numbers/<phone_number_id>",
    summary="One phone number",
    tags=["Numbers"],
    openapi_extensions=route_docs("builder", problems=["number_unknown"]),
)
def get_number(phone_number_id: PhoneNumberId) -> NumberWithProblems:
    who = caller(router, "builder")
    try:
        return _with_problems(wiring.number_setup().number(who.organization_id, phone_number_id))
    except UnknownNumberError:
        raise _unknown(phone_number_id) from None


@router.put(
    "/api/v1/numbers/<phone_number_id>",
    summary="Connect or change a phone number",
    tags=["Numbers"],
    openapi_extensions=route_docs(problems=["number_setup", "number_unverified", "number_taken", "meta_unavailable"]),
)
def put_number(phone_number_id: PhoneNumberId, request: NumberRequest) -> NumberWithProblems:
    """A given access token is tried at Meta before anything is stored: it must be allowed to read the number's profile."""
    who = caller(router)
    template = request.fallback_template
    change = NumberChange(
        display_phone_number=request.display_phone_number,
        default_flow_id=request.default_flow_id,
        keywords=request.keywords,
        commands=dict(request.words),
        apology=request.apology,
        fallback_template=FallbackTemplate(template.name, template.language) if template else None,
        verify_token=_reveal(request.verify_token),
        app_secret=_reveal(request.app_secret),
        previous_app_secret=_reveal(request.previous_app_secret),
        access_token=_reveal(request.access_token),
        messages_per_second=request.messages_per_second,
        waba_id=request.waba_id,
        mark_read=request.mark_read,
        typing=request.typing,
        coexists=request.coexists,
        marketing_messages=request.marketing_messages,
    )
    try:
        return _with_problems(wiring.number_setup().put(who.organization_id, phone_number_id, change, who.author()))
    except NumberUnverifiedError as error:
        raise unprocessable("number_unverified", str(error), field=error.field) from None
    except NumberSetupError as error:
        raise unprocessable("number_setup", str(error), field=error.field) from None
    except VerificationFailedError as error:
        detail = f"Meta gave no usable answer, so the number could not be verified and is not stored: {error}"
        retry = {"Retry-After": "10"}
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "meta_unavailable", detail, headers=retry) from None
    except ConflictError:
        detail = "Another organization uses this number or verify token. Check the id, or choose another verify token."
        raise conflict("number_taken", detail) from None


@router.post(
    "/api/v1/numbers/<phone_number_id>/resume",
    summary="Resume a stopped phone number",
    tags=["Numbers"],
    openapi_extensions=route_docs(problems=["number_unknown", "cursor_invalid"]),
)
def resume_number(
    phone_number_id: PhoneNumberId,
    after: Annotated[
        str | None, Query(description="`after` of the previous response; omit it to start at the beginning")
    ] = None,
) -> ResumeResponse:
    who = caller(router)
    held = f"held at {phone_number_id}"
    place = read_list_cursor(held, who.organization_id, after) if after is not None else ""
    context = router.lambda_context

    def out_of_time() -> bool:
        return bool(context.get_remaining_time_in_millis() < RESERVE_MILLISECONDS)

    try:
        resumed = wiring.resume_number()(who.organization_id, phone_number_id, place, out_of_time)
    except UnknownNumberError:
        raise _unknown(phone_number_id) from None
    rest = write_list_cursor(held, who.organization_id, resumed.after) if resumed.after is not None else None
    return ResumeResponse(phone_number_id=phone_number_id, conversations=resumed.conversations, after=rest)


@router.delete(
    "/api/v1/numbers/<phone_number_id>",
    summary="Remove a phone number with its secrets",
    tags=["Numbers"],
    status_code=HTTPStatus.NO_CONTENT.value,
    openapi_extensions=route_docs(problems=["number_unknown", "temporarily_unavailable"]),
)
def remove_number(phone_number_id: PhoneNumberId) -> Response[str]:
    """From then on its webhooks are ignored, and nothing is sent: messages that wait are recorded as failed with the reason
    `number_removed`. Its conversations can be read and erased until their retention ends. The request is safe to repeat.
    """
    who = caller(router)
    try:
        wiring.offboard_number().remove(who.organization_id, phone_number_id, who.subject)
    except UnknownNumberError:
        raise _unknown(phone_number_id) from None
    except QueueingFailedError:
        detail = "The number is removed, but its held messages could not be queued. Repeat the request."
        again = {"Retry-After": "2"}
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "temporarily_unavailable", detail, headers=again) from None
    return Response(status_code=HTTPStatus.NO_CONTENT.value, body="")


def _unknown(phone_number_id: str) -> ProblemError:
    return not_found("number_unknown", f"This organization has no phone number with the id {phone_number_id}.")


def _reveal(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def _with_problems(number: Number) -> NumberWithProblems:
    problems = flow_problems(wiring.number_setup().problems(number))
    return NumberWithProblems(**_answer(number).model_dump(), problems=problems)


def _answer(number: Number) -> NumberResponse:
    template = number.fallback_template
    return NumberResponse(
        phone_number_id=number.phone_number_id,
        display_phone_number=number.display_phone_number,
        country=number.country,
        default_flow_id=number.default_flow_id,
        keywords=number.keywords,
        words=dict[str, str](number.commands),
        apology=number.apology,
        fallback_template=Template(name=template.name, language=template.language) if template else None,
        messages_per_second=number.messages_per_second,
        waba_id=number.waba_id,
        mark_read=number.mark_read,
        typing=number.typing,
        coexists=number.coexists,
        marketing_messages=number.marketing_messages,
        stopped_reason=number.stopped_reason,
        stopped_at=datetime.fromtimestamp(number.stopped_at, UTC) if number.stopped_at is not None else None,
        resuming=number.resuming_at is not None,
    )
