"""The REST API: one use case per group of routes."""

import time
from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from pytake.analytics.answers import Answers
from pytake.analytics.audiences import LakeAudiences
from pytake.analytics.experiments import Experiments
from pytake.analytics.reports import Reports
from pytake.analytics.saved_queries import AskSavedQuery
from pytake.analytics.spending import SpendingReports
from pytake.aws.aliases import DynamoAliases
from pytake.aws.app_history import DynamoAppHistory
from pytake.aws.assignments import DynamoAssignments
from pytake.aws.athena import AthenaQueries
from pytake.aws.erasure import DynamoErasure
from pytake.aws.erasure_journal import S3ErasureJournal
from pytake.aws.event_log import DynamoEventLog
from pytake.aws.flows import DynamoFlows
from pytake.aws.held_turns import DynamoHeldTurns
from pytake.aws.imports import DynamoImports, S3ImportFiles
from pytake.aws.job_starter import LambdaJobStarter
from pytake.aws.queues import SqsQueues
from pytake.aws.rate_slots import DynamoRateSlots
from pytake.aws.request_slots import DynamoRequestSlots
from pytake.aws.secrets import SecretsManagerSecrets
from pytake.aws.session import SIGNING
from pytake.aws.unsettled_deliveries import DynamoUnsettledDeliveries
from pytake.campaigns.manage import ManageCampaigns
from pytake.campaigns.rate_card import RateCard, installed_rate_card
from pytake.contacts.manage import ManageContacts
from pytake.contacts.manage_imports import ManageImports
from pytake.contacts.manage_segments import ManageSegments
from pytake.contacts.members import SegmentMembers
from pytake.conversation.agent_messaging import AgentMessaging
from pytake.conversation.erase_contact import EraseContact
from pytake.conversation.flow_authoring import FlowAuthoring
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.flow_secrets import ManageFlowSecrets
from pytake.conversation.inbox import Inbox
from pytake.conversation.media.library import MediaLibrary
from pytake.conversation.number_setup import NumberSetup
from pytake.conversation.offboarding import OffboardNumber
from pytake.conversation.plan_opening import PlanOpening
from pytake.conversation.ports.deliveries import UnsettledDeliveries
from pytake.conversation.redrive import RedriveDelivery
from pytake.conversation.rehearsal import RehearseTurn
from pytake.conversation.report_event import ReportEvent
from pytake.conversation.resume_number import ResumeNumber
from pytake.conversation.sequences.manage import ManageSequences
from pytake.conversation.sequences.preview import PreviewFollowUps
from pytake.conversation.start_flow import StartFlow
from pytake.conversation.templates.manage import ManageTemplates
from pytake.conversation.templates.stops import ReportStoppedTemplates
from pytake.conversation.transcript import ReadTranscript
from pytake.effects.flow_secrets import SecretsManagerFlowSecretStore
from pytake.meta.graph_api import GraphApi
from pytake.observability import logger
from pytake.settings import ApiSettings, read_settings
from pytake.wiring import shared, use_case
from pytake.wiring.campaigns import audiences, campaigns, segments
from pytake.wiring.conversations import contacts, conversations, publish_events
from pytake.wiring.follow_ups import LazyFollowUps, sequences
from pytake.wiring.templates import templates

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from pytake.campaigns.budgets import OrganizationBudgets
    from pytake.conversation.opening import OpeningRefusal

REPORT_WAIT_SECONDS = 20
"""API Gateway waits 30 seconds for an answer."""


@cache
def settings() -> ApiSettings:
    return read_settings(ApiSettings)


@use_case
def flow_authoring() -> FlowAuthoring:
    return FlowAuthoring(
        flows(),
        flow_secret_store(),
        shared.tenants(),
        templates(),
        shared.clock,
        sends_email=settings().sends_email,
        file_kinds=file_kinds,
    )


def file_kinds(organization_id: str, ids: Collection[str]) -> Mapping[str, str]:
    return media_library().kinds(organization_id, ids)


@use_case
def rehearse_turn() -> RehearseTurn:
    return RehearseTurn(flow_authoring(), shared.tenants())


