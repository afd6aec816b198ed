"""Patches that make MiniStack answer faster. They do not change its answers (see `local.emulator`)."""

import json
import time
from collections.abc import Callable
from functools import lru_cache
from itertools import takewhile
from operator import itemgetter
from types import SimpleNamespace
from typing import Any

from ministack.core import iam_actions, iam_evaluator  # type: ignore[import-untyped]
from ministack.services import dynamodb, lambda_svc, sqs  # type: ignore[import-untyped]

PATCHED_NAMES = (
    (lambda_svc, "_sqs_esm_concurrency"),
    (lambda_svc, "_ESM_IDLE_WAKE_GAP_SECONDS"),
    (iam_evaluator, "parse_policy_document"),
    (dynamodb, "_tokenize"),
    (dynamodb, "_condition_syntax_error"),
    (iam_actions, "json"),
    (iam_evaluator, "resolve_principal"),
    (sqs, "_receive_messages_for_esm"),
    (sqs, "_prune_dedup"),
)

REMEMBERED = 4096
"""Texts whose meaning is remembered. A deployment has some dozen policies, the product some dozen conditions."""


POLICY_SECONDS = 1.0
"""How long a change of a policy takes to become effective. On AWS it takes some seconds."""

CAMPAIGNS_QUEUE = "-bulk.fifo"
"""How the name of the queue of campaigns ends."""


def run_fifo_groups_in_parallel() -> None:
    """Let FIFO event sources have several batches in flight, as Lambda does, so that conversations do not block each other.

    MiniStack allows one batch at a time. Order within a group does not depend on that: the queue returns no message of a
    group that has one in flight. MaximumConcurrency from a template parameter is a string: CloudFormation converts it to
    a number, MiniStack does not.

    The messages of campaigns get one batch at a time. With two, the smallest number that AWS accepts, they would occupy both
    processes of the sender on a machine with two cores (`limit_sandboxes`), and every answer would wait for a batch of ten.
    """
    original = lambda_svc._sqs_esm_concurrency

    def concurrency(esm: dict[str, Any], function: Any, config: Any, _queue: Any = None) -> Any:
        if esm.get("EventSourceArn", "").endswith(CAMPAIGNS_QUEUE):
            return 1
        scaling = esm.get("ScalingConfig") or {}
        if "MaximumConcurrency" in scaling:
            scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
        return original(esm, function, config, None)

    lambda_svc._sqs_esm_concurrency = concurrency


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


def authorize_without_repetition() -> None:
    """Read a body once to authorize its request, and look up a caller's policies once a second.

    MiniStack reads the body up to five times before it carries the request out, and looks the policies up with each request and
    again with each item of a transaction. That was a fifth of the time of a request. Signatures are checked with each request.
    """
    iam_actions.json = SimpleNamespace(**vars(json) | {"loads": lru_cache(16)(json.loads)})
    resolve, found = iam_evaluator.resolve_principal, dict[tuple[str, str], tuple[float, Any]]()

    def resolve_principal(access_key: str, account: str, *credential: Any) -> Any:
        until, principal = found.get((access_key, account), (0.0, None))
        if until < (now := time.monotonic()):
            principal = resolve(access_key, account, *credential)
            if isinstance(principal, iam_evaluator.PrincipalInfo):
                found[access_key, account] = now + POLICY_SECONDS, principal
        return principal

    iam_evaluator.resolve_principal = resolve_principal


def _remembered_texts(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    remembered = lru_cache(REMEMBERED)(parse)
    return lambda document: remembered(document) if isinstance(document, str) else parse(document)
