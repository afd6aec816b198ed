"""Conversations: the list, one's state, its transcript, what agents do in it, and forgetting a person.

Everything here shows who people are or what they entry, so it is for agents and admins only. Analysts have the reports,
which hold no personal data; builders try their flows with `pytake flow` and `pytake chat`.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from time import time
from typing import Annotated, Any, Literal
from urllib.parse import unquote
from uuid import uuid4

import msgspec
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BaseModel, ConfigDict, Field

from pytake.conversation.agent_messaging import (
    AgentTurn,
    OptedOutError,
    RequestIdReusedError,
    UnknownConversationError,
    WindowClosedError,
)
from pytake.conversation.inbox import status_of
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.records import SERVICE_WINDOW_SECONDS, Conversation
from pytake.conversation.transcript import TranscriptEntry
from pytake.engine import State, StateError
from pytake.whatsapp.limits import TEXT_BODY
from pytake.wiring import api as wiring
from pytake.wiring.conversations import conversations as conversation_store
from rest.caller import Caller, caller
from rest.cursor import read_cursor, write_cursor
from rest.openapi import route_docs
from rest.problems import ProblemError, conflict, not_found, unprocessable

TRANSCRIPT_MESSAGES = 1000
"""A transcript shows the newest so many: a Lambda's answer ends at 6 MB."""

RECORDS_BYTES = 4_000_000
"""A Lambda's answer ends at 6 MB, and JSON inside JSON grows."""

_PERSON = re.compile(r"\+?[0-9]{5,20}|(?![0-9._:=-]+$)[A-Za-z0-9._:=-]{1,256}")
"""A phone number, or an id with at least one letter in it: a number written with dashes is neither."""

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Phone = Annotated[
    str,
    Path(
        min_length=1,
        max_length=512,
        description="The person: a phone number with country code, with or without `+`, or a business-scoped user id",
    ),
]
AtNumber = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{5,20}$", description="Which of your numbers; without it the one where something was entry last"
    ),
]
Status = Literal["waiting", "human", "idle"]
Mode = Literal["bot", "human"]


class ConversationSummary(BaseModel):
    """A conversation. `status`: `waiting` for an answer to the bot, `human` when agents have it, `idle` without a session.

    Agents may write until `window_closes_at` (null: the person never wrote).
    """

    phone_number_id: str
    contact_id: str
    phone: str | None
    name: str
    tags: list[str]
    status: Status
    mode: Mode
    flow_id: str | None
    node_id: str | None
    opted_out: bool
    last_activity_at: datetime | None
    last_inbound_at: datetime | None
    window_closes_at: datetime | None


class ConversationPage(BaseModel):
    """A part of the list. Pass `next_cursor` on as `cursor`; null: this was the last part."""

    conversations: list[ConversationSummary]
    next_cursor: str | None


class SessionResponse(BaseModel):
    """A run through a flow."""

    id: str
    started_at: datetime
    expires_at: datetime


class ConversationResponse(ConversationSummary):
    """A conversation with its session (null: none), where the flow stands and what it knows."""

    session: SessionResponse | None
    flow_version: int | None
    sub_flow_id: str | None
    variables: dict[str, Any]
    fields: dict[str, Any]


class TranscriptMessage(BaseModel):
    """One message. `delivery` is null for what the person entry."""

    speaker: Literal["user", "bot", "agent"]
    text: str
    timestamp: datetime
    type: str
    options: list[str] = Field(description="Buttons or rows the person could choose from")
    turn: int
    session_id: str | None
    flow_id: str | None
    node_id: str | None
    delivery: str | None = Field(
        description="queued, waiting, claimed, accepted, ambiguous, deferred, dead; then Meta's sent, delivered, read, failed"
    )
    delivery_at: datetime | None
    error_code: int | None
    reason: str | None
    fallback: bool = Field(description="The number's template was sent in place of the text")


class Transcript(BaseModel):
    """The messages in order, oldest first. `truncated`: there are older ones than these."""

    phone_number_id: str
    contact_id: str
    messages: list[TranscriptMessage]
    truncated: bool


