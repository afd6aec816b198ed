"""Find conversations: one person's, or an organization's list of them, the last message first."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pytake.conversation.assignments import Assignment, Assignments, is_snoozed, is_unread, team_of
from pytake.conversation.people import contact_ids, spellings
from pytake.conversation.ports.aliases import Aliases
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.records import Conversation, ConversationKey
from pytake.conversation.sessions import waits_since
from pytake.engine import normalize_text

LOADED_TOGETHER = 100
FILTERED_CONVERSATIONS = 1000
"""A filtered page looks at no more conversations: a rare status gives short pages, not slow ones."""

SORTED_CONVERSATIONS = 1000
"""At most so many conversations with agents, those with the latest messages, are sorted by department or priority."""

NO_ASSIGNMENT = Assignment()

WAITING, HUMAN, IDLE = "waiting", "human", "idle"

Sort = Literal["last_message", "department", "priority"]
_Any = TypeVar("_Any")

_PRIORITIES = {
    word: rank
    for rank, words in enumerate(
        ("urgent urgente critical critico", "high alta alto", "normal medium media medio", "low baixa baixo baja bajo")
    )
    for word in words.split()
}
"""The rank of a word for a priority. Other words rank like `normal`; numbers count from 1, the most urgent."""


def status_of(conversation: Conversation, now: float) -> str:
    """`waiting` for the person's answer to the bot, `human` when an agent has the session, `idle` without a session."""
    session = conversation.open_session(now)
    if session is None:
        return IDLE
    return HUMAN if session.human else WAITING


class ListPosition(Struct, frozen=True):
    """The position of a conversation in a sorted list: its rank (a priority or a department), then its last message."""

    rank: str
    at: float
    key: ConversationKey

    @property
    def order(self) -> tuple[str, float, ConversationKey]:
        return self.rank, -self.at, self.key


NOBODY = ""
"""The filter for conversations without an assignee."""


class Filters(Struct, frozen=True):
    """The conversations that a list shows. `department` and `priority` are those of a handoff, in any case.

    `search` is found in the person's name, number, tags and the assignment's tags, without case and accents.
    """

    status: str | None = None
    phone_number_id: str | None = None
    department: str | None = None
    priority: str | None = None
    assignee: str | None = None
    team: str | None = None
    tag: str | None = None
    unread: bool | None = None
    snoozed: bool | None = None
    search: str | None = None

    @property
    def need_assignments(self) -> bool:
        """Whether a conversation's assignment decides."""
        return (self.assignee, self.team, self.tag, self.unread, self.snoozed, self.search) != (None,) * 6

    @property
    def with_agents(self) -> bool:
        """Whether only conversations that agents have can match."""
        return self.status == HUMAN or self.department is not None or self.priority is not None

    def match(self, conversation: Conversation, now: float, assignment: Assignment) -> bool:
        """Whether the list shows a conversation with this assignment."""
        return self._of_conversation(conversation, now) and self._of_assignment(conversation, now, assignment)

    def _of_assignment(self, conversation: Conversation, now: float, assignment: Assignment) -> bool:
        contact = conversation.contact
        return (
            self.assignee in (None, assignment.assignee or NOBODY)
            and (self.team is None or _same(self.team, team_of(conversation, assignment, now)))
            and (self.tag is None or any(_same(self.tag, tag) for tag in assignment.tags))
            and self.unread in (None, is_unread(conversation, assignment))
            and self.snoozed in (None, is_snoozed(assignment, conversation, now))
            and (
                self.search is None
                or _found(
                    self.search,
                    [contact.name, contact.phone or "", conversation.key.contact_id, *contact.tags, *assignment.tags],
                )
            )
        )

    def _of_conversation(self, conversation: Conversation, now: float) -> bool:
        session = conversation.open_session(now)
        handoff = session.handoff if session is not None else None
        department, priority = (handoff.department, handoff.priority) if handoff is not None else (None, None)
        return (
            self.status in (None, status_of(conversation, now))
            and self.phone_number_id in (None, conversation.key.phone_number_id)
            and (self.department is None or _same(self.department, department))
            and (self.priority is None or _same(self.priority, priority))
        )


class Page(Struct, frozen=True):
    """A page of the list. `end` is the position after which the next page starts, None on the last page."""

    conversations: list[Conversation]
    end: ListPosition | None
    assignments: dict[ConversationKey, Assignment] = {}


