"""Whom an address names: a person by phone number or by business-scoped user id."""

import re
from typing import Annotated
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.openapi.params import Path

import pytake.wiring.api as wiring
from pytake.conversation.records import Conversation
from rest.caller import Caller
from rest.problems import ProblemError, conflict, not_found, unprocessable

_PERSON = re.compile(r"\+?[0-9]{5,20}|(?![0-9._:=-]+$)[A-Za-z0-9._:=-]{1,256}")
"""A phone number, or an id with at least one letter: a phone number written with dashes is neither."""

Phone = Annotated[
    str,
    Path(
        min_length=1,
        max_length=512,
        description="The person: a phone number with country code, with or without `+`, or a business-scoped user id",
    ),
]


def person(phone: str) -> str:
    """The person an address names. Raises the 422 problem `person_invalid` for a malformed address: a typo must not be
    mistaken for an unknown person, and least of all for an erased one."""
    named = unquote(phone)
    if _PERSON.fullmatch(named):
        return named
    detail = (
        f"{named!r} is not a phone number: write the country code and the number in the digits 0 to 9 without "
        "separators (5511999990001), or use a business-scoped user id."
    )
    raise unprocessable("person_invalid", detail)


def find(who: Caller, phone: str, phone_number_id: str | None) -> Conversation:
    """The conversation with the person an address names. Raises the 404 problem `conversation_unknown`."""
    found = wiring.inbox().find(who.organization_id, person(phone), phone_number_id)
    if found is None:
        raise conversation_unknown(phone)
    return found


def conversation_unknown(phone: str) -> ProblemError:
    return not_found("conversation_unknown", f"This organization has no conversation with {unquote(phone)!r}.")


def conversation_busy() -> ProblemError:
    return conflict("conversation_busy", "Another request is writing to the conversation. Try again.")
