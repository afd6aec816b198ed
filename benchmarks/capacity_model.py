"""The model of `make capacity`: each message passes the queues and workers of one stack, event by event.

Service times are what `make bench` measured plus the assumed waits for AWS and Meta (`cli/costing`). Limits are AWS's documented
ones: messages in flight of a FIFO queue, concurrency. What the product decides is decided by its own code: rate slots, shards of
the indexes, ends of sessions, which waits leave the queue.
"""

import heapq
import itertools
import random
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from cli.costing.model import Bill, Volumes
from cli.costing.tables import assumptions, measured_usage, prices
from pytake.aws.rate_slots import DynamoRateSlots
from pytake.aws.table import due_shard, log_shard, recent_shard, session_end, start_of_slot
from pytake.conversation.delivery.waiting_turns import RELEASE_EARLY_SECONDS, longest_wait
from pytake.conversation.rate_limits import EXACT_UP_TO, WINDOW_SECONDS, RateWindow

SCANNED = 120_000
"""SQS looks for the next message of a FIFO queue among its first 120,000, and has no more in flight (Amazon SQS quotas).
Behind a backlog of that size, the messages of everybody wait."""

BATCH = 10
POLL_SECONDS = 0.02
"""Assumed: from the queue to the function."""

NOISY = "noisy"
SESSION_HOURS = 24
MESSAGES_PER_CONVERSATION, PAUSE_SECONDS = 7, 20.0
WARM_UP_SECONDS = MESSAGES_PER_CONVERSATION * PAUSE_SECONDS
"""Conversations begin this long before the figures do, so that the load is full from the beginning."""


class Stack(Struct, frozen=True):
    """The sizes of a stack: the parameters that `docs/operations.md` names for 1,000 messages a second."""

    flow_runners: int = 300
    senders: int = 400
    statuses: int = 50


class Load(Struct, frozen=True):
    """Who writes. `noise` messages a second more arrive for one organization with the default limit of five a minute."""

    name: str
    organizations: int
    per_second: float = 1000
    noise: float = 0
    waits_leave_the_queue: bool = True
    seconds: float = 600


class Outcome(Struct):
    """What a run showed. `replies` and `left` (in the queues at the end) exclude the noisy organization's."""

    load: Load
    replies: list[float]
    depth: dict[str, int]
    in_flight: dict[str, int]
    left: dict[str, int]
    hottest: tuple[str, int]
    busy: dict[str, float]
    noisy_waiting: int
    noisy_sent: int
    held: int

    def percentile(self, share: float) -> float:
        """The reply time of this share of the messages, in seconds."""
        return sorted(self.replies)[min(len(self.replies) - 1, int(len(self.replies) * share))]


class Writes:
    """Writes to each partition key, second by second; remembers the hottest."""

    def __init__(self) -> None:
        self._second = -1
        self._now: Counter[str] = Counter()
        self.hottest = ("", 0)

    def add(self, at: float, pk: str, count: int = 1) -> None:
        """Count writes at a time. Times need not ascend by more than fractions of a second."""
        if int(at) > self._second:
            self.close()
            self._second = int(at)
        self._now[pk] += count

    def close(self) -> None:
        """Compare the second that ends with the hottest one."""
        for pk, count in self._now.most_common(1):
            if count > self.hottest[1]:
                self.hottest = (pk, count)
        self._now.clear()


class CountedSlots(DynamoRateSlots):
    """The product's rate slots of one worker, on a store in memory that all workers share."""

    def __init__(self, shared: "SharedSlots") -> None:
        self._shared = shared
        self._leases = {}
        self._blocks = {}

    def _arrive(self, organization_id: str, scope: str, advance: float, now: float) -> float:
        self._shared.writes.add(now, f"rate slot#{organization_id}#{scope}")
        arrival = max(now, self._shared.arrivals.get((organization_id, scope), now))
        self._shared.arrivals[organization_id, scope] = arrival + advance
        return arrival

    def _queue_up(self, organization_id: str, scope: str, per_minute: int, now: float) -> float | None:
        place = (organization_id, scope)
        window = self._shared.windows.get(place, RateWindow())
        if window.last_slot <= now * 1000 + 1000:
            return None
        self._shared.writes.add(now, f"rate slot#{organization_id}#{scope}")
        last_slot = window.last_slot + WINDOW_SECONDS * 1000 // per_minute
        self._shared.windows[place] = RateWindow(window.departed, last_slot)
        return last_slot / 1000

    def _change(self, organization_id: str, scope: str, now: float, change: Callable[[RateWindow], Any]) -> float:
        place = (organization_id, scope)
        before = self._shared.windows.get(place, RateWindow())
        self._shared.windows[place], at = change(before)
        if self._shared.windows[place] is not before:
            self._shared.writes.add(now, f"rate slot#{organization_id}#{scope}")
        return float(at)


class SharedSlots:
    """The items of the rate slots."""

    def __init__(self, writes: Writes) -> None:
        self.writes = writes
        self.windows: dict[tuple[str, str], RateWindow] = {}
        self.arrivals: dict[tuple[str, str], float] = {}


