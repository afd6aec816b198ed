"""The simulator finds what it is there to find: each of these mistakes, put into the product on purpose, is caught."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from pytake.aws import batch
from pytake.conversation import status_filter
from pytake.conversation.commit_turn import CommitTurn
from pytake.conversation.delivery import next_step
from pytake.conversation.delivery.deliver import Deliver
from pytake.conversation.delivery.stopped_numbers import StoppedNumbers
from pytake.conversation.delivery.waiting_turns import ANNOUNCED_SECONDS, WaitingTurns
from pytake.conversation.ports.conversations import AlreadyCommittedError
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.receive_notification import ReceiveNotification
from pytake.conversation.records import Delivery
from pytake.conversation.retry_later import RetryLaterError
from pytake.conversation.undelivered import HandleUndelivered
from tests import fakes
from tests.faults.plans import kinds
from tests.faults.ports import SqsClient, WorldQueues
from tests.faults.replay import problems_of
from tests.faults.single_faults import CALLS, single

Mutation = Callable[[pytest.MonkeyPatch], None]


def a_message_is_not_recognised(patch: pytest.MonkeyPatch) -> None:
    commit = fakes.MemoryConversations.commit

    def forgetful(self: Any, conversation: Any, turn: Any, *contact: Any) -> None:
        self.markers.pop((conversation.key, turn.message_id), None)
        commit(self, conversation, turn, *contact)

    patch.setattr(fakes.MemoryConversations, "commit", forgetful)


def answers_are_queued_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    def hasty(self: Any, find: Any, message_id: str, decide: Any, committed: Any, *, mark_read: bool) -> Any:
        found = find(False)
        draft = decide(found)
        if draft is None:
            return None
        self._enqueue(found.key, draft.record, mark_read, draft.record.at, None)
        try:
            self._conversations.commit(draft.conversation, draft.record, None, found.learned)
        except AlreadyCommittedError:
            return None
        return draft.record

    patch.setattr(CommitTurn, "__call__", hasty)


def a_lost_enqueue_is_not_repeated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CommitTurn, "_repeat", lambda *_: None)


def claims_have_no_condition(patch: pytest.MonkeyPatch) -> None:
    def unconditional(self: Any, key: Any, delivery: Delivery, revision: int) -> Delivery | None:
        known: Delivery | None = self.entries.get((key, delivery.turn, delivery.index))
        return known

    patch.setattr(fakes.MemoryDeliveries, "expect_revision", unconditional)


def an_unsettled_claim_is_sent_again_at_once(patch: pytest.MonkeyPatch) -> None:
    def impatient(entry: Delivery, now: float, ambiguous_seconds: float) -> next_step.Send:
        return next_step.Send(msgspec.structs.replace(entry, state="waiting"))

    patch.setattr(next_step, "after_unknown_outcome", impatient)


def statuses_settle_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Delivery, "reached_meta", False)


def a_group_goes_on_behind_its_failure(patch: pytest.MonkeyPatch) -> None:
    def reckless(_: Any, event: Any, work: Any, postpone: Any, logger: Any) -> Any:
        failed = []
        for record in map(batch._read, event["Records"]):
            try:
                work(record)
            except Exception as error:
                failed.append(record)
                wait = int(error.seconds) + 1 if isinstance(error, RetryLaterError) else 2
                postpone([record.receipt_handle], wait)
        return {"batchItemFailures": [{"itemIdentifier": record.id} for record in failed]}

    patch.setattr(batch.BatchProcessor, "process", reckless)


def the_turns_of_a_group_are_in_progress_together(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(batch._Batch, "has_next", lambda self: bool(self._waiting))
    patch.setattr(batch._Batch, "next", lambda self: self._waiting.pop(0) if self._waiting else None)


def the_next_message_does_not_wait_for_the_one_before(patch: pytest.MonkeyPatch) -> None:
    deliver_message = Deliver.deliver_message

    def eager(self: Any, item: Any, index: int, *arguments: Any, **named: Any) -> bool:
        try:
            return deliver_message(self, item, index, *arguments, **named)
        except RetryLaterError:
            if index + 1 == len(item.messages):
                raise
            return True

    patch.setattr(Deliver, "deliver_message", eager)


def dead_messages_are_dropped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(WorldQueues, "dead_letter", lambda *_: None)


def messages_of_a_stopped_number_are_dropped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StoppedNumbers, "hold", lambda *_: None)


def new_turns_overtake_held_ones(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StoppedNumbers, "has_earlier", lambda *_: False)


def turns_are_held_before_every_worker_knows(patch: pytest.MonkeyPatch) -> None:
    def hasty(self: Any, item: Any, now: float, due_at: float) -> None:
        self._tenants.hold_turns_until(self._tenants.number(item.phone_number_id), due_at + ANNOUNCED_SECONDS, now)

    patch.setattr(WaitingTurns, "_announce", hasty)


def a_released_turn_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    hold = fakes.MemoryHeldTurns.hold

    def without_a_time(self: Any, item: Any, at: float, due_at: float | None = None) -> None:
        hold(self, item, at)

    patch.setattr(fakes.MemoryHeldTurns, "hold", without_a_time)


def the_webhook_says_yes_whatever_happened(patch: pytest.MonkeyPatch) -> None:
    receive = ReceiveNotification.__call__

    def agreeable(self: Any, *arguments: Any) -> Any:
        try:
            return receive(self, *arguments)
        except QueueingFailedError:
            return type("Nothing", (), {"messages": 0, "statuses": 0, "told": 0, "unknown_numbers": 0, "problems": 0})

    patch.setattr(ReceiveNotification, "__call__", agreeable)


def whatever_meta_did_not_deliver_is_sent_again(patch: pytest.MonkeyPatch) -> None:
    def blindly(self: Any, send: Any, error: Any, at: float) -> None:
        self.send_again(send, fallback=False)

    patch.setattr(HandleUndelivered, "__call__", blindly)


def what_meta_did_not_deliver_is_not_noted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(status_filter, "STATUS_RANK", {"sent": 1, "delivered": 2, "failed": 0, "read": 3, "played": 4})


def a_redriven_message_is_not_marked(patch: pytest.MonkeyPatch) -> None:
    send = SqsClient.send_message

    def unmarked(self: Any, **request: Any) -> None:
        body = json.loads(request["MessageBody"])
        body.pop("redrive_count", None)
        body.pop("requeue_id", None)
        send(self, **{**request, "MessageBody": json.dumps(body)})

    patch.setattr(SqsClient, "send_message", unmarked)


def consent_is_not_looked_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(next_step, "allows_template", lambda *_: True)


def opt_outs_are_not_looked_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(next_step, "RECHECK_AFTER_SECONDS", float("inf"))


def a_merge_is_forgotten_half_way(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(fakes.MemoryAliases, "finish_merge", lambda *_: None)


MUTATIONS: list[Mutation] = [
    consent_is_not_looked_up,
    opt_outs_are_not_looked_up,
    a_merge_is_forgotten_half_way,
    a_message_is_not_recognised,
    answers_are_queued_before_the_commit,
    a_lost_enqueue_is_not_repeated,
    claims_have_no_condition,
    an_unsettled_claim_is_sent_again_at_once,
    statuses_settle_nothing,
    a_group_goes_on_behind_its_failure,
    the_turns_of_a_group_are_in_progress_together,
    the_next_message_does_not_wait_for_the_one_before,
    dead_messages_are_dropped,
    messages_of_a_stopped_number_are_dropped,
    new_turns_overtake_held_ones,
    turns_are_held_before_every_worker_knows,
    a_released_turn_is_forgotten,
    the_webhook_says_yes_whatever_happened,
    whatever_meta_did_not_deliver_is_sent_again,
    what_meta_did_not_deliver_is_not_noted,
    a_redriven_message_is_not_marked,
]

LOOK_AT = ("graph.send", "queues.send", "conversations.commit", "deliveries.settle")


HINTS = {
    new_turns_overtake_held_ones: (30,),
    turns_are_held_before_every_worker_knows: (68,),
    an_unsettled_claim_is_sent_again_at_once: (62,),
    consent_is_not_looked_up: (4,),
    opt_outs_are_not_looked_up: (95,),
    a_merge_is_forgotten_half_way: (7,),
}
"""Where a rare mistake was caught before: tried first, to save time."""


def first_catch(hints: tuple[int, ...] = ()) -> str | None:
    """The first run that a promise is broken in: single faults at the calls that matter most, then wild runs."""
    for seed in hints:
        if problems_of(str(seed)):
            return str(seed)
    for call in LOOK_AT:
        number = CALLS.index(call) + 1
        for kind in kinds(call):
            if single(number, kind)[0]:
                return f"single:{number}:{kind}"
    return next((str(seed) for seed in range(1000) if problems_of(str(seed))), None)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mistake_is_caught(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation(monkeypatch)
    assert first_catch(HINTS.get(mutation, ())) is not None
