"""What agents do in a conversation: write to the person, end the session, return it to the bot."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self
from uuid import uuid4

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field, field_validator, model_validator

import pytake.wiring.api as wiring
from pytake.conversation.agent_messaging import (
    AgentContent,
    AgentTurn,
    ChangedMeanwhileError,
    OptedOutError,
    RequestIdReusedError,
    UnknownConversationError,
    UnsendableFileError,
    WindowClosedError,
)
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.media import MediaSizeError, UnknownMediaError, UnsupportedMediaError
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.records import ConversationKey
from pytake.conversation.templates.check import (
    MismatchedTemplateError,
    TemplateRefusedError,
    UnsendableTemplateError,
)
from pytake.engine.template_parameters import sendable_components
from pytake.whatsapp.limits import CAPTION, TEXT_BODY
from pytake.whatsapp.outbound import Media, Template, Text
from pytake.whatsapp.sending import SendFailedError
from pytake.whatsapp.templates import LANGUAGE, NAME, language_code
from rest.caller import caller
from rest.conversations import ConversationResponse, conversation_response
from rest.idempotency import idempotency_key, queue_unavailable
from rest.identifiers import AtNumber
from rest.media import media_unknown, refused_by_meta, unsendable
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.people import Phone, conversation_busy, conversation_unknown, find, person
from rest.problems import ProblemError, conflict, not_found, unprocessable
from rest.starts import start_refused

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


class SentTemplate(ApiModel):
    """A template message. `components` has Meta's format for sending: the parameters of header, body and buttons. Line breaks and
    tabs in their texts become spaces."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=NAME)
    language: str = Field(pattern=LANGUAGE)
    components: list[dict[str, Any]] = Field(default_factory=list, max_length=20)

    @field_validator("components")
    @classmethod
    def _sendable(cls, components: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sendable_components(components)


class SentMedia(ApiModel):
    """A file of `POST /api/v1/media`. A caption is shown below an image, a video or a document."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=100)
    caption: str | None = Field(default=None, max_length=CAPTION)


class AgentMessage(ApiModel):
    """An agent's message: one of `text`, `media` and `template`. Only a template can be sent outside the 24-hour window."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(default=None, min_length=1, max_length=TEXT_BODY, pattern=r"\S")
    template: SentTemplate | None = None
    expected_turn: int | None = Field(
        default=None,
        ge=0,
        strict=True,
        description="Only if this is still the conversation's latest `turn`: nothing was written that you have not seen",
    )
    media: SentMedia | None = None

    @model_validator(mode="after")
    def _has_one_content(self) -> Self:
        if sum(content is not None for content in (self.text, self.template, self.media)) != 1:
            raise ValueError("give exactly one of `text`, `template` and `media`")
        return self

    def content(self, key: ConversationKey) -> AgentContent:
        """The message as it is sent. Meta has the file after this."""
        if self.media is not None:
            return _media(key, self.media)
        if self.template is not None:
            template = self.template
            return Template(template.name, language_code(template.language), template.components)
        return Text(self.text or "")


class CloseRequest(ApiModel):
    """Why an agent ends the session: words of the organization, such as `solved`. The lake keeps them, so digits are refused."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(default=None, max_length=40, pattern=r"^[^\W\d_]+([ _-][^\W\d_]+)*$")


class SendResponse(ApiModel):
    """The message is queued; `turn` is its place in the transcript, which shows its delivery status."""

    phone_number_id: str
    contact_id: str
    turn: int
    delivery: Literal["queued"] = "queued"


@router.post(
    "/api/v1/conversations/<phone>/send",
    summary="Write to the person, as an agent",
    tags=["Conversations"],
    openapi_extensions=route_docs(
        "agent",
        problems=[
            "conversation_unknown",
            "person_invalid",
            "conversation_busy",
            "window_closed",
            "template_unknown",
            "template_not_approved",
            "template_mismatch",
            "opted_out",
            "conversation_changed",
            "idempotency_key_reused",
            "queue_unavailable",
            "media_unknown",
            "media_unsupported",
            "media_size",
            "media_refused",
            "meta_unavailable",
        ],
    ),
)
def send_message(
    phone: Phone,
    message: AgentMessage,
    phone_number_id: AtNumber = None,
    key_header: Annotated[str | None, idempotency_key("sends")] = None,
) -> SendResponse:
    """The bot stays silent from now on, until `/resume` or the end of the session.

    A template can be sent outside the 24-hour window, and with `phone_number_id` to a person who has never written. It is
    checked against the copy of the account's templates, if there is one.
    """
    who = caller(router, "agent")
    messaging = wiring.agent_messaging()
    found = wiring.inbox().find(who.organization_id, person(phone), phone_number_id)
    if found is not None:
        key = found.key
    elif message.template is not None and phone_number_id is not None:
        key = messaging.first_key(who.organization_id, person(phone), phone_number_id)
    else:
        raise conversation_unknown(phone)
    request_id = key_header or uuid4().hex
    sent = message.content(key)
    try:
        done = _act(
            phone,
            lambda: messaging.send(key, sent, who.subject, request_id, who.request_id, message.expected_turn),
        )
    except ChangedMeanwhileError as error:
        detail = "There are newer messages: read the conversation again. A colleague may have answered already."
        raise conflict("conversation_changed", detail, turn=error.turn) from None
    except TemplateRefusedError as error:
        raise _refused_template(error) from None
    except UnsendableFileError as error:
        raise start_refused(error.problem.code, field=f"template.{error.problem.field}") from None
    except WindowClosedError:
        detail = "The person last wrote more than 24 hours ago: WhatsApp accepts free text only within 24 hours."
        raise conflict("window_closed", detail) from None
    except OptedOutError:
        detail = "The person opted out of messages. You can answer as soon as they write again."
        raise conflict("opted_out", detail) from None
    except RequestIdReusedError:
        raise unprocessable("idempotency_key_reused", "This Idempotency-Key was used for another message.") from None
    except QueueingFailedError:
        detail = "The message is recorded but could not be queued. Send it again with this Idempotency-Key."
        raise queue_unavailable(detail, request_id) from None
    turn = done.record.seq if done.record is not None else done.conversation.seq
    return SendResponse(phone_number_id=key.phone_number_id, contact_id=key.contact_id, turn=turn)


@router.post(
    "/api/v1/conversations/<phone>/close",
    summary="End the session",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=["conversation_unknown", "conversation_busy", "person_invalid"]),
)
def close_conversation(
    phone: Phone, request: CloseRequest | None = None, phone_number_id: AtNumber = None
) -> ConversationResponse:
    """The person's next message begins a new session with the bot. Without a session nothing changes."""
    who = caller(router, "agent")
    key = find(who, phone, phone_number_id).key
    reason = request.reason if request is not None else None
    done = _act(phone, lambda: wiring.agent_messaging().close(key, who.subject, who.request_id, reason))
    return conversation_response(done.conversation)


@router.post(
    "/api/v1/conversations/<phone>/resume",
    summary="Return the conversation to the bot",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=["conversation_unknown", "conversation_busy", "person_invalid"]),
)
def resume_conversation(phone: Phone, phone_number_id: AtNumber = None) -> ConversationResponse:
    """The flow continues where it stopped: behind a handoff with a next node at once, elsewhere with the person's next message.

    If the bot has the conversation, nothing changes.
    """
    who = caller(router, "agent")
    key = find(who, phone, phone_number_id).key
    done = _act(phone, lambda: wiring.agent_messaging().resume(key, who.subject, who.request_id))
    return conversation_response(done.conversation)


