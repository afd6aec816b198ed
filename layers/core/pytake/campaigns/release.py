"""Release the claimed recipients: each takes one turn with an id of the campaign, so that none is written to twice.

The turn is refused by the commit if the conversation has taken it already. The outcomes are written to the part, and only then
the claim ends. A worker may die between any two of these steps: the next one repeats what is not noted.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct
from msgspec.structs import replace

from pytake.campaigns.assignment import variant_of
from pytake.campaigns.audience import LATE, PLANNED, RELEASED, SKIPPED, AudiencePart
from pytake.campaigns.claim import LEASE_SECONDS
from pytake.campaigns.openings import Openings
from pytake.campaigns.ports import Audiences, Budgets, Campaigns
from pytake.campaigns.records import Campaign, Chunk
from pytake.contacts.ports import Contacts
from pytake.contacts.records import ContactRecord
from pytake.conversation.campaign_mark import RETRY_SUFFIX, CampaignMark
from pytake.conversation.commit_turn import CommitTurn, Put, TurnDraft
from pytake.conversation.current_conversation import load_current, moved
from pytake.conversation.find_conversation import FoundConversation
from pytake.conversation.opening import StartRefusedError, decide_opening, new_conversation
from pytake.conversation.ports.aliases import Aliases
from pytake.conversation.ports.common import Clock, ConflictError, until_written
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.messaging import QueueingFailedError, Queues
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import Conversation, ConversationKey, TurnRecord

RECOUNT_SECONDS = 60
"""The outcomes of a part are compared with the ledger so long after its latest release."""

MARGIN_SECONDS = 30
"""A worker starts no turn in the last part of its lease: requests to AWS last less, with their retries."""

MOST_TRIES = 5
"""After so many workers a recipient whose turn always fails is listed as failed, so that the others go on."""

FAILED = "failed:internal"

MERGED = f"{SKIPPED}merged"
"""The outcome of a person who is in the audience twice."""


class LeaseEndsError(Exception):
    """The worker's lease is about to end: another one continues."""


class RecipientsLeftError(Exception):
    """A turn could not be taken or queued, because others wrote its conversation or the queue refused it. The next tick tries it
    again."""


class _Recipient(Struct, frozen=True):
    """A claimed recipient, with what was read for all of them in one request."""

    place: int
    contact_id: str
    variant: str
    contact: ContactRecord | None
    conversation: Conversation | None


