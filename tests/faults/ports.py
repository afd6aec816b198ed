"""The ports of the simulated workers: each call can meet a fault."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from pytake.conversation.business_events import BusinessEvent
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.messaging import OperatorEvent, QueueingFailedError
from pytake.conversation.ports.tenants import TENANT_CACHE_SECONDS
from pytake.conversation.queues import InboundItem, MediaItem, OutboundItem, StatusesItem, digest, group_id
from pytake.conversation.records import (
    ConversationKey,
    Number,
    NumberSecrets,
    Organization,
)
from pytake.conversation.ttl_cache import TtlCache
from pytake.engine import Effect, EffectResult
from pytake.observability import FunctionFailedError
from tests.fakes import SecretsByNumber

if TYPE_CHECKING:
    from tests.faults.world import World


class InjectedError(Exception):
    """A service failed, before or after it did what it was asked."""


EXPECTED = (InjectedError, QueueingFailedError, ConflictError, msgspec.DecodeError, FunctionFailedError)
"""The exceptions that a worker may fail with; any other is a bug. `FunctionFailedError` stands for a logged one."""


class NullLogger:
    """Logs into the trace."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def get_correlation_id(self) -> None: ...

    def set_correlation_id(self, _: str | None) -> None: ...

    def info(self, *_: Any, **__: Any) -> None: ...

    def warning(self, *_: Any, **__: Any) -> None: ...

    def error(self, message: str, **fields: Any) -> None:
        self._world.trace("log.error", message, fields)

    def exception(self, message: str, **_: Any) -> None:
        error = sys.exc_info()[1]
        self._world.trace("log.exception", message, repr(error))
        if not isinstance(error, self._world.expected):
            self._world.surprises.append(f"{message}: {error!r}")


class Guarded:
    """A port whose every call can go wrong, before it has an effect and after."""

    def __init__(self, world: "World", name: str, target: Any) -> None:
        self._world = world
        self._name = name
        self._target = target

    def __getattr__(self, method: str) -> Callable[..., Any]:
        act = getattr(self._target, method)
        call = f"{self._name}.{method}"

        def guarded(*arguments: Any, **named: Any) -> Any:
            return self._world.call(call, lambda: act(*arguments, **named))

        self.__dict__[method] = guarded
        return guarded


class CachedTenants:
    """What one worker process knows of numbers: up to five seconds old, as `pytake.aws.tenants` has it."""

    def __init__(self, tenants: Any, clock: Callable[[], float]) -> None:
        self._tenants = tenants
        self._numbers: TtlCache[Number] = TtlCache(TENANT_CACHE_SECONDS, 100, clock)
        self._organizations: TtlCache[Organization] = TtlCache(TENANT_CACHE_SECONDS, 100, clock)

    def organization(self, organization_id: str) -> Organization | None:
        return self._organizations.get(organization_id, lambda: self._tenants.organization(organization_id))

    def number(self, phone_number_id: str, *, fresh: bool = False) -> Number | None:
        return self._numbers.get(
            phone_number_id, lambda: self._tenants.number(phone_number_id), fresher_than=0 if fresh else None
        )

    def stop_number(self, number: Number, reason: str) -> bool:
        self._numbers.forget(number.phone_number_id)
        return bool(self._tenants.stop_number(number, reason))

    def confirm_stop(self, number: Number, at: float) -> None:
        self._numbers.forget(number.phone_number_id)
        self._tenants.confirm_stop(number, at)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tenants, name)


