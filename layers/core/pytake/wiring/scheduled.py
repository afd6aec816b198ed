"""The scheduled function: one use case per job."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any
from uuid import uuid4

from pytake.analytics.aggregate import AggregateDays
from pytake.analytics.audiences import LakeAudiences
from pytake.aws.aliases import DynamoAliases
from pytake.aws.athena import AthenaQueries
from pytake.aws.contact_batches import AT_ONCE, DynamoContactBatches
from pytake.aws.conversations import DynamoConversations
from pytake.aws.daily_aggregates import S3DailyAggregates
from pytake.aws.day_limits import DynamoDayLimits
from pytake.aws.dead_letter_queues import SqsDeadLetterQueues
from pytake.aws.deliveries import DynamoDeliveries
from pytake.aws.erasure import DynamoErasure
from pytake.aws.event_log import DynamoEventLog
from pytake.aws.flows import DynamoFlows
from pytake.aws.held_turns import DynamoHeldTurns
from pytake.aws.imports import DynamoImports, S3ImportFiles
from pytake.aws.job_runs import DynamoJobRuns
from pytake.aws.lake import S3Lake
from pytake.aws.media_files import S3StoredMedia
from pytake.aws.queues import SqsQueues
from pytake.aws.rate_slots import DynamoRateSlots
from pytake.aws.uploads import DynamoUploads
from pytake.campaigns.breaker import WatchOutcomes
from pytake.campaigns.claim import ClaimRecipients
from pytake.campaigns.lane import NumberLane
from pytake.campaigns.rate_card import installed_rate_card
from pytake.campaigns.recount import RecountAudience
from pytake.campaigns.release import ReleaseRecipients
from pytake.campaigns.repeat import RepeatLimited
from pytake.campaigns.tick import TickCampaigns
from pytake.contacts.members import SegmentMembers
from pytake.contacts.run_imports import RunImports
from pytake.conversation.commit_turn import CommitTurn
from pytake.conversation.delivery.waiting_turns import ReleaseWaitingTurns
from pytake.conversation.erase_contact import FinishErasures
from pytake.conversation.export import ExportToLake
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.media.kinds import stored_kinds
from pytake.conversation.plan_opening import PlanOpening
from pytake.conversation.ports.lake import JobRuns
from pytake.conversation.publish_events import PublishLateEvents
from pytake.conversation.retention import ApplyRetention
from pytake.conversation.sequences.run import RunFollowUps
from pytake.conversation.start_by_event import StartByEvent
from pytake.conversation.start_flow import StartFlow
from pytake.conversation.timers import FireDueTimers
from pytake.settings import ScheduledSettings, read_settings
from pytake.wiring import shared, use_case
from pytake.wiring.budgets import budgets
from pytake.wiring.campaigns import audiences, campaigns, segments
from pytake.wiring.conversations import contacts, conversations, event_bus, outbox, publish_events
from pytake.wiring.follow_ups import follow_ups, plan_follow_ups, sequences
from pytake.wiring.templates import templates

RELEASE_WORKERS = 8
"""Turns of campaigns that are taken at the same time. More would wait for the processor, and for connections."""

KEY_WORKERS = 8
"""Keys of new people's pseudonyms that are written at the same time. One after the other, the export could not follow more than
about two hundred new people a second."""

AGGREGATE_WAIT_SECONDS = 120
"""How long one day's query may take."""


@cache
def settings() -> ScheduledSettings:
    return read_settings(ScheduledSettings)


@cache
def job_runs() -> JobRuns:
    return DynamoJobRuns(shared.table())


@use_case
def fire_due_timers() -> FireDueTimers:
    queues = SqsQueues(lambda: shared.client("sqs"), inbound=settings().inbound_queue_url)
    return FireDueTimers(conversations(), queues, shared.clock, shared.metrics().record_metric)


@use_case
def release_waiting_turns() -> ReleaseWaitingTurns:
    queues = SqsQueues(
        lambda: shared.client("sqs"), outbound=settings().outbound_queue_url, bulk=settings().bulk_queue_url
    )
    held_turns, record_metric = DynamoHeldTurns(shared.table()), shared.metrics().record_metric
    return ReleaseWaitingTurns(held_turns, shared.tenants(), queues, shared.clock, record_metric)


@cache
def lane() -> NumberLane:
    limits = DynamoDayLimits(shared.table())
    return NumberLane(DynamoRateSlots(shared.table()), limits, shared.tenants(), settings().messages_per_minute)


@cache
def campaign_queues() -> SqsQueues:
    return SqsQueues(
        lambda: shared.client("sqs"), outbound=settings().outbound_queue_url, bulk=settings().bulk_queue_url
    )


@cache
def release_recipients() -> ReleaseRecipients:
    queues = campaign_queues()
    commit = CommitTurn(
        conversations(), contacts(), queues, shared.operator_events(), publish_events(), shared.clock, plan_follow_ups()
    )
    return ReleaseRecipients(
        campaigns(),
        audiences(),
        contacts(),
        conversations(),
        aliases(),
        commit,
        queues,
        budgets(),
        shared.clock,
        RELEASE_WORKERS,
    )


