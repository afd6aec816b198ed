"""The settings of the caller's organization."""

import json
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import AfterValidator, ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.records import Organization
from pytake.engine.dates import is_zone
from pytake.engine.template import is_name
from pytake.wiring import shared
from rest.caller import caller
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import conflict, unprocessable

CONSTANTS_BYTES = 4096

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


def known_timezone(name: str) -> str:
    """The name, if it is an IANA time zone. Raises ValueError."""
    if not is_zone(name):
        raise ValueError("unknown time zone; use a name such as America/Sao_Paulo or UTC")
    return name


def _small(constants: dict[str, str | int | float | bool]) -> dict[str, str | int | float | bool]:
    if not all(map(is_name, constants)):
        raise ValueError("a name consists of letters, digits and _, such as opening_hours")
    if len(json.dumps(constants)) > CONSTANTS_BYTES:
        raise ValueError(f"the constants may have {CONSTANTS_BYTES} bytes as JSON: every session records them")
    return constants


class OrganizationSettings(ApiModel):
    """Settings of an organization. Null means the deployment's default."""

    model_config = ConfigDict(extra="forbid")

    messages_per_minute: int | None = Field(
        default=None, ge=1, le=60_000, strict=True, description="The sending rate of all its phone numbers together"
    )
    session_ttl_hours: int | None = Field(
        default=None, ge=1, le=720, strict=True, description="A session without messages ends after this time"
    )
    language: Literal["pt_BR", "en", "es"] = Field(
        default="en", description="The language of built-in texts for flows without a language"
    )
    timezone: Annotated[str, AfterValidator(known_timezone)] = Field(
        default="UTC", description="The time zone of days in reports, and of dates in flows"
    )
    constants: Annotated[dict[str, str | int | float | bool], AfterValidator(_small)] = Field(
        default_factory=dict, description="Values for all flows, which read them as `{{constants.NAME}}`"
    )
    retention_days: int | None = Field(
        default=None, ge=8, le=3650, strict=True, description="How long conversations are kept"
    )
    contact_messages_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        strict=True,
        description="How many messages of one contact take a turn within a minute; further ones are only recorded (20)",
    )
    contact_api_calls_per_hour: int | None = Field(
        default=None,
        ge=0,
        le=100_000,
        strict=True,
        description="How many API calls one contact may cause in an hour (300)",
    )
    contact_model_calls_per_hour: int | None = Field(
        default=None,
        ge=0,
        le=100_000,
        strict=True,
        description="How many model calls one contact may cause in an hour (60)",
    )

    monthly_budget_micros: int | None = Field(
        default=None,
        ge=0,
        le=10**15,
        strict=True,
        description="What templates of campaigns and starts may cost in a month, in millionths of the rate card's currency",
    )
    office_timetable: str | None = Field(
        default=None, min_length=1, max_length=64, description="The timetable in whose hours agents answer"
    )
    people_per_day: int | None = Field(
        default=None,
        ge=0,
        le=10**9,
        strict=True,
        description="How many people campaigns may write to in 24 hours through an account whose limit Meta has not reported",
    )


@router.get(
    "/api/v1/organization",
    summary="The organization's settings",
    tags=["Organization"],
    openapi_extensions=route_docs("builder", "agent", "analyst"),
)
def get_organization() -> OrganizationSettings:
    who = caller(router, "builder", "agent", "analyst")
    return _answer(shared.tenants().organization(who.organization_id))


@router.put(
    "/api/v1/organization",
    summary="Change the organization's settings",
    tags=["Organization"],
    openapi_extensions=route_docs(problems=["timetable_unknown", "conversation_busy"]),
)
def put_organization(request: OrganizationSettings) -> OrganizationSettings:
    """Replaces all settings: an omitted one returns to its default."""
    who = caller(router)
    office, before = request.office_timetable, shared.tenants().organization(who.organization_id)
    if office is not None and office not in before.timetables:
        detail = f"There is no timetable {office!r}. GET /api/v1/timetables lists them."
        raise unprocessable("timetable_unknown", detail, field="office_timetable")
    organization = Organization(organization_id=who.organization_id, **request.model_dump())
    try:
        shared.tenants().put_organization(organization, who.author())
    except ConflictError:
        raise conflict("conversation_busy", "Another request is writing the settings. Try again.") from None
    if organization.timezone != before.timezone:
        wiring.manage_sequences().plan_again(who.organization_id)
    return _answer(organization)


def _answer(organization: Organization) -> OrganizationSettings:
    return OrganizationSettings.model_validate(organization, from_attributes=True)
