"""Let a stopped number go on: what was parked leaves first, then what is new."""

from collections.abc import Callable

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pytake.conversation.number_setup import UnknownNumberError
from pytake.conversation.ports import Clock, Directory, Parking, Queues
from pytake.conversation.queues import OutboundItem

BATCH = 100

_read = msgspec.json.Decoder(OutboundItem).decode


class Resumed(Struct, frozen=True):
    """How far it came. `stopped_reason` is None when the number sends again, and all that was parked is queued."""

    queued: int
    stopped_reason: str | None


class ResumeNumber:
    """The use case behind `POST /api/v1/numbers/{phone_number_id}/resume`. Calling it again continues or changes nothing."""

    def __init__(self, directory: Directory, parking: Parking, queues: Queues, clock: Clock) -> None:
        self._directory = directory
        self._parking = parking
        self._queues = queues
        self._clock = clock

    def __call__(
        self, organization_id: str, phone_number_id: str, out_of_time: Callable[[], bool] = lambda: False
    ) -> Resumed:
        """Queue what is parked, each conversation in order, until none is or `out_of_time()`: then call again.

        Until everything is queued, new turns go on being parked, so that none overtakes. Raises `UnknownNumberError`, also
        for a number of another organization.
        """
        number = self._directory.number(phone_number_id, fresh=True)
        if number is None or number.organization_id != organization_id:
            raise UnknownNumberError(phone_number_id)
        if number.stopped_reason and not number.resuming_at:
            self._directory.begin_resuming(number, self._clock())
        queued = 0
        while True:
            found = self._parking.parked(organization_id, phone_number_id, BATCH)
            for parked in found:
                item = replace(
                    _read(parked.body), queued_at=self._clock(), unparked=True, again=f"parked{parked.parked_at}"
                )
                self._queues.put_outbound(item)
                # Sent, refused and parked again in this moment? Then it is another parking, and stays.
                self._parking.remove(organization_id, phone_number_id, parked)
                queued += 1
            current = self._directory.number(phone_number_id, fresh=True)
            if current is None or (current.stopped_reason and not current.resuming_at):
                return Resumed(queued, current.stopped_reason if current else "number removed")
            if not found and not current.stopped_reason:
                return Resumed(queued, None)
            if not found and not self._directory.end_resuming(number, self._clock()):
                continue
            if found and out_of_time():
                return Resumed(queued, current.stopped_reason)