@cache
def flow_library() -> FlowLibrary:
    flows = DynamoFlows(shared.table(), lambda: shared.client("s3"), settings().lake_bucket)
    return FlowLibrary(flows, shared.clock)


@cache
def plan_opening() -> PlanOpening:
    kinds = stored_kinds(DynamoUploads(shared.table(), shared.retention()))
    return PlanOpening(shared.tenants(), flow_library(), templates(), settings().session_ttl_hours, kinds)


@use_case
def tick_campaigns() -> TickCampaigns:
    lake_audiences = LakeAudiences(athena_queries(), event_log(), shared.clock)
    return TickCampaigns(
        campaigns(),
        audiences(),
        segments(),
        SegmentMembers(segments(), contacts(), conversations(), lake_audiences, event_log(), shared.clock),
        shared.tenants(),
        plan_opening(),
        ClaimRecipients(campaigns(), audiences(), lane(), installed_rate_card(), budgets(), shared.clock),
        release_recipients(),
        WatchOutcomes(audiences(), shared.clock),
        shared.operator_events(),
        shared.clock,
        shared.metrics().record_metric,
    )


@use_case
def recount_audience() -> RecountAudience:
    # Six recounts of a million people: what they read may be a second old, and then costs half (ADR 33).
    clock, retention = shared.clock, shared.retention()
    return RecountAudience(
        audiences(),
        DynamoConversations(shared.table(), retention, clock, consistent=False),
        aliases(),
        DynamoDeliveries(shared.table(), clock, retention, consistent=False),
        campaigns(),
        RepeatLimited(shared.tenants(), plan_opening(), lane(), release_recipients(), clock),
        campaign_queues(),
        clock,
        RELEASE_WORKERS,
    )


@use_case
def publish_late_events() -> PublishLateEvents:
    return PublishLateEvents(event_bus(), outbox(), conversations(), shared.clock, shared.metrics().record_metric)


@cache
def aliases() -> DynamoAliases:
    return DynamoAliases(shared.table(), shared.clock)


@use_case
def start_by_event() -> StartByEvent:
    return StartByEvent(shared.tenants(), start_flow(), shared.operator_events())


@use_case
def run_follow_ups() -> RunFollowUps:
    return RunFollowUps(
        sequences(),
        follow_ups(),
        plan_follow_ups(),
        contacts(),
        aliases(),
        conversations(),
        shared.tenants(),
        start_flow(),
        shared.operator_events(),
        shared.clock,
        shared.deliveries(),
    )


@cache
def start_flow() -> StartFlow:
    queues = SqsQueues(lambda: shared.client("sqs"), inbound=settings().inbound_queue_url)
    return StartFlow(
        conversations(),
        contacts(),
        aliases(),
        shared.tenants(),
        flow_library(),
        queues,
        shared.clock,
        plan_opening(),
    )


@use_case
def export_to_lake() -> ExportToLake:
    dead_letters = SqsDeadLetterQueues(
        shared.client("sqs"),
        inbound=settings().inbound_dlq_url,
        outbound=settings().outbound_dlq_url,
        bulk=settings().bulk_dlq_url,
        statuses=settings().statuses_dlq_url,
        media=settings().media_dlq_url,
    )
    erasure = DynamoErasure(shared.table(), event_log())
    finish = FinishErasures(erasure, lake(), stored_media(), dead_letters, shared.operator_events(), shared.clock)
    held_turns = DynamoHeldTurns(shared.table())
    return ExportToLake(event_log(), lake(), held_turns, shared.clock, shared.metrics().record_metric, finish)


@use_case
def run_imports() -> RunImports:
    pool = ThreadPoolExecutor(AT_ONCE)

    def spread(work: Callable[[Any], None], items: Iterable[Any]) -> None:
        for _ in pool.map(work, items):
            pass

    files = S3ImportFiles(lambda: shared.client("s3"), settings().lake_bucket)
    imports = DynamoImports(shared.table(), shared.retention())
    batches = DynamoContactBatches(shared.table())
    return RunImports(
        imports, files, batches, conversations(), shared.clock, lambda: uuid4().hex, spread, plan_follow_ups()
    )


@use_case
def aggregate_days() -> AggregateDays:
    daily = S3DailyAggregates(shared.client("s3"), settings().lake_bucket, athena_queries())
    return AggregateDays(event_log(), lake(), daily, shared.clock, shared.metrics().record_metric)


@use_case
def apply_retention() -> ApplyRetention:
    retention, record_metric = shared.retention(), shared.metrics().record_metric
    return ApplyRetention(event_log(), lake(), stored_media(), retention, shared.clock, record_metric)


@cache
def event_log() -> DynamoEventLog:
    return DynamoEventLog(shared.table(), shared.retention(), KEY_WORKERS)


@cache
def lake() -> S3Lake:
    return S3Lake(shared.client("s3"), settings().lake_bucket)


@cache
def stored_media() -> S3StoredMedia:
    return S3StoredMedia(shared.client("s3"), settings().lake_bucket)


@cache
def athena_queries() -> AthenaQueries:
    use = settings()
    return AthenaQueries(shared.client("athena"), use.work_group, use.lake_database, AGGREGATE_WAIT_SECONDS)
