"""Conversations and their business events: what every function but the webhook uses."""

from functools import cache

from pytake import observability
from pytake.aws.contacts import DynamoContacts
from pytake.aws.conversations import DynamoConversations
from pytake.aws.event_bus import EventBridgeBus
from pytake.aws.outbox import DynamoOutbox
from pytake.conversation.publish_events import PublishBusinessEvents
from pytake.wiring import shared


@cache
def conversations() -> DynamoConversations:
    return DynamoConversations(shared.table(), shared.retention(), shared.clock)


@cache
def contacts() -> DynamoContacts:
    return DynamoContacts(shared.table())


@cache
def event_bus() -> EventBridgeBus:
    bus_name = shared.settings().event_bus_name
    return EventBridgeBus(lambda: shared.client("events"), bus_name, observability.logger, shared.clock)


@cache
def outbox() -> DynamoOutbox:
    return DynamoOutbox(shared.table(), shared.clock)


@cache
def publish_events() -> PublishBusinessEvents:
    return PublishBusinessEvents(event_bus(), outbox(), conversations(), shared.deliveries())
