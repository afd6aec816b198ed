"""The claim ledger, rate limits, held turns and the Graph API: what delivery needs."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct

from pytake.conversation.queues import OutboundItem
from pytake.conversation.rate_limits import SlotBlock, SlowDown
from pytake.conversation.records import ConversationKey, Delivery, HeldTurn
from pytake.whatsapp.pricing import Pricing
from pytake.whatsapp.sending import AcceptedMessage


class Deliveries(Protocol):
    """The claim ledger: one entry per outgoing message."""

    def load(self, key: ConversationKey, turn: int, index: int) -> Delivery | None:
        """The entry (a consistent read), or None."""

    def of_turns(self, turns: Sequence[tuple[ConversationKey, int]]) -> dict[tuple[ConversationKey, int], Delivery]:
        """The entries of the first messages of these turns, where there are some. May be a second old."""

    def claim(self, key: ConversationKey, delivery: Delivery, previous: Delivery | None) -> Delivery:
        """Write `delivery` if the entry is still `previous` (None: it does not exist); returns it with its new revision.

        A status that `previous` has and `delivery` lacks is removed: the message starts over, and statuses of earlier
        sends no longer count. Raises `ConflictError` if the entry is not `previous`.
        """

    def settle(self, key: ConversationKey, delivery: Delivery) -> Delivery:
        """Write the outcome of a send; returns the entry with its new revision. A status that arrived meanwhile is kept.

        Raises `ConflictError` if another worker has written the entry since.
        """

    def record_status(
        self,
        key: ConversationKey,
        turn: int,
        index: int,
        *,
        send: int,
        status: str,
        at: float,
        message_id: str | None,
        code: int | None,
        pricing: Pricing | None = None,
    ) -> Delivery | None:
        """Record the status of a message's `send`th request if it is further than the known one; the entry after it.

        Returns None when the status adds nothing:

        - `failed` of an earlier send is only noted: its `sent`, if it arrives afterwards, is ignored. If that `sent` is the
          only status we have, the message has failed; if a later send is under way, the message has no status any more.
        - `sent` is ignored when the message is known to be accepted. But a status other than `failed` of an earlier send
          returns the entry unchanged when a later send was accepted: the message was doubled. Its `sent` may never come: of
          several statuses in a batch only the furthest is recorded.
        - A status whose message id differs from the id that Meta gave this send is ignored: it belongs to an erased
          message at the same position.

        The `pricing` of the status is kept with it. A `delivered` that comes after `read` adds only its pricing; that returns
        None, too.

        Raises `ConflictError` when the sender writes the entry at the same moment.
        """

    def is_accepted(self, key: ConversationKey, turn: int, index: int, *, send: int, message_id: str | None) -> bool:
        """Whether Meta is known to have accepted the `send`th request of a message under this id.

        May be outdated, and False when the table does not answer. An accepted message stays accepted. One that Meta holds to
        assess its template counts only when a status says that it was sent.
        """

    def of_conversation(self, key: ConversationKey, from_turn: int = 0) -> list[Delivery]:
        """All entries that are still kept from a turn on, in the order of their turns."""


UnsettledState = Literal["dead", "deferred", "ambiguous"]


class UnsettledDelivery(Struct, frozen=True):
    """A message that is not delivered, and since when."""

    key: ConversationKey
    delivery: Delivery
    at: float

    @property
    def order(self) -> tuple[float, ConversationKey, int, int]:
        """The newest first; then by conversation and message."""
        return -self.at, self.key, self.delivery.turn, self.delivery.index


class UnsettledDeliveries(Protocol):
    """The messages of an organization that people look after. Eventually consistent, read lazily."""

    def listed(
        self, organization_id: str, state: UnsettledState, after: UnsettledDelivery | None = None
    ) -> Iterator[UnsettledDelivery]:
        """Those in a state, the newest first, after an entry of the list."""

    def held(
        self, organization_id: str, phone_number_id: str, after: tuple[str, int] | None = None
    ) -> Iterator[UnsettledDelivery]:
        """The held turns of a number by contact and turn, after a contact's turn.

        `not_before` of the delivery is when the turn leaves, if that is known.
        """


class RateSlots(Protocol):
    """Slots of the sending rate (ADR 0005). Concurrent callers never share one."""

    def reserve(self, organization_id: str, scope: str, per_minute: int, now: float) -> float:
        """Take the next free slot of the organization's `scope`. `now`: send at once; a later time: wait until then.

        Up to 60 a minute, never more than `per_minute` messages leave in any sixty seconds, and the first `per_minute`
        leave at once.
        """

    def depart(self, organization_id: str, scope: str, per_minute: int, now: float) -> float:
        """Ask to leave after waiting for a slot. `now`: send at once; a later time: ask again then."""

    def reserve_block(
        self, organization_id: str, scope: str, per_minute: int, count: int, now: float, until: float
    ) -> SlotBlock:
        """Take the next slots of campaigns in the scope, at most `count` and none at `until` or later, in one write.

        Campaigns get four fifths of the limit, evenly spread. While they do, conversations get the rest. Up to 60 a minute,
        a message of a campaign must also ask to `depart` when its slot has come: that keeps the limit exact.
        """

    def slow_down(self, organization_id: str, phone_number_id: str, code: int, now: float) -> None:
        """Halve the pace of the number's campaigns, because Meta refused a message with `code` (`rate_limits.SlowDown`)."""

    def slowed(self, organization_id: str, phone_number_id: str) -> SlowDown:
        """The latest slow-down of the number's campaigns. Eventually consistent."""