class ReleaseRecipients:
    """The use case. `workers` turns are taken at the same time."""

    def __init__(
        self,
        campaigns: Campaigns,
        audiences: Audiences,
        contacts: Contacts,
        conversations: Conversations,
        aliases: Aliases,
        commit_turn: CommitTurn,
        queues: Queues,
        budgets: Budgets,
        clock: Clock,
        workers: int = 1,
    ) -> None:
        self._campaigns = campaigns
        self._audiences = audiences
        self._contacts = contacts
        self._conversations = conversations
        self._aliases = aliases
        self._commit_turn = commit_turn
        self._queues = queues
        self._budgets = budgets
        self._clock = clock
        self._workers = workers

    def __call__(self, campaign: Campaign, chunk: Chunk, openings: Openings) -> Campaign:
        """Release the recipients of the campaign's `chunk`; the campaign as stored then, without it.

        A campaign that does not run any more releases none, and only notes who was released before. Raises what a turn raises,
        after the outcomes of the others are noted: then the chunk stays, for the next tick.
        """
        where = (campaign.organization_id, campaign.campaign_id, chunk.zone, chunk.part)
        part = self._audiences.load(*where)
        recipients = self._recipients(campaign, chunk, part) if part is not None else []
        prices = {one.place: chunk.prices.get(one.variant, 0) for one in recipients}
        outcomes: dict[int, str] = {}
        failures: list[Exception] = []
        if recipients:
            for recipient, outcome in self._released(campaign, chunk, openings, recipients):
                if isinstance(outcome, LeaseEndsError) or (isinstance(outcome, Exception) and chunk.tries < MOST_TRIES):
                    failures.append(outcome)
                elif outcome is not None:
                    outcomes[recipient.place] = FAILED if isinstance(outcome, Exception) else outcome
            until_written(lambda: self._note(campaign, chunk, outcomes, prices), "the outcomes")
        if failures:
            failed = failures[0]
            if isinstance(failed, ConflictError | QueueingFailedError):
                raise RecipientsLeftError from failed
            raise failed
        used = sum(prices[place] for place, outcome in outcomes.items() if outcome == RELEASED)
        left = [one.place for one in recipients if one.place not in outcomes]
        return self._close(campaign, chunk, chunk.reserved_micros if chunk.tries else used, left)

    def repeat(self, campaign: Campaign, chunk: Chunk, part: AudiencePart, openings: Openings) -> list[str]:
        """Release the `chunk` of a part, whose messages Meta did not deliver, once more; the contacts whose turn is taken then.

        What was taken before is queued again. Who fails is left for another time. A campaign that does not run takes no turn.
        """
        again = replace(part, outcomes=[PLANNED] * len(part.outcomes))
        leased = replace(campaign, lease_until=self._clock() + LEASE_SECONDS)
        found = self._released(leased, chunk, openings, self._recipients(leased, chunk, again))
        return [recipient.contact_id for recipient, outcome in found if outcome == RELEASED]

    def _recipients(self, campaign: Campaign, chunk: Chunk, part: AudiencePart) -> list[_Recipient]:
        """The recipients whose outcome is not noted yet. Two requests, and one for those who were merged."""
        places = [place for place in chunk.places if part.outcomes[place] == PLANNED and part.recipients[place]]
        ids = {place: part.recipients[place] for place in places}
        if not ids:
            return []
        organization_id = campaign.organization_id
        contacts = {one.contact_id: one for one in self._contacts.load_all(organization_id, list(ids.values()))}
        keys = [_key(campaign, contact_id) for contact_id in ids.values()]
        known = {one.key.contact_id: one for one in self._conversations.load_all(keys)}
        without = [key for key in keys if key.contact_id not in known and not _address(contacts.get(key.contact_id))]
        known |= moved(self._aliases, without)
        variants = campaign.definition.variants
        return [
            _Recipient(place, id_, variant_of(campaign.campaign_id, id_, variants), contacts.get(id_), known.get(id_))
            for place, id_ in ids.items()
        ]

    def _released(
        self, campaign: Campaign, chunk: Chunk, openings: Openings, recipients: Sequence[_Recipient]
    ) -> list[tuple[_Recipient, str | Exception | None]]:
        """What becomes of each recipient. The turns are queued together at the end, ten in a request: until then the claim is
        open, and the next worker queues again what this one could not."""
        taken: dict[int, list[OutboundItem]] = {one.place: [] for one in recipients}

        def outcome(recipient: _Recipient) -> str | None:
            return self._outcome(campaign, chunk, openings, recipient, taken[recipient.place].append)

        found = list(self._each(outcome, recipients))
        items = [item for recipient in recipients for item in taken[recipient.place]]
        refused = {item.deduplication_id for item in (self._queues.put_bulk(items) if items else ())}
        lost = {place for place, own in taken.items() if any(item.deduplication_id in refused for item in own)}
        return [(one, QueueingFailedError("refused") if one.place in lost else became) for one, became in found]

    def _each(
        self, one: Callable[[_Recipient], str | None], recipients: Sequence[_Recipient]
    ) -> Iterable[tuple[_Recipient, str | Exception | None]]:
        def caught(recipient: _Recipient) -> tuple[_Recipient, str | Exception | None]:
            try:
                return recipient, one(recipient)
            except Exception as error:  # the others are independent of it; the caller raises it
                return recipient, error

        if self._workers == 1:
            return map(caught, recipients)
        with ThreadPoolExecutor(self._workers) as pool:
            return list(pool.map(caught, recipients))

    def _outcome(
        self, campaign: Campaign, chunk: Chunk, openings: Openings, recipient: _Recipient, put: Put
    ) -> str | None:
        """What becomes of a recipient; None: nothing, because the campaign does not run any more. `put` gets what is to be
        queued."""
        if self._clock() > campaign.lease_until - MARGIN_SECONDS:
            raise LeaseEndsError
        key, known, contact = self._person(campaign, recipient)
        runs = campaign.status == "running"
        message_id = campaign.message_id + (RETRY_SUFFIX if chunk.retry else "")
        if runs and not _address(contact):
            return f"{SKIPPED}contact_unknown"
        mark = CampaignMark(
            campaign.campaign_id,
            recipient.variant,
            chunk.first_slot + chunk.places.index(recipient.place) * chunk.interval,
            chunk.prices.get(recipient.variant, 0),
            retry=chunk.retry,
            recipient=recipient.contact_id if key.contact_id != recipient.contact_id else "",
            marketing_messages=campaign.definition.marketing_messages,
        )
        first = True

        def find(again: bool) -> FoundConversation:
            nonlocal first
            first = not again
            current = load_current(self._conversations, key) if again else known
            return FoundConversation(current.key if current is not None else key, current)

        def decide(found: FoundConversation) -> TurnDraft | None:
            # A worker that died, or a try whose answer was lost, may have committed it: the person may even have answered.
            unsure = chunk.tries or not first
            if unsure and self._conversations.turn_of_message(found.key, message_id) is not None:
                return None
            if not runs or contact is None:
                return None
            before = found.conversation
            if before is None:
                # The commit refuses the conversation of a person who was erased. Only then it is looked up when.
                erased_at = 0 if first else self._conversations.erased_at(found.key)
                before = new_conversation(found.key, contact, erased_at)
            opening = openings[recipient.variant]
            draft = decide_opening(before, contact, opening, message_id, self._clock())
            draft.record.campaign = mark
            # A million openings would bury the conversations of people who wrote. The answer moves this one up.
            draft.conversation.active_at = before.active_at
            return draft

        try:
            record = self._commit_turn(find, message_id, decide, lambda _: None, mark_read=False, put=put)
        except StartRefusedError as refused:
            return f"{SKIPPED}{refused.code}"
        return _released(record, key, recipient) if record is not None else None

    def _person(
        self, campaign: Campaign, recipient: _Recipient
    ) -> tuple[ConversationKey, Conversation | None, ContactRecord | None]:
        """The recipient's conversation and contact: since the audience was frozen, they may have been merged into another."""
        key, known, contact = _key(campaign, recipient.contact_id), recipient.conversation, recipient.contact
        if known is not None and known.merged_into is not None:
            key = replace(key, contact_id=known.merged_into)
            known = load_current(self._conversations, key)
            key = known.key if known is not None else key
            contact = next(iter(self._contacts.load_all(key.organization_id, [key.contact_id])), None)
        return key, known, contact

    def _note(self, campaign: Campaign, chunk: Chunk, outcomes: dict[int, str], prices: dict[int, int]) -> None:
        """Write the outcomes to the part. What the ledger has said meanwhile stays."""
        where = (campaign.organization_id, campaign.campaign_id)
        part = self._audiences.load(*where, chunk.zone, chunk.part)
        if part is None:
            return
        after, cost = list(part.outcomes), part.cost_micros
        for place, outcome in outcomes.items():
            if part.outcomes[place] == PLANNED or (outcome == RELEASED and part.outcomes[place].startswith(SKIPPED)):
                after[place] = f"{outcome} {LATE}" if outcome.startswith(SKIPPED) and outcome != MERGED else outcome
                cost += prices[place] if outcome == RELEASED else 0
        if after == part.outcomes:
            return
        now = self._clock()
        noted = replace(
            part,
            outcomes=after,
            cost_micros=cost,
            written_at=now,
            released_at=now,
            recount_at=now + RECOUNT_SECONDS,
            recounts=0,
        )
        self._audiences.put(*where, noted)

    def _close(self, campaign: Campaign, chunk: Chunk, used: int, left: Sequence[int]) -> Campaign:
        """End the claim, of whose money `used` is spent. The rest is that of recipients who were refused, or was reserved by a
        worker that died before it stored a larger claim.

        After a worker's death all of it is: it is not certain that this worker has ended and releases none any more. The
        recipients at the places that are `left`, because the campaign does not run, are the next ones once it runs again.
        """
        if self._clock() > campaign.lease_until - MARGIN_SECONDS:
            raise LeaseEndsError  # what another worker released meanwhile is not in `used`
        if chunk.reserved_micros:
            self._budgets.settle(campaign.organization_id, chunk.reservation_id(campaign.campaign_id), used)

        def close() -> Campaign:
            stored = self._campaigns.load(campaign.organization_id, campaign.campaign_id)
            if stored is None or stored.chunk != chunk:
                raise LeaseEndsError
            return self._campaigns.save(closed(stored))

        def closed(open_: Campaign) -> Campaign:
            zones, spent = open_.zones, open_.spent_micros - chunk.reserved_micros + used
            if left:
                back = replace(zones[chunk.zone], part=chunk.part, offset=min(left))
                zones = {**zones, chunk.zone: back}
            return replace(open_, chunk=None, spent_micros=spent, zones=zones)

        try:
            return self._campaigns.save(closed(campaign))
        except ConflictError:  # a user has paused it, or another worker has taken over
            return until_written(close, "the end of a claim")


def _key(campaign: Campaign, contact_id: str) -> ConversationKey:
    return ConversationKey(campaign.organization_id, campaign.definition.phone_number_id, contact_id)


def _address(contact: ContactRecord | None) -> str | None:
    """Where to send to. Nothing is left of one that was merged into another contact."""
    return (contact.phone or contact.user_id) if contact is not None else None


def _released(record: TurnRecord, key: ConversationKey, recipient: _Recipient) -> str:
    """The outcome of a committed turn. It may be that of another contact of the audience, who is the same person by now."""
    mark = record.campaign
    owner = (mark.recipient if mark is not None else "") or key.contact_id
    return RELEASED if owner == recipient.contact_id else MERGED
