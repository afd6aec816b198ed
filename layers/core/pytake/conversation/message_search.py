"""Search in the messages of conversations, the latest conversations first, a part of them with each request."""

from collections.abc import Callable

from msgspec import Struct

from pytake.conversation.inbox import Inbox, ListPosition
from pytake.conversation.records import Conversation, ConversationKey
from pytake.conversation.transcript import TranscriptEntry
from pytake.engine.normalize import normalize_text

SEARCHED_CONVERSATIONS = 25
"""One search reads the messages of no more conversations: about fifty read requests, in less than a second as a rule."""

SEARCH_SECONDS = 5
"""A search that has taken so long ends with what it has. The next one continues."""


class Match(Struct, frozen=True):
    """A conversation in which the text was found: `count` messages have it, and `message` is the latest of them."""

    conversation: Conversation
    message: TranscriptEntry
    count: int


class SearchResult(Struct, frozen=True):
    """What was found in `searched` conversations. `end` is the position after which the next search starts, None
    after the last conversation."""

    matches: list[Match]
    searched: int
    end: ListPosition | None


class SearchMessages:
    """The use case. Case and accents do not matter; the text of a message that its sender deleted is not there to be found."""

    def __init__(
        self,
        inbox: Inbox,
        matching: Callable[[ConversationKey, Callable[[str], bool]], list[TranscriptEntry]],
        timer: Callable[[], float],
    ) -> None:
        """Take the list of conversations, `ReadTranscript.matching`, and a clock of elapsed seconds."""
        self._inbox = inbox
        self._matching = matching
        self._timer = timer

    def __call__(self, organization_id: str, text: str, after: ListPosition | None = None) -> SearchResult:
        """Search the next conversations after a position of their list."""
        began, wanted, matches = self._timer(), normalize_text(text), list[Match]()
        page = self._inbox.page(organization_id, SEARCHED_CONVERSATIONS, after)
        for number, conversation in enumerate(page.conversations, 1):
            found = self._matching(conversation.key, lambda text: wanted in normalize_text(text))
            if found:
                matches.append(Match(conversation, found[-1], len(found)))
            if self._timer() - began > SEARCH_SECONDS and number < len(page.conversations):
                return SearchResult(matches, number, ListPosition("", conversation.active_at, conversation.key))
        return SearchResult(matches, len(page.conversations), page.end)