class DayLimits(Protocol):
    """How many people an account may write to first within 24 hours, and how many it has."""

    def learn(self, organization_id: str, account_id: str, most: int | None, at: float) -> None:
        """Note the limit that Meta reported at a time; None: there is none. An older report changes nothing."""

    def reserve(
        self, organization_id: str, account_id: str, people: int, now: float, unreported: int | None = None
    ) -> int:
        """Reserve the limit for at most `people`; for how many it was.

        `unreported` is the limit of an account without a report from Meta; None: it has no limit.
        """

    def remaining(self, organization_id: str, account_id: str, now: float, unreported: int | None = None) -> int | None:
        """How many people the limit still allows (a consistent read); None: there is no limit."""


class HeldTurns(Protocol):
    """Outgoing turns that do not wait in their queue. A queue deletes messages after 14 days, this store does not."""

    def hold(self, item: OutboundItem, at: float, due_at: float | None = None) -> None:
        """Store the item, until `due_at` if one is given. Holding the same turn again replaces it."""

    def due(self, now: float) -> Iterator[HeldTurn]:
        """The turns whose `due_at` has come, the earliest first."""

    def postpone(self, turns: Sequence[tuple[ConversationKey, int, float]], until: float) -> None:
        """Make turns due at `until`: each a conversation, a turn and the time at which it was due.

        A turn that is not held until that time any more stays as it is. One request for a hundred turns.
        """

    def earliest(self, key: ConversationKey) -> HeldTurn | None:
        """The first held turn of a conversation."""

    def first_after(self, organization_id: str, phone_number_id: str, contact_id: str) -> HeldTurn | None:
        """The first held turn of the number's next conversation after `contact_id`. An empty id gives the number's first."""

    def remove(self, key: ConversationKey, turn: int) -> None:
        """Remove a held turn, if there is one."""


class ReadReceipts(Protocol):
    """Meta's read receipts."""

    def mark(self, phone_number_id: str, access_token: str, message_id: str, *, typing: bool) -> None:
        """Mark a received message, and those before it, as read; with `typing` also show the typing indicator.

        Never waits and never raises: the receipt is posted in the background, once.
        """


class MessageSender(Protocol):
    """Meta's Graph API."""

    def send(self, phone_number_id: str, access_token: str, payload: dict[str, Any]) -> AcceptedMessage:
        """Post one message. Raises `pytake.whatsapp.sending.SendFailedError`."""
