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


class ContactUsage(Struct, frozen=True, array_like=True):
    """What a contact has caused in the minute that began at `minute_at`, and in the hour that began at `hour_at` (seconds).

    A minute begins with the first message after the previous one ended, an hour with the first call.
    """

    minute_at: int = 0
    messages: int = 0
    hour_at: int = 0
    api_calls: int = 0
    model_calls: int = 0

    def after_message(self, at: float) -> "ContactUsage":
        """The usage after a message that was sent at this time."""
        if at >= self.minute_at + _MINUTE:
            return replace(self, minute_at=int(at), messages=1)
        return replace(self, messages=self.messages + 1)

    def after_call(self, at: float, *, of_model: bool) -> "ContactUsage":
        """The usage after a call at this time."""
        usage = self if at < self.hour_at + _HOUR else replace(self, hour_at=int(at), api_calls=0, model_calls=0)
        if of_model:
            return replace(usage, model_calls=usage.model_calls + 1)
        return replace(usage, api_calls=usage.api_calls + 1)


NO_USAGE = ContactUsage()
