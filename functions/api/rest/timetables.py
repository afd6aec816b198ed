"""The organization's timetables, which the schedules of its flows ask by name."""

from typing import Annotated

import msgspec
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field, StringConstraints

from pytake.conversation.ports.common import ConflictError
from pytake.engine.opening_times import problems_of
from pytake.engine.timetable import Day, Timetable
from pytake.wiring import shared
from rest.caller import caller
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import conflict, unprocessable

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class OpeningHours(ApiModel):
    """Hours of some days. Hours that close at or before the time at which they open end on the following day."""

    model_config = ConfigDict(extra="forbid")

    days: list[Day] = Field(min_length=1, max_length=7)
    opens: str = Field(description="Such as `09:00`", max_length=5)
    closes: str = Field(description="Such as `18:00`; `24:00` is midnight", max_length=5)


class TimetableSettings(ApiModel):
    """Opening hours by weekday, and days on which nothing opens."""

    model_config = ConfigDict(extra="forbid")

    hours: list[OpeningHours] = Field(min_length=1, max_length=50)
    timezone: str | None = Field(
        default=None, max_length=64, description="An IANA name; null means the organization's time zone"
    )
    holidays: list[str] = Field(
        default=[], max_length=200, description="Days such as `2026-12-25`, or `12-25` for every year"
    )


class Timetables(ApiModel):
    """All timetables of an organization, by name."""

    model_config = ConfigDict(extra="forbid")

    timetables: dict[Name, TimetableSettings] = Field(max_length=20)


@router.get(
    "/api/v1/timetables",
    summary="The organization's timetables",
    tags=["Organization"],
    openapi_extensions=route_docs("builder", "agent", "analyst"),
)
def get_timetables() -> Timetables:
    who = caller(router, "builder", "agent", "analyst")
    return _answer(shared.tenants().organization(who.organization_id).timetables)


@router.put(
    "/api/v1/timetables",
    summary="Change the organization's timetables",
    tags=["Organization"],
    openapi_extensions=route_docs("builder", problems=["timetable_invalid", "conversation_busy"]),
)
def put_timetables(request: Timetables) -> Timetables:
    """Replaces all timetables. Flows that are running use the new hours within seconds."""
    who = caller(router, "builder")
    timetables: dict[str, Timetable] = msgspec.convert(request.model_dump()["timetables"], dict[str, Timetable])
    for name, timetable in timetables.items():
        for field, message in problems_of(timetable):
            raise unprocessable("timetable_invalid", f"timetables.{name}.{field}: {message}")
    try:
        shared.tenants().put_timetables(who.organization_id, timetables, who.author())
    except ConflictError:
        raise conflict("conversation_busy", "Another request is writing the timetables. Try again.") from None
    return _answer(timetables)


def _answer(timetables: dict[str, Timetable]) -> Timetables:
    return Timetables.model_validate({"timetables": msgspec.to_builtins(timetables)})
