"""A simulated WhatsApp with a frozen clock and a webhook that records its posts."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from starlette.applications import Starlette

from local.graph_simulator import GraphSimulator, NumberCredentials, TrafficLimits
from pytake.whatsapp.inbound import Change, read_notification
from pytake.whatsapp.signature import verify

NUMBER = "100000000000001"
SECRET = "app-secret"
TOKEN = "access-token"
ANA = "5511987654321"
CREDENTIALS = NumberCredentials(SECRET, TOKEN, "+55 11 4000-0001")
START = 1_794_000_000.0

Json = dict[str, Any]


class SimulatorHarness:
    """The simulator behind its routes; the test controls everything around it."""

    def __init__(self, **settings: Any) -> None:
        self.now = START
        self.posts: list[bytes] = []
        self.answers: list[int] = []
        self.slept: list[float] = []
        self._ids = 0
        self.simulator = GraphSimulator(
            "http://webhook.example/api/v1/whatsapp/webhook",
            {NUMBER: CREDENTIALS},
            **{
                "clock": lambda: self.now,
                "sleep": self._sleep,
                "new_id": self._new_id,
                "transport": httpx.MockTransport(self._webhook),
                "status_seconds": 0.0,
                **settings,
            },
        )
        self.app = Starlette(routes=self.simulator.routes())
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://local.example")

    async def send(
        self, message: Json, to: str = f"+{ANA}", token: str = TOKEN, number: str = NUMBER
    ) -> httpx.Response:
        """Send as a business."""
        payload = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": to, **message}
        return await self.graph(payload, token, number)

    async def graph(self, payload: Any, token: str = TOKEN, number: str = NUMBER) -> httpx.Response:
        """Post to the Graph API."""
        headers = {"Authorization": f"Bearer {token}"}
        return await self.client.post(f"/_graph/v25.0/{number}/messages", json=payload, headers=headers)

    async def write(self, action: Json, phone: str = ANA) -> httpx.Response:
        """Write as a person."""
        return await self.client.post(f"/_sim/phones/{phone}/messages", json=action)

    async def write_text(self, text: str = "oi", phone: str = ANA) -> None:
        """Write a text as a person, which opens the window, and clear the recorded posts."""
        assert (await self.write({"text": text}, phone)).status_code == 202
        await self.simulator.idle()
        self.posts.clear()

    async def screen(self, phone: str = ANA, query: str = "") -> list[Json]:
        """What is on a phone."""
        messages: list[Json] = (await self.client.get(f"/_sim/phones/{phone}/messages{query}")).json()["messages"]
        return messages

    async def webhook_changes(self) -> list[Change]:
        """The changes in all posts, once everything has arrived; every post is signed by the number."""
        await self.simulator.idle()
        return [change for body in self.posts for change in read_notification(body).changes]

    async def statuses(self) -> list[Json]:
        """The statuses in all posts."""
        return [status for change in await self.webhook_changes() for status in change.statuses]

    async def _webhook(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        assert verify(body, request.headers["x-hub-signature-256"], [SECRET])
        json.loads(body)
        status = self.answers.pop(0) if self.answers else 200
        self.posts.append(body)
        return httpx.Response(status, json={"status": "received"})

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self._ids:012x}"


def run_scenario(scenario: Callable[[SimulatorHarness], Awaitable[None]], **settings: Any) -> None:
    """Run a scenario with a new simulator."""

    async def run() -> None:
        world = SimulatorHarness(**settings)
        await world.simulator.start()
        try:
            async with world.client:
                await scenario(world)
        finally:
            await world.simulator.stop()

    asyncio.run(run())


def text(body: str = "Olá") -> Json:
    """A text message."""
    return {"type": "text", "text": {"body": body}}


def buttons(*choices: tuple[str, str], body: str = "Escolha") -> Json:
    """A message with reply buttons."""
    replies = [{"type": "reply", "reply": {"id": choice, "title": title}} for choice, title in choices]
    return interactive({"type": "button", "body": {"text": body}, "action": {"buttons": replies}})


def options(*rows: Json, **more: Any) -> Json:
    """A list message."""
    action = {"button": "Ver", "sections": [{"rows": list(rows)}]}
    return interactive({"type": "list", "body": {"text": "Escolha"}, "action": action, **more})


def interactive(content: Json) -> Json:
    """An interactive message."""
    return {"type": "interactive", "interactive": content}


__all__ = [
    "ANA",
    "CREDENTIALS",
    "NUMBER",
    "SECRET",
    "TOKEN",
    "SimulatorHarness",
    "TrafficLimits",
    "buttons",
    "interactive",
    "options",
    "run_scenario",
    "text",
]
