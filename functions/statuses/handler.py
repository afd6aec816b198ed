"""SQS invokes this handler with Meta's delivery statuses and changes of templates and accounts, in large batches."""

from contextlib import suppress
from typing import Any

import msgspec

import pytake.wiring.statuses as wiring
from pytake.aws.batch import Record, process_batch
from pytake.conversation.queues import StatusesItem
from pytake.conversation.status_filter import without_superseded
from pytake.observability import logger, safe_handler, set_correlation_id

_read = msgspec.json.Decoder(StatusesItem).decode


@safe_handler
def handler(event: dict[str, Any], context: Any) -> Any:  # noqa: ARG001 (Lambda gives it)
    """Records the statuses of each record; a failed record is retried alone. A status that another record of the batch
    supersedes is skipped: `delivered` and `read` of one message often arrive together, and each costs a write."""
    told: dict[str, StatusesItem] = {}
    for record in event["Records"]:
        with suppress(msgspec.DecodeError):  # reported when its turn comes, and retried
            told[record["messageId"]] = _read(record["body"])
    furthest = dict(zip(told, without_superseded(list(told.values())), strict=True))

    def settle(record: Record) -> None:
        item = furthest.get(record.id) or _read(record.body)
        set_correlation_id(item.correlation_id)
        moved = wiring.process_statuses()(item) if item.statuses else 0
        templates = wiring.keep_templates()(item) if item.account_changes else 0
        stopped = wiring.watch_account()(item) if item.account_changes else 0
        limits = wiring.learn_day_limits()(item) if item.account_changes else 0
        logger().info(
            "statuses.processed",
            organization_id=item.organization_id,
            statuses=len(told[record.id].statuses),
            moved=moved,
            templates=templates,
            stopped=stopped,
            limits=limits,
        )

    return process_batch(event, settle, wiring.queues().postpone_statuses, logger())
