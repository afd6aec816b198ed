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
        client = self.client
        for decorator in (
            *(client.on_message, client.on_edited_message, client.on_deleted_message),
            *(client.on_outgoing_message, client.on_outgoing_deleted_message),
            *(client.on_callback_button, client.on_callback_selection, client.on_flow_completion),
            *(client.on_message_status, client.on_phone_number_change, client.on_identity_change),
            *(client.on_user_marketing_preferences, client.on_account_update),
            *(client.on_template_status_update, client.on_template_quality_update),
            client.on_template_category_update,
        ):
            decorator()(self._keep)

    async def _keep(self, _: WhatsApp, update: Any) -> None:
        self.read.append(update)

    async def reads(self, posts: list[bytes]) -> list[Any]:
        """What it makes of webhook posts."""
        for body in posts:
            await self.client.webhook_update_handler(body)
        return self.read
