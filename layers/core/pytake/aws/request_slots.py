"""How often a person may call a costly route in a second: one conditional write for each call, whichever worker answers it."""

from pytake.aws.table import Table
from pytake.aws.updates import update_if
from pytake.conversation.queues import digest

_KEPT_SECONDS = 60


class DynamoRequestSlots:
    """Counts a person's calls of one route by the second of the clock. API Gateway limits routes, and not persons."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, organization_id: str, person: str, route: str, most: int, now: float) -> bool:
        """Whether the person may call the route: at most `most` calls in each second are allowed."""
        item, second = self._table.item, int(now)
        entry = item(f"ORG#{organization_id}#REQUESTS#{digest(person)}", f"{route}#{second}")
        return update_if(
            entry,
            [item.seq.set((item.seq | 0) + 1), item.expires_at.set(second + _KEPT_SECONDS)],
            item.seq.does_not_exist() | (item.seq < most),
        )