class Message:
    """A message of a conversation, and later its answer."""

    __slots__ = ("arrived_at", "conversation", "not_before", "organization", "per_minute")

    def __init__(self, organization: str, conversation: str, arrived_at: float, per_minute: int) -> None:
        self.organization = organization
        self.conversation = conversation
        self.arrived_at = arrived_at
        self.per_minute = per_minute
        self.not_before: float | None = None


class FifoQueue:
    """A FIFO queue: one message of a group at a time, among its first `SCANNED` messages."""

    def __init__(self) -> None:
        self.ready: deque[Message] = deque()
        self.unseen: deque[Message] = deque()
        self._seen = 0
        self.undone = [0, 0]
        """Messages that are not done: of the others, of the noisy organization."""
        self.behind: dict[str, deque[Message]] = {}
        self.in_flight = 0
        self.most_in_flight = 0
        self.most_ready = 0

    def put(self, message: Message) -> None:
        """Queue a message; it waits while an earlier one of its conversation is here, and behind a backlog."""
        self.undone[message.organization == NOISY] += 1
        self._admit(message)

    def _admit(self, message: Message) -> None:
        if self._seen >= SCANNED:
            self.unseen.append(message)
            return
        self._seen += 1
        waiting = self.behind.get(message.conversation)
        if waiting is not None:
            waiting.append(message)
            return
        self.behind[message.conversation] = deque()
        self.ready.append(message)
        self.most_ready = max(self.most_ready, len(self.ready))

    def receive(self, most: int) -> list[Message]:
        """Up to `most` messages; they are in flight from now on."""
        batch = [self.ready.popleft() for _ in range(min(most, len(self.ready)))]
        self.in_flight += len(batch)
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        return batch

    def show(self, message: Message) -> None:
        """A message that was in flight is visible again."""
        self.in_flight -= 1
        self.ready.append(message)

    def delete(self, message: Message) -> None:
        """The message is done: the next of its conversation is ready."""
        self.in_flight -= 1
        behind = self.behind[message.conversation]
        if behind:
            self.ready.append(behind.popleft())
        else:
            del self.behind[message.conversation]
        self.undone[message.organization == NOISY] -= 1
        self._seen -= 1
        if self.unseen:
            self._admit(self.unseen.popleft())


