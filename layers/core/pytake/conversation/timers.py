"""Find due timers of flows and expired sessions.

Each becomes an item on the inbound queue: it is in order with the person's messages, takes one turn, and is retried when a
worker dies.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.messaging import Queues
from pytake.conversation.queues import due_item
from pytake.conversation.records import DueConversation

BATCH = 10


class FireDueTimers:
    """The scheduled function's `due` job. It may run twice: the items of both runs have the same ids."""

    def __init__(
        self, conversations: Conversations, queues: Queues, clock: Clock, record_metric: Callable[[str, float], None]
    ) -> None:
        self._conversations = conversations
        self._queues = queues
        self._clock = clock
        self._record_metric = record_metric

    def __call__(self, out_of_time: Callable[[], bool] = lambda: False, correlation_id: str | None = None) -> int:
        """Queue an item for each due conversation, until `out_of_time()`; returns the number of items.

        Logs of the items carry the `correlation_id`. Records the metric `DueLagSeconds`: the longest time overdue.
        """
        now, queued, lag = self._clock(), 0, 0.0
        for batch in _batches(self._conversations.due(now)):
            known = {one.key: one.user_id for one in self._conversations.load_all([due.key for due in batch])}
            self._queues.put_inbound([due_item(due, known.get(due.key), now, correlation_id) for due in batch])
            queued += len(batch)
            lag = max(lag, *(now - due.at for due in batch))
            if out_of_time():
                break
        self._record_metric("DueLagSeconds", lag)  # also when nothing is due: without it, an alarm goes off
        return queued


def _batches(found: Iterable[DueConversation]) -> Iterator[list[DueConversation]]:
    left = iter(found)
    while batch := list(islice(left, BATCH)):
        yield batch
