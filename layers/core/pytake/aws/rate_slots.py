"""Rate slots on DynamoDB: conditional writes, so that any number of senders share a limit without a lock."""

from collections.abc import Callable

import msgspec
from msgspec import Struct
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from pytake.aws.table import ConditionFailedError, Item, Table, dynamodb_error_code
from pytake.conversation.rate_limits import EXACT_UP_TO, RateWindow, depart, reserve

_REFUSED = "ConditionalCheckFailedException"
_KEPT_SECONDS = 86_400
_LARGEST_CACHE = 10_000

LEASED_PER_SECOND = 100
"""Limits above this many messages a second are leased in blocks, so that no limit takes more than some 200 writes a second."""

LARGEST_BLOCK = 5
"""A worker sends three or four messages a second: it uses a block up before it lapses."""

LEASE_SECONDS = 2.0
"""A slot that a worker did not use within this time after its moment has lapsed."""

_read = msgspec.json.Decoder(RateWindow).decode


class Lease(Struct):
    """Slots that a worker has reserved in one write: `left` of them, one per `interval` from `next_slot` on."""

    next_slot: float
    interval: float
    left: int

    def take(self, interval: float, now: float) -> float | None:
        """Its next slot that has not lapsed, or None."""
        if interval != self.interval:  # the limit has changed
            return None
        while self.left:
            slot = self.next_slot
            self.next_slot += interval
            self.left -= 1
            if slot >= now - LEASE_SECONDS:
                return max(now, slot)
        return None


class DynamoRateSlots:
    """Implements `pytake.conversation.ports.deliveries.RateSlots` (ADR 0005 and 0018).

    Up to sixty messages a minute, the item is the window itself. A worker writes based on the window that it last wrote or saw;
    a failed condition returns the current one, so no read is needed. Above sixty it is GCRA: each scope stores its theoretical
    arrival time. A reservation advances it by one interval, from its value (there is a queue) or from now (there is none);
    exactly one of the two conditions holds at any moment. A large limit is leased: a worker reserves several slots at once.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._seen: dict[tuple[str, str], tuple[int, RateWindow]] = {}
        self._queued: set[tuple[str, str]] = set()
        self._leases: dict[tuple[str, str], Lease] = {}

    def reserve(self, organization_id: str, scope: str, per_minute: int, now: float) -> float:
        if per_minute <= EXACT_UP_TO:
            return self._change(organization_id, scope, now, lambda window: reserve(window, per_minute, now))
        # One second's worth may leave at once. It is subtracted from the steady rate, so a minute never exceeds the limit.
        burst = max(1, per_minute // 60)
        interval, place = 60 / (per_minute - burst), (organization_id, scope)
        lease = self._leases.get(place)
        slot = lease.take(interval, now) if lease is not None else None
        if slot is None:
            block = max(1, min(LARGEST_BLOCK, per_minute // (60 * LEASED_PER_SECOND)))
            arrival = self._arrive(organization_id, scope, interval * block, now)
            first = max(now, arrival - (burst - 1) * interval)
            slot, self._leases[place] = first, Lease(first + interval, interval, block - 1)
        return slot

    def depart(self, organization_id: str, scope: str, per_minute: int, now: float) -> float:
        if per_minute > EXACT_UP_TO:
            return now
        return self._change(organization_id, scope, now, lambda window: depart(window, per_minute, now))

    def _change(
        self, organization_id: str, scope: str, now: float, change: Callable[[RateWindow], tuple[RateWindow, float]]
    ) -> float:
        place = (organization_id, scope)
        revision, window = self._seen.get(place, (0, RateWindow()))
        item = self._table.item
        while True:
            changed, at = change(window)
            body = msgspec.json.encode(changed).decode()
            entry = item(
                _pk(organization_id, scope),
                scope,
                body=body,
                revision=revision + 1,
                expires_at=int(now) + _KEPT_SECONDS,
            )
            unchanged = item.revision == revision if revision else item.body.does_not_exist()
            if changed is window:  # a departure has to wait: read the item, the remembered window may be old
                found = self._find(organization_id, scope)
                if found is None or int(found.revision or 0) == revision:
                    return at
            else:
                try:
                    self._table.put(entry, unchanged)
                except ConditionFailedError as refused:
                    found = refused.found or self._find(organization_id, scope)
                else:
                    self._remember(place, revision + 1, changed)
                    return at
            # None: the item expired between our write and our read
            revision, window = (
                (int(found.revision or 0), _read(found.body)) if found is not None and found.body else (0, RateWindow())
            )
            self._remember(place, revision, window)

    def _remember(self, place: tuple[str, str], revision: int, window: RateWindow) -> None:
        if len(self._seen) >= _LARGEST_CACHE and place not in self._seen:
            self._seen.clear()
        self._seen[place] = (revision, window)

    def _find(self, organization_id: str, scope: str) -> Item | None:
        try:
            return self._table.item.get(_pk(organization_id, scope), scope, consistent_read=True)
        except self._table.item.DoesNotExist:
            return None

    def _arrive(self, organization_id: str, scope: str, advance: float, now: float) -> float:
        """Advance the theoretical arrival time; its value before, at least `now`."""
        place = (organization_id, scope)
        item = self._table.item
        entry = item(_pk(organization_id, scope), scope)
        expires_at = item.expires_at.set(int(now) + _KEPT_SECONDS)
        queued = place in self._queued
        while True:
            if queued:
                if self._update(
                    entry,
                    [item.theoretical_arrival.set(item.theoretical_arrival + advance), expires_at],
                    item.theoretical_arrival > now,
                ):
                    self._queued.add(place)
                    return float(entry.theoretical_arrival or now) - advance
            elif self._update(
                entry,
                [item.theoretical_arrival.set(now + advance), expires_at],
                item.theoretical_arrival.does_not_exist() | (item.theoretical_arrival <= now),
            ):
                self._queued.discard(place)
                return now
            queued = not queued

    def _update(self, entry: Item, actions: list[Action], condition: Condition) -> bool:
        try:
            entry.update(actions, condition=condition)
        except UpdateError as error:
            if dynamodb_error_code(error) == _REFUSED:
                return False
            raise
        return True


def _pk(organization_id: str, scope: str) -> str:
    return f"ORG#{organization_id}#RATE#{scope}"
