"""People's phones, played through `/_sim`: what is on their screens, and what they do."""

from dataclasses import dataclass
from typing import Any

import httpx

Json = dict[str, Any]


class PhoneProblem(Exception):  # noqa: N818  shown to the user of a phone
    """The simulator refused; the message says what would make sense."""


@dataclass(frozen=True)
class Screen:
    """The messages of a phone since some message, and whether the business is typing."""

    entries: list[Json]
    typing: bool


class SimulatedPhones:
    """The phones of one local cloud."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Play them through the connections of `client`, whose base address is the local cloud's."""
        self._client = client

    async def screen(self, phone: str, after: int = 0) -> Screen:
        """Return what is on a phone after the message with this `seq`."""
        answer = await self._ask("GET", f"/phones/{phone}/messages", params={"after": after})
        return Screen(answer["messages"], bool(answer["typing"]))

    async def act(self, phone: str, action: Json) -> Json:
        """Let the person do something: `text`, `reply_id`, `media`, `location` or `form`, as `POST /_sim/…/messages` takes it."""
        return await self._ask("POST", f"/phones/{phone}/messages", json=action)

    async def read(self, phone: str) -> None:
        """Let the person see everything that came."""
        await self._ask("POST", f"/phones/{phone}/read")

    async def forget(self, phone: str) -> None:
        """Delete all messages of a phone."""
        await self._client.delete(f"/_sim/phones/{phone}")

    async def numbers(self) -> list[Json]:
        """Return the business numbers that can be written to."""
        found: list[Json] = (await self._ask("GET", "/numbers"))["numbers"]
        return found

    async def exchanges(self, phone: str, after: int = 0) -> list[Json]:
        """Return the webhook posts and Graph API requests about a phone since `after`, a `seq`."""
        answer = await self._ask("GET", "/exchanges", params={"phone": phone, "after": after})
        found: list[Json] = answer["exchanges"]
        return found

    async def _ask(self, method: str, path: str, **options: Any) -> Json:
        try:
            answer = await self._client.request(method, f"/_sim{path}", **options)
        except httpx.HTTPError as error:
            raise PhoneProblem(str(error) or type(error).__name__) from error
        if not answer.is_success:
            try:
                raise PhoneProblem(answer.json()["error"]["message"])
            except (ValueError, KeyError, TypeError):
                raise PhoneProblem(f"HTTP {answer.status_code}") from None
        found: Json = answer.json()
        return found
