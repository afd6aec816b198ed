"""How much one contact may cause: messages that take a turn, and the calls of APIs and models that they lead to.

Without a limit a stranger could have a company pay for a model call with every message. The usage is part of the conversation,
which the turn's commit writes anyway, so that counting costs no request.
"""

from msgspec import Struct
from msgspec.structs import replace

MESSAGES_PER_MINUTE = 20
API_CALLS_PER_HOUR = 300
MODEL_CALLS_PER_HOUR = 60
"""The limits of an organization that sets none of its own."""

_MINUTE, _HOUR = 60, 3600

SLOT_SECONDS = 10
"""Messages are counted in slots. A minute touches at most seven of them."""

_EARLIER_SLOTS = _MINUTE // SLOT_SECONDS


class ContactUsage(Struct, frozen=True, array_like=True):
    """What a contact has caused within a minute, and in the hour that began at `hour_at` with its first call (seconds).

    `messages` are those of the slot that began at `slot_at`, and `earlier` those of the six slots before it, the latest first:
    together at least those of the last minute, wherever it begins. Messages that were refused do not count.
    """

    slot_at: int = 0
    messages: int = 0
    hour_at: int = 0
    api_calls: int = 0
    model_calls: int = 0
    earlier: tuple[int, ...] = ()
    notified_at: int = 0

    def at(self, at: float) -> "ContactUsage":
        """The usage at the time of a message. A message that arrives late counts in the latest slot."""
        slot_at = int(at) // SLOT_SECONDS * SLOT_SECONDS
        slots = (slot_at - self.slot_at) // SLOT_SECONDS
        if slots <= 0:
            return self
        earlier = (*([0] * min(slots - 1, _EARLIER_SLOTS)), self.messages, *self.earlier)[:_EARLIER_SLOTS]
        return replace(self, slot_at=slot_at, messages=0, earlier=earlier if any(earlier) else ())

    @property
    def messages_within_a_minute(self) -> int:
        """The messages of the current slot and of those before it."""
        return self.messages + sum(self.earlier)

    def after_message(self) -> "ContactUsage":
        """The usage after one more message that takes a turn."""
        return replace(self, messages=self.messages + 1)

    def after_notice(self, at: float) -> "ContactUsage | None":
        """The usage after the contact was told that a message was refused. None when they were told within a minute."""
        return replace(self, notified_at=int(at)) if at >= self.notified_at + _MINUTE else None

    def after_call(self, at: float, *, of_model: bool) -> "ContactUsage":
        """The usage after a call at this time."""
        usage = self if at < self.hour_at + _HOUR else replace(self, hour_at=int(at), api_calls=0, model_calls=0)
        if of_model:
            return replace(usage, model_calls=usage.model_calls + 1)
        return replace(usage, api_calls=usage.api_calls + 1)


NO_USAGE = ContactUsage()
