"""Recount the outcomes of an audience from the audit records and the claim ledger (ADR 33).

Nothing counts up: a part's outcomes are computed again from what is stored of its people, and the totals are the sum over parts.
So a report equals a count over the records, however often a status was repeated and wherever a worker died. An erased person has
no records; the outcome that was counted last stays, without the person.

Those who are left out for comparison, and those who were skipped at the last moment, are looked at, too: what they do without a
message is what the campaign is compared with (`pytake.campaigns.results`).

The recount also finds whose message is to be repeated (`pytake.campaigns.repeat`), and queues the turn of a person who is listed
as failed although a worker had committed it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from pytake.campaigns.audience import (
    HOLDOUT,
    LATE,
    LIMITED,
    PLANNED,
    RELEASED,
    SKIPPED,
    VARIANT,
    WAITING,
    AudiencePart,
)
from pytake.campaigns.ports import Audiences, Campaigns
from pytake.campaigns.records import Campaign
from pytake.campaigns.release import FAILED, RECOUNT_SECONDS
from pytake.campaigns.repeat import REPEAT_AFTER_SECONDS, REPEAT_UNTIL_SECONDS, RepeatLimited
from pytake.conversation.campaign_mark import RETRY_SUFFIX, CampaignMark
from pytake.conversation.current_conversation import load_current, moved
from pytake.conversation.ports.aliases import Aliases
from pytake.conversation.ports.common import Clock, until_written
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.messaging import Queues
from pytake.conversation.queues import outbound_item
from pytake.conversation.records import Conversation, ConversationKey, Delivery, TurnRecord
from pytake.conversation.sessions import OPENED
from pytake.whatsapp.message_input import takes_turn

ATTRIBUTED_SECONDS = 72 * 3600
"""What a person does later than this after the message is not counted as its effect."""

RECOUNT_AFTER = (60, 300, 3600, 6 * 3600, 24 * 3600, ATTRIBUTED_SECONDS + 60)
"""When a part is recounted, in seconds after the last of its people was released. The last time, what may count is written for a
minute: the reads are eventually consistent."""

LOOK_AGAIN_SECONDS = 600
"""A repetition that was not possible, or a turn that may not be queued, is tried again so much later."""

READ = "read"
"""The last state of a message."""

DID = frozenset(("replied", "completed"))
"""What is counted of people who got no message, too."""

CHARGED = "="
"""Begins the word of an outcome that says what the message costs, in millionths: `=62500`."""


class Counted(Struct, frozen=True):
    """The outcome of a person. Their message, of this price, is to be repeated at `repeat_at`; None: it is not."""

    outcome: str
    price_micros: int = 0
    repeat_at: float | None = None


class RecountAudience:
    """The use case: recount the parts that are due, or all parts of a campaign. `workers` people are read at a time."""

    def __init__(
        self,
        audiences: Audiences,
        conversations: Conversations,
        aliases: Aliases,
        deliveries: Deliveries,
        campaigns: Campaigns,
        repeat: RepeatLimited,
        queues: Queues,
        clock: Clock,
        workers: int = 1,
    ) -> None:
        self._audiences = audiences
        self._conversations = conversations
        self._aliases = aliases
        self._deliveries = deliveries
        self._campaigns = campaigns
        self._repeat = repeat
        self._queues = queues
        self._clock = clock
        self._workers = workers

    def __call__(self, out_of_time: Callable[[], bool] = lambda: False) -> int:
        """Recount the parts that are due until `out_of_time()`; returns how many. Repeating it does no harm."""
        recounted = 0
        for organization_id, campaign_id, zone, number in self._audiences.to_recount(self._clock()):
            if out_of_time():
                break
            self.recount(organization_id, campaign_id, zone, number)
            recounted += 1
        return recounted

    def recount(self, organization_id: str, campaign_id: str, zone: str, number: int) -> None:
        """Recount one part. Raises `ConflictError` when others keep writing it."""
        part = self._audiences.load(organization_id, campaign_id, zone, number)
        campaign = self._campaigns.load(organization_id, campaign_id)
        if part is None or campaign is None:
            return
        counted, now = self._count(campaign, part), self._clock()
        due = {
            contact_id: one.price_micros
            for contact_id, one in counted.items()
            if one.repeat_at is not None and one.repeat_at <= now
        }
        repeated = self._repeat(campaign, part, due) if due else []
        for contact_id in repeated:
            price = counted[contact_id].price_micros
            counted[contact_id] = Counted(f"{RELEASED} {CHARGED}{price}" if price else RELEASED)
        later = {
            contact_id: replace(one, repeat_at=now + LOOK_AGAIN_SECONDS) if contact_id in due else one
            for contact_id, one in counted.items()
            if contact_id not in repeated
        }
        write = partial(self._write, organization_id, campaign_id, part, counted | later, bool(repeated))
        until_written(write, "the outcomes of a part")

    def _count(self, campaign: Campaign, part: AudiencePart) -> dict[str, Counted]:
        """The outcome of each person whose message was released, by contact. Nothing of those without records."""
        organization_id, phone_number_id = campaign.organization_id, campaign.definition.phone_number_id
        people = {
            one: was
            for one, was in zip(part.recipients, part.outcomes, strict=True)
            if one and (is_released(was) or is_compared(was))
        }
        keys = [ConversationKey(organization_id, phone_number_id, contact_id) for contact_id in people]
        known = {one.key.contact_id: one for one in self._conversations.load_all(keys)} if keys else {}
        known |= moved(self._aliases, [key for key in keys if key.contact_id not in known])
        read = self._read(campaign, [one for one in known.values() if _is_open(one, campaign, people)])

        def outcome(key: ConversationKey) -> Counted | None:
            conversation, was = known.get(key.contact_id), people[key.contact_id]
            if conversation is None:
                return None
            if not is_released(was):
                return self._without_message(conversation, campaign, part, was)
            if not _is_open(conversation, campaign, people):
                return None
            return self._outcome(key, conversation, campaign, was, read)

        if self._workers == 1:
            found: Iterable[Counted | None] = map(outcome, keys)
        else:
            with ThreadPoolExecutor(self._workers) as pool:
                found = list(pool.map(outcome, keys))
        return {key.contact_id: one for key, one in zip(keys, found, strict=True) if one is not None}

    def _read(self, campaign: Campaign, conversations: Sequence[Conversation]) -> "_Read":
        """The last turns of these people, and what became of those that are the campaign's: a request for a hundred of each."""
        turns = self._conversations.latest_turns([one for one in conversations if one.seq])
        own = (campaign.message_id, campaign.message_id + RETRY_SUFFIX)
        places = [(key, record.seq) for key, record in turns.items() if record.message_id in own]
        return _Read(turns, self._deliveries.of_turns(places))

    def _outcome(
        self, key: ConversationKey, conversation: Conversation, campaign: Campaign, was: str, read: "_Read"
    ) -> Counted | None:
        first = self._taken(key, conversation, campaign.message_id, read)
        if first is None:
            return None
        delivery, later = self._delivery(first, read), self._later(first, conversation)
        outcome = outcome_of(first.mark, first.record, delivery, later)
        price, now = first.mark.price_micros, self._clock()
        # One worker committed it, and those after it failed before they had queued it. The ledger keeps it from leaving twice.
        is_unqueued = delivery is None and was.split()[0] == FAILED
        if is_unqueued and self._queues.put_bulk([outbound_item(first.key, first.record, first.record.at)]):
            return Counted(was, price, now + LOOK_AGAIN_SECONDS)
        if delivery is None or not outcome.startswith(LIMITED):
            return Counted(outcome)
        again = self._taken(key, conversation, campaign.message_id + RETRY_SUFFIX, read)
        if again is not None:
            delivery = self._delivery(again, read)
            outcome = outcome_of(again.mark, again.record, delivery, later)
            # Its worker may have died before it was queued.
            is_lost = delivery is None and now < again.record.at + REPEAT_UNTIL_SECONDS
            return Counted(outcome, price, again.record.at + LOOK_AGAIN_SECONDS if is_lost else None)
        failed_at = delivery.status_at or delivery.claimed_at or first.record.at
        is_over = campaign.status == "cancelled" or now >= failed_at + REPEAT_UNTIL_SECONDS
        if is_over or "opted_out" in outcome.split():
            return Counted(outcome)
        return Counted(outcome.replace(LIMITED, WAITING), price, failed_at + REPEAT_AFTER_SECONDS)

    def _without_message(
        self, conversation: Conversation, campaign: Campaign, part: AudiencePart, was: str
    ) -> Counted | None:
        """What a person did who got no message, since the part was written to. Most wrote nothing: no request. What was counted
        before the last one of the part was written to is counted again from then."""
        since, definition = part.written_at, campaign.definition
        if _was_silent(conversation, since) and DID.isdisjoint(was.split()):
            return None
        flows = {definition.flow_id, *(variant.flow_id for variant in definition.variants)} - {None}
        turns = self._conversations.turns(conversation.key)
        return Counted(outcome_without_message(was, since, turns, flows))

    def _delivery(self, taken: "_Taken", read: "_Read") -> Delivery | None:
        known = read.deliveries.get((taken.key, taken.record.seq))
        return known or self._deliveries.load(taken.key, taken.record.seq, 0)

    def _taken(
        self, key: ConversationKey, conversation: Conversation, message_id: str, read: "_Read"
    ) -> "_Taken | None":
        """The turn with this id that the campaign took for the contact: in its conversation, or in the one that took it over."""
        last = read.turns.get(key)
        for at, likely in ((key, last), (self._current(key, conversation), None)):
            if at is None:
                continue
            record = likely if likely is not None and likely.message_id == message_id else None
            record = record or self._conversations.turn_of_message(at, message_id)
            mark = record.campaign if record is not None else None
            if record is not None and mark is not None and (mark.recipient or at.contact_id) == key.contact_id:
                return _Taken(at, record, mark)
        return None

    def _current(self, key: ConversationKey, conversation: Conversation) -> ConversationKey | None:
        if conversation.merged_into is None:
            return None
        current = load_current(self._conversations, replace(key, contact_id=conversation.merged_into))
        return current.key if current is not None else None

    def _later(self, taken: "_Taken", conversation: Conversation) -> list[TurnRecord]:
        """The turns after the campaign's. Most people have none, which costs no request."""
        after = taken.record.seq
        of_this = taken.key.contact_id == conversation.key.contact_id
        later = []
        if not of_this or conversation.seq > after:
            later = [one for one in self._conversations.turns(taken.key) if one.seq > after]
        current = self._current(taken.key, conversation) if of_this else None
        if current is not None:
            later += [one for one in self._conversations.turns(current) if one.at > taken.record.at]
        return later

    def _write(
        self,
        organization_id: str,
        campaign_id: str,
        read: AudiencePart,
        counted: dict[str, Counted],
        restarts: bool = False,
    ) -> None:
        part = self._audiences.load(organization_id, campaign_id, read.zone, read.number)
        if part is None:
            return
        outcomes = [
            counted[one].outcome if one in counted and _is_like(was, counted[one].outcome) else was
            for one, was in zip(part.recipients, part.outcomes, strict=True)
        ]
        recounted, now = replace(part, outcomes=outcomes, cost_micros=cost_of(outcomes)), self._clock()
        if restarts:
            recounted = replace(recounted, released_at=now, recounts=0, recount_at=now + RECOUNT_SECONDS)
        # Otherwise someone was released meanwhile, and the schedule began again, or another worker has counted, too.
        elif (part.released_at, part.recounts) == (read.released_at, read.recounts):
            repeat_at = min((one.repeat_at for one in counted.values() if one.repeat_at is not None), default=None)
            recounted = _scheduled(recounted, repeat_at, now)
        self._audiences.put(organization_id, campaign_id, recounted)


