"""The web console has words for every code that a campaign shows to people."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytake.campaigns
from pytake.campaigns.breaker import STOPS_AT_ONCE
from pytake.campaigns.records import Waiting
from pytake.conversation.opening import RefusalCode

WORDS = Path(__file__).parents[2] / "console/src/areas/campaigns/words/pt.json"  # Vitest compares the other languages

NOT_OF_CAMPAIGNS = {"window_closed", "budget_exhausted"}
"""Refusals of starts alone: a campaign always has a template, and it waits for the budget."""

OF_A_PERSON = {"in_session", "with_agent", "opted_out", "no_consent", "recipient_invalid"}
"""Refusals because of the person. The others are the same for everybody: they stop or pause the campaign."""


def _words() -> dict[str, Any]:
    words: dict[str, Any] = json.loads(WORDS.read_text())
    return words


def _written(pattern: str) -> set[str]:
    """The codes that the package writes in calls of this form."""
    found = set[str]()
    for path in Path(pytake.campaigns.__path__[0]).glob("*.py"):
        found.update(re.findall(pattern, path.read_text()))
    assert found, pattern
    return found


def test_every_reason_to_wait_has_words() -> None:
    assert set(get_args(Waiting)) == _words()["waiting"].keys()


def test_every_reason_to_leave_a_person_out_has_words() -> None:
    codes = _written(r'f"\{SKIPPED\}([a-z_]+)"') | OF_A_PERSON | {"parameter_missing"}
    assert codes == _words()["skip"].keys()


def test_every_reason_to_stop_or_pause_has_words() -> None:
    shared = set(get_args(RefusalCode)) - NOT_OF_CAMPAIGNS - OF_A_PERSON
    own = _written(r'_(?:stop|pause)\(campaign, "([a-z_]+)"') | _written(r'_NumberError\("([a-z_]+)"')
    judged = {*STOPS_AT_ONCE.values(), "failures", "opt_outs"}
    assert shared | own | judged == _words()["reason"].keys()