def _refused_template(error: TemplateRefusedError) -> ProblemError:
    match error:
        case UnsendableTemplateError():
            detail = f"The template has the status {error.status}. Meta sends it when it is APPROVED."
            return conflict("template_not_approved", detail)
        case MismatchedTemplateError():
            errors = [
                {"field": f"template.components.{found.field}", "message": found.message} for found in error.mismatches
            ]
            detail = "The parameters do not fit the template; `errors` lists each place."
            return unprocessable("template_mismatch", detail, errors=errors)
    detail = f"The number's account has no template {error} in this language. GET /api/v1/templates lists them."
    return not_found("template_unknown", detail)


def _media(key: ConversationKey, media: SentMedia) -> Media:
    """The message that sends a file, which Meta has now."""
    try:
        return wiring.media_library().message(key, media.id, media.caption)
    except UnknownMediaError:
        raise media_unknown() from None
    except (UnsupportedMediaError, MediaSizeError) as error:
        raise unsendable(error) from None
    except SendFailedError as error:
        raise refused_by_meta(error) from None


def _act(phone: str, action: Callable[[], AgentTurn]) -> AgentTurn:
    try:
        return action()
    except UnknownConversationError:
        raise conversation_unknown(phone) from None
    except ConflictError:
        raise conversation_busy() from None
