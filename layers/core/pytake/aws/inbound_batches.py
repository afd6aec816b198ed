"""Batches of the inbound queue: what a message asks for, and how often it is tried."""

from collections.abc import Callable
from typing import Any

import msgspec
from aws_lambda_powertools import Logger

from pytake.aws.batch import BatchProcessor, Record
from pytake.aws.queues import SqsQueues
from pytake.aws.tries import DynamoTries
from pytake.conversation.queues import InboundItem
from pytake.conversation.records import TurnRecord
from pytake.conversation.retry_later import RetryLaterError
from pytake.observability import set_correlation_id

TURN_MILLISECONDS = 52_000
"""The longest turn: effects start for 30 seconds and take at most 20. With less time left, no turn starts."""

UNCOUNTED_RECEIVES = 10
"""Tries are counted, with a write each, from the next receive on: almost every message is done by then."""

MAX_TRIES = 20
"""The counted try after which a message is dead-lettered. A message returned because others go first was not tried."""

MAX_DELAY_FACTOR = 8
"""The most that the first delay grows to when a message returns many times because of calls of its organization."""

_read = msgspec.json.Decoder(InboundItem).decode


class InboundBatches:
    """Takes one turn per record. A failed record is retried with the records behind it in its group; other groups continue.

    While a turn waits for an API or a model, the other groups of the batch go on.

    After the last try it goes to the dead-letter queue with the error, and the person's next messages take their turns.
    """

    def __init__(
        self,
        take_turn: Callable[[], Callable[[InboundItem], TurnRecord | None]],
        import_app_contact: Callable[[], Callable[[InboundItem], bool]],
        import_app_history: Callable[[], Callable[[InboundItem], int]],
        record_preference: Callable[[], Callable[[InboundItem], bool]],
        batches: BatchProcessor,
        queues: SqsQueues,
        tries: DynamoTries,
        logger: Logger,
    ) -> None:
        """The use cases are built when the first item asks for them."""
        self._take_turn = take_turn
        self._import_app_contact = import_app_contact
        self._import_app_history = import_app_history
        self._record_preference = record_preference
        self._batches = batches
        self._queues = queues
        self._tries = tries
        self._logger = logger

    def __call__(self, event: dict[str, Any], remaining_milliseconds: Callable[[], int]) -> dict[str, Any]:
        """The answer to Lambda: which records are not done."""
        begun = False

        def take(record: Record) -> None:
            nonlocal begun
            if begun and remaining_milliseconds() < TURN_MILLISECONDS:
                raise RetryLaterError(0, "no time left for a turn in this invocation")
            begun = True
            self._try(record)

        return self._batches.process(event, take, self._queues.postpone_inbound, self._logger)

    def _try(self, record: Record) -> None:
        counts = record.receive_count > UNCOUNTED_RECEIVES
        tries = self._tries.add(record.id, 1) if counts else 0
        if tries > MAX_TRIES:  # each worker died, so that none could dead-letter it
            self._dead_letter(record, "worker_died")
            return
        try:
            self._take(record)
        except RetryLaterError as later:
            if counts:
                self._tries.add(record.id, -1)
            raise RetryLaterError(later.seconds * min(record.receive_count, MAX_DELAY_FACTOR), later.reason) from None
        except Exception as error:
            if tries < MAX_TRIES:
                raise
            self._logger.exception("turn.dead_lettered", message_id=record.id, receive_count=record.receive_count)
            self._dead_letter(record, f"error:{type(error).__name__}")

    def _dead_letter(self, record: Record, reason: str) -> None:
        self._queues.dead_letter_inbound(record.body, record.group or record.id, reason)

    def _take(self, record: Record) -> None:
        item = _read(record.body)
        set_correlation_id(item.correlation_id)
        if item.is_app_contact:
            changed = self._import_app_contact()(item)
            self._logger.info("contact.imported", organization_id=item.organization_id, changed=changed)
            return
        if item.is_preference:
            changed = self._record_preference()(item)
            self._logger.info("preference.recorded", organization_id=item.organization_id, changed=changed)
            return
        turn = self._take_turn()(item)
        if item.is_history:
            self._logger.info("history.imported", messages=self._import_app_history()(item))
        if turn is not None:
            self._logger.info(
                "turn.taken",
                organization_id=item.organization_id,
                turn=turn.seq,
                status=turn.status,
                flow_id=turn.flow_id,
                flow_version=turn.flow_version,
                nodes=len(turn.path),
                messages=len(turn.messages),
            )
