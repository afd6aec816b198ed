"""What campaigns need from elsewhere."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from pytake.campaigns.audience import AudienceCounts, AudiencePart
from pytake.campaigns.records import Campaign
from pytake.contacts.ports import ListPlace
from pytake.contacts.segment_ports import SegmentChunk
from pytake.contacts.segments import Segment


class SegmentReader(Protocol):
    """Reads the people of a segment."""

    def chunks(self, organization_id: str, segment: Segment, after: ListPlace | None = None) -> Iterator[SegmentChunk]:
        """The members among some contacts at a time, in the order of the list of contacts, after a place.

        Each member once, read lazily: memory does not grow with their number.
        """


class RateCard(Protocol):
    """What Meta takes for a message."""

    def price_micros(self, country: str | None, category: str | None, at: float) -> int | None:
        """The price of a template to a country (ISO code) in millionths of the currency; None: no price is known.

        `category` is that of the template at Meta in lower case, None if it is not known: then the dearest one holds.
        """


class Budgets(Protocol):
    """An organization's budget, which campaigns and conversations share."""

    def reserve(self, organization_id: str, reservation_id: str, micros: int, at: float) -> bool:
        """Reserve an amount of the budget of the month of `at`; False if less is left. The same id reserves once."""

    def remaining(self, organization_id: str, reservation_id: str, at: float) -> int | None:
        """What may be reserved under an id: what it has reserved already, else what is left of the month. None: no limit."""

    def settle(self, organization_id: str, reservation_id: str, micros: int) -> None:
        """Reduce a reservation to what was used of it. The first call holds."""


class Campaigns(Protocol):
    """The campaigns of all organizations."""

    def load(self, organization_id: str, campaign_id: str) -> Campaign | None:
        """A campaign as last written (a consistent read)."""

    def save(self, campaign: Campaign) -> Campaign:
        """Write a campaign; returns it with its new revision.

        Raises `ConflictError` when the stored campaign does not have this one's `revision`, 0 for one that is not stored.
        """

    def page(self, organization_id: str, limit: int, after: str = "") -> list[Campaign]:
        """At most `limit` campaigns behind an id, in the order of their ids."""

    def active(self, now: float) -> Iterable[tuple[str, str]]:
        """Organization and id of the campaigns that ticks have to look at. Eventually consistent."""


class ReservedBudget(Struct, frozen=True):
    """What is reserved of the budget of a month, and whether operators were told that little is left."""

    micros: int = 0
    is_warned: bool = False


class BudgetLedger(Protocol):
    """The reservations of budgets."""

    def reserve(
        self, organization_id: str, month: str, reservation_id: str, micros: int, limit: int
    ) -> ReservedBudget | None:
        """Add an amount to what is reserved of a month, if the sum stays within the limit; None otherwise.

        The same id reserves once, whatever month and amount it is repeated with.
        """

    def settle(self, organization_id: str, reservation_id: str, micros: int) -> None:
        """Reduce a reservation, and the sum of its month, to what was used. The first call holds; an unknown id is ignored."""

    def reservation(self, organization_id: str, reservation_id: str) -> int | None:
        """What is reserved under an id; None: nothing was (a consistent read)."""

    def reserved(self, organization_id: str, month: str) -> ReservedBudget:
        """What is reserved of a month (a consistent read)."""

    def note_warning(self, organization_id: str, month: str) -> None:
        """Record that operators were told."""


class SlotBlock(Struct, frozen=True):
    """`count` reserved times at which a message may leave: `first`, and one each `interval` seconds."""

    first: float = 0
    interval: float = 0
    count: int = 0


class Lane(Protocol):
    """How many messages of campaigns a number may send, beside those of conversations."""

    def reserve_block(
        self, organization_id: str, phone_number_id: str, count: int, now: float, until: float
    ) -> SlotBlock:
        """Reserve at most `count` slots, all before `until`, of the rates of the organization and the number.

        Leaves the share of conversations free. A block of no slots: the lane is full until then.
        """

    def remaining_people(self, organization_id: str, phone_number_id: str, now: float) -> int | None:
        """How many people the day limit of the number's portfolio still allows; None: any number."""

    def reserve_people(self, organization_id: str, phone_number_id: str, count: int, now: float) -> int:
        """Reserve at most `count` people of the day limit of the number's portfolio; how many it still allows."""


class Audiences(Protocol):
    """The parts of the audiences of all campaigns."""

    def load(self, organization_id: str, campaign_id: str, zone: str, number: int) -> AudiencePart | None:
        """A part as last written (a consistent read)."""

    def put(self, organization_id: str, campaign_id: str, part: AudiencePart) -> AudiencePart:
        """Write a part and its counts; returns it with its new revision.

        Raises `ConflictError` when the stored part has another `revision`. One of revision 0 replaces one of the same freeze or
        of an earlier one: its `epoch` must not be higher.
        """

    def counts(self, organization_id: str, campaign_id: str) -> AudienceCounts:
        """The sum over all parts. Eventually consistent."""

    def to_recount(self, now: float) -> Iterable[tuple[str, str, str, int]]:
        """Organization, campaign, zone and number of the parts with `recount_at` before `now`. Eventually consistent."""

    def forget(self, organization_id: str, contact_ids: Sequence[str]) -> int:
        """Remove erased people from all audiences of the organization; the outcomes stay. Returns how many parts changed."""
