"""The webhook posts of the simulated WhatsApp: signed, escaped like Meta's, and repeated until they are answered with 200."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httpx
from msgspec import Struct

from pytake.whatsapp.signature import sign

Json = dict[str, Any]
Sleep = Callable[[float], Awaitable[None]]

ACCOUNT_ID = "100000000000000"
MAX_WAITING = 10_000  # posts; Meta stores them for days, here they are in memory
MAX_STATUSES = 500  # in one post
_MAX_CONCURRENT_POSTS = 32
_MAX_WAIT_SECONDS = 60.0

logger = logging.getLogger(__name__)


class WebhookCounters(Struct):
    """The body of `GET /_sim/webhooks`: posts answered with 200, failed attempts, posts that wait or were given up."""

    delivered: int = 0
    failed_tries: int = 0
    waiting: int = 0
    given_up: int = 0
    last_failure: str = ""


def encode_as_meta(document: Json) -> bytes:
    """Encode JSON as Meta does: non-ASCII characters and slashes are escaped."""
    return json.dumps(document, separators=(",", ":")).replace("/", "\\/").encode()


def notification(phone_number_id: str, display_phone_number: str, value: Json, field: str = "messages") -> Json:
    """A notification with one change of a number."""
    metadata = {"display_phone_number": display_phone_number, "phone_number_id": phone_number_id}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    return _notification({"id": ACCOUNT_ID}, field, value)


def account_notification(waba_id: str, field: str, value: Json, time: float) -> Json:
    """A notification with one change of a WhatsApp Business account; it has the time, which those of a number have not."""
    return _notification({"id": waba_id, "time": int(time)}, field, value)


def _notification(entry: Json, field: str, value: Json) -> Json:
    changes = [{"value": value, "field": field}]
    return {"object": "whatsapp_business_account", "entry": [{**entry, "changes": changes}]}


class Webhooks:
    """Posts notifications in the background; callers do not wait for the response.

    A post that is not answered with exactly 200 is repeated in full after 1, 2, 4 … 60 seconds, for `retry_seconds`
    (Meta: at least 36 hours).
    """

    def __init__(
        self,
        url: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Sleep = asyncio.sleep,
        retry_seconds: float = 36 * 3600.0,
    ) -> None:
        self.counters = WebhookCounters()
        self.url = url
        self._sleep = sleep
        self._retry_seconds = retry_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(_MAX_CONCURRENT_POSTS)
        # Meta waits some seconds; a cold start in the local cloud may take longer.
        self._client = httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(20.0, connect=5.0), trust_env=False)

    def post(
        self,
        app_secret: str,
        document: Json,
        *,
        times: int = 1,
        order_lock: asyncio.Lock | None = None,
        on_delivered: Callable[[], None] | None = None,
    ) -> None:
        """Post a notification `times` times and call `on_delivered` after each 200.

        The first attempts of posts that share `order_lock` happen in order; a failed one does not delay the next.
        """
        body = encode_as_meta(document)
        if self.counters.waiting >= MAX_WAITING:
            self.counters.given_up += times
            return
        for _ in range(times):
            self.counters.waiting += 1
            self.start(self._deliver(body, sign(app_secret, body), order_lock, on_delivered))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` in the background until it ends or `close` cancels it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Return when no post is in progress or waits for a retry."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Cancel all posts."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    async def _deliver(
        self, body: bytes, signature: str, order_lock: asyncio.Lock | None, on_delivered: Callable[[], None] | None
    ) -> None:
        try:
            async with order_lock or contextlib.nullcontext():
                delivered = await self._try(body, signature)
            wait, waited = 1.0, 0.0
            while not delivered:
                if waited >= self._retry_seconds:
                    self.counters.given_up += 1
                    return
                await self._sleep(wait)
                waited += wait
                wait = min(2 * wait, _MAX_WAIT_SECONDS)
                delivered = await self._try(body, signature)
            self.counters.delivered += 1
            if on_delivered:
                on_delivered()
        finally:
            self.counters.waiting -= 1

    async def _try(self, body: bytes, signature: str) -> bool:
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": signature,
            "User-Agent": "facebookexternalua",
        }
        try:
            async with self._at_once:
                response = await self._client.post(self.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            return self._failed(f"{type(error).__name__} {error}".strip())
        if response.status_code == httpx.codes.OK:
            return True
        return self._failed(f"HTTP {response.status_code} {response.text[:200]}".strip())

    def _failed(self, reason: str) -> bool:
        self.counters.failed_tries += 1
        self.counters.last_failure = reason
        logger.warning("The webhook did not answer 200: %s", reason)
        return False


class StatusBatches:
    """Collects statuses for `seconds` and posts them together, as Meta does under load."""

    def __init__(
        self, post: Callable[[str, list[Json]], None], webhooks: Webhooks, sleep: Sleep, seconds: float
    ) -> None:
        self._post = post
        self._webhooks = webhooks
        self._sleep = sleep
        self._seconds = seconds
        self._collected: dict[str, list[Json]] = {}

    def add(self, phone_number_id: str, statuses: list[Json], delay: float = 0.0) -> None:
        """Add statuses of one number to its next post, `delay` seconds from now."""
        if delay:
            self._webhooks.start(self._later(phone_number_id, statuses, delay))
            return
        collected = self._collected.get(phone_number_id)
        if collected is not None:
            collected.extend(statuses)
            return
        self._collected[phone_number_id] = list(statuses)
        self._webhooks.start(self._flush(phone_number_id))

    async def _later(self, phone_number_id: str, statuses: list[Json], delay: float) -> None:
        await self._sleep(delay)
        self.add(phone_number_id, statuses)

    async def _flush(self, phone_number_id: str) -> None:
        await self._sleep(self._seconds)
        collected = self._collected.pop(phone_number_id)
        for at in range(0, len(collected), MAX_STATUSES):
            self._post(phone_number_id, collected[at : at + MAX_STATUSES])
