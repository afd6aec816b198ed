"""Read receipts in the background: they are posted beside the messages, and the sender does not wait for Meta's answer."""

from collections.abc import Callable
from threading import Thread
from time import monotonic

from pytake.meta.graph_api import GraphApi
from pytake.whatsapp.graph import read_receipt_payload
from pytake.whatsapp.sending import SendFailedError

RECEIPT_SECONDS = 2.0
"""Meta answers a read receipt within this time, or it counts as failed."""

FINISH_SECONDS = 0.5
"""How long the end of a batch waits for its receipts. One that takes longer goes on with the next batch of the process."""


class BackgroundReadReceipts:
    """Implements `pytake.conversation.ports.deliveries.ReadReceipts` with a thread per receipt."""

    def __init__(self, graph: GraphApi, record_metric: Callable[[str, float], None]) -> None:
        self._graph = graph
        self._record_metric = record_metric
        self._threads: list[Thread] = []

    def mark(self, phone_number_id: str, access_token: str, message_id: str, *, typing: bool) -> None:
        payload = read_receipt_payload(message_id, typing)

        def post() -> None:
            try:
                self._graph.mark_read(phone_number_id, access_token, payload, RECEIPT_SECONDS)
            except SendFailedError:
                self._record_metric("ReadReceiptsFailed", 1)

        thread = Thread(target=post, daemon=True)
        thread.start()
        self._threads.append(thread)

    def finish(self) -> None:
        """Wait a moment for the receipts of a batch. Records the metric `ReadReceiptsFailed`; no receipt is repeated."""
        until = monotonic() + FINISH_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))
        self._threads = [thread for thread in self._threads if thread.is_alive()]
