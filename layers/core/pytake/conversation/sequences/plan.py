"""Plan follow-ups where their reason arises: a contact got a date, or a person has not answered."""

from collections.abc import Collection, Mapping
from typing import Any

from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.sequences import FollowUps, Sequences
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.records import ConversationKey, TurnRecord
from pytake.conversation.sequences.records import ZONE_FIELD, FollowUp, Sequence
from pytake.conversation.sequences.schedule import anchor_of, due_after, due_on_date, zone_of

CACHE_SECONDS = 5
"""How long the sequences of an organization are cached. What a new one misses meanwhile is found by its own planning."""


class PlanFollowUps:
    """The use case. Nothing is planned twice, and nothing for a time that has passed."""

    def __init__(self, sequences: Sequences, follow_ups: FollowUps, tenants: TenantRepository, clock: Clock) -> None:
        self._sequences = sequences
        self._follow_ups = follow_ups
        self._tenants = tenants
        self._clock = clock
        self._known: dict[str, tuple[float, list[Sequence]]] = {}

    def contact_changed(
        self, organization_id: str, contact_id: str, fields: Mapping[str, Any], changed: Collection[str]
    ) -> None:
        for sequence in self._enabled(organization_id):
            if sequence.field in changed or (sequence.field is not None and ZONE_FIELD in changed):
                self.of_date(organization_id, sequence, contact_id, fields)

    def not_answered(
        self,
        key: ConversationKey,
        fields: Mapping[str, Any],
        last_inbound_at: float,
        base: float,
        template: TurnRecord | None = None,
    ) -> None:
        now, anchor = self._clock(), str(last_inbound_at)
        if template is not None and template.campaign is not None and template.campaign.retry:
            anchor = f"+{anchor}"  # another silence: the first message did not reach the person
        for sequence in self._enabled(key.organization_id):
            if sequence.field is not None or sequence.phone_number_id != key.phone_number_id:
                continue
            where = self._zone(key.organization_id, fields)
            for index, step in enumerate(sequence.steps):
                due_at = due_after(step, base, where)
                if due_at is not None:
                    self._add(
                        key.organization_id,
                        sequence,
                        key.contact_id,
                        index,
                        anchor,
                        max(now, due_at),
                        base,
                        template.seq if template is not None else 0,
                    )

    def of_date(self, organization_id: str, sequence: Sequence, contact_id: str, fields: Mapping[str, Any]) -> None:
        """Plan the follow-ups of one contact for the date that they have now, if they have one. Those that are planned for a
        later time, by another zone or an earlier version of the sequence, are moved to the new one."""
        value, now = fields.get(sequence.field or ""), self._clock()
        if value is None:
            return
        where, number = self._zone(organization_id, fields), self._tenants.number(sequence.phone_number_id)
        for index, step in enumerate(sequence.steps):
            due_at = due_on_date(step, value, where, number.country if number is not None else None)
            if due_at is not None and due_at > now:
                self._add(organization_id, sequence, contact_id, index, anchor_of(value), due_at)

    def _add(
        self,
        organization_id: str,
        sequence: Sequence,
        contact_id: str,
        step: int,
        anchor: str,
        due_at: float,
        base: float = 0,
        turn: int = 0,
    ) -> None:
        self._follow_ups.add(
            FollowUp(
                organization_id=organization_id,
                contact_id=contact_id,
                sequence_id=sequence.id,
                step=step,
                anchor=anchor,
                due_at=due_at,
                base=base,
                turn=turn,
            )
        )

    def _zone(self, organization_id: str, fields: Mapping[str, Any]) -> Any:
        return zone_of(fields, self._tenants.organization(organization_id).timezone)

    def _enabled(self, organization_id: str) -> list[Sequence]:
        now = self._clock()
        read_at, known = self._known.get(organization_id, (float("-inf"), []))
        if now - read_at >= CACHE_SECONDS:
            known = [sequence for sequence in self._sequences.all(organization_id) if sequence.enabled]
            if len(self._known) >= 1000:
                self._known.clear()
            self._known[organization_id] = now, known
        return known