def _scheduled(part: AudiencePart, repeat_at: float | None, now: float) -> AudiencePart:
    """The part with the time of its next recount, and not later than the next repetition."""
    done = part.recounts + 1
    next_at = part.released_at + RECOUNT_AFTER[done] if done < len(RECOUNT_AFTER) else None
    if repeat_at is not None and (next_at is None or repeat_at < next_at):
        next_at, done = repeat_at, part.recounts
    if next_at is not None and next_at <= now:
        next_at = now + 1  # it was late; one recount at a time
    return replace(part, recounts=done, recount_at=next_at)


def _was_silent(conversation: Conversation, since: float) -> bool:
    """Whether no turn but those of campaigns was taken since then, and the person is still this contact. What the person wrote
    earlier may have come later: it counts when its turn was taken."""
    last = max(conversation.active_at, conversation.refused_at)
    return conversation.merged_into is None and last < since


def _is_open(conversation: Conversation, campaign: Campaign, outcomes: Mapping[str, str]) -> bool:
    """Whether there may be news of a person with a message. Nothing is further than read, unless something else happened."""
    was = outcomes[conversation.key.contact_id]
    return is_released(was) and not (was.split()[0] == READ and _was_silent(conversation, campaign.started_at))


class _Read(Struct, frozen=True):
    """What was read for all people of a part: their last turns, and the ledger's entries of those that are the campaign's."""

    turns: Mapping[ConversationKey, TurnRecord]
    deliveries: Mapping[tuple[ConversationKey, int], Delivery]


