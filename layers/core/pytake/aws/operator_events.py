"""Operator events: each is a log line, which is also a CloudWatch metric, and an EventBridge event."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.messaging import OperatorEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "pytake"
NAMESPACE = "PyTake"
"""The namespace of the metric OperatorEvents, by stage and type. The template's alarms watch some types."""


PUBLISHED_AS_BUSINESS_EVENTS = frozenset(("delivery.failed",))
"""Types that `pytake.aws.event_bus` publishes, at least once and with all fields. Here they are only logged and counted."""


class EventBridgeOperatorEvents:
    """Implements `pytake.conversation.ports.messaging.OperatorEvents`.

    The first event creates the client: most workers need none.
    """

    def __init__(
        self, client: Callable[[], "EventBridgeClient"], bus_name: str, logger: Logger, stage: str, clock: Clock
    ) -> None:
        self._client = client
        self._bus_name = bus_name
        self._logger = logger
        self._stage = stage
        self._clock = clock

    def publish(self, event: OperatorEvent) -> None:
        # The log line is also a metric (CloudWatch's embedded metric format): one write, so neither is lost without the other.
        metric = {"Namespace": NAMESPACE, "Dimensions": [["stage", "type"]], "Metrics": [{"Name": "OperatorEvents"}]}
        self._logger.warning(
            event.type,
            organization_id=event.organization_id,
            detail=event.detail,
            stage=self._stage,
            type=event.type,
            OperatorEvents=1,
            _aws={"Timestamp": int(self._clock() * 1000), "CloudWatchMetrics": [metric]},
        )
        if event.type in PUBLISHED_AS_BUSINESS_EVENTS:
            return
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
            # The operator already has the log line above. A message must not fail because its event did.
            self._logger.error("operator_event.not_published", event_type=event.type, error=type(error).__name__)
            return
        if answer["FailedEntryCount"]:
            code = answer["Entries"][0].get("ErrorCode")
            self._logger.error("operator_event.not_published", event_type=event.type, error=code)
