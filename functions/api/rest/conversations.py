"""Conversations: the list, one conversation's state, its transcript and its audit records.

These routes show who people are and what they wrote, so they are for agents and admins only. Analysts have the reports, which
hold no personal data. Builders test their flows with `pytake flow` and `pytake chat`.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

import pytake.wiring.api as wiring
from pytake.conversation.assignments import Assignment, is_snoozed, is_unread, team_of
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.inbox import NO_ASSIGNMENT, NOBODY, Filters, Sort, status_of
from pytake.conversation.office import Office, Wait, office_of
from pytake.conversation.records import SERVICE_WINDOW_SECONDS, Conversation, Handoff
from pytake.conversation.sessions import waits_since
from pytake.conversation.shown_state import collected_variables, open_state
from pytake.conversation.transcript import RecordPlace, Speaker, TranscriptEntry
from pytake.wiring import shared
from rest.caller import caller
from rest.cursor import invalid_cursor, read_cursor, read_list_cursor, write_cursor, write_list_cursor
from rest.identifiers import FLOW_ID, PHONE_NUMBER_ID, AtNumber
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.people import Phone, find
from rest.problems import flow_unknown
from rest.transcript_models import Transcript, TranscriptMessage

PREVIEW_CHARACTERS = 120

TRANSCRIPT_MESSAGES = 1000
"""A transcript shows the newest messages up to this number: a Lambda response is limited to 6 MB."""

RECORDS_BYTES = 4_000_000
"""A Lambda response is limited to 6 MB, and JSON inside JSON grows."""

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Status = Literal["waiting", "human", "idle"]
Mode = Literal["bot", "human"]
Flag = Literal["true", "false"]


class HandoffResponse(ApiModel):
    """Why agents have the conversation. `reason`: `flow` (a node) or `command` (the person asked). `node_id`, `flow_id` and the
    variables of the conversation are those of the place where the flow was interrupted."""

    at: datetime
    reason: str
    department: str | None
    priority: str | int | float | None
    note: str | None


class AssignmentResponse(ApiModel):
    """How agents handle a conversation; the person never sees it. `assignee` and `typing_by` are subjects of agents' tokens.

    `team` and `priority` are those of the assignment, otherwise those of the handoff. `unread`: the person has written since an
    agent read it. `snoozed`: it rests until `snoozed_until`, or until the person writes. Send `revision` as `If-Match` to change
    exactly this assignment.
    """

    assignee: str | None
    team: str | None
    priority: str | int | float | None
    tags: list[str]
    snoozed_until: datetime | None
    snoozed: bool
    unread: bool
    typing_by: str | None
    revision: int


class WaitResponse(ApiModel):
    """A person waits for an agent's answer since `since`. How long, within the office's hours if it has any: `seconds`, and the
    time since `counts_from`; null: the office is closed. Nothing of it changes while the office neither opens nor closes."""

    since: datetime
    seconds: float
    counts_from: datetime | None


class ConversationFields(ApiModel):
    """A conversation. `status`: `waiting` for an answer to the bot, `human` when agents have it, `idle` without a session.
    `handoff`: null unless a flow or the person asked for agents. `turn` is the latest turn, for `expected_turn` of `/send`.
    `wait`: null unless the person waits for an agent's answer.

    Agents may write until `window_closes_at` (null: the person has never written).
    """

    phone_number_id: str
    contact_id: str
    phone: str | None
    name: str
    tags: list[str]
    language: str
    status: Status
    mode: Mode
    flow_id: str | None
    node_id: str | None
    handoff: HandoffResponse | None
    opted_out: bool
    last_activity_at: datetime | None
    last_inbound_at: datetime | None
    window_closes_at: datetime | None
    turn: int
    wait: WaitResponse | None
    assignment: AssignmentResponse


class LastMessage(ApiModel):
    """The last message of a conversation, as in its transcript; of a long text the beginning."""

    speaker: Speaker
    type: str
    text: str


class ConversationSummary(ConversationFields):
    """A conversation in the list. `last_message` is null if the last turn has no message."""

    last_message: LastMessage | None


class ConversationPage(ApiModel):
    """A page of the list. Pass `next_cursor` as `cursor` to get the next page; null: this is the last page."""

    conversations: list[ConversationSummary]
    next_cursor: str | None


class SessionResponse(ApiModel):
    """One run through a flow."""

    id: str
    started_at: datetime
    expires_at: datetime


class ConversationResponse(ConversationFields):
    """A conversation with its session (null: none), the position in the flow, and the values collected so far."""

    session: SessionResponse | None
    flow_version: int | None
    sub_flow_id: str | None
    variables: dict[str, Any]
    fields: dict[str, Any]


@router.get(
    "/api/v1/conversations",
    summary="Conversations, the last message first",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=["cursor_invalid"], polled=True),
)
def list_conversations(
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the previous page")] = None,
    status: Annotated[
        Status | None, Query(description="Only these; a page may then hold fewer conversations than `limit`")
    ] = None,
    phone_number_id: Annotated[
        str | None, Query(pattern=PHONE_NUMBER_ID, description="Only conversations of this phone number")
    ] = None,
    department: Annotated[
        str | None, Query(min_length=1, description="Only those that were handed off to this department")
    ] = None,
    priority: Annotated[
        str | None, Query(min_length=1, description="Only those that were handed off with this priority")
    ] = None,
    assignee: Annotated[
        str | None,
        Query(max_length=256, description="Only those of this agent; `me`: yours; `none`: those without an assignee"),
    ] = None,
    team: Annotated[str | None, Query(min_length=1, max_length=64, description="Only those of this team")] = None,
    tag: Annotated[str | None, Query(min_length=1, max_length=64, description="Only those with this tag")] = None,
    unread: Annotated[Flag | None, Query(description="Only those that are unread, or that are not")] = None,
    snoozed: Annotated[Flag | None, Query(description="Only those that rest, or that do not")] = None,
    search: Annotated[
        str | None,
        Query(
            min_length=1, max_length=100, description="Found in name, number and tags; case and accents do not matter"
        ),
    ] = None,
    sort: Annotated[
        Sort,
        Query(
            description="`department`, `priority`: only conversations that agents have, by their handoff; then the last "
            "message. Priorities: urgent, high, normal, low, or numbers from 1 (the most urgent)"
        ),
    ] = "last_message",
) -> ConversationPage:
    who = caller(router, "agent")
    after = read_cursor(sort, who.organization_id, cursor) if cursor is not None else None
    filters = Filters(
        status,
        phone_number_id,
        department,
        priority,
        assignee={"me": who.subject, "none": NOBODY}.get(assignee or "", assignee),
        team=team,
        tag=tag,
        unread=_flag(unread),
        snoozed=_flag(snoozed),
        search=search,
    )
    page = wiring.inbox().page(who.organization_id, limit, after, filters=filters, sort=sort)
    now, latest = shared.clock(), wiring.read_transcript().latest(page.conversations)
    office = office_of(shared.tenants().organization(who.organization_id))
    return ConversationPage(
        conversations=[
            ConversationSummary(
                **_summary(conversation, page.assignments.get(conversation.key, NO_ASSIGNMENT), office, now),
                last_message=_last_message(latest.get(conversation.key)),
            )
            for conversation in page.conversations
        ],
        next_cursor=write_cursor(sort, who.organization_id, page.end) if page.end is not None else None,
    )


@router.get(
    "/api/v1/conversations/<phone>",
    summary="A conversation's state",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=["conversation_unknown", "person_invalid"], polled=True),
)
def get_conversation(phone: Phone, phone_number_id: AtNumber = None) -> ConversationResponse:
    who = caller(router, "agent")
    return conversation_response(find(who, phone, phone_number_id))


@router.get(
    "/api/v1/whatsapp-analytics/conversations/<phone>/transcript",
    summary="The messages of a conversation with their delivery status",
    tags=["Conversations"],
    openapi_extensions=route_docs(
        "agent", problems=["conversation_unknown", "flow_unknown", "person_invalid"], polled=True
    ),
)
def get_transcript(
    phone: Phone,
    phone_number_id: AtNumber = None,
    flow_id: Annotated[str | None, Query(pattern=FLOW_ID, description="Only sessions in which this flow ran")] = None,
) -> Transcript:
    who = caller(router, "agent")
    key = find(who, phone, phone_number_id).key
    try:
        entries = wiring.read_transcript()(key, flow_id)
    except UnknownFlowError as error:
        raise flow_unknown(str(error)) from None
    return Transcript(
        phone_number_id=key.phone_number_id,
        contact_id=key.contact_id,
        messages=[TranscriptMessage.model_validate(entry) for entry in entries[-TRANSCRIPT_MESSAGES:]],
        truncated=len(entries) > TRANSCRIPT_MESSAGES,
    )


@router.get(
    "/api/v1/conversations/<phone>/records",
    summary="The audit records of a conversation, one JSON object per line",
    tags=["Conversations"],
    openapi_extensions=route_docs(
        problems=["conversation_unknown", "person_invalid", "cursor_invalid"], media_type="application/x-ndjson"
    ),
)
def list_records(
    phone: Phone,
    phone_number_id: AtNumber = None,
    cursor: Annotated[str | None, Query(description="From the `Link` of the previous response")] = None,
) -> Response[str]:
    """The input of `pytake replay`: every turn as it was committed, oldest first; at most the newest 4,000,000 bytes. Turns of
    conversations that were merged into this one stand between its own, with the contact as `merged_from`. If there are older
    ones, `Truncated` is `true` and `Link` (`rel="next"`) is their address."""
    who = caller(router)
    key = find(who, phone, phone_number_id).key
    list_name = f"records of {key.phone_number_id} {key.contact_id}"
    before = _record_place(read_list_cursor(list_name, who.organization_id, cursor)) if cursor is not None else None
    lines, first = wiring.read_transcript().records(key, RECORDS_BYTES, before)
    headers: dict[str, str | list[str]] = {"Truncated": "true" if first is not None else "false"}
    if first is not None:
        older = write_list_cursor(list_name, who.organization_id, " ".join(map(str, filter(None, first[::-1]))))
        query = urlencode({"phone_number_id": key.phone_number_id, "cursor": older})
        headers["Link"] = f'</api/v1/conversations/{key.contact_id}/records?{query}>; rel="next"'
    body = "".join(f"{line.decode()}\n" for line in lines)
    return Response(status_code=HTTPStatus.OK.value, content_type="application/x-ndjson", body=body, headers=headers)


def _record_place(mark: str) -> RecordPlace:
    turn, _, contact_id = mark.partition(" ")
    if not (turn.isascii() and turn.isdecimal() and len(turn) < 16):  # anyone can compute the check of a cursor
        raise invalid_cursor()
    return contact_id or None, int(turn)


def conversation_response(conversation: Conversation) -> ConversationResponse:
    """A conversation as it is now."""
    now, office = shared.clock(), office_of(shared.tenants().organization(conversation.key.organization_id))
    session, state = conversation.open_session(now), open_state(conversation, now)
    return ConversationResponse(
        **_summary(conversation, wiring.assignments().load(conversation.key), office, now),
        session=SessionResponse(
            id=session.id,
            started_at=datetime.fromtimestamp(session.started_at, UTC),
            expires_at=datetime.fromtimestamp(session.expires_at, UTC),
        )
        if session is not None
        else None,
        flow_version=state.version if state is not None else None,
        sub_flow_id=(state.sub_flow_id or None) if state is not None else None,
        variables=collected_variables(state) if state is not None else {},
        fields=conversation.contact.fields,
    )


def assignment_response(conversation: Conversation, assignment: Assignment, now: float) -> AssignmentResponse:
    """How a conversation is handled, as agents see it."""
    session = conversation.open_session(now)
    handoff = session.handoff if session is not None else None
    return AssignmentResponse(
        assignee=assignment.assignee,
        team=team_of(conversation, assignment, now),
        priority=assignment.priority or (handoff.priority if handoff is not None else None),
        tags=assignment.tags,
        snoozed_until=_at(assignment.snoozed_until),
        snoozed=is_snoozed(assignment, conversation, now),
        unread=is_unread(conversation, assignment),
        typing_by=assignment.typing_by if assignment.typing_until > now else None,
        revision=assignment.revision,
    )


def wait_response(office: Office | None, since: float | None, now: float) -> WaitResponse | None:
    """How long a person waits since that time; None if they do not."""
    if since is None:
        return None
    wait = office.wait(since, now) if office is not None else Wait(since, 0, since)
    return WaitResponse(
        since=datetime.fromtimestamp(wait.since, UTC), seconds=wait.seconds, counts_from=_at(wait.counts_from)
    )


def _flag(given: Flag | None) -> bool | None:
    return None if given is None else given == "true"


def _summary(conversation: Conversation, assignment: Assignment, office: Office | None, now: float) -> dict[str, Any]:
    contact, state, status = conversation.contact, open_state(conversation, now), status_of(conversation, now)
    wrote_at, session = conversation.last_inbound_at, conversation.open_session(now)
    return {
        "phone_number_id": conversation.key.phone_number_id,
        "contact_id": conversation.key.contact_id,
        "phone": contact.phone,
        "name": contact.name,
        "tags": contact.tags,
        "language": contact.language,
        "status": status,
        "mode": "human" if status == "human" else "bot",
        "flow_id": state.flow_id if state is not None else None,
        "node_id": (state.node_id or None) if state is not None else None,
        "handoff": _handoff(session.handoff) if session is not None and session.handoff is not None else None,
        "opted_out": conversation.opted_out,
        "last_activity_at": _at(conversation.active_at),
        "last_inbound_at": _at(wrote_at),
        "window_closes_at": _at(wrote_at + SERVICE_WINDOW_SECONDS) if wrote_at else None,
        "turn": conversation.seq,
        "wait": wait_response(office, waits_since(conversation, now), now),
        "assignment": assignment_response(conversation, assignment, now),
    }


def _last_message(entry: TranscriptEntry | None) -> LastMessage | None:
    if entry is None:
        return None
    return LastMessage(speaker=entry.speaker, type=entry.type, text=entry.text[:PREVIEW_CHARACTERS])


def _handoff(handoff: Handoff) -> HandoffResponse:
    return HandoffResponse(
        at=datetime.fromtimestamp(handoff.at, UTC),
        reason=handoff.reason,
        department=handoff.department,
        priority=handoff.priority,
        note=handoff.note,
    )


def _at(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
