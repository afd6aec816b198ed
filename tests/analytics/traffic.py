"""Months of conversations through the real use cases, on fakes and by chance of a seed: the records that reports count.

Time goes in steps; at each, something is due or a person writes: people who answer, stop answering, answer nonsense, ask
for a human, restart, opt out; agents who answer, close and resume; versions that change; failed statuses.
"""

import random
from typing import Any

from pytake.conversation.agent_messaging import OptedOutError, WindowClosedError
from pytake.conversation.lake_events import LakeEvent, events_of
from pytake.conversation.records import ConversationKey, TurnRecord
from pytake.whatsapp.outbound import Text
from tests.conversation.product import Product
from tests.fakes.lake import MemoryEventLog

HOUR = 3600
NUMBERS = {"acme": "100000000000001", "zoo": "100000000000002"}

SURVEY: dict[str, Any] = {
    "format": 1,
    "id": "survey",
    "name": "Survey",
    "language": "en",
    "start_node_id": "start",
    "nodes": [
        {"id": "start", "type": "start", "data": {"next_node_id": "stars"}},
        {
            "id": "stars",
            "type": "question",
            "data": {
                "question": "How many stars?",
                "variable": "stars",
                "validation": {"type": "number", "min": 1, "max": 5},
                "max_attempts": 3,
                "next_node_id": "thanks",
            },
        },
        {"id": "thanks", "type": "message", "data": {"text": "Thanks!"}},
    ],
}


def shop(version: int) -> dict[str, Any]:
    """The main flow; its second version asks one thing more."""
    more = [
        {
            "id": "city",
            "type": "question",
            "data": {"question": "Which city?", "variable": "city", "next_node_id": "rate"},
        }
    ]
    return {
        "format": 1,
        "id": "shop",
        "name": "Shop",
        "language": "en",
        "start_node_id": "start",
        "nodes": [
            {"id": "start", "type": "start", "data": {"greeting": "Hello!", "next_node_id": "test"}},
            {
                "id": "test",
                "type": "random",
                "data": {
                    "paths": [
                        {"id": "a", "weight": 1, "next_node_id": "menu"},
                        {"id": "b", "weight": 1, "next_node_id": "picture"},
                    ]
                },
            },
            {
                "id": "picture",
                "type": "message",
                "data": {"media": {"type": "image", "link": "https://example.com/a.png"}, "next_node_id": "menu"},
            },
            {
                "id": "menu",
                "type": "message",
                "data": {
                    "text": "What do you want?",
                    "buttons": [
                        {"label": "Buy", "value": "buy", "next_node_id": "city" if version > 1 else "rate"},
                        {"label": "Seller", "value": "seller", "next_node_id": "person"},
                        {"label": "Later", "value": "later", "next_node_id": "later"},
                    ],
                },
            },
            *(more if version > 1 else []),
            {
                "id": "rate",
                "type": "jump",
                "data": {"target_flow_id": "survey", "return_to_parent": True, "next_node_id": "more"},
            },
            {
                "id": "more",
                "type": "question",
                "data": {
                    "question": "Anything else?",
                    "variable": "more",
                    "timeout_seconds": 3600,
                    "timeout_next_node_id": "bye",
                    "next_node_id": "menu",
                },
            },
            {"id": "later", "type": "delay", "data": {"seconds": 7200, "next_node_id": "menu"}},
            {"id": "person", "type": "handoff", "data": {"message": "One moment."}},
            {"id": "bye", "type": "end", "data": {"message": "Bye!"}},
        ],
    }


ECHO: dict[str, Any] = {**SURVEY, "id": "echo", "name": "Echo"}

ANSWERS = [
    "Hi", "buy", "later", "seller", "3", "5", "9", "yes", "Lisbon", "restart", "human", "stop", "nonsense", "",
]  # fmt: skip
WEIGHTS = [6, 12, 2, 2, 10, 10, 4, 6, 4, 1, 0.5, 0.5, 2, 0.3]


