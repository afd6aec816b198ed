"""Repeat the erasures that a restored table does not know (docs/operations.md, "Restoring the table")."""

from msgspec import Struct

from pytake.conversation.ports.conversations import Erasure, ErasureJournal
from pytake.conversation.records import ConversationKey


class ReplayedErasures(Struct, frozen=True):
    """How many recorded erasures there were, how many of them found a person in the table, and what they removed."""

    erasures: int
    people: int
    items: int


class ReplayErasures:
    """The use case behind `pytake erasures replay`. Calling it again is safe."""

    def __init__(self, journal: ErasureJournal, erasure: Erasure) -> None:
        self._journal = journal
        self._erasure = erasure

    def __call__(self, since: float) -> ReplayedErasures:
        """Erase the contacts again that were erased at or after `since`, the moment to which the table was restored.

        Contacts that came back after their erasure stay. The export job then removes the rest outside the table, as after
        every erasure.
        """
        recorded = list(self._journal.since(since))
        erased: dict[str, float] = {}
        for one in recorded:  # in order of time, so that the last one counts
            self._erasure.remember(one)
            erased.update(dict.fromkeys(one.digests, one.at))
        found: dict[tuple[str, float], list[ConversationKey]] = {}
        for key, at in self._erasure.find(erased):
            found.setdefault((key.organization_id, at), []).append(key)
        items = 0
        for (organization_id, at), keys in found.items():
            items += self._erasure.remove(self._erasure.begin(organization_id, keys, at))
        return ReplayedErasures(len(recorded), len(found), items)
