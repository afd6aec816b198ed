"""Operator events: a log line and an EventBridge event each."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from pytake.conversation.ports import OperatorEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "pytake"


class EventBridgeOperatorEvents:
    """Implements `pytake.conversation.ports.OperatorEvents`. The client is made at the first event: most workers need none."""

    def __init__(self, client: Callable[[], "EventBridgeClient"], bus_name: str, logger: Logger) -> None:
        self._client = client
        self._bus_name = bus_name
        self._logger = logger

    def publish(self, event: OperatorEvent) -> None:
        self._logger.warning(event.type, organization_id=event.organization_id, detail=event.detail)
        detail = {"organization_id": event.organization_id, **event.detail}
        try:
            answer = self._client().put_events(
                Entries=[
                    {
                        "Source": SOURCE,
                        "DetailType": event.type,
                        "Detail": msgspec.json.encode(detail).decode(),
                        "EventBusName": self._bus_name,
                    }
                ]
            )
        except (BotoCoreError, ClientError) as error:
            # The log line above is already with the operator; a message must not fail because the news of it did.
            self._logger.error("operator_event_not_published", event_type=event.type, error=type(error).__name__)
            return
        if answer["FailedEntryCount"]:
            code = answer["Entries"][0].get("ErrorCode")
            self._logger.error("operator_event_not_published", event_type=event.type, error=code)
