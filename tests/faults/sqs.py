"""A simulation of SQS: at least once, visibility timeouts, message groups, five minutes of deduplication, dead-letter queues."""

from collections.abc import Callable
from dataclasses import dataclass, field

DEDUPLICATION_SECONDS = 300
LONGEST_INVISIBLE_SECONDS = 43_200


@dataclass
class Message:
    id: str
    body: str
    group: str | None
    deduplication_id: str | None
    sent_at: float
    attributes: dict[str, str] = field(default_factory=dict)
    visible_at: float = 0
    receive_count: int = 0
    received_at: float = 0
    handle: str | None = None


class Queue:
    """One queue. `shuffle` orders the messages that have no order of their own."""

    def __init__(
        self,
        name: str,
        *,
        clock: Callable[[], float],
        shuffle: Callable[[list[Message]], None] = lambda _: None,
        fifo: bool,
        visibility: float = 200,
        dead_letters: "Queue | None" = None,
        max_receives: int = 10,
        retention: float = 1_209_600,
    ) -> None:
        self.name = name
        self.fifo = fifo
        self.messages: list[Message] = []
        self.changed: Callable[[], None] = lambda: None
        self.lost: list[Message] = []
        self._clock = clock
        self._shuffle = shuffle
        self._visibility = visibility
        self._dead_letters = dead_letters
        self._max_receives = max_receives
        self._retention = retention
        self._seen: dict[tuple[str | None, str], float] = {}
        self._count = 0

    def send(self, body: str, group: str | None = None, deduplication_id: str | None = None, **attributes: str) -> str:
        """Send a message. A duplicate of the last five minutes is accepted and dropped."""
        now = self._clock()
        self._count += 1
        id_ = f"{self.name}-{self._count}"
        if self.fifo:
            assert group is not None
            assert deduplication_id is not None
            seen_at = self._seen.get((group, deduplication_id))
            if seen_at is not None and now - seen_at < DEDUPLICATION_SECONDS:
                return id_
            self._seen[group, deduplication_id] = now
        self.messages.append(Message(id_, body, group, deduplication_id, now, dict(attributes), visible_at=now))
        self.changed()
        return id_

    def receive(self, most: int) -> list[Message]:
        """Deliver up to `most` messages: of a group in order, and none while one of the group is in flight."""
        now = self._clock()
        self._forget_the_old(now)
        candidates = [message for message in self.messages if message.visible_at <= now]
        if self.fifo:
            in_flight = {message.group for message in self.messages if message.visible_at > now}
            groups: dict[str | None, list[Message]] = {}
            for message in candidates:
                if message.group not in in_flight:
                    groups.setdefault(message.group, []).append(message)
            heads = [group[0] for group in groups.values()]
            self._shuffle(heads)
            candidates = [message for head in heads for message in groups[head.group]]
        else:
            self._shuffle(candidates)
        taken: list[Message] = []
        for message in candidates:
            if len(taken) == most:
                break
            message.receive_count += 1
            if message.receive_count > self._max_receives and self._dead_letters is not None:
                self.messages.remove(message)
                self._dead_letters.send(message.body, message.group, message.deduplication_id, **message.attributes)
                continue
            message.received_at = now
            message.visible_at = now + self._visibility
            self._count += 1
            message.handle = f"{message.id}/{self._count}"
            taken.append(message)
        return taken

    def delete(self, handle: str) -> bool:
        """Delete a message, if the handle is its latest and (FIFO) has not expired."""
        message = self._held(handle)
        if message is None or (self.fifo and message.visible_at <= self._clock()):
            return False
        self.messages.remove(message)
        self.changed()
        return True

    def change_visibility(self, handle: str, seconds: float) -> bool:
        """Make a message in flight visible again in `seconds`. False when it is not in flight (any more)."""
        message, now = self._held(handle), self._clock()
        if message is None or message.visible_at <= now:
            return False
        if now + seconds - message.received_at > LONGEST_INVISIBLE_SECONDS:
            return False  # SQS refuses it: InvalidParameterValue
        message.visible_at = now + seconds
        self.changed()
        return True

    def next_visible_at(self) -> float | None:
        """When the next message becomes visible; now, if one can be delivered."""
        now = self._clock()
        if not self.fifo:
            return min((message.visible_at for message in self.messages), default=None)
        groups: dict[str | None, float] = {}
        for message in self.messages:
            if message.group not in groups:
                groups[message.group] = message.visible_at
            elif message.visible_at > now:
                groups[message.group] = max(groups[message.group], message.visible_at)
        return min(groups.values(), default=None)

    def _held(self, handle: str) -> Message | None:
        return next((message for message in self.messages if message.handle == handle), None)

    def _forget_the_old(self, now: float) -> None:
        old = [message for message in self.messages if now - message.sent_at > self._retention]
        for message in old:
            self.messages.remove(message)
            self.lost.append(message)
