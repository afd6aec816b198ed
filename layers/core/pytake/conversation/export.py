"""Export what happened to the lake, hour by hour (ADR 0007).

What an organization's file of an hour holds follows from the table alone, so an hour can be exported again at any time.
It is: while it runs, when it is over, and twice later, for what comes late.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice

from msgspec import Struct

from pytake.conversation.lake_events import ErasedTurn, LakeEvent, events_of
from pytake.conversation.ports import Clock, EventLog, Lake, Measure, Parking
from pytake.conversation.records import LoggedTurn

HOUR = 3600

PASSES = {"closed": 600, "day": 24 * HOUR, "settled": 72 * HOUR}
"""How many seconds after its end an hour is exported once more. A turn is committed within a minute or two of its time;
receipts and messages of stopped numbers may take days."""

FIRST_LOOK_BACK_HOURS = 24
"""Where the first export of all begins."""

LEASE_SPARE_SECONDS = 5

BATCH = 200


class Exported(Struct, frozen=True):
    """What a run did: hours looked at, files written anew, and whether the lake is now up to date."""

    hours: int = 0
    files: int = 0
    up_to_date: bool = False


class ExportToLake:
    """The scheduled function's `export` job. It may run twice, at the same time too, and may die at any moment."""

    def __init__(
        self,
        log: EventLog,
        lake: Lake,
        parking: Parking,
        clock: Clock,
        measure: Measure,
        finish_erasures: Callable[[Callable[[str, int], None]], int],
    ) -> None:
        self._log = log
        self._lake = lake
        self._parking = parking
        self._clock = clock
        self._measure = measure
        self._finish_erasures = finish_erasures

    def __call__(self, seconds_left: float, out_of_time: Callable[[], bool] = lambda: False) -> Exported:
        """Export what is due, until `out_of_time()`. `seconds_left` is when the process ends at the latest.

        Measures `LakeLagSeconds` first: how old the lake is as this run finds it. The last pass over an hour measures
        `LostMessages`: those of its turns that are neither sent nor refused nor kept anywhere, three days later; it should
        always be 0. Nothing is done while another run is at it.
        """
        now = self._clock()
        if not self._log.begin(now, seconds_left + LEASE_SPARE_SECONDS):
            return Exported()
        try:
            return self._run(now, out_of_time)
        finally:
            self._log.end()

    def _run(self, now: float, out_of_time: Callable[[], bool]) -> Exported:
        self._finish_erasures(self.again)
        progress = self._log.progress()
        self._measure("LakeLagSeconds", now - progress.as_of if progress.as_of is not None else 0)
        current = int(now) // HOUR * HOUR
        for name in PASSES:
            progress.through.setdefault(name, current - (FIRST_LOOK_BACK_HOURS + 1) * HOUR)
        hours = files = 0
        for name, wait in PASSES.items():
            done = progress.through[name]
            last = (int(now) - wait) // HOUR * HOUR - HOUR
            for hour in range(done + HOUR, last + HOUR, HOUR):
                if out_of_time():
                    return Exported(hours, files)
                lost: list[int] = []
                turns = self._log.turns(hour)
                files += self._export(hour, self._audited(turns, lost) if name == "settled" else turns)
                if name == "settled":
                    self._measure("LostMessages", sum(lost))
                hours += 1
                progress.through[name] = hour
                self._log.put_progress(progress)
            if name == "closed":
                for hour in range(max(done, last) + HOUR, current + HOUR, HOUR):
                    files += self._export(hour, self._log.turns(hour))
                    hours += 1
                progress.as_of = now
                self._log.put_progress(progress)
        return Exported(hours, files, up_to_date=True)

    def _export(self, hour: int, turns: Iterable[LoggedTurn | ErasedTurn]) -> int:
        by_organization = groupby(turns, key=lambda turn: turn.organization_id)
        return sum(self._put(organization_id, hour, turns) for organization_id, turns in by_organization)

    def again(self, organization_id: str, hour: int) -> None:
        """Export one hour of one organization once more, whatever its turn would be. Not while another run is at it."""
        turns = list(self._log.turns(hour, organization_id))
        if turns:
            self._put(organization_id, hour, turns)

    def _put(self, organization_id: str, hour: int, turns: Iterable[LoggedTurn | ErasedTurn]) -> bool:
        return self._lake.put(organization_id, hour, self._events(organization_id, hour, turns))

    def _audited(self, turns: Iterable[LoggedTurn | ErasedTurn], lost: list[int]) -> Iterator[LoggedTurn | ErasedTurn]:
        """The turns as they come; `lost` gets how many messages of each have no outcome and wait nowhere."""
        for turn in turns:
            missing = _without_outcome(turn, self._clock()) if isinstance(turn, LoggedTurn) else 0
            if missing and isinstance(turn, LoggedTurn):
                parked = self._parking.earliest(turn.key)
                if parked is None or parked.turn > turn.record.seq:
                    lost.append(missing)
            yield turn

    def _events(self, organization_id: str, hour: int, turns: Iterable[LoggedTurn | ErasedTurn]) -> Iterator[LakeEvent]:
        keys: dict[str, bytes] = {}
        left = iter(turns)
        while batch := list(islice(left, BATCH)):
            known = [turn for turn in batch if isinstance(turn, LoggedTurn)]
            unknown = {turn.key.contact_id for turn in known} - keys.keys()
            if unknown:
                keys |= self._log.contact_keys(organization_id, sorted(unknown), self._clock())
            # Before the file is there: whoever erases the person has to find what it says of them.
            if reported := {turn.key.contact_id for turn in known if _reports(turn)}:
                self._log.note_reported(organization_id, sorted(reported), hour)
            for turn in batch:
                if isinstance(turn, ErasedTurn):
                    yield from turn.events
                else:
                    yield from events_of(turn.key, turn.record, turn.deliveries, keys[turn.key.contact_id])


def _reports(turn: LoggedTurn) -> bool:
    return any(event.type == "variable_reported" for event in turn.record.events)


def _without_outcome(turn: LoggedTurn, now: float) -> int:
    """How many messages of a turn have neither reached Meta nor been refused, unless the turn is in the dead letters, or
    waits in the queue for a slot that is still to come."""
    known = {delivery.index: delivery for delivery in turn.deliveries if delivery.turn == turn.record.seq}
    if any(delivery.state in ("dead", "parked") for delivery in known.values()):
        return 0
    if any(delivery.state == "waiting" and (delivery.slot_at or 0) > now for delivery in known.values()):
        return 0
    settled = [entry for entry in known.values() if entry.state in ("accepted", "failed") or entry.reached_meta]
    return len(turn.record.messages) - len(settled)
