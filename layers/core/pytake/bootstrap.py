"""The composition root: which adapter stands behind which port. Only this module reads the settings.

Each function below builds one use case, once per process, and imports only what that use case needs: imports are most of a
cold start.
"""

import gc
import time
from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from pytake import observability, settings

if TYPE_CHECKING:
    from pytake.analytics.aggregate import AggregateDays
    from pytake.analytics.reports import Reports
    from pytake.aws.athena import AthenaQueries
    from pytake.aws.conversations import DynamoConversations
    from pytake.aws.dead_letter_queues import SqsDeadLetterQueues
    from pytake.aws.deliveries import DynamoDeliveries
    from pytake.aws.erasure import DynamoErasure
    from pytake.aws.event_bus import EventBridgeBus
    from pytake.aws.event_log import DynamoEventLog
    from pytake.aws.flows import DynamoFlows
    from pytake.aws.held_turns import DynamoHeldTurns
    from pytake.aws.job_runs import DynamoJobRuns
    from pytake.aws.lake import S3Lake
    from pytake.aws.operator_events import EventBridgeOperatorEvents
    from pytake.aws.outbox import DynamoOutbox
    from pytake.aws.queues import SqsQueues
    from pytake.aws.secrets import SecretsManagerSecrets
    from pytake.aws.table import Table
    from pytake.aws.tenants import DynamoTenants
    from pytake.conversation.agent_messaging import AgentMessaging
    from pytake.conversation.delivery.deliver import Deliver
    from pytake.conversation.erase_contact import EraseContact
    from pytake.conversation.export import ExportToLake
    from pytake.conversation.flow_authoring import FlowAuthoring
    from pytake.conversation.flow_secrets import ManageFlowSecrets
    from pytake.conversation.inbox import Inbox
    from pytake.conversation.number_setup import NumberSetup
    from pytake.conversation.publish_events import PublishBusinessEvents, PublishLateEvents
    from pytake.conversation.receive_notification import ReceiveNotification
    from pytake.conversation.resume_number import ResumeNumber
    from pytake.conversation.retention import ApplyRetention, RetentionPolicy
    from pytake.conversation.statuses import ProcessStatuses
    from pytake.conversation.timers import FireDueTimers
    from pytake.conversation.transcript import ReadTranscript
    from pytake.conversation.turn import TakeTurn
    from pytake.effects.flow_secrets import SecretsManagerFlowSecretStore
    from pytake.effects.http_call import HttpcoreCaller
    from pytake.effects.model_call import BedrockModelCaller
    from pytake.effects.performer import NetworkEffectPerformer

Built = TypeVar("Built")

WAIT_FOR_REPORT_SECONDS = 20
"""API Gateway gives up after 30 seconds."""

WAIT_FOR_AGGREGATES_SECONDS = 120

_AHEAD = {
    "receive_notification": (
        "conversation.receive_notification",
        "aws.tenants",
        "aws.secrets",
        "aws.deliveries",
        "aws.queues",
        "aws.operator_events",
    ),
    "take_turn": (
        *("conversation.turn", "conversation.flow_library", "effects.performer"),
        *("aws.conversations", "aws.tenants", "aws.flows", "aws.queues", "aws.operator_events"),
        *("aws.event_bus", "aws.outbox"),
    ),
    "deliver": (
        *("conversation.delivery.deliver", "meta.graph_api", "aws.conversations", "aws.deliveries", "aws.rate_slots"),
        *("aws.held_turns", "aws.tenants", "aws.secrets", "aws.queues", "aws.operator_events"),
        *("aws.event_bus", "aws.outbox"),
    ),
    "process_statuses": (
        *("conversation.statuses", "aws.conversations", "aws.deliveries", "aws.tenants"),
        *("aws.queues", "aws.operator_events", "aws.event_bus", "aws.outbox"),
    ),
}
"""The modules of `pytake` that the use cases of the hot path are made of."""


