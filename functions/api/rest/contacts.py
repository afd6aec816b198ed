"""Contacts: erasing a person."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

import pytake.wiring.api as wiring
from pytake.conversation.ports.common import ConflictError
from rest.caller import caller
from rest.openapi import route_docs
from rest.people import Phone, conversation_busy, person

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


@router.delete(
    "/api/v1/contacts/<phone>",
    summary="Erase a person at all phone numbers",
    tags=["Contacts"],
    status_code=HTTPStatus.NO_CONTENT.value,
    openapi_extensions=route_docs("agent", problems=["conversation_busy", "person_invalid"]),
)
def erase_contact(phone: Phone) -> Response[str]:
    """Removes the contact's conversations, turns, deliveries and queued messages at every phone number, at once.

    Values in the lake, dead letters and query results are removed within a quarter of an hour. Counts in reports stay. If
    the person writes again, they are a new contact. The request is safe to repeat, also for an unknown person.
    """
    who = caller(router, "agent")
    try:
        wiring.erase_contact()(who.organization_id, person(phone), who.subject)
    except ConflictError:
        raise conversation_busy() from None
    return Response(status_code=HTTPStatus.NO_CONTENT.value, body="")
