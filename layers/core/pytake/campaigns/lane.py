"""How many messages campaigns may send: their share of the rates, and the day limit of Meta's portfolio (ADR 33)."""

from math import ceil

from pytake.campaigns.ports import SlotBlock
from pytake.conversation.ports.deliveries import DayLimits, RateSlots
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.rate_limits import messages_per_second

NO_SLOTS = SlotBlock()


class NumberLane:
    """Implements `pytake.campaigns.ports.Lane`. `messages_per_minute` is the default of organizations."""

    def __init__(
        self, slots: RateSlots, day_limits: DayLimits, tenants: TenantRepository, messages_per_minute: int
    ) -> None:
        self._slots = slots
        self._day_limits = day_limits
        self._tenants = tenants
        self._messages_per_minute = messages_per_minute

    def reserve_block(
        self, organization_id: str, phone_number_id: str, count: int, now: float, until: float
    ) -> SlotBlock:
        number = self._tenants.number(phone_number_id)
        if number is None:
            return NO_SLOTS
        organization = self._tenants.organization(organization_id)
        per_minute, of_number = (
            organization.messages_per_minute or self._messages_per_minute,
            messages_per_second(number),
        )
        scopes = {"organization": per_minute}
        if per_minute > 60 * of_number:  # as for answers: otherwise the organization's limit is the stricter one
            scopes[f"number:{phone_number_id}"] = 60 * of_number
        share = self._slots.slowed(organization_id, phone_number_id).share_at(now)
        # The slots between those that are used stay empty: others of the organization do not fill them.
        found = SlotBlock(now, 0, ceil(count / share))
        # The stricter limit first: then the other one grants what it grants, and no slots are wasted.
        for scope, limit in sorted(scopes.items(), key=lambda one: one[1]):
            block = self._slots.reserve_block(organization_id, scope, limit, found.count, now, until)
            if not block.count:
                return NO_SLOTS
            found = SlotBlock(max(found.first, block.first), max(found.interval, block.interval), block.count)
        return SlotBlock(found.first, found.interval / share, min(count, int(found.count * share) or 1))

    def remaining_people(self, organization_id: str, phone_number_id: str, now: float) -> int | None:
        number = self._tenants.number(phone_number_id)
        if number is None:
            return 0
        unreported = self._tenants.organization(organization_id).people_per_day
        return self._day_limits.remaining(organization_id, number.waba_id or phone_number_id, now, unreported)

    def reserve_people(self, organization_id: str, phone_number_id: str, count: int, now: float) -> int:
        number = self._tenants.number(phone_number_id)
        if number is None:
            return 0
        unreported = self._tenants.organization(organization_id).people_per_day
        return self._day_limits.reserve(organization_id, number.waba_id or phone_number_id, count, now, unreported)