class AgentMessage(BaseModel):
    """What an agent writes: free text, as the 24-hour window allows it."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=TEXT_BODY, pattern=r"\S")


class SendResponse(BaseModel):
    """The message is on its way; `turn` is its place in the transcript, which shows what became of it."""

    phone_number_id: str
    contact_id: str
    turn: int
    delivery: Literal["queued"] = "queued"


@router.get(
    "/api/v1/conversations",
    summary="Conversations, newest activity first",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=["cursor_invalid"]),
)
def list_conversations(
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the part before")] = None,
    status: Annotated[Status | None, Query(description="Only these; a part may then hold fewer than `limit`")] = None,
    phone_number_id: Annotated[str | None, Query(pattern=r"^[0-9]{5,20}$", description="Only this number's")] = None,
) -> ConversationPage:
    who = caller(router, "agent")
    after = read_cursor(who.organization_id, cursor) if cursor is not None else None
    page = wiring.inbox().page(who.organization_id, limit, after, status=status, phone_number_id=phone_number_id)
    now = time()
    return ConversationPage(
        conversations=[ConversationSummary(**_summary(conversation, now)) for conversation in page.conversations],
        next_cursor=write_cursor(who.organization_id, page.end) if page.end is not None else None,
    )


@router.get(
    "/api/v1/conversations/<phone>",
    summary="A conversation's state",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=["conversation_unknown", "person_invalid"]),
)
def get_conversation(phone: Phone, phone_number_id: AtNumber = None) -> ConversationResponse:
    who = caller(router, "agent")
    return _answer(_find(who, phone, phone_number_id))


@router.get(
    "/api/v1/whatsapp-analytics/conversations/<phone>/transcript",
    summary="What was entry, and whether it arrived",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=["conversation_unknown", "flow_unknown", "person_invalid"]),
)
def get_transcript(
    phone: Phone,
    phone_number_id: AtNumber = None,
    flow_id: Annotated[
        str | None, Query(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Only sessions in which this flow ran")
    ] = None,
) -> Transcript:
    who = caller(router, "agent")
    conversation = _find(who, phone, phone_number_id)
    if flow_id is not None and wiring.flows().summary(who.organization_id, flow_id) is None:
        raise not_found("flow_unknown", f"There is no flow {flow_id!r}. GET /api/v1/flows lists them.")
    entry = wiring.read_transcript()(conversation.key, flow_id)
    return Transcript(
        phone_number_id=conversation.key.phone_number_id,
        contact_id=conversation.key.contact_id,
        messages=[_message(message) for message in entry[-TRANSCRIPT_MESSAGES:]],
        truncated=len(entry) > TRANSCRIPT_MESSAGES,
    )


@router.get(
    "/api/v1/conversations/<phone>/records",
    summary="The audit records of a conversation, one JSON object a line",
    tags=["Conversations"],
    openapi_extensions=route_docs(
        problems=["conversation_unknown", "person_invalid"], media_type="application/x-ndjson"
    ),
)
def get_records(phone: Phone, phone_number_id: AtNumber = None) -> Response[str]:
    """What `pytake replay` reads: every turn as it was committed, oldest first; the newest 4,000,000 bytes of them."""
    who = caller(router)
    lines: list[str] = []
    size = 0
    for record in reversed(conversation_store().turns(_find(who, phone, phone_number_id).key)):
        line = msgspec.json.encode(record).decode()
        size += len(line.encode()) + 1
        if size > RECORDS_BYTES:
            break
        lines.append(line)
    body = "".join(f"{line}\n" for line in reversed(lines))
    return Response(status_code=HTTPStatus.OK.value, content_type="application/x-ndjson", body=body)


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
            "opted_out",
            "idempotency_key_reused",
            "queue_unavailable",
        ],
    ),
)
def send(
    phone: Phone,
    message: AgentMessage,
    phone_number_id: AtNumber = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key", min_length=1, max_length=255, description="The same key again sends nothing twice"
        ),
    ] = None,
) -> SendResponse:
    """The bot is silent from now on, until `/resume` or the end of the session."""
    who = caller(router, "agent")
    key = _find(who, phone, phone_number_id).key
    request_id = idempotency_key or uuid4().hex
    try:
        done = _act(
            phone, lambda: wiring.agent_messaging().send(key, message.text, who.subject, request_id, who.request_id)
        )
    except WindowClosedError:
        detail = "The person last wrote more than 24 hours ago: WhatsApp takes free text only within 24 hours."
        raise conflict("window_closed", detail) from None
    except OptedOutError:
        detail = "The person wants no messages. As soon as they write again, you can answer."
        raise conflict("opted_out", detail) from None
    except RequestIdReusedError:
        raise unprocessable("idempotency_key_reused", "This Idempotency-Key was used for another text.") from None
    except QueueingFailedError:
        detail = "The message is recorded but could not be queued. Send it again with this Idempotency-Key."
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "queue_unavailable", detail, idempotency_key=request_id
        ) from None
    turn = done.record.seq if done.record is not None else done.conversation.seq
    return SendResponse(phone_number_id=key.phone_number_id, contact_id=key.contact_id, turn=turn)


@router.post(
    "/api/v1/conversations/<phone>/close",
    summary="End the session",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=["conversation_unknown", "conversation_busy", "person_invalid"]),
)
def close(phone: Phone, phone_number_id: AtNumber = None) -> ConversationResponse:
    """The person's next message begins a new session with the bot. Without a session nothing changes."""
    who = caller(router, "agent")
    key = _find(who, phone, phone_number_id).key
    return _answer(_act(phone, lambda: wiring.agent_messaging().close(key, who.subject, who.request_id)).conversation)


