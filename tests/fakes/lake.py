"""The event log and the lake, in memory."""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from pytake.conversation.lake_events import LakeEvent, Pseudonyms, pseudonyms
from pytake.conversation.lake_records import ExportProgress, LakePart, LogEntry, LoggedTurn, RetentionProgress
from pytake.conversation.records import ConversationKey
from tests.fakes import MemoryConversations, MemoryDeliveries


class MemoryEventLog:
    def __init__(self, conversations: MemoryConversations, deliveries: MemoryDeliveries) -> None:
        self._conversations = conversations
        self._deliveries = deliveries
        self.keys: dict[tuple[str, str], bytes] = {}
        self.reported: dict[tuple[str, str], set[int]] = {}
        self.stored = ExportProgress()
        self.running_until = 0.0
        self.retention: dict[str, RetentionProgress] = {}
        self.settled: str | None = None

    def entries(
        self, hour: int, organization_id: str | None = None, since: tuple[str, int] | None = None
    ) -> Iterable[LogEntry]:
        found = [
            (key.organization_id, record.at, key, record.seq)
            for key, records in self._conversations.records.items()
            for record in records.values()
            if hour <= record.at < hour + 3600 and organization_id in (None, key.organization_id)
        ]
        entries = [
            LogEntry(owner, int(at * 1000), (msgspec.json.encode(key).decode(), str(seq)))
            for owner, at, key, seq in sorted(found)
        ]
        return [entry for entry in entries if since is None or (entry.organization_id, entry.at) >= since]

    def turns(self, hour: int, entries: Iterable[LogEntry]) -> Iterator[LoggedTurn]:
        for entry in entries:
            key = msgspec.json.decode(entry.position[0], type=ConversationKey)
            record = self._conversations.records[key][int(entry.position[1])]
            yield LoggedTurn(key, record, [d for d in self._deliveries.of_conversation(key) if d.turn == record.seq])

    def record_reported_hour(self, organization_id: str, contact_ids: Iterable[str], hour: int) -> None:
        for contact_id in contact_ids:
            self.reported.setdefault((organization_id, contact_id), set()).add(hour)

    def pseudonyms(self, organization_id: str, contact_ids: Iterable[str], now: float) -> dict[str, Pseudonyms]:
        aliases = self._conversations.aliases.stored
        names = {}
        for contact_id in contact_ids:
            into = aliases[organization_id, contact_id].contact_id if (organization_id, contact_id) in aliases else ""
            key, of_person = (
                self.keys.setdefault((organization_id, id_), f"key {len(self.keys)}".encode())
                for id_ in (contact_id, into or contact_id)
            )
            taken_over = self._conversations.taken_over.get((organization_id, contact_id), {})
            sessions = tuple(
                (session_id, self.keys.setdefault((organization_id, began), f"key {len(self.keys)}".encode()))
                for session_id in sorted(taken_over)
                for began in [self._began_with(organization_id, contact_id, session_id)]
            )
            names[contact_id] = Pseudonyms(key, pseudonyms(of_person, into or contact_id).contact, sessions)
        return names

    def _began_with(self, organization_id: str, contact_id: str, session_id: str) -> str:
        before = self._conversations.taken_over.get((organization_id, contact_id), {}).get(session_id)
        return contact_id if before is None else self._began_with(organization_id, before, session_id)

    def known_pseudonyms(self, organization_id: str, contact_ids: Iterable[str]) -> dict[str, str]:
        known = {one: self.keys[organization_id, one] for one in contact_ids if (organization_id, one) in self.keys}
        return {one: pseudonyms(key, one).contact for one, key in known.items()}

    def delete_turns(self, organization_id: str, hour: int) -> int:
        mine = list(self.turns(hour, self.entries(hour, organization_id)))
        for turn in mine:
            del self._conversations.records[turn.key][turn.record.seq]
            for delivery in turn.deliveries:
                del self._deliveries.entries[turn.key, delivery.turn, delivery.index]
            known = self._conversations.stored.get(turn.key)
            if known is not None and known.seq == turn.record.seq and known.session is None:
                del self._conversations.stored[turn.key]
        return len(mine)

    def retention_progress(self, organization_id: str) -> RetentionProgress | None:
        return self.retention.get(organization_id)

    def put_retention_progress(self, organization_id: str, progress: RetentionProgress) -> None:
        self.retention[organization_id] = progress

    def progress(self) -> ExportProgress:
        return msgspec.json.decode(msgspec.json.encode(self.stored), type=ExportProgress)

    def put_progress(self, progress: ExportProgress) -> None:
        self.stored = msgspec.json.decode(msgspec.json.encode(progress), type=ExportProgress)

    def acquire_lease(self, now: float, seconds: float) -> bool:
        if self.running_until > now:
            return False
        self.running_until = now + seconds
        return True

    def release_lease(self) -> None:
        self.running_until = 0.0

    def settled_through(self) -> str | None:
        return self.settled

    def put_settled_through(self, day: str) -> None:
        self.settled = day


class MemoryLake:
    """Files by organization and the second at which they begin: an hour's first, and later parts.

    `puts` are all that changed a file. The `dies_at`th put does not happen: the process is gone.
    """

    def __init__(self) -> None:
        self.files: dict[tuple[str, float], list[LakeEvent]] = {}
        self.parts: dict[tuple[str, float], LakePart] = {}
        self.puts: list[tuple[str, float]] = []
        self.dies_at: int | None = None
        self.forgotten: set[str | tuple[str, int]] = set()

    def part(self, organization_id: str, hour: int, begins: int) -> LakePart | None:
        place = organization_id, begins / 1000
        return self.parts[place] if place in self.files else None

    def put(self, part: LakePart, events: Iterable[LakeEvent]) -> bool:
        content = list(events)
        if self.dies_at is not None:
            self.dies_at -= 1
            if self.dies_at == 0:
                raise SystemExit("killed")
        place = part.organization_id, part.begins / 1000
        if self.files.get(place) == content and self.parts[place] == part:
            return False
        self.files[place], self.parts[place] = content, part
        self.puts.append(place)
        return True

    def redact(self, organization_id: str, hour: int, contacts: Collection[str]) -> None:
        for (owner, begins), rows in self.files.items():
            if owner == organization_id and hour <= begins < hour + 3600:
                rows[:] = [replace(row, variables=None) if row.contact in contacts else row for row in rows]

    def delete_old_versions(self, organization_id: str, hour: int) -> None:
        self.forgotten.add((organization_id, hour))

    def delete_query_results(self) -> None:
        self.forgotten.add("results")

    def organizations(self) -> list[str]:
        return sorted({organization_id for organization_id, _ in self.files})

    def days(self, organization_id: str) -> list[str]:
        return sorted({_day(hour) for owner, hour in self.files if owner == organization_id})

    def delete_day(self, organization_id: str, day: str) -> None:
        self.files = {
            place: file for place, file in self.files.items() if (place[0], _day(place[1])) != (organization_id, day)
        }

    def rows(self) -> list[LakeEvent]:
        return [event for file in self.files.values() for event in file]


def _day(hour: float) -> str:
    return f"{datetime.fromtimestamp(hour, UTC):%Y-%m-%d}"
