"""What opens the conversations of a campaign."""

from collections.abc import Mapping

from pytake.campaigns.records import Campaign
from pytake.conversation.opening import MakeOpening, Opening, StartRefusedError
from pytake.conversation.ports.tenants import TenantRepository

Openings = Mapping[str, Opening]
"""What opens the conversation, for each variant."""


class _NumberError(StartRefusedError):
    """The number of the campaign cannot send."""

    def __init__(self, code: str) -> None:
        Exception.__init__(self, code)
        self.code = code  # type: ignore[assignment]


def openings_of(campaign: Campaign, tenants: TenantRepository, plan_opening: MakeOpening) -> Openings:
    """What opens the conversation for each variant. Raises `StartRefusedError`, also for a number that cannot send."""
    definition = campaign.definition
    number = tenants.number(definition.phone_number_id)
    if number is None or number.organization_id != campaign.organization_id:
        raise _NumberError("number_unknown")
    if number.stopped_reason is not None:
        raise _NumberError("number_stopped")
    names = [variant.name for variant in definition.variants] or [""]
    return {name: plan_opening(number, definition.start_of(name)) for name in names}
