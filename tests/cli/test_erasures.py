"""`pytake erasures replay`: the moment. tests/cloud/test_recovery.py restores a table and replays its erasures."""

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from cli import erasures
from cli.main import app
from cli.stack import DeployedStack
from pytake.conversation.replay_erasures import ReplayedErasures


@pytest.mark.parametrize("moment", ["2026-11-29T12:00:00Z", "2026-11-29T12:00:00", "2026-11-29T09:00:00-03:00"])
def test_a_moment_without_a_time_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    asked: list[float] = []

    def replay(_: DeployedStack) -> object:
        return lambda since: asked.append(since) or ReplayedErasures(2, 1, 30)

    monkeypatch.setattr(erasures, "find_stack", lambda *_: DeployedStack("pytake-prod", {}, {}))
    monkeypatch.setattr(erasures, "replay_erasures", replay)
    done = CliRunner().invoke(app, ["erasures", "replay", "--stack", "pytake-prod", "--since", moment])
    assert done.output == "2 erasures repeated: 1 people found, 30 items removed.\n"
    assert asked == [datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp()]


def test_what_is_not_a_time_ends_the_command() -> None:
    done = CliRunner().invoke(app, ["erasures", "replay", "--stack", "pytake-prod", "--since", "yesterday"])
    assert done.exit_code == 2
    assert "'yesterday' is not a time" in done.output
