"""Messages of the organization that are not delivered: those that are dead, deferred, held or of unknown outcome."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import Annotated, Literal

import msgspec
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from msgspec import Meta
from pydantic import Field

import pytake.wiring.api as wiring
from pytake.conversation.ports.deliveries import UnsettledDelivery
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.records import ConversationKey, Delivery
from pytake.conversation.redrive import NotRedrivableError, UnknownDeliveryError
from pytake.wiring import shared
from rest.caller import caller
from rest.cursor import invalid_cursor, read_list_cursor, write_list_cursor
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.paging import Cursor, page_response
from rest.problems import ProblemError, conflict, not_found

PATH = "/api/v1/deliveries"

State = Literal["dead", "deferred", "held", "ambiguous"]

_Turn = Annotated[int, Meta(ge=0, lt=10**10)]
_Id = tuple[str, str, _Turn, Annotated[int, Meta(ge=0, lt=1000)]]
_Place = tuple[Annotated[float, Meta(ge=0, le=2**40)], str, str, _Turn, int]

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


class UndeliveredMessage(ApiModel):
    """A message that is not delivered. `turn` is its place in the transcript.

    `state`: `dead`: given up after its retries; `deferred`: Meta may accept it on another day; `held`: it waits for its stopped
    number, or for its turn until `due_at`; `ambiguous`: Meta's answer was lost, a status may still settle it.
    """

    id: str
    phone_number_id: str
    contact_id: str
    turn: int
    index: int = Field(description="Which message of the turn; a held turn is held as a whole")
    state: State
    since: datetime
    due_at: datetime | None
    reason: str | None
    error_code: int | None
    attempts: int
    redrive_count: int
    can_be_redriven: bool


class RedriveResponse(ApiModel):
    """The message is queued again; the transcript shows what becomes of it."""

    id: str
    redrive: Literal["queued"] = "queued"


@router.get(
    PATH,
    summary="Messages that are not delivered, the newest first",
    tags=["Deliveries"],
    openapi_extensions=route_docs("agent", problems=["cursor_invalid"], paged=True, polled=True),
)
def list_deliveries(
    state: Annotated[State, Query(description="Held turns come by number and person")],
    limit: Annotated[
        int, Query(ge=1, le=200, description="The page size; `Link` is the address of the next page")
    ] = 50,
    cursor: Cursor = None,
) -> Response[list[UndeliveredMessage]]:
    who = caller(router, "agent")
    name = f"{state} deliveries"
    place = _read_place(read_list_cursor(name, who.organization_id, cursor)) if cursor is not None else None
    found = list(islice(_entries(who.organization_id, state, place), limit + 1))
    shown = found[:limit]
    rest = None
    if len(found) > limit:
        rest = write_list_cursor(name, who.organization_id, _write_place(shown[-1]))
    messages = [_message(entry, state) for entry in shown]
    return page_response(PATH, messages, limit, rest, {"state": state})


@router.post(
    f"{PATH}/<delivery_id>/redrive",
    summary="Send a dead or deferred message again",
    tags=["Deliveries"],
    openapi_extensions=route_docs(
        "agent", problems=["delivery_unknown", "delivery_not_redrivable", "queue_unavailable"]
    ),
)
def redrive_delivery(delivery_id: Annotated[str, Path(min_length=1, max_length=600)]) -> RedriveResponse:
    """Safe to repeat. What Meta has of the turn is not sent twice, and an opt-out or a closed window still counts."""
    who = caller(router, "agent")
    try:
        number, contact, turn, index = msgspec.json.decode(
            urlsafe_b64decode(delivery_id + "=" * (-len(delivery_id) % 4)), type=_Id
        )
        key = ConversationKey(who.organization_id, number, contact)
        wiring.redrive_delivery()(key, turn, index, who.subject)
    except (ValueError, UnknownDeliveryError):  # also base64 and UTF-8 that is not valid, and JSON of another form
        raise not_found(
            "delivery_unknown", "The organization has no such message, or its turn is not kept any more."
        ) from None
    except NotRedrivableError as error:
        detail = f"The message is {error.state}. Only dead and deferred messages can be sent again."
        raise conflict("delivery_not_redrivable", detail) from None
    except QueueingFailedError:
        detail = "The message could not be queued. Repeat the request."
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "queue_unavailable", detail) from None
    return RedriveResponse(id=delivery_id)


def _entries(organization_id: str, state: State, place: UnsettledDelivery | None) -> Iterator[UnsettledDelivery]:
    listed = wiring.unsettled_deliveries()
    if state != "held":
        after = None
        if place is not None:
            after = msgspec.structs.replace(
                place, key=msgspec.structs.replace(place.key, organization_id=organization_id)
            )
        yield from listed.listed(organization_id, state, after)
        return
    for number in sorted(shared.tenants().number_ids(organization_id)):
        if place is None or number > place.key.phone_number_id:
            yield from listed.held(organization_id, number)
        elif number == place.key.phone_number_id:
            yield from listed.held(organization_id, number, (place.key.contact_id, place.delivery.turn))


def _write_place(entry: UnsettledDelivery) -> str:
    key, delivery = entry.key, entry.delivery
    place: _Place = (entry.at, key.phone_number_id, key.contact_id, delivery.turn, delivery.index)
    return msgspec.json.encode(place).decode()


def _read_place(mark: str) -> UnsettledDelivery:
    try:
        at, number, contact, turn, index = msgspec.json.decode(mark, type=_Place)
    except msgspec.DecodeError:  # anyone can compute the check of a cursor
        raise invalid_cursor() from None
    return UnsettledDelivery(ConversationKey("", number, contact), Delivery(turn, index, "dead"), at)


def _message(entry: UnsettledDelivery, state: State) -> UndeliveredMessage:
    key, delivery = entry.key, entry.delivery
    id_: _Id = (key.phone_number_id, key.contact_id, delivery.turn, delivery.index)
    due_at = delivery.not_before if state == "held" else None
    return UndeliveredMessage(
        id=urlsafe_b64encode(msgspec.json.encode(id_)).decode().rstrip("="),
        phone_number_id=key.phone_number_id,
        contact_id=key.contact_id,
        turn=delivery.turn,
        index=delivery.index,
        state=state,
        since=datetime.fromtimestamp(entry.at, UTC),
        due_at=datetime.fromtimestamp(due_at, UTC) if due_at is not None else None,
        reason=delivery.reason,
        error_code=delivery.error_code,
        attempts=delivery.attempts,
        redrive_count=delivery.redrive_count,
        can_be_redriven=state in ("dead", "deferred"),
    )