def import_ahead(use_case: str) -> None:
    """Import what a use case is made of; make nothing, read nothing.

    A handler calls it while it is imported: Lambda gives that phase a whole processor, and an invocation the part of one
    that its memory buys (a third at 512 MB). Imports are two thirds of a cold start.
    """
    with _UNCOLLECTED:
        for module in _AHEAD[use_case]:
            import_module(f"pytake.{module}")


class _Uncollected:
    """Without the garbage collector: what imports and wiring make stays for good, and looking through it again and again
    is a tenth of a cold start. Afterwards the collector leaves alone what is there by then."""

    def __enter__(self) -> None:
        gc.disable()

    def __exit__(self, *_: object) -> None:
        gc.enable()
        gc.freeze()


_UNCOLLECTED = _Uncollected()


def _use_case(build: Callable[[], Built]) -> Callable[[], Built]:
    """A use case, built when it is first asked for."""

    @cache
    @wraps(build)
    def built() -> Built:
        with _UNCOLLECTED:
            return build()

    return built


@cache
def metrics() -> "observability.Metrics":
    return observability.Metrics(_settings().stage, time.time)


@_use_case
def receive_notification() -> "ReceiveNotification":
    from pytake.conversation.receive_notification import ReceiveNotification

    return ReceiveNotification(
        tenants(),
        secrets(),
        queues(),
        deliveries(),
        operator_events(),
        time.time,
        record_metric=metrics().record_metric,
    )


@_use_case
def take_turn() -> "TakeTurn":
    from pytake.conversation.flow_library import FlowLibrary
    from pytake.conversation.turn import TakeTurn

    return TakeTurn(
        conversations=conversations(),
        tenants=tenants(),
        flows=FlowLibrary(flows(), time.time),
        queues=queues(),
        effects=effects(),
        operator_events=operator_events(),
        publish_events=publish_events(),
        clock=time.time,
        session_ttl_hours=_settings().session_ttl_hours,
        record_metric=metrics().record_metric,
    )


@cache
def fire_due_timers() -> "FireDueTimers":
    from pytake.conversation.timers import FireDueTimers

    return FireDueTimers(conversations(), queues(), time.time, metrics().record_metric)


@cache
def export_to_lake() -> "ExportToLake":
    from pytake.conversation.erase_contact import FinishErasures
    from pytake.conversation.export import ExportToLake

    finish = FinishErasures(erasure(), lake(), dead_letter_queues(), operator_events(), time.time)
    return ExportToLake(event_log(), lake(), held_turns(), time.time, metrics().record_metric, finish)


@cache
def aggregate_days() -> "AggregateDays":
    from pytake.analytics.aggregate import AggregateDays
    from pytake.aws.daily_aggregates import S3DailyAggregates

    daily = S3DailyAggregates(_client("s3"), _settings().lake_bucket, athena_queries(WAIT_FOR_AGGREGATES_SECONDS))
    return AggregateDays(event_log(), lake(), daily, time.time, metrics().record_metric)


@cache
def reports() -> "Reports":
    from pytake.analytics.reports import Reports

    return Reports(athena_queries(WAIT_FOR_REPORT_SECONDS), event_log(), tenants(), flows(), time.time)


@cache
def apply_retention() -> "ApplyRetention":
    from pytake.conversation.retention import ApplyRetention

    return ApplyRetention(event_log(), lake(), retention(), time.time, metrics().record_metric)


@cache
def job_runs() -> "DynamoJobRuns":
    from pytake.aws.job_runs import DynamoJobRuns

    return DynamoJobRuns(_table())


