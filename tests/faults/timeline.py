"""Virtual time. Workers are threads, but only one runs at a time, and only the timeline decides which one is next.

A worker gives up its turn by `sleep`; the timeline then takes the next event in the order of time. One seed makes one order,
so one seed makes one run.
"""

import heapq
import threading
from collections.abc import Callable
from typing import Any, ClassVar

START = 1_770_000_000.0
"""When the stories start, in seconds since the epoch."""

DAY = 86_400.0


class WorkerKilled(BaseException):
    """A worker's process died in the middle of its work."""


class Thread:
    """A thread that is reused for many pieces of work, because starting one costs more than most of them."""

    idle: ClassVar[list["Thread"]] = []

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.turn.acquire()
        self.work: Callable[[], None] = lambda: None
        threading.Thread(target=self._go_on, daemon=True).start()

    @classmethod
    def take(cls) -> "Thread":
        """An idle thread."""
        return cls.idle.pop() if cls.idle else cls()

    def _go_on(self) -> None:
        while True:
            self.turn.acquire()
            self.work()


class Process:
    """What the threads of one invocation share: they die together, each when it would go on."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.killed = False


class Worker:
    """One invocation, or another thread of its process. It dies at its deadline."""

    def __init__(self, timeline: "Timeline", name: str, process: Process) -> None:
        self.timeline = timeline
        self.name = name
        self.process = process
        self.thread = Thread.take()
        self.turn = self.thread.turn

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass. Raises `WorkerKilled` when the deadline is earlier."""
        timeline, process = self.timeline, self.process
        wakes_at = min(timeline.now + seconds, process.deadline)
        timeline.push(max(wakes_at, timeline.now), self)
        timeline.yield_from(self)
        process.killed |= timeline.now >= process.deadline
        if process.killed:
            raise WorkerKilled


class Lock:
    """A lock between the threads of a process."""

    def __init__(self, timeline: "Timeline") -> None:
        self._timeline = timeline
        self._held = False

    def acquire(self) -> None:
        while self._held:
            self._timeline.sleep(0.002)
        self._held = True

    def release(self) -> None:
        self._held = False


class Timeline:
    """Events in the order of their times, and the running thread."""

    def __init__(self, start: float) -> None:
        self.now = start
        self.current: Worker | None = None
        self.failure: BaseException | None = None
        self._events: list[tuple[float, int, Callable[[], None] | Worker]] = []
        self._count = 0
        self._main = threading.Lock()
        self._main.acquire()
        self._until = float("inf")

    def push(self, at: float, event: Callable[[], None] | Worker) -> None:
        self._count += 1
        heapq.heappush(self._events, (at, self._count, event))

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        """Call `event` in `seconds`."""
        self.push(self.now + seconds, event)

    def start(self, worker: Worker, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Run `work` in `worker`, then call `done` with its result, or with None when it was killed."""

        def body() -> None:
            self.current = worker
            result = None
            try:
                result = work()
            except WorkerKilled:
                pass
            except BaseException as error:
                self.failure = self.failure or error
            if self.failure is None:
                try:
                    done(result)
                except BaseException as error:
                    self.failure = error
            Thread.idle.append(worker.thread)
            self._hand_over(None)

        worker.thread.work = body
        self.push(self.now, worker)

    def spawn(self, work: Callable[[], None]) -> Callable[[], None]:
        """Run `work` in another thread of the running worker's process; gives a function that waits for its end."""
        ended: list[Any] = []
        assert self.current is not None
        self.start(Worker(self, self.current.name, self.current.process), work, ended.append)

        def join() -> None:
            while not ended:
                self.sleep(0.005)

        return join

    def sleep(self, seconds: float) -> None:
        """Let the running worker sleep."""
        assert self.current is not None
        self.current.sleep(seconds)

    def run(self, until: float) -> None:
        """Process the events until then, or until none is left."""
        self._until = until
        if self._hand_over(None, from_main=True):
            self._main.acquire()
        self.current = None  # between two runs no worker is current
        if self.failure is not None:
            raise self.failure
        if self._events:
            self.now = until

    def yield_from(self, worker: Worker) -> None:
        """Run others until the worker's own event is due."""
        if self._hand_over(worker):
            worker.turn.acquire()
        self.current = worker

    def _hand_over(self, worker: Worker | None, *, from_main: bool = False) -> bool:
        """Process events until one belongs to a worker, and let it run. False when it is the caller's own."""
        while self._events and self._events[0][0] <= self._until and self.failure is None:
            at, _, event = heapq.heappop(self._events)
            self.now = max(self.now, at)
            if isinstance(event, Worker):
                if event is worker:
                    return False
                event.turn.release()
                return True
            self.current = None
            try:
                event()
            except BaseException as error:
                self.failure = self.failure or error
        if from_main:
            return False
        self._main.release()
        return True
