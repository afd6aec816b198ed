"""The statuses function: Meta's delivery statuses reach the delivery ledger."""

from functools import cache
from typing import TYPE_CHECKING

from pytake.aws.queues import SqsQueues
from pytake.conversation.account_watch import WatchAccount
from pytake.conversation.statuses import ProcessStatuses
from pytake.conversation.templates.keep import KeepTemplates
from pytake.conversation.templates.stops import ReportStoppedTemplates
from pytake.settings import StatusesSettings, read_settings
from pytake.wiring import shared, use_case
from pytake.wiring.conversations import contacts, conversations, publish_events
from pytake.wiring.templates import templates

if TYPE_CHECKING:
    from pytake.conversation.day_limits import LearnDayLimits


@cache
def settings() -> StatusesSettings:
    return read_settings(StatusesSettings)


@use_case
def process_statuses() -> ProcessStatuses:
    return ProcessStatuses(
        conversations(),
        contacts(),
        shared.deliveries(),
        shared.tenants(),
        queues(),
        shared.operator_events(),
        publish_events(),
        shared.clock,
    )


@use_case
def keep_templates() -> KeepTemplates:
    return KeepTemplates(templates(), ReportStoppedTemplates(shared.operator_events()))


@use_case
def watch_account() -> WatchAccount:
    return WatchAccount(shared.tenants(), shared.operator_events(), shared.clock)


@cache
def learn_day_limits() -> "LearnDayLimits":
    # Imported when an account first changes: statuses do not need it.
    from pytake.aws.day_limits import DynamoDayLimits
    from pytake.conversation.day_limits import LearnDayLimits

    return LearnDayLimits(DynamoDayLimits(shared.table()))


@cache
def queues() -> SqsQueues:
    return SqsQueues(
        lambda: shared.client("sqs"),
        statuses=settings().statuses_queue_url,
        outbound=settings().outbound_queue_url,
        bulk=settings().bulk_queue_url,
    )
