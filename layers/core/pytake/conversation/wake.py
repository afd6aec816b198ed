"""Fire what is due: timers of flows, and sessions that ended because nobody wrote."""

from collections.abc import Callable

from pytake.conversation.ports import Clock, Conversations
from pytake.conversation.records import ConversationKey
from pytake.conversation.turn import TakeTurn

BATCH = 200


class WakeDue:
    """The scheduled function's `due` job.

    It may run twice, or while the person writes: each wake-up decides on the conversation as it is then, and the commit's
    condition lets only one writer win.
    """

    def __init__(self, conversations: Conversations, take_turn: TakeTurn, clock: Clock) -> None:
        self._conversations = conversations
        self._take_turn = take_turn
        self._clock = clock

    def __call__(self, out_of_time: Callable[[], bool] = lambda: False) -> int:
        """Wake every conversation that is due, until none is or `out_of_time()`; how many turns that made."""
        turns, seen = 0, set[ConversationKey]()
        while not out_of_time():
            due = [key for key in self._conversations.due(self._clock(), BATCH) if key not in seen]
            if not due:
                break
            for key in due:
                seen.add(key)  # the index lags behind the commit: what was just done may still be listed
                turns += self._take_turn.wake(key) is not None
                if out_of_time():
                    break
        return turns