class Counts(Struct):
    """How many conversations agents have. `by_team` counts each under its team. `truncated`: only the newest were counted.

    `unanswered`: how many of them wait for an agent, the first one since `waits_since`.
    """

    agents: int = 0
    mine: int = 0
    unassigned: int = 0
    unread: int = 0
    snoozed: int = 0
    unanswered: int = 0
    waits_since: float | None = None
    by_team: dict[str, int] = msgspec.field(default_factory=dict)
    truncated: bool = False


class Inbox:
    """The organization's conversations."""

    def __init__(
        self,
        conversations: Conversations,
        aliases: Aliases,
        tenants: TenantRepository,
        clock: Clock,
        assignments: Assignments | None = None,
    ) -> None:
        """Without `assignments`, conversations count as unassigned."""
        self._conversations = conversations
        self._aliases = aliases
        self._tenants = tenants
        self._clock = clock
        self._assignments = assignments

    def identities(self, organization_id: str, person: str) -> list[str]:
        """Everything that a person has been known by, also in contacts that were merged, and the address itself."""
        contacts = contact_ids(self._aliases, organization_id, person)
        known = self._aliases.find(organization_id, contacts, consistent=True).aliases
        more = sorted(identity for alias in known.values() for identity in alias.identities)
        return list(dict.fromkeys([*contacts, *spellings(person), *more]))

    def keys(self, organization_id: str, contact_ids: Sequence[str]) -> list[ConversationKey]:
        """The keys that conversations of contacts may have: at each number that the organization has or had."""
        numbers = self._tenants.number_ids(organization_id)
        return [ConversationKey(organization_id, number, id_) for number in numbers for id_ in contact_ids]

    def find(self, organization_id: str, person: str, phone_number_id: str | None = None) -> Conversation | None:
        """The conversation with a person: at this number, or the most recently active one."""
        ids = contact_ids(self._aliases, organization_id, person)
        if phone_number_id is None:
            keys = self.keys(organization_id, ids)
        else:
            keys = [ConversationKey(organization_id, phone_number_id, id_) for id_ in ids]
        found = [known for known in self._conversations.load_all(keys) if known.merged_into is None]
        return max(found, key=lambda known: (known.active_at, known.key), default=None)

    def page(
        self,
        organization_id: str,
        limit: int,
        after: ListPosition | None = None,
        *,
        filters: Filters | None = None,
        sort: Sort = "last_message",
    ) -> Page:
        """At most `limit` conversations after `after`, in the given order; within it the last message first.

        Sorted by department or priority, the list has only conversations that agents have. With a filter, a page may have
        fewer than `limit` before the last one: continue while there is an `end`.
        """
        now, filters, position = self._clock(), filters or Filters(), _POSITIONS[sort]
        loaded: dict[ConversationKey, Assignment] = {}
        if sort == "last_message":
            listed = self._by_last_message(organization_id, after.at if after is not None else None, filters, loaded)
        else:
            filters = replace(filters, status=filters.status or HUMAN)
            agents = self._load(organization_id, None, filters, loaded, with_agents=True)
            newest = islice(agents, SORTED_CONVERSATIONS)
            listed = iter(sorted(newest, key=lambda conversation: position(conversation).order))
        found: list[Conversation] = []
        seen: set[ConversationKey] = set()
        end: ListPosition | None = None
        for conversation in listed:
            place = position(conversation)
            if (after is not None and place.order <= after.order) or conversation.key in seen:
                continue
            if len(found) == limit or len(seen) == FILTERED_CONVERSATIONS:
                return self._page(found, end)
            seen.add(conversation.key)
            end = place
            if filters.match(conversation, now, loaded.get(conversation.key, NO_ASSIGNMENT)):
                found.append(conversation)
        return self._page(found, None)

    def counts(self, organization_id: str, agent: str) -> Counts:
        """The conversations that agents have, by what is to do; snoozed ones only count as such."""
        now, counts = self._clock(), Counts()
        assignments: dict[ConversationKey, Assignment] = {}
        filters = Filters(status=HUMAN, unread=None, snoozed=None, search="")
        listed = self._load(organization_id, None, filters, assignments, with_agents=True)
        for number, conversation in enumerate(listed):
            if number == FILTERED_CONVERSATIONS:
                counts.truncated = True
                break
            if status_of(conversation, now) == HUMAN:
                _count(counts, conversation, assignments.get(conversation.key, NO_ASSIGNMENT), agent, now)
        return counts

    def _page(self, found: list[Conversation], end: ListPosition | None) -> Page:
        return Page(found, end, self._assigned([conversation.key for conversation in found]))

    def _assigned(self, keys: Sequence[ConversationKey]) -> dict[ConversationKey, Assignment]:
        return self._assignments.load_all(keys) if self._assignments is not None and keys else {}

    def _by_last_message(
        self,
        organization_id: str,
        until: float | None,
        filters: Filters,
        loaded: dict[ConversationKey, Assignment],
    ) -> Iterator[Conversation]:
        """The conversations of the lists that can match, read as they are needed."""
        lists = [self._load(organization_id, until, filters, loaded, with_agents=True)]
        if not filters.with_agents:
            lists.append(self._load(organization_id, until, filters, loaded, with_agents=False))
        return heapq.merge(*lists, key=lambda conversation: _last_message(conversation).order)

    def _load(
        self,
        organization_id: str,
        until: float | None,
        filters: Filters,
        loaded: dict[ConversationKey, Assignment],
        *,
        with_agents: bool,
    ) -> Iterator[Conversation]:
        """The conversations of one list. Those whose entries have the same time are loaded together, to be sorted.

        Their assignments are added to `loaded` if the filters need them.
        """
        entries = iter(self._conversations.recent(organization_id, until, with_agents=with_agents))
        groups = _chunks(entries) if with_agents else (list(group) for _, group in groupby(entries, lambda one: one.at))
        for group in groups:
            keys = [one.key for one in group if filters.phone_number_id in (None, one.key.phone_number_id)]
            known = [one for chunk in _chunks(iter(keys)) for one in self._conversations.load_all(chunk)]
            known = [one for one in known if one.merged_into is None]
            if filters.need_assignments:
                loaded |= self._assigned([one.key for one in known])
            yield from sorted(known, key=lambda conversation: _last_message(conversation).order)