class _Taken(Struct, frozen=True):
    """The turn of a campaign, and the conversation that has it."""

    key: ConversationKey
    record: TurnRecord
    mark: CampaignMark


def is_released(outcome: str) -> bool:
    """Whether the message of a person with this outcome was released."""
    return outcome != PLANNED and not outcome.startswith(SKIPPED)


def is_compared(outcome: str) -> bool:
    """Whether a person with this outcome got no message, and is compared with those who did."""
    state, *did = outcome.split() or [PLANNED]
    return state == HOLDOUT or (state.startswith(SKIPPED) and LATE in did)


def _is_like(was: str, counted: str) -> bool:
    """Whether the outcome may be replaced by what was counted: it was not released meanwhile."""
    return (is_released(was) or is_compared(was)) and is_released(was) == is_released(counted)


def outcome_without_message(was: str, since: float, turns: Iterable[TurnRecord], flows: Set[str | None]) -> str:
    """The outcome of a person who got no message: what they did of themselves, as long as an effect is counted. Pure.

    `flows` are those that the answers to the campaign start.
    """
    effects = [one for one in turns if since < one.at <= since + ATTRIBUTED_SECONDS]
    did = {
        "replied": any(_is_reply(one) for one in effects),
        "completed": any(one.flow_id in flows and event.type == "completed" for one in effects for event in one.events),
    }
    kept = [word for word in was.split() if word not in DID]
    return " ".join([*kept, *(word for word, holds in did.items() if holds)])


