"""How agents share conversations: who has it, private notes, reading marks, who is typing. The person never sees any of it."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.conversation.assignments import TYPING_SECONDS, Assignment, Note, Priority, changes
from pytake.conversation.office import Office, office_of
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.records import Conversation
from pytake.conversation.sessions import session_id
from pytake.wiring import shared
from pytake.wiring.conversations import publish_events
from rest.caller import caller
from rest.conversations import AssignmentResponse, WaitResponse, assignment_response, wait_response
from rest.identifiers import AtNumber
from rest.models import ApiModel, ThisCentury
from rest.openapi import route_docs
from rest.people import Phone, conversation_unknown, find
from rest.problems import ProblemError

PATH = "/api/v1/conversations/<phone>"
PROBLEMS = ("conversation_unknown", "person_invalid")

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Word = Annotated[str, Field(min_length=1, max_length=64, pattern=r"\S")]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", pattern=r'^"[0-9]{1,15}"$', description='Only if the assignment has this revision: `"3"`'),
]


class AssignmentRequest(ApiModel):
    """The whole assignment. Without a team or a priority, those of the handoff count."""

    model_config = ConfigDict(extra="forbid")

    assignee: str | None = Field(
        default=None, min_length=1, max_length=256, description="The subject of an agent's token"
    )
    team: Word | None = None
    priority: Priority | None = None
    tags: list[Word] = Field(default_factory=list, max_length=20)
    snoozed_until: ThisCentury | None = Field(
        default=None, description="It rests until then, or until the person writes"
    )


class NoteText(ApiModel):
    """A private note."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=4000, pattern=r"\S")


class NoteResponse(ApiModel):
    """A private note (`text`), or a change of the assignment (`changes`: old and new value by field). `by`: a token's subject."""

    id: str
    at: datetime
    by: str
    text: str | None
    changes: dict[str, list[Any]]


class OfficeResponse(ApiModel):
    """The hours in which agents answer. `changes_at`: when it closes or opens next; null: not within a year."""

    timetable: str
    is_open: bool
    changes_at: datetime | None


class InboxCounts(ApiModel):
    """The conversations that agents have. Those that rest count as `snoozed` only. `truncated`: only the newest 1,000 count.

    `unanswered`: those in which the person waits for an agent. `office`: null unless the organization names its
    `office_timetable`.
    """

    agents: int
    mine: int
    unassigned: int
    unread: int
    snoozed: int
    unanswered: int
    longest_wait: WaitResponse | None
    office: OfficeResponse | None
    by_team: dict[str, int]
    truncated: bool


@router.put(
    f"{PATH}/assignment",
    summary="Assign a conversation, tag it, give it a priority, let it rest",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=[*PROBLEMS, "assignment_changed"]),
)
def assign_conversation(
    phone: Phone, request: AssignmentRequest, phone_number_id: AtNumber = None, if_match: IfMatch = None
) -> AssignmentResponse:
    """Replaces the assignment. The change is recorded among the notes. Without `If-Match` the last one wins."""
    who = caller(router, "agent")
    conversation = find(who, phone, phone_number_id)
    before, now = wiring.assignments().load(conversation.key), shared.clock()
    if if_match is not None and int(if_match.strip('"')) != before.revision:
        raise _changed(before)
    after = Assignment(
        request.assignee,
        request.team,
        request.priority,
        list(dict.fromkeys(request.tags)),
        request.snoozed_until.timestamp() if request.snoozed_until is not None else None,
        before.revision,
        before.read_at,
        before.typing_by,
        before.typing_until,
    )
    changed = changes(before, after)
    if changed:
        session = session_id(conversation.open_session(now)) or None
        note = Note(uuid4().hex, now, who.subject, None, changed, conversation.seq, session, who.request_id)
        try:
            after = wiring.assignments().put(conversation.key, after, note)
        except ConflictError:
            raise _changed(wiring.assignments().load(conversation.key)) from None
        publish_events().of_assignment(conversation.key, note)
    return assignment_response(conversation, after, now)


