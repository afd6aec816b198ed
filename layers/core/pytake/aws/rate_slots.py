"""Rate slots on DynamoDB: GCRA as one atomic update, so that any number of senders share a limit without a lock."""

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from pytake.aws.table import Item, Table

_REFUSED = "ConditionalCheckFailedException"


class DynamoRateSlots:
    """Implements `pytake.conversation.ports.RateSlots`.

    Each scope stores its theoretical arrival time. A reservation moves it on by one interval, either from where it is
    (there is a queue) or from now (there is none); exactly one of the two conditions holds at any moment.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def reserve(self, organization_id: str, scope: str, per_minute: float, burst: int, now: float) -> float:
        interval = 60 / per_minute
        item = self._table.item
        entry = item(f"ORG#{organization_id}#RATE", scope)
        expires_at = item.expires_at.set(int(now) + 86_400)
        while True:
            if self._update(
                entry,
                [item.theoretical_arrival.set(now + interval), expires_at],
                item.theoretical_arrival.does_not_exist() | (item.theoretical_arrival <= now),
            ):
                return now
            if self._update(
                entry,
                [item.theoretical_arrival.set(item.theoretical_arrival + interval), expires_at],
                item.theoretical_arrival > now,
            ):
                before = float(entry.theoretical_arrival or now) - interval
                return max(now, before - (burst - 1) * interval)

    def _update(self, entry: Item, actions: list[Action], condition: Condition) -> bool:
        try:
            entry.update(actions, condition=condition)
        except UpdateError as error:
            if error.cause_response_code == _REFUSED:
                return False
            raise
        return True
