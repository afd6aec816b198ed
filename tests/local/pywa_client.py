"""pywa, a client of the Cloud API that other people wrote, before the simulated WhatsApp."""

from typing import Any

import httpx
from pywa_async import WhatsApp

from tests.local.simulator_harness import NUMBER, TOKEN, SimulatorHarness


class Pywa:
    """pywa before the simulator's Graph API."""

    def __init__(self, world: SimulatorHarness) -> None:
        session = httpx.AsyncClient(transport=httpx.ASGITransport(world.app))
        self.client = WhatsApp(phone_id=NUMBER, token=TOKEN, session=session, server=None, skip_duplicate_updates=False)
        session.base_url = httpx.URL("http://local.example/_graph/v25.0")
        self.read: list[Any] = []
        for decorator in (
            *(self.client.on_message, self.client.on_callback_button, self.client.on_message_status),
            *(self.client.on_template_status_update, self.client.on_template_quality_update),
            self.client.on_template_category_update,
        ):
            decorator()(self._keep)

    async def _keep(self, _: WhatsApp, update: Any) -> None:
        self.read.append(update)

    async def reads(self, posts: list[bytes]) -> list[Any]:
        """What it makes of webhook posts."""
        for body in posts:
            await self.client.webhook_update_handler(body)
        return self.read
