"""The definition of a campaign in requests and answers."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, model_validator

from pytake.campaigns.quiet_hours import LONGEST_SECONDS, length, seconds_of
from pytake.campaigns.records import CampaignDefinition, QuietHours, Variant
from pytake.conversation.queues import StartTemplate
from pytake.engine.template import is_name
from pytake.whatsapp.templates import LANGUAGE, NAME, language_code
from rest.identifiers import FLOW_ID, PHONE_NUMBER_ID
from rest.models import ApiModel

ID = r"^[A-Za-z0-9._-]{1,64}$"
MILLION = 1_000_000


def _time_of_day(text: str) -> str:
    seconds_of(text)
    return text


def _parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    for name in parameters:
        if not is_name(name):
            raise ValueError(f"{name!r} cannot be a parameter: use letters, digits and _")
    return parameters


TimeOfDay = Annotated[str, AfterValidator(_time_of_day), Field(pattern=r"^[0-2][0-9]:[0-5][0-9]$")]


class CampaignTemplate(ApiModel):
    """The template that opens the conversations. `components` has Meta's format; `{{contact.name}}` and other expressions work
    in its texts."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=NAME)
    language: str = Field(pattern=LANGUAGE)
    components: list[dict[str, Any]] = Field(default=[], max_length=10)
    category: Literal["marketing", "utility", "authentication"] | None = Field(
        default=None, description="Only for accounts without a copy of their templates"
    )


class CampaignQuietHours(ApiModel):
    """Local times of day between which people are not written to, in every time zone of their country. At most 12 hours."""

    model_config = ConfigDict(extra="forbid")

    start: TimeOfDay
    end: TimeOfDay

    @model_validator(mode="after")
    def _short(self) -> "CampaignQuietHours":
        if length(QuietHours(self.start, self.end)) > LONGEST_SECONDS:
            raise ValueError("quiet hours last at most 12 hours: otherwise some countries would never be written to")
        return self


class CampaignVariant(ApiModel):
    """A part of the audience with another template or flow. The probability is `share` divided by the sum of all shares."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")
    share: float = Field(default=1, ge=0, le=1_000_000, allow_inf_nan=False)
    template: CampaignTemplate | None = None
    flow_id: str | None = Field(default=None, pattern=FLOW_ID)


class CampaignSettings(ApiModel):
    """What a campaign sends, to whom, and within which bounds.

    The answers start `flow_id`, with the `parameters` that the flow declares. `spend_cap` is in the currency of the rate card
    and is never passed. `holdout` is the share of the audience that gets nothing, for comparison."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    phone_number_id: str = Field(pattern=PHONE_NUMBER_ID)
    segment_id: str = Field(pattern=ID)
    template: CampaignTemplate
    flow_id: str | None = Field(default=None, pattern=FLOW_ID)
    parameters: Annotated[dict[str, Any], AfterValidator(_parameters)] = Field(default_factory=dict)
    start_at: AwareDatetime | None = Field(default=None, description="Default: as soon as it is started")
    quiet_hours: CampaignQuietHours | None = None
    pace_per_second: float | None = Field(default=None, ge=0.01, le=1000, allow_inf_nan=False)
    spend_cap: float | None = Field(default=None, ge=0, le=1_000_000_000, allow_inf_nan=False)
    variants: list[CampaignVariant] = Field(default=[], max_length=10)
    holdout: float = Field(default=0, ge=0, le=0.9, allow_inf_nan=False)
    marketing_messages: bool | None = Field(
        default=None,
        description="Whether its marketing templates go to Meta's Marketing Messages API, which optimises their delivery."
        " Default: as the number's `marketing_messages` says. A test of the campaign is always sent as the number says",
    )

    @model_validator(mode="after")
    def _distinct(self) -> "CampaignSettings":
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("two variants have the same name")
        if names and not sum(variant.share for variant in self.variants):
            raise ValueError("at least one variant needs a share above 0")
        return self


def _template(template: CampaignTemplate) -> StartTemplate:
    return StartTemplate(template.name, language_code(template.language), template.components, template.category)


def definition_of(request: CampaignSettings) -> CampaignDefinition:
    """The definition that a request describes."""
    quiet = request.quiet_hours
    return CampaignDefinition(
        name=request.name,
        phone_number_id=request.phone_number_id,
        segment_id=request.segment_id,
        template=_template(request.template),
        flow_id=request.flow_id,
        parameters=request.parameters,
        start_at=request.start_at.timestamp() if request.start_at is not None else None,
        quiet_hours=QuietHours(quiet.start, quiet.end) if quiet is not None else None,
        pace_per_second=request.pace_per_second,
        spend_cap_micros=round(request.spend_cap * MILLION) if request.spend_cap is not None else None,
        variants=[
            Variant(one.name, one.share, _template(one.template) if one.template else None, one.flow_id)
            for one in request.variants
        ],
        holdout=request.holdout,
        marketing_messages=request.marketing_messages,
    )


def _template_answer(template: StartTemplate) -> CampaignTemplate:
    return CampaignTemplate(
        name=template.name, language=template.language, components=template.components, category=template.category
    )


def settings_of(definition: CampaignDefinition) -> dict[str, Any]:
    """The fields of `CampaignSettings`, as the request had them."""
    quiet, cap = definition.quiet_hours, definition.spend_cap_micros
    return {
        "name": definition.name,
        "phone_number_id": definition.phone_number_id,
        "segment_id": definition.segment_id,
        "template": _template_answer(definition.template),
        "flow_id": definition.flow_id,
        "parameters": definition.parameters,
        "start_at": datetime.fromtimestamp(definition.start_at, UTC) if definition.start_at else None,
        "quiet_hours": CampaignQuietHours(start=quiet.start, end=quiet.end) if quiet is not None else None,
        "pace_per_second": definition.pace_per_second,
        "spend_cap": cap / MILLION if cap is not None else None,
        "variants": [
            CampaignVariant(
                name=one.name,
                share=one.share,
                template=_template_answer(one.template) if one.template is not None else None,
                flow_id=one.flow_id,
            )
            for one in definition.variants
        ],
        "holdout": definition.holdout,
        "marketing_messages": definition.marketing_messages,
    }