@router.post(
    "/api/v1/conversations/<phone>/resume",
    summary="Back to the bot",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=["conversation_unknown", "conversation_busy", "person_invalid"]),
)
def resume(phone: Phone, phone_number_id: AtNumber = None) -> ConversationResponse:
    """The flow goes on where it stood, with the person's next message. Where the bot is at work, nothing changes."""
    who = caller(router, "agent")
    key = _find(who, phone, phone_number_id).key
    return _answer(_act(phone, lambda: wiring.agent_messaging().resume(key, who.subject, who.request_id)).conversation)


@router.delete(
    "/api/v1/contacts/<phone>",
    summary="Forget a person at all numbers",
    tags=["Contacts"],
    status_code=HTTPStatus.NO_CONTENT.value,
    openapi_extensions=route_docs("agent", problems=["conversation_busy", "person_invalid"]),
)
def erase(phone: Phone) -> Response[str]:
    """Removes the conversations, turns, deliveries and waiting messages of this contact at every number, at once.

    What is elsewhere (values in the lake, dead letters, query results) is gone within a quarter of an hour. Counts in
    reports stay. If the person writes again, they are a stranger. Calling it again is safe, also for somebody unknown.
    """
    who = caller(router, "agent")
    try:
        wiring.erase_contact()(who.organization_id, _person(phone), who.subject)
    except ConflictError:
        raise _busy() from None
    return Response(status_code=HTTPStatus.NO_CONTENT.value, body="")


def _find(who: Caller, phone: str, phone_number_id: str | None) -> Conversation:
    found = wiring.inbox().find(who.organization_id, _person(phone), phone_number_id)
    if found is None:
        raise _unknown(phone)
    return found


def _person(phone: str) -> str:
    """Who an address names. Raises the 422 problem `person_invalid` for what names nobody: a person must not seem unknown,
    and least of all erased, over a slip of the pen."""
    person = unquote(phone)
    if _PERSON.fullmatch(person):
        return person
    detail = (
        f"{person!r} is no phone number: write the country code and the number in the digits 0 to 9 without anything "
        "between them (5511999990001), or give a business-scoped user id."
    )
    raise unprocessable("person_invalid", detail)


def _act(phone: str, action: Callable[[], AgentTurn]) -> AgentTurn:
    try:
        return action()
    except UnknownConversationError:
        raise _unknown(phone) from None
    except ConflictError:
        raise _busy() from None


def _unknown(phone: str) -> ProblemError:
    return not_found("conversation_unknown", f"This organization has no conversation with {unquote(phone)!r}.")


def _busy() -> ProblemError:
    return conflict("conversation_busy", "The conversation is being written to at this moment. Try again.")


def _at(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _state(conversation: Conversation, now: float) -> State | None:
    session = conversation.open_session(now)
    if session is None or session.state is None:
        return None
    try:
        return State.decode(session.state)
    except StateError:
        return None  # the next turn apologises and begins anew


def _summary(conversation: Conversation, now: float) -> dict[str, Any]:
    contact, state, status = conversation.contact, _state(conversation, now), status_of(conversation, now)
    wrote_at = conversation.last_inbound_at
    return {
        "phone_number_id": conversation.key.phone_number_id,
        "contact_id": conversation.key.contact_id,
        "phone": contact.phone,
        "name": contact.name,
        "tags": contact.tags,
        "status": status,
        "mode": "human" if status == "human" else "bot",
        "flow_id": state.flow_id if state is not None else None,
        "node_id": state.node_id if state is not None else None,
        "opted_out": conversation.opted_out,
        "last_activity_at": _at(conversation.active_at),
        "last_inbound_at": _at(wrote_at),
        "window_closes_at": _at(wrote_at + SERVICE_WINDOW_SECONDS) if wrote_at else None,
    }


def _answer(conversation: Conversation) -> ConversationResponse:
    now = time()
    session, state = conversation.open_session(now), _state(conversation, now)
    return ConversationResponse(
        **_summary(conversation, now),
        session=SessionResponse(
            id=session.id,
            started_at=datetime.fromtimestamp(session.started_at, UTC),
            expires_at=datetime.fromtimestamp(session.expires_at, UTC),
        )
        if session is not None
        else None,
        flow_version=state.version if state is not None else None,
        sub_flow_id=(state.sub_flow_id or None) if state is not None else None,
        variables=state.variables if state is not None else {},
        fields=conversation.contact.fields,
    )


def _message(entry: TranscriptEntry) -> TranscriptMessage:
    return TranscriptMessage(
        speaker=entry.speaker,
        text=entry.text,
        timestamp=datetime.fromtimestamp(entry.at, UTC),
        type=entry.type,
        options=entry.options,
        turn=entry.turn,
        session_id=entry.session_id,
        flow_id=entry.flow_id,
        node_id=entry.node_id,
        delivery=entry.delivery,
        delivery_at=_at(entry.delivered_at),
        error_code=entry.error_code,
        reason=entry.reason,
        fallback=entry.fallback,
    )