def _chunks(items: Iterator[_Any]) -> Iterator[list[_Any]]:
    while chunk := list(islice(items, LOADED_TOGETHER)):
        yield chunk


def _count(counts: Counts, conversation: Conversation, assignment: Assignment, agent: str, now: float) -> None:
    if is_snoozed(assignment, conversation, now):
        counts.snoozed += 1
        return
    counts.agents += 1
    counts.mine += assignment.assignee == agent
    counts.unassigned += assignment.assignee is None
    counts.unread += is_unread(conversation, assignment)
    since = waits_since(conversation, now)
    if since is not None:
        counts.unanswered += 1
        counts.waits_since = min(since, counts.waits_since or since)
    team = team_of(conversation, assignment, now)
    if team is not None:
        counts.by_team[team] = counts.by_team.get(team, 0) + 1


def _found(search: str, texts: Sequence[str]) -> bool:
    wanted = normalize_text(search)
    return any(wanted in normalize_text(text) for text in texts)


def _same(wanted: str, value: str | float | None) -> bool:
    return value is not None and str(value).casefold() == wanted.casefold()


def _last_message(conversation: Conversation) -> ListPosition:
    return ListPosition("", conversation.active_at, conversation.key)


def _by_department(conversation: Conversation) -> ListPosition:
    handoff = conversation.session.handoff if conversation.session is not None else None
    department = handoff.department if handoff is not None else None
    rank = f"0{department.casefold()}" if department else "1"
    return ListPosition(rank, conversation.active_at, conversation.key)


def _by_priority(conversation: Conversation) -> ListPosition:
    handoff = conversation.session.handoff if conversation.session is not None else None
    priority = handoff.priority if handoff is not None else None
    if isinstance(priority, int | float):
        rank = min(max(int(priority) - 1, 0), 8)
    else:
        rank = _PRIORITIES.get(normalize_text(priority or ""), _PRIORITIES["normal"])
    return ListPosition(str(rank), conversation.active_at, conversation.key)


_POSITIONS: dict[Sort, Callable[[Conversation], ListPosition]] = {
    "last_message": _last_message,
    "department": _by_department,
    "priority": _by_priority,
}
