"""What the agents of an organization share: teams and canned replies."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, TypeVar
from urllib.parse import unquote

import msgspec
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field, StringConstraints

from pytake.conversation.desk import CannedReply, DeskChangedError, Team, problem_of, render
from pytake.conversation.ports.common import ConflictError
from pytake.whatsapp.limits import TEXT_BODY
from pytake.wiring import shared
from pytake.wiring.desk import desk
from rest.caller import caller
from rest.identifiers import AtNumber
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.people import Phone, find
from rest.problems import ProblemError, not_found, unprocessable
from rest.revisions import expected_revision, tagged

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f/]+$")]
ReplyId = Annotated[str, Path(min_length=1, max_length=12 * 64)]  # percent-encoded
Subject = Annotated[str, StringConstraints(min_length=1, max_length=256)]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", pattern=r'^"[0-9]{1,15}"$', description='Only if the stored list has this `ETag`: `"3"`'),
]


class TeamSettings(ApiModel):
    """A team. Its id is the department that a handoff names, and `team` of an assignment."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, pattern=r"\S")
    members: list[Subject] = Field(
        default_factory=list, max_length=200, description="The subjects of the agents' tokens"
    )


class Teams(ApiModel):
    """All teams of an organization, by id."""

    model_config = ConfigDict(extra="forbid")

    teams: dict[Id, TeamSettings] = Field(max_length=100)


class CannedReplySettings(ApiModel):
    """A prepared text. It may have template expressions: `Hello {{contact.name}}, your order {{order}} is ready.`"""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=100, pattern=r"\S")
    text: str = Field(min_length=1, max_length=TEXT_BODY, pattern=r"\S")


class CannedReplies(ApiModel):
    """All canned replies of an organization, by id. An agent types the id to find the reply."""

    model_config = ConfigDict(extra="forbid")

    replies: dict[Id, CannedReplySettings] = Field(max_length=300)


class RenderedReply(ApiModel):
    """A canned reply for one person, to be edited and sent."""

    text: str


_Model = TypeVar("_Model", Teams, CannedReplies)


@router.get(
    "/api/v1/teams",
    summary="The organization's teams",
    tags=["Organization"],
    openapi_extensions=route_docs("builder", "agent", "analyst", tagged=True),
)
def get_teams() -> Response[Teams]:
    who = caller(router, "builder", "agent", "analyst")
    return _tagged(Teams, "teams", *desk().teams(who.organization_id))


@router.put(
    "/api/v1/teams",
    summary="Change the organization's teams",
    tags=["Organization"],
    openapi_extensions=route_docs(problems=["desk_changed"], tagged=True),
)
def put_teams(request: Teams, if_match: IfMatch = None) -> Response[Teams]:
    """Replaces all teams. Conversations that a removed team has keep its id."""
    who = caller(router)
    teams = msgspec.convert(request.model_dump()["teams"], dict[str, Team])
    try:
        revision = desk().put_teams(who.organization_id, teams, expected_revision(if_match), who.author())
    except (DeskChangedError, ConflictError):
        raise _changed() from None
    return _tagged(Teams, "teams", teams, revision)


@router.get(
    "/api/v1/canned-replies",
    summary="The organization's canned replies",
    tags=["Organization"],
    openapi_extensions=route_docs("builder", "agent", tagged=True),
)
def get_canned_replies() -> Response[CannedReplies]:
    who = caller(router, "builder", "agent")
    return _tagged(CannedReplies, "replies", *desk().replies(who.organization_id))


@router.put(
    "/api/v1/canned-replies",
    summary="Change the organization's canned replies",
    tags=["Organization"],
    openapi_extensions=route_docs("builder", "agent", problems=["desk_changed", "canned_reply_invalid"], tagged=True),
)
def put_canned_replies(request: CannedReplies, if_match: IfMatch = None) -> Response[CannedReplies]:
    """Replaces all canned replies."""
    who = caller(router, "builder", "agent")
    replies = msgspec.convert(request.model_dump()["replies"], dict[str, CannedReply])
    for id_, reply in replies.items():
        problem = problem_of(reply.text)
        if problem is not None:
            raise unprocessable("canned_reply_invalid", f"replies.{id_}.text: {problem}", field=f"replies.{id_}.text")
    try:
        revision = desk().put_replies(who.organization_id, replies, expected_revision(if_match), who.author())
    except (DeskChangedError, ConflictError):
        raise _changed() from None
    return _tagged(CannedReplies, "replies", replies, revision)


@router.get(
    "/api/v1/conversations/<phone>/canned-replies/<reply_id>",
    summary="A canned reply with the values of this person",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=["conversation_unknown", "person_invalid", "canned_reply_unknown"]),
)
def render_canned_reply(phone: Phone, reply_id: ReplyId, phone_number_id: AtNumber = None) -> RenderedReply:
    """Nothing is sent: edit the text, and send it with `/send`. A value that is not known is empty."""
    who = caller(router, "agent")
    conversation = find(who, phone, phone_number_id)
    replies, _ = desk().replies(who.organization_id)
    reply = replies.get(unquote(reply_id))
    if reply is None:
        detail = f"There is no canned reply {unquote(reply_id)!r}. GET /api/v1/canned-replies lists them."
        raise not_found("canned_reply_unknown", detail)
    organization = shared.tenants().organization(who.organization_id)
    return RenderedReply(text=render(reply.text, conversation, organization, shared.clock()))


def _tagged(
    model: type[_Model], name: str, entries: Mapping[str, Team | CannedReply], revision: int
) -> Response[_Model]:
    answer = model.model_validate({name: msgspec.to_builtins(entries)})
    return tagged(answer, revision)


def _changed() -> ProblemError:
    detail = "Another person has changed the list. Read it, and try again with its ETag."
    return ProblemError(HTTPStatus.PRECONDITION_FAILED, "desk_changed", detail)
