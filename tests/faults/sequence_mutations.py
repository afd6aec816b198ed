"""Deliberate mistakes in starts and follow-ups. Each must be caught, after a start and after a campaign."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from pytake.conversation import opening, start_flow
from pytake.conversation.sequences.run import RunFollowUps

Mutation = Callable[[pytest.MonkeyPatch], None]


def each_try_of_a_start_is_another_one(patch: pytest.MonkeyPatch) -> None:
    tries, known = count(), start_flow.digest
    patch.setattr(start_flow, "digest", lambda *parts: known(*parts, str(next(tries))))


def a_follow_up_is_done_before_it_is_queued(patch: pytest.MonkeyPatch) -> None:
    start = RunFollowUps._start

    def hasty(self: Any, follow_up: Any, *more: Any) -> None:
        self._follow_ups.finish(follow_up, self._clock())
        start(self, follow_up, *more)

    patch.setattr(RunFollowUps, "_start", hasty)


def an_answer_does_not_end_follow_ups(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RunFollowUps, "_silent_since", lambda *_: None)


def an_opt_out_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(opening, "check_person", lambda *_, **__: None)
    patch.setattr(start_flow, "check_person", lambda *_, **__: None)
    patch.setattr("pytake.contacts.records.ContactRecord.opted_out", False)