@_use_case
def deliver() -> "Deliver":
    from pytake.aws.rate_slots import DynamoRateSlots
    from pytake.conversation.delivery.deliver import Deliver
    from pytake.meta.graph_api import GraphApi

    return Deliver(
        conversations=conversations(),
        deliveries=deliveries(),
        slots=DynamoRateSlots(_table()),
        held_turns=held_turns(),
        tenants=tenants(),
        secrets=secrets(),
        sender=GraphApi(_settings().graph_api_url, _settings().graph_api_version),
        queues=queues(),
        operator_events=operator_events(),
        publish_events=publish_events(),
        clock=time.time,
        messages_per_minute=_settings().messages_per_minute,
        ambiguous_seconds=_settings().ambiguous_seconds,
        record_metric=metrics().record_metric,
    )


@_use_case
def process_statuses() -> "ProcessStatuses":
    from pytake.conversation.statuses import ProcessStatuses

    return ProcessStatuses(
        conversations(), deliveries(), tenants(), queues(), operator_events(), publish_events(), time.time
    )


@cache
def flow_authoring() -> "FlowAuthoring":
    from pytake.conversation.flow_authoring import FlowAuthoring

    return FlowAuthoring(flows(), flow_secret_store(), time.time)


@cache
def keep_flow_secrets() -> "ManageFlowSecrets":
    from pytake.conversation.flow_secrets import ManageFlowSecrets

    return ManageFlowSecrets(flow_secret_store())


@cache
def number_setup() -> "NumberSetup":
    from pytake.conversation.number_setup import NumberSetup

    return NumberSetup(tenants(), secrets())


@cache
def resume_number() -> "ResumeNumber":
    from pytake.conversation.resume_number import ResumeNumber

    return ResumeNumber(tenants(), held_turns(), queues(), time.time)


@cache
def inbox() -> "Inbox":
    from pytake.conversation.inbox import Inbox

    return Inbox(conversations(), tenants(), time.time)


@cache
def agent_messaging() -> "AgentMessaging":
    from pytake.conversation.agent_messaging import AgentMessaging

    return AgentMessaging(
        conversations(), tenants(), queues(), publish_events(), time.time, _settings().session_ttl_hours
    )


@cache
def read_transcript() -> "ReadTranscript":
    from pytake.conversation.transcript import ReadTranscript

    return ReadTranscript(conversations(), deliveries())


@cache
def erase_contact() -> "EraseContact":
    from pytake.conversation.erase_contact import EraseContact

    return EraseContact(inbox(), erasure(), operator_events(), time.time)


@cache
def erasure() -> "DynamoErasure":
    from pytake.aws.erasure import DynamoErasure

    return DynamoErasure(_table(), event_log())


@cache
def deliveries() -> "DynamoDeliveries":
    from pytake.aws.deliveries import DynamoDeliveries

    return DynamoDeliveries(_table(), time.time, retention())


@cache
def held_turns() -> "DynamoHeldTurns":
    from pytake.aws.held_turns import DynamoHeldTurns

    return DynamoHeldTurns(_table())


@cache
def conversations() -> "DynamoConversations":
    from pytake.aws.conversations import DynamoConversations

    return DynamoConversations(_table(), retention(), time.time)


@cache
def athena_queries(wait_seconds: float) -> "AthenaQueries":
    from pytake.aws.athena import AthenaQueries

    return AthenaQueries(_client("athena"), _settings().work_group, _settings().lake_database, wait_seconds)


@cache
def event_log() -> "DynamoEventLog":
    from pytake.aws.event_log import DynamoEventLog

    return DynamoEventLog(_table(), retention())


@cache
def retention() -> "RetentionPolicy":
    from pytake.conversation.retention import RetentionPolicy

    return RetentionPolicy(tenants(), _settings().retention_days)


@cache
def lake() -> "S3Lake":
    from pytake.aws.lake import S3Lake

    return S3Lake(_client("s3"), _settings().lake_bucket)


@cache
def tenants() -> "DynamoTenants":
    from pytake.aws.tenants import DynamoTenants

    return DynamoTenants(_table(), time.time)


@cache
def secrets() -> "SecretsManagerSecrets":
    from pytake.aws.secrets import SecretsManagerSecrets

    return SecretsManagerSecrets(_client("secretsmanager"), _settings().secrets_prefix, time.time)


