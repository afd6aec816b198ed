"""The flow runner: a person's message becomes a turn of the conversation."""

from functools import cache
from typing import TYPE_CHECKING

from pytake.aws.aliases import DynamoAliases
from pytake.aws.batch import BatchProcessor
from pytake.aws.effect_slots import DynamoEffectSlots
from pytake.aws.flows import DynamoFlows
from pytake.aws.inbound_batches import InboundBatches
from pytake.aws.queues import SqsQueues
from pytake.aws.tries import DynamoTries
from pytake.aws.typing_indicator import QueuedTyping
from pytake.conversation.find_conversation import FindConversation
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.merge_contacts import MergeContacts
from pytake.conversation.turn import TakeTurn
from pytake.effects.performer import EmailSender, HttpCaller, ModelCaller, NetworkEffectPerformer
from pytake.settings import FlowRunnerSettings, read_settings
from pytake.wiring import shared, use_case
from pytake.wiring.conversations import contacts, conversations, publish_events
from pytake.wiring.follow_ups import LazyFollowUps
from pytake.wiring.http_calls import http_caller

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from pytake.campaigns.budgets import ReserveOpening
    from pytake.conversation.app_contacts import ImportAppContact
    from pytake.conversation.app_history import ImportAppHistory
    from pytake.conversation.contact_news import ContactNews
    from pytake.conversation.marketing_preferences import RecordPreference
    from pytake.conversation.plan_opening import PlanOpening


@cache
def settings() -> FlowRunnerSettings:
    return read_settings(FlowRunnerSettings)


def inbound_batches(logger: "Logger") -> InboundBatches:
    return InboundBatches(
        take_turn, import_app_contact, import_app_history, record_preference, batches(), queues(), tries(), logger
    )


@use_case
def take_turn() -> TakeTurn:
    return TakeTurn(
        conversations=conversations(),
        deliveries=shared.deliveries(),
        contacts=contacts(),
        aliases=aliases(),
        tenants=shared.tenants(),
        flows=flow_library(),
        queues=queues(),
        effects=effects(),
        effect_slots=DynamoEffectSlots(shared.table(), settings().effects_per_organization),
        operator_events=shared.operator_events(),
        publish_events=publish_events(),
        clock=shared.clock,
        session_ttl_hours=settings().session_ttl_hours,
        show_typing=QueuedTyping(queues().put_outbound),
        plan_opening=lambda number, start: plan_opening()(number, start),
        record_metric=shared.metrics().record_metric,
        keep_media=settings().keep_media,
        follow_ups=LazyFollowUps(),
        reserve_opening=lambda *opening: reserve_opening()(*opening),
    )


@cache
def flow_library() -> FlowLibrary:
    flows = DynamoFlows(shared.table(), lambda: shared.client("s3"), settings().lake_bucket)
    return FlowLibrary(flows, shared.clock)


@cache
def plan_opening() -> "PlanOpening":
    # Imported when the first template opens a conversation.
    from pytake.aws.uploads import DynamoUploads
    from pytake.conversation.media.kinds import stored_kinds
    from pytake.conversation.plan_opening import PlanOpening
    from pytake.wiring.templates import templates

    kinds = stored_kinds(DynamoUploads(shared.table(), shared.retention()))
    return PlanOpening(shared.tenants(), flow_library(), templates(), settings().session_ttl_hours, kinds)


@cache
def reserve_opening() -> "ReserveOpening":
    # Imported when the first template opens a conversation.
    from pytake.wiring.budgets import reserve_opening

    return reserve_opening()


@cache
def aliases() -> DynamoAliases:
    return DynamoAliases(shared.table(), shared.clock)


@cache
def find_conversation() -> FindConversation:
    events = shared.operator_events()
    merge = MergeContacts(conversations(), contacts(), aliases(), shared.tenants(), events, shared.clock)
    return FindConversation(conversations(), aliases(), merge)


@cache
def import_app_history() -> "ImportAppHistory":
    # Imported when a number's phone app shares its history, which happens once.
    from pytake.aws.app_history import DynamoAppHistory
    from pytake.conversation.app_history import ImportAppHistory

    history = DynamoAppHistory(shared.table(), shared.retention(), shared.clock)
    return ImportAppHistory(conversations(), find_conversation(), history)


@cache
def import_app_contact() -> "ImportAppContact":
    from pytake.conversation.app_contacts import ImportAppContact

    return ImportAppContact(_contact_news())


@cache
def record_preference() -> "RecordPreference":
    from pytake.conversation.marketing_preferences import RecordPreference
    from pytake.conversation.opt_out import RecordOptOut

    return RecordPreference(_contact_news(), RecordOptOut(conversations(), contacts(), shared.clock))


def _contact_news() -> "ContactNews":
    from pytake.conversation.contact_news import ContactNews

    return ContactNews(contacts(), conversations(), find_conversation(), shared.clock)


@cache
def queues() -> SqsQueues:
    return SqsQueues(
        lambda: shared.client("sqs"),
        inbound=settings().inbound_queue_url,
        inbound_dlq=settings().inbound_dlq_url,
        outbound=settings().outbound_queue_url,
        media=settings().media_queue_url,
    )


@cache
def effects() -> NetworkEffectPerformer:
    return NetworkEffectPerformer(_http_caller, _model_caller, _email_sender, batches().meanwhile)


@cache
def batches() -> BatchProcessor:
    return BatchProcessor()


@cache
def tries() -> DynamoTries:
    return DynamoTries(shared.table())


def _http_caller() -> HttpCaller:
    return http_caller(settings().secrets_prefix, allow_private=settings().api_call_allow_private)


def _model_caller() -> ModelCaller:
    from pytake.effects.model_call import BedrockModelCaller, bedrock_client

    return BedrockModelCaller(bedrock_client())


def _email_sender() -> EmailSender:
    from pytake.effects.email import SesEmailSender, ses_client

    return SesEmailSender(ses_client(), settings().email_from)
