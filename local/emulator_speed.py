"""Patches that make MiniStack answer faster. They do not change its answers (see `local.emulator`)."""

import time
from collections.abc import Callable
from functools import lru_cache
from itertools import takewhile
from operator import itemgetter
from typing import Any

from ministack.core import iam_evaluator  # type: ignore[import-untyped]
from ministack.services import dynamodb, lambda_svc, sqs  # type: ignore[import-untyped]

PATCHED_NAMES = (
    (lambda_svc, "_ESM_IDLE_WAKE_GAP_SECONDS"),
    (iam_evaluator, "parse_policy_document"),
    (dynamodb, "_tokenize"),
    (dynamodb, "_condition_syntax_error"),
    (sqs, "_receive_messages_for_esm"),
    (sqs, "_prune_dedup"),
)

REMEMBERED = 4096
"""Texts whose meaning is remembered. A deployment has some dozen policies, the product some dozen conditions."""


def poll_queues_immediately() -> None:
    """Poll again at once after a wake-up that found no messages; MiniStack pauses for 50 ms.

    A turn passes two queues, and every finished batch is such a wake-up: the pauses were most of a turn's time.
    """
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = 0.002


def pass_over_waiting_messages() -> None:
    """Look at a queue's messages only if one is visible, and at the ids of sent messages only if some are too old.

    MiniStack goes through all of them four times whenever a function may take some, and through all ids with each message that
    is sent. The messages of a campaign wait in their queue for a minute: 5,000 at 80 a second.
    """
    receive, visible_at = sqs._receive_messages_for_esm, itemgetter("visible_at")

    def receive_visible(queue_url: str, max_number: int) -> Any:
        queue = sqs._get_q(queue_url)
        if min(map(visible_at, queue["messages"]), default=float("inf")) > time.time():
            return []
        return receive(queue_url, max_number)

    def prune(queue: dict[str, Any]) -> None:
        sent, now = queue["dedup_cache"], time.time()
        for id_ in list(takewhile(lambda id_: sent[id_]["expire"] <= now, sent)):  # they are in the order of sending
            del sent[id_]

    sqs._receive_messages_for_esm, sqs._prune_dedup = receive_visible, prune


def remember_what_texts_mean() -> None:
    """Parse a policy and a condition once for each text; MiniStack parses them with each request."""
    iam_evaluator.parse_policy_document = _remembered_texts(iam_evaluator.parse_policy_document)
    dynamodb._condition_syntax_error = lru_cache(REMEMBERED)(dynamodb._condition_syntax_error)
    tokens = lru_cache(REMEMBERED)(dynamodb._tokenize)
    dynamodb._tokenize = lambda text: list(tokens(text))


def _remembered_texts(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    remembered = lru_cache(REMEMBERED)(parse)
    return lambda document: remembered(document) if isinstance(document, str) else parse(document)
