"""Erase a person: the table at once, everything else within a quarter of an hour (ADR 0009)."""

from collections.abc import Callable
from typing import Any

from pytake.contacts.import_ports import RunningImports
from pytake.conversation.inbox import Inbox
from pytake.conversation.lake_records import PendingErasure
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.conversations import Erasure, ErasureJournal
from pytake.conversation.ports.lake import Lake
from pytake.conversation.ports.media import StoredMedia
from pytake.conversation.ports.messaging import DeadLetterQueues, OperatorEvent, OperatorEvents
from pytake.conversation.recorded_erasures import NO_NUMBER, recorded_erasure
from pytake.conversation.records import ConversationKey

SETTLE_SECONDS = 300
"""How long after an erasure a worker that started before it may still write. A worker runs for at most 120 seconds."""


class EraseContact:
    """The use case behind `DELETE /api/v1/contacts/{phone}`. Calling it again is safe."""

    def __init__(
        self,
        inbox: Inbox,
        erasure: Erasure,
        journal: ErasureJournal,
        imports: RunningImports,
        operator_events: OperatorEvents,
        clock: Clock,
    ) -> None:
        self._inbox = inbox
        self._erasure = erasure
        self._journal = journal
        self._imports = imports
        self._operator_events = operator_events
        self._clock = clock

    def __call__(self, organization_id: str, person: str, by: str) -> int:
        """Remove the table's items about a person: the contact, and conversations at every number; returns how many items.

        Messages that the person wrote before take no turn, and answers to them are not sent, wherever they wait. If the person
        writes again, they start as a new contact. Whichever of their identities is named, all of them are erased. Raises
        `ConflictError` when new items keep coming.
        """
        ids = self._inbox.identities(organization_id, person)
        keys = self._inbox.keys(organization_id, ids) or [
            ConversationKey(organization_id, NO_NUMBER, id_) for id_ in ids
        ]
        now = self._clock()
        self._journal.record(recorded_erasure(organization_id, keys, now))
        self._imports.forget(organization_id, ids)
        pending = self._erasure.begin(organization_id, keys, now)
        removed = self._erasure.remove(pending)
        self._operator_events.publish(OperatorEvent("contact.erased", organization_id, {"items": removed, "by": by}))
        return removed


class FinishErasures:
    """Erases people outside the table. Part of the `export` job, because only that job writes the lake."""

    def __init__(
        self,
        erasure: Erasure,
        lake: Lake,
        media: StoredMedia,
        dead_letters: DeadLetterQueues,
        operator_events: OperatorEvents,
        clock: Clock,
    ) -> None:
        self._erasure = erasure
        self._lake = lake
        self._media = media
        self._dead_letters = dead_letters
        self._operator_events = operator_events
        self._clock = clock

    def __call__(self, export_again: Callable[[str, int], None]) -> int:
        """Finish the erasures that began `SETTLE_SECONDS` ago; returns how many. The next run retries one that fails."""
        finished = 0
        for pending in self._erasure.pending(self._clock() - SETTLE_SECONDS):
            owner = pending.organization_id
            try:
                detail = self._finish(pending, export_again)
            except Exception as error:  # one failing erasure must not stop the others or the export
                event = OperatorEvent("contact.erasure_failed", owner, {"error": type(error).__name__})
            else:
                event, finished = OperatorEvent("contact.erasure_finished", owner, detail), finished + 1
            self._operator_events.publish(event)
        return finished

    def _finish(self, pending: PendingErasure, export_again: Callable[[str, int], None]) -> dict[str, Any]:
        late = self._erasure.remove(pending)
        for hour in pending.unsettled:
            export_again(pending.organization_id, hour)
        for hour in pending.reported:
            if hour not in pending.unsettled:
                self._lake.redact(pending.organization_id, hour, pending.contacts)
        for hour in sorted({*pending.unsettled, *pending.reported}):
            self._lake.delete_old_versions(pending.organization_id, hour)
        if pending.reported or pending.unsettled:
            self._lake.delete_query_results()
        files = self._media.erase(pending.organization_id, pending.contacts)
        letters = self._dead_letters.remove(pending.keys)
        self._erasure.finish(pending)
        return {"late_items": late, "dead_letters": letters, "hours": len(pending.reported), "files": files}