def _is_reply(record: TurnRecord) -> bool:
    return record.received_message_id is not None and takes_turn(record.input.type)


def outcome_of(mark: CampaignMark, record: TurnRecord, delivery: Delivery | None, later: Sequence[TurnRecord]) -> str:
    """The outcome of a person: what became of the message, what they did then, and what it costs. Pure.

    `record` is the campaign's turn, `later` are the turns after it, or after the one that it repeats.
    """
    state = _state(delivery)
    effects = [one for one in later if one.at <= record.at + ATTRIBUTED_SECONDS]
    did = {
        "replied": any(_is_reply(one) for one in effects),
        "completed": _completes(mark, effects),
        "opted_out": any(event.type == "opted_out" for one in effects for event in one.events),
    }
    words = [state, *(word for word, holds in did.items() if holds)]
    if mark.variant:
        words.append(VARIANT + mark.variant)
    if not state.startswith("failed:") and mark.price_micros:
        words.append(f"{CHARGED}{mark.price_micros}")
    return " ".join(words)


def _completes(mark: CampaignMark, effects: Iterable[TurnRecord]) -> bool:
    """Whether the session that the answer began reached the flow's end. Another template replaces what waits for an answer."""
    session_id = None
    for one in effects:
        own = one.campaign is not None and one.campaign.campaign_id == mark.campaign_id
        if session_id is None and one.status == OPENED and not own:
            return False
        if one.parameters is not None:
            session_id = session_id or one.session_id
        if one.session_id == session_id and any(event.type == "completed" for event in one.events):
            return True
    return False


def cost_of(outcomes: Iterable[str]) -> int:
    """What the messages of people with these outcomes cost, in millionths."""
    words = (word for outcome in outcomes for word in outcome.split())
    return sum(int(word.removeprefix(CHARGED)) for word in words if word.startswith(CHARGED))


def _state(delivery: Delivery | None) -> str:
    if delivery is None:
        return RELEASED
    if delivery.status in ("sent", "delivered", "read"):
        return delivery.status
    if delivery.status == "failed" or delivery.state in ("failed", "deferred", "dead"):
        reason = delivery.error_code or (delivery.reason or "unknown").partition(":")[0]
        return f"failed:{reason}"
    if delivery.state == "accepted":
        return "held" if delivery.held_by_meta else "sent"
    return RELEASED
