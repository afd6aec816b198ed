"""The webhook: Meta's notifications become queue items."""

from functools import cache

from pytake.aws.queues import SqsQueues
from pytake.aws.secrets import SecretsManagerSecrets
from pytake.conversation.receive_notification import ReceiveNotification
from pytake.settings import WebhookSettings, read_settings
from pytake.wiring import shared, use_case


@cache
def settings() -> WebhookSettings:
    return read_settings(WebhookSettings)


@use_case
def receive_notification() -> ReceiveNotification:
    return ReceiveNotification(
        shared.tenants(),
        SecretsManagerSecrets(lambda: shared.client("secretsmanager"), settings().secrets_prefix, shared.clock),
        SqsQueues(
            lambda: shared.client("sqs"), inbound=settings().inbound_queue_url, statuses=settings().statuses_queue_url
        ),
        shared.deliveries(),
        shared.operator_events(),
        shared.clock,
        record_metric=shared.metrics().record_metric,
    )
