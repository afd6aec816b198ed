"""Find what is due: timers of flows, and sessions that ended because nobody wrote.

What is found goes the way of a message, through the inbound queue: in order with what the person writes meanwhile, taken
once, and tried again when a worker dies.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.messaging import Queues
from pytake.conversation.queues import InboundItem
from pytake.conversation.records import DueConversation

BATCH = 10


class FireDueTimers:
    """The scheduled function's `due` job. It may run twice: the same news has the same id."""

    def __init__(
        self, conversations: Conversations, queues: Queues, clock: Clock, record_metric: Callable[[str, float], None]
    ) -> None:
        self._conversations = conversations
        self._queues = queues
        self._clock = clock
        self._record_metric = record_metric

    def __call__(self, out_of_time: Callable[[], bool] = lambda: False, correlation_id: str | None = None) -> int:
        """Queue the news for every conversation in which something is due, until `out_of_time()`; how many that were.

        The way of the news is logged under `correlation_id`, like that of a message.
        Measures `DueLagSeconds`: for how long the one that waited longest has been due.
        """
        now, woken, lag = self._clock(), 0, 0.0
        for batch in _batches(self._conversations.due(now)):
            self._queues.put_inbound([_item(due, now, correlation_id) for due in batch])
            woken += len(batch)
            lag = max(lag, *(now - due.at for due in batch))
            if out_of_time():
                break
        if woken:
            self._record_metric("DueLagSeconds", lag)
        return woken


def _item(due: DueConversation, now: float, correlation_id: str | None) -> InboundItem:
    key = due.key
    return InboundItem(
        organization_id=key.organization_id,
        phone_number_id=key.phone_number_id,
        contact_id=key.contact_id,
        message={"id": f"due:{key.contact_id}:{due.at}"},
        received_at=now,
        correlation_id=correlation_id,
        due_at=due.at,
    )


def _batches(found: Iterable[DueConversation]) -> Iterator[list[DueConversation]]:
    left = iter(found)
    while batch := list(islice(left, BATCH)):
        yield batch