@router.post(
    f"{PATH}/notes",
    summary="Add a private note",
    tags=["Conversations"],
    status_code=HTTPStatus.CREATED.value,
    openapi_extensions=route_docs("agent", problems=PROBLEMS),
)
def add_note(phone: Phone, request: NoteText, phone_number_id: AtNumber = None) -> Response[NoteResponse]:
    """Only agents see it. Erasing the person removes it."""
    who = caller(router, "agent")
    key = find(who, phone, phone_number_id).key
    note = Note(uuid4().hex, shared.clock(), who.subject, request.text)
    try:
        wiring.assignments().add_note(key, note)
    except ConflictError:
        raise conversation_unknown(phone) from None
    return Response(HTTPStatus.CREATED.value, content_type="application/json", body=_note(note))


@router.get(
    f"{PATH}/notes",
    summary="Private notes and changes of the assignment, oldest first",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=PROBLEMS, polled=True),
)
def list_notes(
    phone: Phone,
    phone_number_id: AtNumber = None,
    limit: Annotated[int, Query(ge=1, le=500, description="How many of the newest")] = 100,
) -> list[NoteResponse]:
    who = caller(router, "agent")
    return [_note(note) for note in wiring.assignments().notes(find(who, phone, phone_number_id).key, limit)]


@router.post(
    f"{PATH}/read",
    summary="Mark a conversation as read by agents",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=PROBLEMS),
)
def mark_conversation_read(phone: Phone, phone_number_id: AtNumber = None) -> AssignmentResponse:
    """What the person writes later is unread again."""
    who = caller(router, "agent")
    conversation = find(who, phone, phone_number_id)
    return _marked(phone, conversation, conversation.last_inbound_at)


@router.post(
    f"{PATH}/unread",
    summary="Mark a conversation as unread",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=PROBLEMS),
)
def mark_conversation_unread(phone: Phone, phone_number_id: AtNumber = None) -> AssignmentResponse:
    who = caller(router, "agent")
    return _marked(phone, find(who, phone, phone_number_id), 0)


@router.post(
    f"{PATH}/typing",
    summary="Tell other agents that you are writing",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=PROBLEMS),
)
def report_typing(phone: Phone, phone_number_id: AtNumber = None) -> AssignmentResponse:
    """It holds for ten seconds; repeat it while you write. The person does not see it."""
    who = caller(router, "agent")
    conversation, now = find(who, phone, phone_number_id), shared.clock()
    try:
        wiring.assignments().set_typing(conversation.key, who.subject, now + TYPING_SECONDS)
    except ConflictError:
        raise conversation_unknown(phone) from None
    return assignment_response(conversation, wiring.assignments().load(conversation.key), now)


@router.get(
    "/api/v1/conversation-counts",
    summary="How many conversations agents have, by what is to do",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", polled=True),
)
def count_conversations() -> InboxCounts:
    who = caller(router, "agent")
    counts, now = wiring.inbox().counts(who.organization_id, who.subject), shared.clock()
    office = office_of(shared.tenants().organization(who.organization_id))
    return InboxCounts(
        agents=counts.agents,
        mine=counts.mine,
        unassigned=counts.unassigned,
        unread=counts.unread,
        snoozed=counts.snoozed,
        unanswered=counts.unanswered,
        longest_wait=wait_response(office, counts.waits_since, now),
        office=_office(office, now) if office is not None else None,
        by_team=counts.by_team,
        truncated=counts.truncated,
    )


def _office(office: Office, now: float) -> OfficeResponse:
    changes_at = office.changes_at(now)
    return OfficeResponse(
        timetable=office.timetable,
        is_open=office.is_open(now),
        changes_at=datetime.fromtimestamp(changes_at, UTC) if changes_at is not None else None,
    )


def _marked(phone: str, conversation: Conversation, at: float) -> AssignmentResponse:
    try:
        wiring.assignments().mark_read(conversation.key, at)
    except ConflictError:
        raise conversation_unknown(phone) from None
    return assignment_response(conversation, wiring.assignments().load(conversation.key), shared.clock())


def _note(note: Note) -> NoteResponse:
    return NoteResponse.model_validate(note, from_attributes=True)


def _changed(current: Assignment) -> ProblemError:
    detail = (
        f"Another agent has changed the assignment; it has the revision {current.revision} now. Read it and try again."
    )
    return ProblemError(HTTPStatus.PRECONDITION_FAILED, "assignment_changed", detail)
