"""Find conversations: one person's, or an organization's list of them, newest first."""

from msgspec import Struct

from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.records import Conversation, ConversationKey, RecentPosition
from pytake.whatsapp.phone import variants

FILTERED_BATCH = 100
MAX_BATCHES = 10
"""A filtered page reads at most this many batches: a rare status gives short pages, not slow ones."""

WAITING, HUMAN, IDLE = "waiting", "human", "idle"


def status_of(conversation: Conversation, now: float) -> str:
    """`waiting` for the person's answer to the bot, `human` when an agent has the session, `idle` without a session."""
    session = conversation.open_session(now)
    if session is None:
        return IDLE
    return HUMAN if session.human else WAITING


def contact_ids(person: str) -> list[str]:
    """The contact ids that a person may have.

    Takes a phone number with or without `+`, in either spelling where a country has two, or a business-scoped user id.
    """
    digits = person.removeprefix("+")
    return variants(digits) if digits.isascii() and digits.isdecimal() else [person]


class Page(Struct, frozen=True):
    """A page of the list. `end` is the position after which the next page starts, None on the last page."""

    conversations: list[Conversation]
    end: RecentPosition | None


class Inbox:
    """The organization's conversations."""

    def __init__(self, conversations: Conversations, tenants: TenantRepository, clock: Clock) -> None:
        self._conversations = conversations
        self._tenants = tenants
        self._clock = clock

    def keys(self, organization_id: str, person: str, phone_number_id: str | None = None) -> list[ConversationKey]:
        """The keys that conversations with a person may have: at each number that the organization has or had, or at one."""
        numbers = self._tenants.number_ids(organization_id) if phone_number_id is None else [phone_number_id]
        return [
            ConversationKey(organization_id, number, contact_id)
            for number in numbers
            for contact_id in contact_ids(person)
        ]

    def find(self, organization_id: str, person: str, phone_number_id: str | None = None) -> Conversation | None:
        """The conversation with a person: at this number, or the most recently active one."""
        found = self._conversations.load_all(self.keys(organization_id, person, phone_number_id))
        return max(found, key=lambda known: (known.active_at, known.key), default=None)

    def page(
        self,
        organization_id: str,
        limit: int,
        after: RecentPosition | None = None,
        *,
        status: str | None = None,
        phone_number_id: str | None = None,
    ) -> Page:
        """At most `limit` conversations after `after`, newest hours first, sorted within the page by their last message.

        With a filter, a page may have fewer than `limit` before the last one: continue while there is an `end`.
        """
        now, found, end = self._clock(), list[Conversation](), after
        batch = FILTERED_BATCH if status or phone_number_id else limit + 1
        for _ in range(MAX_BATCHES):
            places = self._conversations.recent(organization_id, batch, end)
            wanted = [place.key for place in places if phone_number_id in (None, place.key.phone_number_id)]
            known = {conversation.key: conversation for conversation in self._conversations.load_all(wanted)}
            for place in places:
                if len(found) == limit:
                    return Page(_by_last_message(found), end)
                end = place
                conversation = known.get(place.key)
                if conversation is not None and status in (None, status_of(conversation, now)):
                    found.append(conversation)
            if len(places) < batch:
                return Page(_by_last_message(found), None)
        return Page(_by_last_message(found), end)


def _by_last_message(conversations: list[Conversation]) -> list[Conversation]:
    return sorted(conversations, key=lambda known: (-known.active_at, known.key))
