"""Export the event log to the lake, hour by hour (ADR 0007).

The content of an organization's file of an hour depends only on the table, so an hour can be exported again at any time. It
is exported while it runs, when it is over, and twice later for late changes. An hour with many entries has several parts (ADR
0014). Each part is read and written separately, and a run that is out of time continues with the next part.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice

from msgspec import Struct
from msgspec.structs import replace

from pytake.conversation.lake_events import ErasedTurn, LakeEvent, Pseudonyms, events_of
from pytake.conversation.lake_records import ExportCursor, ExportProgress, LakePart, LogEntry, LoggedTurn
from pytake.conversation.ports.common import Clock, RecordMetric
from pytake.conversation.ports.deliveries import HeldTurns
from pytake.conversation.ports.lake import EventLog, Lake

HOUR = 3600

PASSES = {"closed": 600, "day": 24 * HOUR, "settled": 72 * HOUR}
"""The passes, and how many seconds after an hour's end each exports it. A turn is committed within a minute or two of its
time; statuses and messages of stopped numbers may take days."""

OPEN = "open"
"""The pass over the hours that are not over yet."""

FIRST_LOOK_BACK_HOURS = 24
"""How far back the very first export starts."""

LEASE_SPARE_SECONDS = 5

BATCH = 200

ENTRIES_PER_PART = 10_000
"""Entries of a part before the next one begins. With conversations of five turns a part has about 350,000 events: 130 MB
uncompressed, 4 MB compressed."""


class ExportResult(Struct, frozen=True):
    """What a run did: hours checked, files written, and whether the lake is up to date now."""

    hours: int = 0
    files: int = 0
    up_to_date: bool = False


class _Done(Struct):
    hours: int = 0
    files: int = 0


class ExportToLake:
    """The scheduled function's `export` job. It may run twice, even at the same time, and may die at any moment."""

    def __init__(
        self,
        log: EventLog,
        lake: Lake,
        held_turns: HeldTurns,
        clock: Clock,
        record_metric: RecordMetric,
        finish_erasures: Callable[[Callable[[str, int], None]], int],
    ) -> None:
        self._log = log
        self._lake = lake
        self._held_turns = held_turns
        self._clock = clock
        self._record_metric = record_metric
        self._finish_erasures = finish_erasures
        self._ends_at = 0.0
        self._longest = 0.0
        """The longest time that a part of this run took, in seconds: with less time left, no other part is started."""

    def __call__(self, seconds_left: float, out_of_time: Callable[[], bool] = lambda: False) -> ExportResult:
        """Export what is due, until `out_of_time()`. The process ends in at most `seconds_left`.

        Records the metric `LakeLagSeconds` first: the age of the lake before this run. The last pass over an hour records
        `LostMessages`: messages that were neither sent nor refused after three days and wait nowhere; always 0 if all is well.
        Does nothing while another run has the lease.
        """
        now = self._clock()
        if not self._log.acquire_lease(now, seconds_left + LEASE_SPARE_SECONDS):
            return ExportResult()
        self._ends_at = now + seconds_left
        self._longest = 0.0
        try:
            return self._run(now, out_of_time)
        finally:
            self._log.release_lease()

    def _run(self, now: float, out_of_time: Callable[[], bool]) -> ExportResult:
        self._finish_erasures(self.export_hour)
        progress = self._log.progress()
        self._record_metric("LakeLagSeconds", now - progress.as_of if progress.as_of is not None else 0)
        current = int(now) // HOUR * HOUR
        for name in PASSES:
            progress.through.setdefault(name, current - (FIRST_LOOK_BACK_HOURS + 1) * HOUR)
        done = _Done()
        for name, wait in PASSES.items():
            last = (int(now) - wait) // HOUR * HOUR - HOUR
            for hour in range(progress.through[name] + HOUR, last + HOUR, HOUR):
                if not self._hour(name, hour, now, progress, done, out_of_time):
                    return ExportResult(done.hours, done.files)
                progress.through[name] = hour
                self._log.put_progress(progress)
            if name == "closed":
                as_of = now
                for hour in range(progress.through[name] + HOUR, current + HOUR, HOUR):
                    cursor = _cursor_at(progress, OPEN, hour)
                    if not self._hour(OPEN, hour, now, progress, done, out_of_time):
                        return ExportResult(done.hours, done.files)
                    as_of = min(as_of, cursor.began if cursor is not None else now)
                progress.as_of = as_of
                self._log.put_progress(progress)
        return ExportResult(done.hours, done.files, up_to_date=True)

    def _hour(
        self,
        name: str,
        hour: int,
        now: float,
        progress: ExportProgress,
        done: "_Done",
        out_of_time: Callable[[], bool],
    ) -> bool:
        """Export an hour from where an earlier run stopped in this pass; False when there is not enough time."""
        if out_of_time():
            return False
        cursor = _cursor_at(progress, name, hour)
        since = (cursor.organization_id, cursor.begins) if cursor is not None else None
        lost: list[int] = []
        for organization_id, entries in groupby(
            self._log.entries(hour, None, since), lambda entry: entry.organization_id
        ):
            first = cursor.begins if cursor is not None and cursor.organization_id == organization_id else None
            for part, of_part in self._parts(organization_id, hour, entries, first):
                if self._clock() + self._longest > self._ends_at or out_of_time():
                    self._stop_at(progress, name, part, now, cursor)
                    return False
                began = self._clock()
                turns = self._log.turns(hour, of_part)
                done.files += self._put(part, self._audited(turns, lost) if name == "settled" else turns)
                self._longest = max(self._longest, self._clock() - began)
                if part.next is not None:  # if this run dies, the next one continues here
                    self._stop_at(progress, name, replace(part, begins=part.next), now, cursor)
        if name == "settled":
            self._record_metric("LostMessages", sum(lost))
        done.hours += 1
        progress.cursors.pop(name, None)
        return True

    def _stop_at(
        self, progress: ExportProgress, name: str, part: LakePart, now: float, cursor: ExportCursor | None
    ) -> None:
        began = cursor.began if cursor is not None else now
        progress.cursors[name] = ExportCursor(part.hour, began, part.organization_id, part.begins)
        self._log.put_progress(progress)

    def _parts(
        self, organization_id: str, hour: int, entries: Iterable[LogEntry], first: int | None = None
    ) -> Iterator[tuple[LakePart, list[LogEntry]]]:
        """The hour's parts with their entries, starting with the one that begins at `first`.

        The end of a part is decided once, and never before the end of what its file already contains. So no row ever moves
        from one file to another, and each row is in exactly one file whenever a run dies.
        """
        left = _Peekable(entries)
        begins: int | None = first if first is not None else hour * 1000
        while begins is not None:
            known = self._lake.part(organization_id, hour, begins)
            taken: list[LogEntry] = []
            while (entry := left.peek()) is not None:
                if known is not None and known.next is not None:
                    if entry.at >= known.next:
                        break
                elif len(taken) >= ENTRIES_PER_PART and entry.at > max(taken[-1].at, known.until if known else 0):
                    break
                taken.append(left.take())
            after = left.peek()
            following = known.next if known is not None and known.next is not None else after.at if after else None
            if taken:
                until = max(taken[-1].at, known.until if known is not None else 0)
                yield LakePart(organization_id, hour, begins, until, following), taken
            begins = following

    def export_hour(self, organization_id: str, hour: int) -> None:
        """Export one hour of one organization again, independent of the passes. Only while this run has the lease."""
        for part, entries in self._parts(organization_id, hour, self._log.entries(hour, organization_id)):
            self._put(part, self._log.turns(hour, entries))

    def _put(self, part: LakePart, turns: Iterable[LoggedTurn | ErasedTurn]) -> bool:
        return self._lake.put(part, self._events(part.organization_id, part.hour, turns))

    def _audited(self, turns: Iterable[LoggedTurn | ErasedTurn], lost: list[int]) -> Iterator[LoggedTurn | ErasedTurn]:
        """Pass the turns through. For each with messages that have no outcome and wait nowhere, append their number to `lost`."""
        for turn in turns:
            missing = _without_outcome(turn, self._clock()) if isinstance(turn, LoggedTurn) else 0
            if missing and isinstance(turn, LoggedTurn):
                held = self._held_turns.earliest(turn.key)
                if held is None or held.turn > turn.record.seq:
                    lost.append(missing)
            yield turn

    def _events(self, organization_id: str, hour: int, turns: Iterable[LoggedTurn | ErasedTurn]) -> Iterator[LakeEvent]:
        names: dict[str, Pseudonyms] = {}
        left = iter(turns)
        while batch := list(islice(left, BATCH)):
            known = [turn for turn in batch if isinstance(turn, LoggedTurn)]
            unknown = {turn.key.contact_id for turn in known} - names.keys()
            if unknown:
                names |= self._log.pseudonyms(organization_id, sorted(unknown), self._clock())
            # Before the file exists: an erasure must find the files that contain the person's answers.
            if reported := {turn.key.contact_id for turn in known if _reports(turn)}:
                self._log.record_reported_hour(organization_id, sorted(reported), hour)
            for turn in batch:
                if isinstance(turn, ErasedTurn):
                    yield from turn.events
                else:
                    yield from events_of(turn.key, turn.record, turn.deliveries, names[turn.key.contact_id])


