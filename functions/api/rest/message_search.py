"""Search in what people, the bot and agents wrote."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field

from pytake.wiring.message_search import search_messages as searching
from rest.caller import caller
from rest.cursor import read_cursor, write_cursor
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.transcript_models import TranscriptMessage

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

_LIST = "message search"


class FoundMessage(ApiModel):
    """The latest message with the text in one conversation."""

    phone_number_id: str
    contact_id: str
    phone: str | None
    name: str
    message: TranscriptMessage
    count: int = Field(description="How many messages of the conversation have the text")


class FoundMessages(ApiModel):
    """What was found in the `searched` conversations, the latest conversation first. Pass `next_cursor` as `cursor` to search the
    next ones; null: all were searched."""

    found: list[FoundMessage]
    searched: int
    next_cursor: str | None


@router.get(
    "/api/v1/message-search",
    summary="Search in the messages of conversations",
    tags=["Conversations"],
    openapi_extensions=route_docs("agent", problems=["cursor_invalid"]),
)
def search_messages(
    text: Annotated[
        str,
        Query(
            min_length=3, max_length=100, pattern=r"\w", description="Part of a message; case and accents do not matter"
        ),
    ],
    cursor: Annotated[str | None, Query(description="`next_cursor` of the previous answer")] = None,
) -> FoundMessages:
    """A request searches the messages of the next 25 conversations, those with the latest message first: at most the messages
    that are kept. It may find nothing and still have a `next_cursor`."""
    who = caller(router, "agent")
    after = read_cursor(_LIST, who.organization_id, cursor) if cursor is not None else None
    result = searching()(who.organization_id, text, after)
    return FoundMessages(
        found=[
            FoundMessage(
                phone_number_id=one.conversation.key.phone_number_id,
                contact_id=one.conversation.key.contact_id,
                phone=one.conversation.contact.phone,
                name=one.conversation.contact.name,
                message=TranscriptMessage.model_validate(one.message),
                count=one.count,
            )
            for one in result.matches
        ],
        searched=result.searched,
        next_cursor=write_cursor(_LIST, who.organization_id, result.end) if result.end is not None else None,
    )