class Simulation:
    """One run."""

    def __init__(self, load: Load, stack: Stack, seed: int = 1) -> None:
        self.load = load
        self.now = 0.0
        self._chance = random.Random(seed)
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = itertools.count()
        bill = Bill(Volumes(), measured_usage(), prices(), assumptions())
        self._seconds = bill.seconds
        self._table_seconds = assumptions().wait_ms["dynamodb.UpdateItem"] / 1000
        # A service time varies like that of a network service: most are near the mean, a few take three times as long.
        spread = [self._chance.lognormvariate(-0.06, 0.35) for _ in range(4096)]
        self._spread = itertools.cycle(spread)
        self.inbound, self.outbound = FifoQueue(), FifoQueue()
        self._idle = {"flow_runner": stack.flow_runners, "sender": stack.senders}
        self._workers = dict(self._idle)
        self._busy_seconds = {"flow_runner": 0.0, "sender": 0.0}
        self.writes = Writes()
        shared = SharedSlots(self.writes)
        self._slots = [CountedSlots(shared) for _ in range(stack.senders)]
        self._free_slots = deque(self._slots)
        self._conversations: dict[str, tuple[int, int]] = {}
        self._begins = float(int(datetime(2026, 6, 1, 11, 55, tzinfo=UTC).timestamp()))
        self.replies: list[float] = []
        self.noisy_sent = self.noisy_waiting = 0
        self.held: list[tuple[float, int, Message]] = []
        self.most_held = 0

    def run(self) -> Outcome:
        """Simulate the load, and the minute after it."""
        self._at(self._begins - WARM_UP_SECONDS, self._arrive, "org", self.load.per_second)
        if self.load.noise:
            self._at(self._begins - WARM_UP_SECONDS, self._arrive, NOISY, self.load.noise)
        self._at(self._begins + 60, self._release)
        self._ends = self._begins + self.load.seconds
        while self._events and self._events[0][0] < self._ends + 60:
            self.now, _, act, arguments = heapq.heappop(self._events)
            act(*arguments)
        self.writes.close()
        queues = {"inbound": self.inbound, "outbound": self.outbound}
        measured = self.load.seconds + WARM_UP_SECONDS
        return Outcome(
            load=self.load,
            replies=self.replies,
            depth={name: queue.most_ready for name, queue in queues.items()},
            in_flight={name: queue.most_in_flight for name, queue in queues.items()},
            left={name: queue.undone[False] for name, queue in queues.items()},
            hottest=self.writes.hottest,
            busy={name: seconds / measured / self._workers[name] for name, seconds in self._busy_seconds.items()},
            noisy_waiting=self.noisy_waiting - self.noisy_sent,
            noisy_sent=self.noisy_sent,
            held=self.most_held,
        )

    def _at(self, at: float, act: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self._events, (at, next(self._numbers), act, arguments))

    def _arrive(self, who: str, per_second: float) -> None:
        """A conversation begins: its messages come in turn. Conversations begin at random."""
        if self.now < self._ends:
            self._at(
                self.now + self._chance.expovariate(per_second / MESSAGES_PER_CONVERSATION),
                self._arrive,
                who,
                per_second,
            )
        number = len(self._conversations)
        if who == NOISY:
            organization, per_minute = NOISY, 5
        else:
            organization = f"org{number % self.load.organizations}"
            per_minute = 66_000 if self.load.organizations == 1 else 600
        conversation = f"ORG#{organization}#CONV#1#{number}"
        self._conversations[conversation] = (0, 0)
        for place in range(MESSAGES_PER_CONVERSATION):
            self._at(self.now + place * PAUSE_SECONDS, self._receive, organization, conversation, per_minute)

    def _receive(self, organization: str, conversation: str, per_minute: int) -> None:
        if self.now >= self._ends:
            return
        message = Message(organization, conversation, self.now, per_minute)
        if organization == NOISY:
            self.noisy_waiting += 1
        self._at(self.now + self._service("webhook") + POLL_SECONDS, self._put, "flow_runner", self.inbound, message)

    def _put(self, stage: str, queue: FifoQueue, message: Message) -> None:
        queue.put(message)
        self._poll(stage, queue)

    def _poll(self, stage: str, queue: FifoQueue) -> None:
        while self._idle[stage] and queue.ready:
            share = -(-len(queue.ready) // self._idle[stage])
            batch = queue.receive(min(BATCH, share))
            if not batch:
                return
            self._idle[stage] -= 1
            work = self._turns if stage == "flow_runner" else self._sends
            work(queue, batch)

    def _finish(self, stage: str, queue: FifoQueue, done: list[Message], slots: CountedSlots | None) -> None:
        self._idle[stage] += 1
        for message in done:
            queue.delete(message)
        if slots is not None:
            self._free_slots.append(slots)
        self._poll(stage, queue)

    def _service(self, stage: str) -> float:
        return self._seconds[stage] * next(self._spread)

    def _turns(self, queue: FifoQueue, batch: list[Message]) -> None:
        at = self.now
        for message in batch:
            at += self._service("flow_runner")
            self._count_turn(at, message)
            self._at(at + POLL_SECONDS, self._put, "sender", self.outbound, message)
        self._busy_seconds["flow_runner"] += at - self.now
        self._at(at, self._finish, "flow_runner", queue, batch, None)

    def _count_turn(self, at: float, message: Message) -> None:
        """The writes of a turn to indexes that conversations share; its own partition takes a few a minute."""
        pk = message.conversation
        slot, due = self._conversations[pk]
        this_slot, this_due = start_of_slot(at), session_end(pk, at + SESSION_HOURS * 3600)
        if slot != this_slot:
            self.writes.add(at, f"index recent#{message.organization}#{recent_shard(pk)}", 2 if slot else 1)
        if slot // 3600 != this_slot // 3600:
            self.writes.add(at, f"index log#{log_shard(pk)}")
        if due != this_due:
            self.writes.add(at, f"index due#{due_shard(pk)}", 2 if due else 1)
        self._conversations[pk] = (this_slot, this_due)

    def _sends(self, queue: FifoQueue, batch: list[Message]) -> None:
        slots, at, done = self._free_slots.popleft(), self.now, list[Message]()
        for message in batch:
            free_at = self._free_at(slots, message, at)
            if free_at <= at:
                at += self._service("sender")
                done.append(message)
                self._replied(at, message)
                continue
            at += 2 * self._table_seconds
            message.not_before = free_at
            if self.load.waits_leave_the_queue and free_at - at > longest_wait(message.per_minute):
                at += 2 * self._table_seconds
                done.append(message)
                self.writes.add(at, f"held turns#{message.organization}")
                heapq.heappush(self.held, (free_at - RELEASE_EARLY_SECONDS, next(self._numbers), message))
                self.most_held = max(self.most_held, len(self.held))
            else:
                self._at(free_at, self._show, message)
        self._busy_seconds["sender"] += at - self.now
        self._at(at, self._finish, "sender", queue, done, slots)

    def _free_at(self, slots: CountedSlots, message: Message, at: float) -> float:
        if message.not_before is not None:
            if message.per_minute > EXACT_UP_TO or message.not_before > at:
                return message.not_before
            return slots.depart(message.organization, "organization", message.per_minute, at)
        return slots.reserve(message.organization, "organization", message.per_minute, at)

    def _show(self, message: Message) -> None:
        self.outbound.show(message)
        self._poll("sender", self.outbound)

    def _release(self) -> None:
        """The scheduled function returns what is due."""
        while self.held and self.held[0][0] <= self.now:
            self._put("sender", self.outbound, heapq.heappop(self.held)[2])
        self._at(self.now + 60, self._release)

    def _replied(self, at: float, message: Message) -> None:
        if message.organization == NOISY:
            self.noisy_sent += 1
        elif message.arrived_at >= self._begins:
            self.replies.append(at - message.arrived_at)
