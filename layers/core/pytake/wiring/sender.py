"""The sender: a turn's messages go to the Graph API."""

from functools import cache
from typing import TYPE_CHECKING

from pytake.aws.batch import BatchProcessor
from pytake.aws.delivery_reads import DynamoDeliveryReads
from pytake.aws.held_turns import DynamoHeldTurns
from pytake.aws.queues import SqsQueues
from pytake.aws.rate_slots import DynamoRateSlots
from pytake.aws.secrets import SecretsManagerSecrets
from pytake.conversation.delivery.deliver import Deliver
from pytake.conversation.delivery.library_files import ExchangeFiles
from pytake.conversation.media.keep import KeepMedia
from pytake.meta.graph_api import GraphApi
from pytake.meta.read_receipts import BackgroundReadReceipts
from pytake.settings import SenderSettings, read_settings
from pytake.wiring import shared, use_case
from pytake.wiring.conversations import contacts, conversations, publish_events
from pytake.wiring.templates import templates

if TYPE_CHECKING:
    from pytake.conversation.media.sendable import SendableFiles

MEGABYTE = 1024 * 1024

CLAIM_FACTOR = 1.2
"""A claim holds longer than the queue hides the turn of a worker that died."""


@cache
def settings() -> SenderSettings:
    return read_settings(SenderSettings)


@use_case
def deliver() -> Deliver:
    return Deliver(
        conversations=conversations(),
        contacts=contacts(),
        deliveries=shared.deliveries(),
        reads=DynamoDeliveryReads(shared.table(), shared.clock),
        slots=DynamoRateSlots(shared.table()),
        held_turns=DynamoHeldTurns(shared.table()),
        tenants=shared.tenants(),
        secrets=secrets(),
        templates=templates(),
        sender=graph_api(),
        receipts=read_receipts(),
        queues=queues(),
        operator_events=shared.operator_events(),
        publish_events=publish_events(),
        exchange_files=ExchangeFiles(sendable_files, shared.clock),
        clock=shared.clock,
        messages_per_minute=settings().messages_per_minute,
        ambiguous_seconds=settings().ambiguous_seconds,
        claim_seconds=settings().visibility_timeout_seconds * CLAIM_FACTOR,
        record_metric=shared.metrics().record_metric,
    )


@cache
def sendable_files() -> "SendableFiles":
    # Imported when the first library file is sent: most messages have none.
    from pytake.aws.media_files import S3MediaFiles
    from pytake.aws.uploads import DynamoUploads
    from pytake.conversation.media.sendable import SendableFiles
    from pytake.meta.media import GraphMedia

    files = S3MediaFiles(lambda: shared.client("s3"), settings().lake_bucket)
    uploads = DynamoUploads(shared.table(), shared.retention())
    meta = GraphMedia(settings().graph_api_url, settings().graph_api_version)
    return SendableFiles(files, uploads, secrets(), meta, shared.clock)


@cache
def keep_media() -> KeepMedia:
    # Imported when the first file arrives: most senders only send.
    from pytake.aws.event_log import DynamoEventLog
    from pytake.aws.media_files import S3MediaFiles
    from pytake.meta.media import GraphMedia

    return KeepMedia(
        conversations=conversations(),
        tenants=shared.tenants(),
        secrets=secrets(),
        pseudonyms=DynamoEventLog(shared.table(), shared.retention()),
        meta=GraphMedia(settings().graph_api_url, settings().graph_api_version),
        files=S3MediaFiles(lambda: shared.client("s3"), settings().lake_bucket),
        most=settings().media_megabytes * MEGABYTE,
        clock=shared.clock,
        record_metric=shared.metrics().record_metric,
    )


@cache
def secrets() -> SecretsManagerSecrets:
    return SecretsManagerSecrets(lambda: shared.client("secretsmanager"), settings().secrets_prefix, shared.clock)


@cache
def graph_api() -> GraphApi:
    return GraphApi(settings().graph_api_url, settings().graph_api_version, meanwhile=batches().meanwhile)


@cache
def batches() -> BatchProcessor:
    return BatchProcessor()


@cache
def read_receipts() -> BackgroundReadReceipts:
    return BackgroundReadReceipts(graph_api(), shared.metrics().record_metric)


@cache
def queues() -> SqsQueues:
    return SqsQueues(
        lambda: shared.client("sqs"),
        outbound=settings().outbound_queue_url,
        outbound_dlq=settings().outbound_dlq_url,
        bulk=settings().bulk_queue_url,
        bulk_dlq=settings().bulk_dlq_url,
        media=settings().media_queue_url,
    )
