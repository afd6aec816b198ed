"""What campaigns need from elsewhere."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from pytake.campaigns.audience import AudienceCounts, AudiencePart
from pytake.contacts.ports import ListPlace
from pytake.contacts.records import ContactRecord


class SegmentMember(Struct, frozen=True):
    """A contact of a segment, and its place in the list of the organization's contacts."""

    place: ListPlace
    contact: ContactRecord


class SegmentUnknownError(Exception):
    """The organization has no such segment."""


class SegmentMembers(Protocol):
    """The people of a segment."""

    def __call__(
        self, organization_id: str, segment_id: str, after: ListPlace | None = None
    ) -> Iterator[SegmentMember]:
        """The members, each once, in the order of the list of contacts (newest first), after a place.

        Read lazily: memory does not grow with their number. Raises `SegmentUnknownError` before the first one.
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

    def settle(self, organization_id: str, reservation_id: str, micros: int) -> None:
        """Reduce a reservation to what was used of it. The first call holds."""


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

    def reserve_people(self, organization_id: str, phone_number_id: str, count: int, now: float) -> int:
        """Reserve at most `count` people of the day limit of the number's portfolio; how many it still allows."""


class Audiences(Protocol):
    """The parts of the audiences of all campaigns."""

    def load(self, organization_id: str, campaign_id: str, zone: str, number: int) -> AudiencePart | None:
        """A part as last written (a consistent read)."""

    def put(self, organization_id: str, campaign_id: str, part: AudiencePart) -> AudiencePart:
        """Write a part and its counts; returns it with its new revision.

        Raises `ConflictError` when the stored part has another `revision`. One of revision 0 replaces a part of an earlier
        freeze (a lower `epoch`), and no other.
        """

    def parts(self, organization_id: str, campaign_id: str) -> Iterable[AudiencePart]:
        """All parts, by zone and number. Read lazily, eventually consistent."""

    def counts(self, organization_id: str, campaign_id: str) -> AudienceCounts:
        """The sum over all parts. Eventually consistent."""

    def to_recount(self, now: float) -> Iterable[tuple[str, str, str, int]]:
        """Organization, campaign, zone and number of the parts with `recount_at` before `now`. Eventually consistent."""

    def forget(self, organization_id: str, contact_ids: Sequence[str]) -> int:
        """Remove erased people from all audiences of the organization; the outcomes stay. Returns how many parts changed."""