@use_case
def manage_flow_secrets() -> ManageFlowSecrets:
    return ManageFlowSecrets(flow_secret_store())


@use_case
def number_setup() -> NumberSetup:
    profiles = number_profiles() if settings().verify_numbers else None
    return NumberSetup(shared.tenants(), number_secrets(), flows(), templates(), profiles)


@use_case
def manage_templates() -> ManageTemplates:
    report_stopped = ReportStoppedTemplates(shared.operator_events())
    api = number_profiles()
    return ManageTemplates(shared.tenants(), number_secrets(), templates(), api, api, report_stopped, shared.clock)


@use_case
def resume_number() -> ResumeNumber:
    return ResumeNumber(shared.tenants(), held_turns(), queues(), shared.clock)


@use_case
def offboard_number() -> OffboardNumber:
    return OffboardNumber(
        shared.tenants(),
        number_secrets(),
        held_turns(),
        queues(),
        shared.operator_events(),
        templates(),
        shared.clock,
    )


@use_case
def inbox() -> Inbox:
    return Inbox(conversations(), aliases(), shared.tenants(), shared.clock, assignments())


@cache
def assignments() -> DynamoAssignments:
    return DynamoAssignments(shared.table(), shared.retention(), shared.clock)


@use_case
def agent_messaging() -> AgentMessaging:
    return AgentMessaging(
        conversations(),
        shared.tenants(),
        queues(),
        publish_events(),
        shared.clock,
        settings().session_ttl_hours,
        contacts(),
        aliases(),
        templates(),
        file_kinds,
    )


@use_case
def start_flow() -> StartFlow:
    return StartFlow(
        conversations(),
        contacts(),
        aliases(),
        shared.tenants(),
        flow_library(),
        queues(),
        shared.clock,
        plan_opening(),
        check_opening,
    )


@use_case
def redrive_delivery() -> RedriveDelivery:
    return RedriveDelivery(conversations(), shared.deliveries(), queues(), shared.operator_events(), shared.clock)


@cache
def unsettled_deliveries() -> UnsettledDeliveries:
    return DynamoUnsettledDeliveries(shared.table(), shared.clock)


@use_case
def read_transcript() -> ReadTranscript:
    history = DynamoAppHistory(shared.table(), shared.retention(), shared.clock)
    received_ids = media_library().received_ids if settings().keep_media else None
    return ReadTranscript(conversations(), shared.deliveries(), flows(), history, received_ids)


@use_case
def media_library() -> MediaLibrary:
    # Imported when the first request needs files: httpx's forms and S3's signatures are most of it.
    from pytake.aws.media_files import S3MediaFiles
    from pytake.aws.uploads import DynamoUploads
    from pytake.meta.media import GraphMedia

    files = S3MediaFiles(signing_s3_client, settings().lake_bucket)
    uploads = DynamoUploads(shared.table(), shared.retention())
    meta = GraphMedia(settings().graph_api_url, settings().graph_api_version)
    return MediaLibrary(files, uploads, number_secrets(), meta, event_log(), shared.clock)


@cache
def signing_s3_client() -> "S3Client":
    return cast("S3Client", shared.table().connection.session.create_client("s3", config=SIGNING))


@use_case
def erase_contact() -> EraseContact:
    journal = S3ErasureJournal(lambda: shared.client("s3"), settings().lake_bucket)
    return EraseContact(inbox(), erasure(), journal, imports(), shared.operator_events(), shared.clock)


@use_case
def manage_contacts() -> ManageContacts:
    events = shared.operator_events()
    return ManageContacts(contacts(), aliases(), conversations(), events, shared.clock, LazyFollowUps())


@use_case
def manage_sequences() -> ManageSequences:
    return ManageSequences(sequences(), shared.tenants(), flow_library(), file_kinds)


@use_case
def preview_follow_ups() -> PreviewFollowUps:
    return PreviewFollowUps(contacts(), shared.tenants(), shared.clock)


@use_case
def manage_imports() -> ManageImports:
    def new_id() -> str:
        return f"{int(shared.clock() * 1000):013d}-{uuid4().hex[:12]}"

    files = S3ImportFiles(lambda: shared.client("s3"), settings().lake_bucket, signing_s3_client)
    start_job = LambdaJobStarter(lambda: shared.client("lambda"), settings().scheduled_function, "imports", logger)
    return ManageImports(imports(), files, shared.tenants(), shared.clock, new_id, start_job)


