"""The queues: how much waits, what was given up on and why, and the way back."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from nicegui import html, ui

from local.console.desk import confirmed
from local.console.frame import empty, loading
from local.console.reasons import in_words
from local.console.visit import Visit
from local.dead_letters import DeadLetter, DeadLetterQueue, StackError

MOST_LETTERS = 100


@dataclass(frozen=True)
class QueueState:
    """One queue: how many messages wait on it, how many were given up on, and those that were looked at."""

    name: str
    waiting: int | None
    dead: int
    letters: tuple[DeadLetter, ...]
    can_be_redriven: bool

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why, the most frequent first."""
        return Counter(letter.reason for letter in self.letters).most_common(5)


def look_at(queues: Sequence[DeadLetterQueue]) -> list[QueueState]:
    """Return the state of every queue. Blocks while SQS answers; nothing is taken from a queue."""
    found = []
    for queue in queues:
        dead = queue.count()
        letters = tuple(queue.peek(MOST_LETTERS)) if dead else ()
        found.append(QueueState(queue.name, queue.source_count(), dead, letters, queue.can_be_redriven))
    return found


class Backlog:
    """Draws the queues into the element that is current when it is made."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._queues: Sequence[DeadLetterQueue] | None = None
        self._drawn: object = None
        self._busy = False
        with html.div().classes("backlog").props('aria-live="polite"') as self._place:
            loading(visit)

    async def refresh(self) -> None:
        """Refresh the queues. Only changes are drawn."""
        words, find = self._visit.words, self._visit.connection.dead_letters
        if self._busy:
            return
        if find is None:
            self._draw(("no_stack",), lambda: empty("cloud_off", words("queues.no_stack"), words("queues.no_stack.do")))
            return
        try:
            if self._queues is None:
                self._queues = await asyncio.to_thread(find)
            states = await asyncio.to_thread(look_at, self._queues)
        except Exception as error:
            # Whatever AWS's client raises (credentials, network, permissions): its message says what is wrong.
            if not isinstance(error, StackError) and not type(error).__module__.startswith("botocore"):
                raise
            text = str(error)
            self._draw(("problem", text), lambda: empty("error_outline", words("queues.problem"), text))
            return
        told = [(state.name, state.waiting, state.dead, [letter.id for letter in state.letters]) for state in states]
        self._draw(told, partial(self._show, states))

    def _draw(self, told: object, draw: Callable[[], object]) -> None:
        if told == self._drawn:
            return
        self._drawn = told
        self._place.clear()
        with self._place:
            draw()

    def _show(self, states: Sequence[QueueState]) -> None:
        words = self._visit.words
        with html.div().classes("cards"):
            for state in states:
                with html.section().classes("panel card").props(f'aria-label="{words(f"queue.{state.name}")}"'):
                    html.h2(words(f"queue.{state.name}"))
                    html.p(words(f"queue.{state.name}.what")).classes("quiet")
                    with html.div().classes("figures"):
                        if state.waiting is not None:
                            _figure(state.waiting, words("queues.waiting"), "")
                        _figure(state.dead, words("queues.dead"), "bad" if state.dead else "")
                    for reason, count in state.reasons:
                        html.p(f"{count} × {in_words(reason, words)}").classes("reason")
                    if state.dead and state.can_be_redriven:
                        button = ui.button(
                            words("queues.redrive"), icon="replay", on_click=partial(self._redrive, state)
                        )
                        button.props("unelevated no-caps")
        if not any(state.dead for state in states):
            with html.p().classes("all-well"):
                ui.icon("check_circle").props('aria-hidden="true"')
                html.span(words("queues.all_well"))
        for state in states:
            if state.letters:
                self._table(state)

    def _table(self, state: QueueState) -> None:
        words = self._visit.words
        with html.section().classes("panel letters"):
            html.h2(f"{words('queues.given_up')}: {words(f'queue.{state.name}')}")
            with html.div().classes("scroll-x").props('tabindex="0"'), html.table().classes("rows"):
                html.caption(words("queues.given_up")).classes("visually-hidden")
                with html.thead(), html.tr():
                    for head in ("queues.at", "queues.conversation", "queues.what", "queues.reason"):
                        html.th(words(head)).props('scope="col"')
                    with html.th().props('scope="col"'):
                        html.span(words("queues.redrive")).classes("visually-hidden")
                with html.tbody():
                    for letter in state.letters:
                        with html.tr():
                            html.td(
                                datetime.fromtimestamp(letter.dead_lettered_at).astimezone().strftime("%d/%m %H:%M:%S")
                            )
                            html.td(letter.conversation)
                            html.td(letter.summary)
                            html.td(in_words(letter.reason, words)).classes("reason")
                            with html.td():
                                if state.can_be_redriven:
                                    label = words("queues.redrive.conversation", name=letter.conversation)
                                    ui.button(
                                        icon="replay",
                                        on_click=partial(self._redrive, state, letter.conversation),
                                        color=None,
                                    ).props(f'flat round dense aria-label="{label}"')

    async def _redrive(self, state: QueueState, conversation: str | None = None) -> None:
        words = self._visit.words
        what = (
            words("queues.redrive.ask") if conversation is None else words("queues.redrive.ask_one", name=conversation)
        )
        queue = next((one for one in self._queues or () if one.name == state.name), None)
        if queue is None or not await confirmed(self._visit, words("queues.redrive"), what):
            return
        self._busy = True
        waiting = ui.notification(words("queues.redriving"), spinner=True, timeout=None)
        try:
            count = await asyncio.to_thread(
                queue.redrive, lambda letter: conversation is None or letter.conversation == conversation
            )
            ui.notify(words("queues.redriven", count=count), type="positive")
        finally:
            waiting.dismiss()
            self._busy = False
        await self.refresh()


def _figure(count: int, label: str, look: str) -> None:
    with html.div().classes(f"figure {look}"):
        html.span(str(count)).classes("figure-count")
        html.span(label).classes("quiet")