@cache
def flow_secret_store() -> "SecretsManagerFlowSecretStore":
    from pytake.effects.flow_secrets import SecretsManagerFlowSecretStore

    return SecretsManagerFlowSecretStore(lambda: _client("secretsmanager"), _settings().secrets_prefix)


@cache
def flows() -> "DynamoFlows":
    from pytake.aws.flows import DynamoFlows

    return DynamoFlows(_table(), lambda: _client("s3"), _settings().lake_bucket)


@cache
def queues() -> "SqsQueues":
    from pytake.aws.queues import SqsQueues

    return SqsQueues(
        _client("sqs"),
        inbound=_settings().inbound_queue_url,
        inbound_dlq=_settings().inbound_dlq_url,
        outbound=_settings().outbound_queue_url,
        outbound_dlq=_settings().outbound_dlq_url,
        statuses=_settings().statuses_queue_url,
    )


@cache
def dead_letter_queues() -> "SqsDeadLetterQueues":
    from pytake.aws.dead_letter_queues import SqsDeadLetterQueues

    return SqsDeadLetterQueues(
        _client("sqs"),
        inbound=_settings().inbound_dlq_url,
        outbound=_settings().outbound_dlq_url,
        statuses=_settings().statuses_dlq_url,
    )


@cache
def publish_events() -> "PublishBusinessEvents":
    from pytake.conversation.publish_events import PublishBusinessEvents

    return PublishBusinessEvents(event_bus(), outbox(), conversations(), deliveries())


@_use_case
def publish_late_events() -> "PublishLateEvents":
    from pytake.conversation.publish_events import PublishLateEvents

    return PublishLateEvents(event_bus(), outbox(), conversations(), time.time, metrics().record_metric)


@cache
def event_bus() -> "EventBridgeBus":
    from pytake.aws.event_bus import EventBridgeBus

    return EventBridgeBus(lambda: _client("events"), _settings().event_bus_name, observability.logger, time.time)


@cache
def outbox() -> "DynamoOutbox":
    from pytake.aws.outbox import DynamoOutbox

    return DynamoOutbox(_table(), time.time)


@cache
def operator_events() -> "EventBridgeOperatorEvents":
    from pytake.aws.operator_events import EventBridgeOperatorEvents

    return EventBridgeOperatorEvents(
        lambda: _client("events"), _settings().event_bus_name, observability.logger(), _settings().stage, time.time
    )


@cache
def effects() -> "NetworkEffectPerformer":
    from pytake.effects.performer import NetworkEffectPerformer

    def http_calls() -> "HttpcoreCaller":
        from pytake.effects.flow_secrets import SecretsManagerFlowSecrets
        from pytake.effects.http_call import HttpcoreCaller

        allow = _settings().api_call_allow_private
        flow_secrets = SecretsManagerFlowSecrets(
            lambda: _client("secretsmanager"), _settings().secrets_prefix, time.time
        )
        return HttpcoreCaller(flow_secrets, allow_plain_http=allow, allow_private_addresses=allow)

    def models() -> "BedrockModelCaller":
        from pytake.effects.model_call import BedrockModelCaller, bedrock_client

        return BedrockModelCaller(bedrock_client())

    return NetworkEffectPerformer(http_calls, models)


@cache
def _settings() -> settings.Settings:
    return settings.read()


@cache
def _table() -> "Table":
    from pytake.aws.table import Table

    return Table(_settings().table_name)


@cache
def _client(service: Any) -> Any:
    from botocore.config import Config

    from pytake.aws.table import USER_AGENT

    config = Config(
        connect_timeout=2,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 3},
        # Both are work per request: what we send is typed already, and botocore builds its own user agent twice each time.
        parameter_validation=False,
        user_agent=USER_AGENT,
    )
    # botocore below boto3, and the session that the table has already: each of the two is a tenth of a cold start.
    return _table().connection.session.create_client(service, config=config)
