"""Asks the sender for the typing indicator, beside the call that a turn waits for."""

from collections.abc import Callable
from contextlib import suppress

from pytake.aws.batch import Spawn, start_thread
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.queues import OutboundItem


class QueuedTyping:
    """Implements `pytake.conversation.ports.messaging.ShowTyping`: queues the item in a thread, while the call is made."""

    def __init__(self, put: Callable[[OutboundItem], None], spawn: Spawn = start_thread) -> None:
        self._put = put
        self._spawn = spawn

    def __call__(self, item: OutboundItem) -> None:
        self._spawn(lambda: self._queue(item))

    def _queue(self, item: OutboundItem) -> None:
        with suppress(QueueingFailedError):
            self._put(item)