class _Peekable:
    """An iterator whose next entry can be read without taking it."""

    def __init__(self, entries: Iterable[LogEntry]) -> None:
        self._left = iter(entries)
        self._next = next(self._left, None)

    def peek(self) -> LogEntry | None:
        return self._next

    def take(self) -> LogEntry:
        taken, self._next = self._next, next(self._left, None)
        if taken is None:
            raise LookupError("no entry is left")
        return taken


def _cursor_at(progress: ExportProgress, name: str, hour: int) -> ExportCursor | None:
    cursor = progress.cursors.get(name)
    return cursor if cursor is not None and cursor.hour == hour else None


def _reports(turn: LoggedTurn) -> bool:
    return any(event.type == "variable_reported" for event in turn.record.events)


def _without_outcome(turn: LoggedTurn, now: float) -> int:
    """How many messages of a turn have neither reached Meta nor been refused. 0 for a turn that is dead-lettered, or that waits
    in the queue for a future slot."""
    known = {delivery.index: delivery for delivery in turn.deliveries if delivery.turn == turn.record.seq}
    if any(delivery.state in ("dead", "deferred") for delivery in known.values()):
        return 0
    if any(delivery.state == "waiting" and (delivery.not_before or 0) > now for delivery in known.values()):
        return 0
    settled = [entry for entry in known.values() if entry.state in ("accepted", "failed") or entry.reached_meta]
    return len(turn.record.messages) - len(settled)
