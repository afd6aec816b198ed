"""Generated histories of people whose identities appear, disappear and change, against a model of who they are.

Workers process the queue groups in any order, overtake each other inside a turn, and die before and after each write. Messages
are delivered again. In the end each person has one contact, one conversation per number, one pseudonym and one opt-out.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from pytake.contacts.identities import sender_of
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.queues import InboundItem
from pytake.conversation.records import ConversationKey
from tests.conversation.product import ECHO_FLOW, Product
from tests.fakes.lake import MemoryEventLog

NUMBERS = ("100000000000001", "100000000000002")
HISTORIES = 200
PARTS = 8


class WorkerDiedError(Exception):
    """The worker died before or after a write."""


class Human:
    """A person as the model knows them: what they are called now, and everything they were called."""

    def __init__(self, name: int) -> None:
        self.name = name
        self.changes = 0
        self.ids: set[str] = set()
        self.rename()

    def rename(self) -> None:
        self.phone = f"5511{self.name}{self.changes:03d}12345"[:13]
        self.user_id = f"BR.{self.name}x{self.changes}"
        self.changes += 1
        self.ids |= {self.phone, self.user_id}


class History:
    """One history: what people do, and what the workers make of it."""

    def __init__(self, seed: int, numbers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.numbers = numbers
        self.product = Product()
        self.product.add_organization("acme", numbers[0], ECHO_FLOW)
        for number in numbers[1:]:
            self.product.add_organization("acme", number, None)
        self.people = [Human(name) for name in (10, 20, 30)]
        self.posts: list[dict[str, Any]] = []
        self.groups: dict[ConversationKey, list[InboundItem]] = {}
        self.late: list[tuple[Human, dict[str, Any], str]] = []
        self.opted_out: dict[str, bool] = {}
        self.answers: list[tuple[str, int, bool]] = []
        """Who answered what: an id, when, and whether it was a stop."""
        self.owner: dict[str, str] = {}
        self.taken: set[str] = set()
        self.racing = False
        self._messages = 0
        conversations = self.product.conversations
        for port, name in (
            (conversations, "commit"),
            (conversations, "merge"),
            (conversations.aliases, "merge"),
            (conversations.aliases, "finish_merge"),
            (self.product.contacts, "merge"),
        ):
            monkeypatch.setattr(port, name, self._unreliable(getattr(port, name)))

    def _unreliable(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def unreliable(*arguments: Any, **named: Any) -> Any:
            if not self.racing and self.chance.random() < 0.2:
                self.racing = True  # another worker is quicker
                try:
                    self.work(steps=1)
                finally:
                    self.racing = False
            dies = self.chance.random()
            if dies < 0.05:
                raise WorkerDiedError
            result = act(*arguments, **named)
            if dies < 0.1:
                raise WorkerDiedError
            return result

        return unreliable

    def say(self, human: Human, text: str, **content: Any) -> None:
        """The person writes under some of their identities."""
        phone, user_id = self.chance.choice(
            [(human.phone, None), (human.phone, human.user_id), (None, human.user_id), (human.phone, human.user_id)]
        )
        self.post(self.message(phone, user_id, **(content or {"type": "text", "text": {"body": text}})))

    def message(self, phone: str | None, user_id: str | None, **content: Any) -> dict[str, Any]:
        self._messages += 1
        sender = {key: value for key, value in (("from", phone), ("from_user_id", user_id)) if value}
        base = {"id": f"wamid.{self._messages}", "timestamp": str(int(self.product.clock.now))}
        return base | sender | content

    def post(self, message: dict[str, Any], number: str | None = None) -> None:
        body = self.product.notification(number=number or self.chance.choice(self.numbers))
        body["entry"][0]["changes"][0]["value"]["messages"] = [message]
        self.posts.append(body)
        self.deliver(body)

    def deliver(self, body: dict[str, Any]) -> None:
        """Meta's post arrives, perhaps not for the first time."""
        self.product.queues.forget_deduplication()
        self.product.post(body)
        while self.product.queues.inbound:
            item = self.product.queues.inbound.pop(0)
            self.groups.setdefault(item.group, []).append(item)

    def change(self, human: Human) -> None:
        """The phone number and the user id change. Meta reports it once or twice, in any order, now or later."""
        self.work()  # what was written before is processed before: otherwise it may be from the number's next owner
        before, user_before = human.phone, human.user_id
        human.rename()
        system = {"type": "user_changed_user_id", "user_id": human.user_id, "wa_id": human.phone}
        named = [{"previous_user_id": user_before}, {"body": f"User x changed from {user_before} to {human.user_id}"}]
        # At least one report names who changed: otherwise nothing says that it is the same person.
        reports = [
            self.message(before, None, type="system", system=system | self.chance.choice(named)),
            self.message(before, user_before, type="system", system=system | {"type": "user_changed_number"}),
            self.message(before, None, type="system", system=system),
        ]
        if self.chance.random() < 0.5:
            del reports[self.chance.randrange(2)]
        for report in self.chance.sample(reports, len(reports)):
            if self.chance.random() < 0.5:
                self.post(report)
            else:
                self.late.append((human, report, self.chance.choice(self.numbers)))

    def work(self, steps: int | None = None) -> None:
        """Workers take turns, group by group in any order."""
        while self.groups and steps != 0:
            steps = steps - 1 if steps is not None else None
            group = self.chance.choice(sorted(self.groups))
            items = self.groups.pop(group)  # a group is in progress in one worker only
            before = len(items)
            try:
                self.product.take_turn(items[0])
                before -= 1
            except (WorkerDiedError, ConflictError):
                pass  # the item comes back, perhaps after it took its turn
            self.record(items[0])
            items = items[len(items) - before :]
            if items:
                self.groups[group] = items + self.groups.pop(group, [])

    def record(self, item: InboundItem) -> None:
        """What the model expects of the opt-out after a message was processed."""
        records = self.product.conversations.records.values()
        took_turn = any(one.message_id == item.message_id for of_key in records for one in of_key.values())
        if item.message_id in self.taken or not took_turn:
            return
        self.taken.add(item.message_id)
        sender = sender_of(item.contact_id, item.user_id, None, None, item.message)
        owners = {self.owner.get(id_, id_) for id_ in sender.ids}
        out = any(self.opted_out.get(owner, False) for owner in owners)
        kept = min(owners)
        self.owner |= dict.fromkeys(sender.ids, kept)
        self.owner |= {id_: kept for id_, owner in self.owner.items() if owner in owners}
        text = item.message.get("text", {}).get("body")
        answered = text is not None or item.message.get("type") == "contacts"
        self.opted_out[kept] = text == "stop" if answered else out
        if answered:
            self.answers.append((kept, int(item.message["timestamp"]), text == "stop"))

    def play(self, actions: int) -> None:
        for _ in range(actions):
            human = self.chance.choice(self.people)
            match self.chance.choice(["say", "say", "say", "stop", "change", "late", "again", "work", "share"]):
                case "say":
                    self.say(human, "Hi")
                case "stop":
                    self.say(human, "stop")
                case "change":
                    self.change(human)
                case "late" if self.late:
                    _, report, number = self.late.pop(self.chance.randrange(len(self.late)))
                    self.post(report, number)
                case "again" if self.posts:
                    self.deliver(self.chance.choice(self.posts))
                case "share":
                    card = {"phones": [{"wa_id": human.phone}]}
                    content = {"type": "contacts", "origin": "contact_request", "contacts": [card]}
                    self.post(self.message(None, human.user_id, **content))
                case _:
                    self.work()
                    self.product.clock.forward(60)
        self.work()
        for _, report, number in self.late:
            self.post(report, number)
        self.work()
        for human in self.people:  # a reaction says who the person is, and answers nothing
            for number in self.numbers:
                content = {"type": "reaction", "reaction": {"message_id": "x", "emoji": "👍"}}
                self.post(self.message(human.phone, human.user_id, **content), number)
        self.work()


