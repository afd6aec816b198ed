"""Rate slots on DynamoDB: conditional writes, so that any number of senders share a limit without a lock."""

from collections.abc import Callable

import msgspec
from msgspec import Struct
from pynamodb.expressions.update import Action

from pytake.aws.table import ConditionFailedError, Item, Table
from pytake.aws.updates import update_if
from pytake.conversation.rate_limits import (
    EXACT_UP_TO,
    WINDOW_SECONDS,
    RateWindow,
    SlotBlock,
    SlowDown,
    block_of,
    bulk_per_minute,
    depart,
    reserve,
)

_KEPT_SECONDS = 86_400
_CLOCK_SKEW_MILLISECONDS = 1000
_LARGEST_CACHE = 10_000

LEASED_PER_SECOND = 100
"""Limits above this many messages a second are leased in blocks, so that no limit takes more than some 200 writes a second."""

LARGEST_BLOCK = 5
"""A worker sends three or four messages a second: it uses a block up before it lapses."""

LEASE_SECONDS = 2.0
"""A slot that a worker did not use within this time after its moment has lapsed."""

_read = msgspec.json.Decoder(RateWindow).decode
_read_slow_down = msgspec.json.Decoder(SlowDown).decode


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
    """Implements `pytake.conversation.ports.deliveries.RateSlots` (ADR 0005 and 0021).

    Up to sixty messages a minute, the item holds the window: the departures with a revision, and the last slot. A worker writes
    based on the window that it last wrote or saw; a failed condition returns the current one, so no read is needed. While
    messages queue up, a reservation only adds an interval to the last slot, which never fails.

    Above sixty it is GCRA: each scope stores its theoretical arrival time. A reservation advances it by one interval, from its
    value (there is a queue) or from now (there is none); exactly one of the two conditions holds at any moment. A large limit
    is leased: a worker reserves several slots at once.

    The slots of campaigns are taken in blocks (ADR 0033). Above sixty, the block's end is stored with the scope, and each
    reservation of a conversation returns it: so a worker knows, without a request, that campaigns have most of the limit.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._seen: dict[tuple[str, str], tuple[int, RateWindow]] = {}
        self._queued: set[tuple[str, str]] = set()
        self._leases: dict[tuple[str, str], Lease] = {}
        self._blocks: dict[tuple[str, str], float] = {}
        self._slowed: dict[tuple[str, str], SlowDown] = {}

    def reserve(self, organization_id: str, scope: str, per_minute: int, now: float) -> float:
        if per_minute <= EXACT_UP_TO:
            queued = self._queue_up(organization_id, scope, per_minute, now)
            if queued is not None:
                return queued
            return self._change(organization_id, scope, now, lambda window: reserve(window, per_minute, now))
        place = (organization_id, scope)
        if self._blocks.get(place, 0) > now:
            per_minute -= bulk_per_minute(per_minute)
        # One second's worth may leave at once. It is subtracted from the steady rate, so a minute never exceeds the limit.
        burst = max(1, per_minute // 60)
        interval = 60 / (per_minute - burst)
        lease = self._leases.get(place)
        slot = lease.take(interval, now) if lease is not None else None
        if slot is None:
            block = max(1, min(LARGEST_BLOCK, per_minute // (60 * LEASED_PER_SECOND)))
            arrival = self._arrive(organization_id, scope, interval * block, now)
            first = max(now, arrival - (burst - 1) * interval)
            slot, self._leases[place] = first, Lease(first + interval, interval, block - 1)
        return slot

    def reserve_block(
        self, organization_id: str, scope: str, per_minute: int, count: int, now: float, until: float
    ) -> SlotBlock:
        # The window of an exact limit is written as a whole, so the blocks have an item of their own.
        name = scope if per_minute > EXACT_UP_TO else f"bulk:{scope}"
        place, item = (organization_id, name), self._table.item
        entry = item(_pk(organization_id, name), name)
        reserved = self._blocks.get(place, 0)
        while True:
            block = block_of(per_minute, reserved, count, now, until)
            if not block.count:
                return block
            actions: list[Action] = [
                item.block_until.set(block.at(block.count)),
                item.expires_at.set(int(until) + _KEPT_SECONDS),
            ]
            unchanged = item.block_until == reserved if reserved else item.block_until.does_not_exist()
            if update_if(entry, actions, unchanged):
                self._blocks[place] = block.at(block.count)
                return block
            found = self._find_entry(entry)
            reserved = self._blocks[place] = float(found.block_until or 0) if found else 0

    def slow_down(self, organization_id: str, phone_number_id: str, code: int, now: float) -> None:
        place = (organization_id, phone_number_id)
        item, entry = self._table.item, self._table.item(_pk(organization_id, f"slow:{phone_number_id}"), "slow")
        known = self._slowed.get(place, SlowDown())
        while (after := known.refused(code, now)) != known:
            entry.body, entry.block_until = msgspec.json.encode(after).decode(), after.at
            entry.expires_at = int(now) + _KEPT_SECONDS
            try:
                self._table.put(entry, item.block_until == known.at if known.at else item.pk.does_not_exist())
                known = after
            except ConditionFailedError as refused:
                known = _slow_down(refused.found or self._find_entry(entry))
            self._slowed[place] = known

    def slowed(self, organization_id: str, phone_number_id: str) -> SlowDown:
        try:
            return _slow_down(self._table.item.get(_pk(organization_id, f"slow:{phone_number_id}"), "slow"))
        except self._table.item.DoesNotExist:
            return SlowDown()

    def depart(self, organization_id: str, scope: str, per_minute: int, now: float) -> float:
        if per_minute > EXACT_UP_TO:
            return now
        return self._change(organization_id, scope, now, lambda window: depart(window, per_minute, now))

    def _queue_up(self, organization_id: str, scope: str, per_minute: int, now: float) -> float | None:
        """The slot behind the last one, if the limit's queue is known to be longer than `now`; otherwise None.

        It is an atomic addition. With a comparison, hundreds of workers that meet at one item would repeat it without end.
        """
        place, item = (organization_id, scope), self._table.item
        # Less than a second ahead, it may be a departure by a worker whose clock is ahead: no queue.
        ahead = int(now * 1000) + _CLOCK_SKEW_MILLISECONDS
        last_slot = self._seen[place][1].last_slot if place in self._seen else 0
        if last_slot <= ahead:
            return None
        entry = item(_pk(organization_id, scope), scope)
        actions: list[Action] = [
            item.theoretical_arrival.set(item.theoretical_arrival + WINDOW_SECONDS * 1000 // per_minute),
            item.expires_at.set(last_slot // 1000 + _KEPT_SECONDS),
        ]
        if not update_if(entry, actions, item.theoretical_arrival > ahead):
            return None
        self._remember(place, entry)
        return self._seen[place][1].last_slot / 1000

    def _change(
        self, organization_id: str, scope: str, now: float, change: Callable[[RateWindow], tuple[RateWindow, float]]
    ) -> float:
        place, item = (organization_id, scope), self._table.item
        revision, window = self._seen.get(place, (0, RateWindow()))
        while True:
            changed, at = change(window)
            if changed is window:  # a departure has to wait: read the item, the remembered window may be old
                found = self._find(organization_id, scope)
                if found is None or int(found.revision or 0) == revision:
                    return at
            else:
                entry = item(
                    _pk(organization_id, scope),
                    scope,
                    body=msgspec.json.encode(changed).decode(),
                    revision=revision + 1,
                    theoretical_arrival=changed.last_slot,
                    expires_at=max(int(now), changed.last_slot // 1000) + _KEPT_SECONDS,
                )
                done, found = self._write(entry, revision, window.last_slot)
                if done:
                    self._remember(place, entry)
                    return at
            self._remember(place, found)
            revision, window = self._seen[place]

    def _write(self, entry: Item, revision: int, last_slot: int) -> tuple[bool, Item | None]:
        """Write a changed window if it is still the one with `revision`; whether it was, and what is stored otherwise."""
        item = self._table.item
        unchanged = item.revision == revision if revision else item.body.does_not_exist()
        if revision and entry.theoretical_arrival == last_slot:  # a departure: reservations need not stand still for it
            actions: list[Action] = [item.body.set(entry.body), item.revision.set(entry.revision)]
            return (True, None) if update_if(entry, actions, unchanged) else (False, self._find_entry(entry))
        if revision:
            unchanged &= item.theoretical_arrival == last_slot
        try:
            self._table.put(entry, unchanged)
        except ConditionFailedError as refused:
            return False, refused.found or self._find_entry(entry)
        return True, None

    def _remember(self, place: tuple[str, str], stored: Item | None) -> None:
        """Remember what is stored. None: the item has expired, or was never written."""
        if len(self._seen) >= _LARGEST_CACHE and place not in self._seen:
            self._seen.clear()
        if stored is None or not stored.body:
            self._seen[place] = (0, RateWindow())
            return
        departed = _read(stored.body).departed
        self._seen[place] = (int(stored.revision or 0), RateWindow(departed, int(stored.theoretical_arrival or 0)))

    def _find(self, organization_id: str, scope: str) -> Item | None:
        return self._find_entry(self._table.item(_pk(organization_id, scope), scope))

    def _find_entry(self, entry: Item) -> Item | None:
        try:
            return self._table.item.get(entry.pk, entry.sk, consistent_read=True)
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
                if update_if(
                    entry,
                    [item.theoretical_arrival.set(item.theoretical_arrival + advance), expires_at],
                    item.theoretical_arrival > now,
                ):
                    self._queued.add(place)
                    self._blocks[place] = float(entry.block_until or 0)
                    return float(entry.theoretical_arrival or now) - advance
            elif update_if(
                entry,
                [item.theoretical_arrival.set(now + advance), expires_at],
                item.theoretical_arrival.does_not_exist() | (item.theoretical_arrival <= now),
            ):
                self._queued.discard(place)
                self._blocks[place] = float(entry.block_until or 0)
                return now
            queued = not queued


def _slow_down(found: Item | None) -> SlowDown:
    return _read_slow_down(found.body) if found is not None and found.body else SlowDown()


def _pk(organization_id: str, scope: str) -> str:
    return f"ORG#{organization_id}#RATE#{scope}"
