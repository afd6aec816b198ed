"""Business events on EventBridge."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from pytake.aws.operator_events import SOURCE
from pytake.conversation.business_events import BusinessEvent, type_of
from pytake.conversation.ports.common import Clock

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

BATCH_ENTRIES, BATCH_BYTES = 10, 240_000
"""PutEvents takes ten entries and 256 KB."""

PAUSE_SECONDS = 30
"""The pause after a failure. The events wait in the table meanwhile, and nothing waits for them."""


class EventBridgeBus:
    """Implements `pytake.conversation.ports.messaging.EventBus`. The client is made at the first event."""

    def __init__(
        self, client: Callable[[], "EventBridgeClient"], bus_name: str, logger: Callable[[], Logger], clock: Clock
    ) -> None:
        self._client = client
        self._bus_name = bus_name
        self._logger = logger
        self._clock = clock
        self._paused_until = 0.0

    def put(self, events: Sequence[BusinessEvent]) -> bool:
        if self._clock() < self._paused_until:
            return False
        for batch in _batches([self._entry(event) for event in events]):
            try:
                answer = self._client().put_events(Entries=batch)
                refused = answer["FailedEntryCount"]
                code = next((entry.get("ErrorCode") for entry in answer["Entries"] if entry.get("ErrorCode")), None)
            except (BotoCoreError, ClientError) as error:
                refused, code = len(batch), type(error).__name__
            if refused:
                self._paused_until = self._clock() + PAUSE_SECONDS
                self._logger().error("event.not_published", events=refused, error=code)
                return False
        return True

    def _entry(self, event: BusinessEvent) -> dict[str, Any]:
        detail = msgspec.to_builtins(event)
        return {
            "Source": SOURCE,
            "DetailType": type_of(event),
            "Detail": msgspec.json.encode(detail).decode(),
            "EventBusName": self._bus_name,
        }


def _batches(entries: list[dict[str, Any]]) -> list[list[Any]]:
    batches: list[list[Any]] = []
    size = 0
    for entry in entries:
        length = len(entry["Detail"].encode())
        if not batches or len(batches[-1]) == BATCH_ENTRIES or size + length > BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(entry)
        size += length
    return batches