class Traffic:
    """Organizations with their conversations, and the events of them in the lake."""

    def __init__(self, seed: int, days: int, begin: float = 1_772_323_200.0) -> None:
        """Let people talk for so many days from 2026-03-01 on."""
        self.chance = random.Random(seed)  # noqa: S311
        self.product = product = Product()
        self.clock = product.clock
        self.clock.now = begin
        self.desk = product.agent_messaging()
        for organization_id, number in NUMBERS.items():
            product.publish(organization_id, SURVEY)
            product.publish(organization_id, ECHO)
            product.add_organization(organization_id, number, shop(1), keywords={"survey": "echo"})
        self.log = MemoryEventLog(product.conversations, product.deliveries)
        self.people = [f"55119{number:08d}" for number in range(60)]
        self._talk(days)

    def _talk(self, days: int) -> None:
        end = self.clock.now + days * 24 * HOUR
        half = self.clock.now + days * 12 * HOUR
        while self.clock.now < end:
            if half and self.clock.now > half:
                half = 0
                for organization_id in NUMBERS:
                    self.product.publish(organization_id, shop(2))
            self.product.fire_due_timers()
            self.product.run_queues()
            self._somebody_writes()
            self._statuses()
            self.clock.forward(self.chance.choice([1, 5, 20, 60, 300, 900, 3 * HOUR, 9 * HOUR, 20 * HOUR]))

    def _somebody_writes(self) -> None:
        chance = self.chance
        organization_id = chance.choices(["acme", "zoo"], [5, 1])[0]
        phone = chance.choice(self.people if chance.random() < 0.3 else self.people[:5])
        key = ConversationKey(organization_id, NUMBERS[organization_id], phone)
        known = self.product.conversations.load(key)
        session = known.open_session(self.clock()) if known else None
        if session is not None and session.human and chance.random() < 0.6:
            self._agent(key)
            return
        if session is None and chance.random() < 0.1:
            self._say(key, "survey")
            return
        if session is not None and chance.random() < 0.03:
            self._agent(key)
            return
        for _ in range(chance.choice([1, 2, 4, 6, 12, 25])):
            text = chance.choices(ANSWERS, WEIGHTS)[0]
            if text:
                self._say(key, text)
            else:  # a kind of message that is for no bot
                reaction = {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍"}}
                self._say(key, "", **reaction)
            self.clock.forward(chance.choice([0.25, 2, 10, 45, 400]))
            self.product.fire_due_timers()
            self.product.run_queues()

    def _say(self, key: ConversationKey, text: str, **content: Any) -> None:
        message = self.product.message(text, key.contact_id, **content)
        self.product.post(self.product.notification(message, number=key.phone_number_id))
        self.product.run_queues()

    def _agent(self, key: ConversationKey) -> None:
        action = self.chance.choice(["send", "send", "send", "close", "resume"])
        try:
            if action == "send":
                self.desk.send(key, Text("Hello"), "agent", f"{self.clock()}")
            elif action == "close":
                self.desk.close(key, "agent")
            else:
                self.desk.resume(key, "agent")
        except (WindowClosedError, OptedOutError):
            return
        self.product.run_queues()

    def _statuses(self) -> None:
        for place, entry in list(self.product.deliveries.entries.items())[-3:]:
            if entry.status is None and self.chance.random() < 0.5:
                status = self.chance.choice(["delivered", "read", "failed"])
                self.product.deliveries.record_status(
                    *place, send=entry.sends, status=status, at=self.clock(), message_id=None, code=131026
                )

    def records(self, organization_id: str) -> list[tuple[ConversationKey, TurnRecord]]:
        """The audit records of an organization, one conversation after the other, each in order."""
        return [
            (key, record)
            for key, records in sorted(self.product.conversations.records.items())
            if key.organization_id == organization_id
            for _, record in sorted(records.items())
        ]

    def events(self, organization_id: str) -> list[LakeEvent]:
        """All events of an organization in the lake."""
        told: list[LakeEvent] = []
        deliveries = {key: self.product.deliveries.of_conversation(key) for key in self.product.conversations.records}
        for key, record in self.records(organization_id):
            names = self.log.pseudonyms(organization_id, [key.contact_id], 0)[key.contact_id]
            told += events_of(key, record, deliveries[key], names)
        return told
