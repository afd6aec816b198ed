"""Patches that make MiniStack answer faster. They do not change its answers (see `local.emulator`)."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ministack.core import iam_evaluator  # type: ignore[import-untyped]
from ministack.services import dynamodb, lambda_svc  # type: ignore[import-untyped]

PATCHED_NAMES = (
    (lambda_svc, "_ESM_IDLE_WAKE_GAP_SECONDS"),
    (iam_evaluator, "parse_policy_document"),
    (dynamodb, "_tokenize"),
    (dynamodb, "_condition_syntax_error"),
)

REMEMBERED = 4096
"""Texts whose meaning is remembered. A deployment has some dozen policies, the product some dozen conditions."""


def poll_queues_immediately() -> None:
    """Poll again at once after a wake-up that found no messages; MiniStack pauses for 50 ms.

    A turn passes two queues, and every finished batch is such a wake-up: the pauses were most of a turn's time.
    """
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = 0.002


def remember_what_texts_mean() -> None:
    """Parse a policy and a condition once for each text; MiniStack parses them with each request."""
    iam_evaluator.parse_policy_document = _remembered_texts(iam_evaluator.parse_policy_document)
    dynamodb._condition_syntax_error = lru_cache(REMEMBERED)(dynamodb._condition_syntax_error)
    tokens = lru_cache(REMEMBERED)(dynamodb._tokenize)
    dynamodb._tokenize = lambda text: list(tokens(text))


def _remembered_texts(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    remembered = lru_cache(REMEMBERED)(parse)
    return lambda document: remembered(document) if isinstance(document, str) else parse(document)
