"""Sequences and follow-ups, in memory."""

from collections.abc import Collection, Iterator

from msgspec.structs import replace

from pytake.contacts.ports import ListPlace
from pytake.conversation.change_log import Author
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.sequences.records import FollowUp, Sequence

Place = tuple[str, str, str, int, str]


class MemorySequences:
    """Implements `Sequences`."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], Sequence] = {}
        self.unplanned: dict[tuple[str, str], ListPlace | None] = {}

    def get(self, organization_id: str, sequence_id: str) -> Sequence | None:
        return self.stored.get((organization_id, sequence_id))

    def all(self, organization_id: str) -> list[Sequence]:
        found = [sequence for (owner, _), sequence in self.stored.items() if owner == organization_id]
        return sorted(found, key=lambda sequence: sequence.id)

    def put(self, organization_id: str, sequence: Sequence, *, plan: bool, author: Author | None = None) -> Sequence:
        place = organization_id, sequence.id
        if (self.stored[place].revision if place in self.stored else 0) != sequence.revision:
            raise ConflictError
        self.stored[place] = after = replace(sequence, revision=sequence.revision + 1)
        self.unplanned.pop(place, None)
        if plan:
            self.unplanned[place] = None
        return after

    def delete(self, organization_id: str, sequence_id: str, author: Author | None = None) -> None:
        self.stored.pop((organization_id, sequence_id), None)
        self.unplanned.pop((organization_id, sequence_id), None)

    def to_plan(self) -> Iterator[tuple[str, Sequence, ListPlace | None]]:
        for place, after in list(self.unplanned.items()):
            yield place[0], self.stored[place], after

    def planned(self, organization_id: str, sequence: Sequence, through: ListPlace | None) -> bool:
        place = organization_id, sequence.id
        if place not in self.stored or self.stored[place].revision != sequence.revision:
            return False
        if through is None:
            self.unplanned.pop(place, None)
        else:
            self.unplanned[place] = through
        return True


class MemoryFollowUps:
    """Implements `FollowUps`."""

    def __init__(self) -> None:
        self.stored: dict[Place, FollowUp] = {}
        self.done: set[Place] = set()

    def add(self, follow_up: FollowUp) -> None:
        place = _place(follow_up)
        known = self.stored.setdefault(place, follow_up)
        if place not in self.done and known.due_at > follow_up.due_at:
            self.move(follow_up, follow_up.due_at)

    def steps_before(self, follow_up: FollowUp, contact_ids: Collection[str]) -> set[int]:
        return {
            step
            for step in range(follow_up.step)
            if any(_place(replace(follow_up, contact_id=one, step=step)) in self.stored for one in contact_ids)
        }

    def due(self, now: float) -> Iterator[FollowUp]:
        waiting = [one for place, one in self.stored.items() if place not in self.done and one.due_at <= now]
        yield from sorted(waiting, key=lambda one: one.due_at)

    def move(self, follow_up: FollowUp, due_at: float) -> None:
        place = _place(follow_up)
        if place in self.stored and place not in self.done:
            self.stored[place] = replace(self.stored[place], due_at=due_at)

    def finish(self, follow_up: FollowUp, now: float) -> None:
        if _place(follow_up) in self.stored:
            self.done.add(_place(follow_up))

    def forget(self, follow_up: FollowUp) -> None:
        self.stored.pop(_place(follow_up), None)
        self.done.discard(_place(follow_up))

    @property
    def waiting(self) -> list[FollowUp]:
        return [one for place, one in self.stored.items() if place not in self.done]


def _place(follow_up: FollowUp) -> Place:
    return (
        follow_up.organization_id,
        follow_up.contact_id,
        follow_up.sequence_id,
        follow_up.step,
        follow_up.anchor,
    )
