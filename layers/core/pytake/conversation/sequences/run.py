"""Start the follow-ups that are due, and plan those of new sequences. Part of the scheduled function's `due` job."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from pytake.contacts.ports import Contacts
from pytake.contacts.reading import listed_chunks
from pytake.contacts.records import ContactRecord
from pytake.conversation.current_conversation import load_current
from pytake.conversation.opening import RefusalCode, StartRefusedError
from pytake.conversation.people import contact_ids
from pytake.conversation.ports.aliases import Aliases
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents
from pytake.conversation.ports.sequences import FollowUps, Sequences
from pytake.conversation.ports.tenants import TenantRepository, UnknownNumberError
from pytake.conversation.queues import FlowStart
from pytake.conversation.records import Conversation, ConversationKey, DeliveryState
from pytake.conversation.sequences.plan import PlanFollowUps
from pytake.conversation.sequences.records import FollowUp, Sequence, Step
from pytake.conversation.sequences.schedule import anchor_of, due_after, due_on_date, zone_of
from pytake.conversation.start_flow import StartFlow
from pytake.engine import FlowError

MOST_STARTED = 2000
"""Follow-ups that one run looks at; the next minute continues."""

MOST_PLANNED = 5000
"""Contacts that one run plans for new sequences."""

LATE_SECONDS = 4 * 3600
"""A follow-up that is later than this is not sent: after an outage, a reminder may come at a wrong time."""

BUSY_SECONDS = 900
"""When a follow-up is tried again whose person is in a session or talks with an agent."""

PERSONAL: frozenset[RefusalCode] = frozenset(
    {"opted_out", "no_consent", "in_session", "with_agent", "recipient_invalid"}
)
"""Refusals that say something about one person only. The others are reported: something is wrong with the sequence."""


UNSENT: frozenset[DeliveryState] = frozenset({"failed", "dead", "deferred"})
"""The states of a message that was not sent."""


class FollowUpCounts(Struct):
    """What a run did."""

    started: int = 0
    skipped: int = 0
    moved: int = 0
    planned: int = 0


class RunFollowUps:
    """The use case. It may run twice: both runs start the same follow-up by the same id."""

    def __init__(
        self,
        sequences: Sequences,
        follow_ups: FollowUps,
        plan: PlanFollowUps,
        contacts: Contacts,
        aliases: Aliases,
        conversations: Conversations,
        tenants: TenantRepository,
        start_flow: StartFlow,
        operator_events: OperatorEvents,
        clock: Clock,
        deliveries: Deliveries,
    ) -> None:
        self._sequences = sequences
        self._follow_ups = follow_ups
        self._plan = plan
        self._contacts = contacts
        self._aliases = aliases
        self._conversations = conversations
        self._tenants = tenants
        self._start_flow = start_flow
        self._operator_events = operator_events
        self._clock = clock
        self._deliveries = deliveries

    def __call__(self, out_of_time: Callable[[], bool] = lambda: False) -> FollowUpCounts:
        """Start what is due and plan what is new, until `out_of_time()`.

        Raises `QueueingFailedError`: what is not started stays due.
        """
        counts, known = FollowUpCounts(), dict[tuple[str, str], Sequence | None]()
        for number, follow_up in enumerate(self._follow_ups.due(self._clock())):
            if number == MOST_STARTED or out_of_time():
                return counts
            place = follow_up.organization_id, follow_up.sequence_id
            if place not in known:
                known[place] = self._sequences.get(*place)
            self._look_at(follow_up, known[place], counts)
        self._plan_new(counts, out_of_time)
        return counts

    def _look_at(self, follow_up: FollowUp, sequence: Sequence | None, counts: FollowUpCounts) -> None:
        now, step = self._clock(), _step(sequence, follow_up)
        contact = self._contact(follow_up) if step is not None else None
        due_at = self._due(follow_up, sequence, step, contact) if sequence is not None and step is not None else None
        if sequence is None or step is None or contact is None or due_at is None or now - due_at > LATE_SECONDS:
            self._finish(follow_up, counts)
        elif due_at > now:
            self._move(follow_up, due_at, counts)
        else:
            key = ConversationKey(follow_up.organization_id, sequence.phone_number_id, contact.contact_id)
            conversation = load_current(self._conversations, key)
            silent_since = self._silent_since(follow_up, sequence, contact, conversation)
            wrote_at = conversation.last_inbound_at if conversation is not None else 0
            if silent_since is not None and wrote_at > silent_since:
                self._finish(follow_up, counts)
            elif sequence.field is None and not self._has_message(follow_up, sequence, conversation):
                counts.skipped += 1
                self._follow_ups.forget(follow_up)  # a later message may begin the silence
            else:
                start = replace(step.start, silent_since=silent_since)
                self._start(follow_up, sequence, start, contact, due_at, counts)

    def _start(
        self,
        follow_up: FollowUp,
        sequence: Sequence,
        start: FlowStart,
        contact: ContactRecord,
        due_at: float,
        counts: FollowUpCounts,
    ) -> None:
        organization_id, now = follow_up.organization_id, self._clock()
        request_id = f"sequence:{sequence.id}:{follow_up.step}:{follow_up.anchor}"
        try:
            self._start_flow(organization_id, sequence.phone_number_id, contact.contact_id, start, request_id)
        except StartRefusedError as refused:
            is_busy = refused.code in ("in_session", "with_agent")
            if is_busy and sequence.field is not None and now + BUSY_SECONDS - due_at <= LATE_SECONDS:
                self._move(follow_up, now + BUSY_SECONDS, counts)
                return
            if refused.code not in PERSONAL:
                self._report(follow_up, refused.code)
        except (FlowError, UnknownNumberError) as error:
            self._report(follow_up, type(error).__name__)
        else:
            counts.started += 1
            self._follow_ups.finish(follow_up, now)
            return
        self._finish(follow_up, counts)

    def _contact(self, follow_up: FollowUp) -> ContactRecord | None:
        """The person as they are now: a contact may have been erased, or merged into another one."""
        ids = contact_ids(self._aliases, follow_up.organization_id, follow_up.contact_id)
        found = {one.contact_id: one for one in self._contacts.load_all(follow_up.organization_id, ids)}
        return next((found[id_] for id_ in (*ids, follow_up.contact_id) if id_ in found), None)

    def _due(self, follow_up: FollowUp, sequence: Sequence, step: Step, contact: ContactRecord | None) -> float | None:
        """When the follow-up is due by what the sequence and the contact are now; None if its reason is gone."""
        if contact is None:
            return None
        where = zone_of(contact.fields, self._tenants.organization(follow_up.organization_id).timezone)
        if sequence.field is None:
            due_at = due_after(step, follow_up.base, where)
            # The silence may be known only after the time of the step: it then counts from when it was known.
            return max(due_at, follow_up.due_at) if due_at is not None and due_at <= self._clock() else due_at
        value = contact.fields.get(sequence.field)
        if value is None or anchor_of(value) != follow_up.anchor:
            return None
        return due_on_date(step, value, where, self._country(sequence))

    def _country(self, sequence: Sequence) -> str | None:
        number = self._tenants.number(sequence.phone_number_id)
        return number.country if number is not None else None

    def _has_message(self, follow_up: FollowUp, sequence: Sequence, conversation: Conversation | None) -> bool:
        """Whether the message that began the silence reached the person. A worker plans the follow-up before the commit: it may
        have died, or been refused afterwards."""
        if conversation is None:
            return False
        last = self._conversations.turn(conversation.key, conversation.seq)
        if last is not None and last.at < follow_up.base:  # None: it is not kept any more
            return False
        if not follow_up.turn:
            return True
        key = ConversationKey(follow_up.organization_id, sequence.phone_number_id, follow_up.contact_id)
        delivery = self._deliveries.load(key, follow_up.turn, 0)
        if delivery is None or delivery.reached_meta:
            return delivery is None or delivery.status != "failed"
        return delivery.state not in UNSENT

    def _silent_since(
        self, follow_up: FollowUp, sequence: Sequence, contact: ContactRecord, conversation: Conversation | None
    ) -> float | None:
        """An answer after this time ends the follow-up; None: no answer does."""
        if sequence.field is None:
            return float(follow_up.anchor)
        if not sequence.until_answer or follow_up.step == 0:
            return None
        where = zone_of(contact.fields, self._tenants.organization(follow_up.organization_id).timezone)
        value, country = contact.fields[sequence.field], self._country(sequence)
        # A step that was due before the date was known was not sent, so nothing that the person wrote answers it.
        people = {follow_up.contact_id, contact.contact_id, *(conversation.merged if conversation is not None else ())}
        steps = self._follow_ups.steps_before(follow_up, people)
        times = [due_on_date(sequence.steps[step], value, where, country) for step in steps]
        return min((at for at in times if at is not None), default=None)

    def _plan_new(self, counts: FollowUpCounts, out_of_time: Callable[[], bool]) -> None:
        for organization_id, sequence, after in self._sequences.to_plan():
            for chunk in listed_chunks(self._contacts, organization_id, after):
                if counts.planned >= MOST_PLANNED or out_of_time():
                    return
                for _, contact in chunk:
                    if contact is not None:
                        self._plan.of_date(organization_id, sequence, contact.contact_id, contact.fields)
                counts.planned += len(chunk)
                if not self._sequences.planned(organization_id, sequence, chunk[-1][0]):
                    break
            else:
                self._sequences.planned(organization_id, sequence, None)

    def _finish(self, follow_up: FollowUp, counts: FollowUpCounts) -> None:
        counts.skipped += 1
        self._follow_ups.finish(follow_up, self._clock())

    def _move(self, follow_up: FollowUp, due_at: float, counts: FollowUpCounts) -> None:
        counts.moved += 1
        self._follow_ups.move(follow_up, due_at)

    def _report(self, follow_up: FollowUp, code: str) -> None:
        detail = {"sequence_id": follow_up.sequence_id, "step": follow_up.step, "code": code}
        self._operator_events.publish(OperatorEvent("sequence.refused", follow_up.organization_id, detail))


def _step(sequence: Sequence | None, follow_up: FollowUp) -> Step | None:
    """The step, unless the sequence is gone, switched off, or another one by now."""
    if sequence is None or not sequence.enabled or follow_up.step >= len(sequence.steps):
        return None
    if (sequence.field is None) != bool(follow_up.base):
        return None
    return sequence.steps[follow_up.step]
