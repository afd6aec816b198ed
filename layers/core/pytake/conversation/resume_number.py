"""Let a stopped number go on: what was parked leaves first, each conversation in order."""

from collections.abc import Callable

from msgspec import Struct

from pytake.conversation.number_setup import UnknownNumberError
from pytake.conversation.ports import Clock, Directory, Parking, Queues
from pytake.conversation.queues import unparked_item


class Resumed(Struct, frozen=True):
    """How many conversations are on their way. `after` is where to go on, None when all are."""

    conversations: int
    after: str | None = None


class ResumeNumber:
    """The use case behind `POST /api/v1/numbers/{phone_number_id}/resume`. Calling it again does no harm."""

    def __init__(self, directory: Directory, parking: Parking, queues: Queues, clock: Clock) -> None:
        self._directory = directory
        self._parking = parking
        self._queues = queues
        self._clock = clock

    def __call__(
        self,
        organization_id: str,
        phone_number_id: str,
        after: str = "",
        out_of_time: Callable[[], bool] = lambda: False,
    ) -> Resumed:
        """Let the number send, and queue the first parked turn of each conversation: the sender brings the next ones.

        `after` continues where a call ran out of time. Raises `UnknownNumberError`, also for a number of another
        organization.
        """
        number = self._directory.number(phone_number_id, fresh=True)
        if number is None or number.organization_id != organization_id:
            raise UnknownNumberError(phone_number_id)
        if number.stopped_reason:
            self._directory.begin_resuming(number, self._clock())
        conversations = 0
        while (parked := self._parking.first_after(organization_id, phone_number_id, after)) is not None:
            self._queues.put_outbound(unparked_item(parked, self._clock()))
            after = parked.contact_id
            conversations += 1
            if out_of_time():
                return Resumed(conversations, after)
        if self._parking.first_after(organization_id, phone_number_id, "") is None:
            self._directory.end_resuming(number)
        return Resumed(conversations)