class CachedSecrets(SecretsByNumber):
    """What one worker process knows of secrets, as `pytake.aws.secrets` keeps them."""

    def __init__(self, secrets: Any, clock: Callable[[], float]) -> None:
        self._secrets = secrets
        self._cache: TtlCache[NumberSecrets] = TtlCache(300, 100, clock)

    def of_number(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> NumberSecrets | None:
        return self._cache.get(
            phone_number_id,
            lambda: self._secrets.of_number(organization_id, phone_number_id),
            fresher_than=10 if fresh else None,
        )


class WorldQueues:
    """The port `Queues` on the simulated SQS."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def put_inbound(self, items: list[InboundItem]) -> None:
        for item in items:  # one by one: a batch may be taken in part
            self._send("inbound", item, group_id(item.group), item.deduplication_id)

    def put_outbound(self, item: OutboundItem) -> None:
        self._send(lane_of(item), item, item.group_id, item.deduplication_id)

    def put_all_outbound(self, items: list[OutboundItem]) -> None:
        for item in items:  # one by one: a batch may be taken in part
            self.put_outbound(item)

    def put_bulk(self, items: list[OutboundItem]) -> list[OutboundItem]:
        refused = []
        for item in items:  # one by one: a batch may be taken in part
            try:
                self.put_outbound(item)
            except QueueingFailedError:
                refused.append(item)
        return refused

    def put_statuses(self, items: list[StatusesItem]) -> None:
        for item in items:
            self._send("statuses", item)

    def put_media(self, item: MediaItem) -> None:
        self._send("media", item)

    def dead_letter(self, item: OutboundItem, reason: str) -> None:
        self._send(f"{lane_of(item)}_dead", item, group_id(item.key), item.deduplication_id, reason=reason)

    def dead_letter_unreadable(self, body: str, group: str, lane: str) -> None:
        queue = self._world.queues[f"{lane}_dead"]
        self._world.call("queues.send", lambda: queue.send(body, group, digest(body), reason="unreadable"))

    def dead_letter_inbound(self, body: str, group: str, reason: str) -> None:
        queue = self._world.queues["inbound_dead"]
        self._world.call("queues.send", lambda: queue.send(body, group, digest(body), reason=reason))

    def postpone_inbound(self, handles: list[str], seconds: int) -> None:
        self._postpone("inbound", handles, seconds)

    def postpone_outbound(self, handles: list[str], seconds: int) -> None:
        self._postpone("outbound", handles, seconds)

    def postpone_bulk(self, handles: list[str], seconds: int) -> None:
        self._postpone("bulk", handles, seconds)

    def postpone_statuses(self, handles: list[str], seconds: int) -> None:
        self._postpone("statuses", handles, seconds)

    def _postpone(self, queue: str, handles: list[str], seconds: int) -> None:
        def change() -> None:
            for handle in handles:
                self._world.queues[queue].change_visibility(handle, seconds)

        self._world.call("queues.postpone", change)

    def _send(self, queue: str, item: Struct, group: str | None = None, id_: str | None = None, **more: str) -> None:
        body = msgspec.json.encode(item).decode()
        try:
            self._world.call("queues.send", lambda: self._world.queues[queue].send(body, group, id_, **more))
        except InjectedError as error:
            raise QueueingFailedError(str(error)) from error


class SqsClient:
    """What `local.dead_letters` uses of boto3's SQS client."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def receive_message(self, QueueUrl: str, MaxNumberOfMessages: int, VisibilityTimeout: int, **_: Any) -> Any:  # noqa: N803
        queue = self._world.queues[QueueUrl]
        found = self._world.call("operator.receive", lambda: queue.receive(MaxNumberOfMessages))
        answer = []
        for message in found:
            queue.change_visibility(message.handle or "", VisibilityTimeout)
            attributes = {"SentTimestamp": str(int(message.sent_at * 1000))}
            if message.group is not None:
                attributes["MessageGroupId"] = message.group
            told = {name: {"StringValue": value} for name, value in message.attributes.items()}
            answer.append(
                {
                    "MessageId": message.id,
                    "Body": message.body,
                    "ReceiptHandle": message.handle,
                    "Attributes": attributes,
                    "MessageAttributes": told,
                }
            )
        return {"Messages": answer}

    def send_message(
        self,
        QueueUrl: str,  # noqa: N803
        MessageBody: str,  # noqa: N803
        MessageGroupId: str | None = None,  # noqa: N803
        MessageDeduplicationId: str | None = None,  # noqa: N803
    ) -> None:
        queue = self._world.queues[QueueUrl]
        self._world.call("operator.send", lambda: queue.send(MessageBody, MessageGroupId, MessageDeduplicationId))

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803
        self._world.call("operator.delete", lambda: self._world.queues[QueueUrl].delete(ReceiptHandle))

    def change_message_visibility(self, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        self._world.queues[QueueUrl].change_visibility(ReceiptHandle, VisibilityTimeout)


def lane_of(item: OutboundItem) -> str:
    return "outbound" if item.campaign is None else "bulk"


class Alarms:
    """The port `OperatorEvents`."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def publish(self, event: OperatorEvent) -> None:
        self._world.hear(event)


class Bus:
    """The port `EventBus`; now and then it refuses."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def put(self, events: list[BusinessEvent]) -> bool:
        if self._world.bus_refuses and self._world.chance.random() < self._world.bus_refuses:
            return False
        self._world.published_events.update(event.id for event in events)
        return True


class Crm:
    """What api_call talks to: its answer is part of the turn's record."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def perform(self, key: ConversationKey, effect: Effect) -> EffectResult:
        def visit() -> EffectResult:
            self._world.effects += 1
            return EffectResult(ok=True, status=200, body={"visit": self._world.effects})

        with self._world.meanwhile():
            result: EffectResult = self._world.call("lambda.effect", visit)
        return result