@cache
def imports() -> DynamoImports:
    return DynamoImports(shared.table(), shared.retention())


@use_case
def manage_segments() -> ManageSegments:
    lake = LakeAudiences(athena_queries(), event_log(), shared.clock)
    members = SegmentMembers(segments(), contacts(), conversations(), lake, event_log(), shared.clock)
    return ManageSegments(segments(), members, lake, shared.clock, time.monotonic)


@use_case
def manage_campaigns() -> ManageCampaigns:
    return ManageCampaigns(
        campaigns(),
        audiences(),
        DynamoRateSlots(shared.table()),
        shared.tenants(),
        segments(),
        plan_opening(),
        start_flow(),
        shared.operator_events(),
        shared.clock,
        file_kinds,
    )


@cache
def plan_opening() -> PlanOpening:
    return PlanOpening(shared.tenants(), flow_library(), templates(), settings().session_ttl_hours, file_kinds)


@cache
def flow_library() -> FlowLibrary:
    return FlowLibrary(flows(), shared.clock)


@use_case
def reports() -> Reports:
    return Reports(athena_queries(), event_log(), shared.tenants(), flows(), shared.clock)


@use_case
def experiments() -> Experiments:
    return Experiments(athena_queries(), event_log(), shared.tenants(), flows(), shared.clock)


@use_case
def spending_reports() -> SpendingReports:
    return SpendingReports(athena_queries(), event_log(), shared.tenants(), rate_card, shared.clock)


def check_opening(organization_id: str, recipient: str, category: str | None, at: float) -> "OpeningRefusal | None":
    from pytake.wiring.budgets import reserve_opening

    return reserve_opening().check(organization_id, recipient, category, at)


@use_case
def budgets() -> "OrganizationBudgets":
    from pytake.wiring import budgets

    return budgets.budgets()


@cache
def rate_card() -> RateCard:
    return installed_rate_card()


@use_case
def answers() -> Answers:
    return Answers(athena_queries(), event_log(), shared.tenants(), flows(), shared.clock)


@use_case
def ask_saved_query() -> AskSavedQuery:
    return AskSavedQuery(athena_queries(), event_log())


@cache
def number_secrets() -> SecretsManagerSecrets:
    return SecretsManagerSecrets(lambda: shared.client("secretsmanager"), settings().secrets_prefix, shared.clock)


@cache
def number_profiles() -> GraphApi:
    return GraphApi(settings().graph_api_url, settings().graph_api_version)


@cache
def queues() -> SqsQueues:
    return SqsQueues(
        lambda: shared.client("sqs"),
        inbound=settings().inbound_queue_url,
        outbound=settings().outbound_queue_url,
        bulk=settings().bulk_queue_url,
    )


@cache
def report_event() -> ReportEvent:
    return ReportEvent(inbox(), queues(), shared.clock)


@cache
def held_turns() -> DynamoHeldTurns:
    return DynamoHeldTurns(shared.table())


@cache
def flows() -> DynamoFlows:
    return DynamoFlows(shared.table(), lambda: shared.client("s3"), settings().lake_bucket)


@cache
def flow_secret_store() -> SecretsManagerFlowSecretStore:
    return SecretsManagerFlowSecretStore(lambda: shared.client("secretsmanager"), settings().secrets_prefix)


@cache
def request_slots() -> DynamoRequestSlots:
    return DynamoRequestSlots(shared.table())


@cache
def aliases() -> DynamoAliases:
    return DynamoAliases(shared.table(), shared.clock)


@cache
def event_log() -> DynamoEventLog:
    return DynamoEventLog(shared.table(), shared.retention())


@cache
def erasure() -> DynamoErasure:
    return DynamoErasure(shared.table(), event_log())


@cache
def athena_queries() -> AthenaQueries:
    return AthenaQueries(shared.client("athena"), settings().work_group, settings().lake_database, REPORT_WAIT_SECONDS)
