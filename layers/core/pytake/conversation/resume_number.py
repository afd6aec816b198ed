"""Resume a stopped number: the held turns leave first, each conversation in order."""

from collections.abc import Callable

from msgspec import Struct

from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.deliveries import HeldTurns
from pytake.conversation.ports.messaging import Queues
from pytake.conversation.ports.tenants import TenantRepository, UnknownNumberError
from pytake.conversation.queues import released_item


class Resumed(Struct, frozen=True):
    """How many conversations are released. `after` is where the next call continues, None when all are released."""

    conversations: int
    after: str | None = None


class ResumeNumber:
    """The use case behind `POST /api/v1/numbers/{phone_number_id}/resume`. Calling it again is safe."""

    def __init__(self, tenants: TenantRepository, held_turns: HeldTurns, queues: Queues, clock: Clock) -> None:
        self._tenants = tenants
        self._held_turns = held_turns
        self._queues = queues
        self._clock = clock

    def __call__(
        self,
        organization_id: str,
        phone_number_id: str,
        after: str = "",
        out_of_time: Callable[[], bool] = lambda: False,
    ) -> Resumed:
        """Let the number send, and queue the first held turn of each conversation; the sender releases the next ones.

        `after` continues where a previous call ran out of time. Raises `UnknownNumberError`, also for a number of another
        organization.
        """
        number = self._tenants.number(phone_number_id, fresh=True)
        if number is None or number.organization_id != organization_id:
            raise UnknownNumberError(phone_number_id)
        if number.stopped_reason:
            self._tenants.begin_resuming(number, self._clock())
        conversations = 0
        while (held := self._held_turns.first_after(organization_id, phone_number_id, after)) is not None:
            self._queues.put_outbound(released_item(held, self._clock()))
            after = held.contact_id
            conversations += 1
            if out_of_time():
                return Resumed(conversations, after)
        if self._held_turns.first_after(organization_id, phone_number_id, "") is None:
            self._tenants.end_resuming(number)
        return Resumed(conversations)