@pytest.mark.parametrize("part", range(PARTS))
def test_a_person_is_one_contact_with_one_pseudonym_and_one_opt_out(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(part, HISTORIES, PARTS):
        with monkeypatch.context() as patch:
            history = History(seed, NUMBERS[: 1 + seed % 2], patch)
            history.play(actions=12)
        check(history, f"seed {seed}")


@pytest.mark.parametrize("seed", [5443, 5878])
def test_a_merge_is_finished_that_a_message_caused_without_naming_who_goes(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker dies before the conversations at the message's number are one. Its repetition shows nothing of the merge."""
    with monkeypatch.context() as patch:
        history = History(seed, NUMBERS[: 1 + seed % 2], patch)
        history.play(actions=20)
    check(history, f"seed {seed}")


def check(history: History, seed: str) -> None:
    conversations = history.product.conversations
    log = MemoryEventLog(conversations, history.product.deliveries)
    contacts: dict[str, int] = {}
    for human in history.people:
        found = conversations.aliases.find("acme", sorted(human.ids)).aliases
        (contact_id,) = {alias.contact_id for alias in found.values()} or {None}
        assert contact_id is not None, f"{seed}: the person is unknown"
        assert contacts.setdefault(contact_id, human.name) == human.name, f"{seed}: two people are one contact"
        alias = found.get(contact_id)
        assert alias is None or not alias.merging, f"{seed}: a merge is not finished"
        mine = {key for key in conversations.stored if key.contact_id in human.ids}
        live = {key for key in mine if conversations.stored[key].merged_into is None}
        assert live == {ConversationKey("acme", number, contact_id) for number in history.numbers}, seed
        names = log.pseudonyms("acme", {key.contact_id for key in mine}, 0)
        assert len({one.contact for one in names.values()}) == 1, f"{seed}: the lake knows two people"
        sessions: dict[str, set[str]] = {}
        for key in mine:
            for record in filter(lambda one: one.session_id, conversations.records[key].values()):
                sessions.setdefault(record.session_id, set()).add(names[key.contact_id].of_session(record.session_id))
        assert all(len(of_session) == 1 for of_session in sessions.values()), f"{seed}: the lake knows a session twice"
        owner = history.owner[contact_id]
        answers = [(at, stop) for id_, at, stop in history.answers if history.owner[id_] == owner]
        latest = max((at for at, _ in answers), default=0)
        consent = history.product.contacts.load("acme", contact_id).consent_to("service").state
        expected = history.opted_out[owner]
        # Of messages to several numbers, the last one that was processed may not be the last one that was written.
        last_words = {expected, *(stop for at, stop in answers if at == latest)}
        assert (consent == "withdrawn") in last_words, f"{seed}: the consent is not the person's"
        states = {conversations.stored[key].opted_out for key in live}
        assert states == {consent == "withdrawn"}, f"{seed}: the opt-out does not hold at every number"
    listed = {place.contact_id for place in history.product.contacts.listed("acme")}
    assert listed == set(contacts), f"{seed}: the list of contacts shows someone else"
    ids = [record.message_id for of_key in conversations.records.values() for record in of_key.values()]
    messages = [id_ for id_ in ids if id_ is not None]
    assert len(messages) == len(set(messages)), f"{seed}: a message took two turns"
