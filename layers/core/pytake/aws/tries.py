"""How often a message was tried. A queue counts receives, but a message that returns because it has to wait was not tried."""

import time

from pytake.aws.table import Table

KEPT_SECONDS = 15 * 86_400
"""Longer than a message can wait on a queue."""


class DynamoTries:
    """Counts the tries of messages, by their ids."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, message_id: str, tries: int) -> int:
        """Add tries (-1: the last one was none) and return how many there are now. One write request."""
        item = self._table.item
        entry = item(f"TRIES#{message_id}", "TRIES")
        entry.update([item.sends.add(tries), item.expires_at.set(int(time.time()) + KEPT_SECONDS)])
        return int(entry.sends or 0)
