"""That the reports are compared with a count proves something only if a wrong statement is found out. So here are wrong ones:
each changes the SQL in one place, like a typo, and the comparison has to fail."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from pytake.analytics import queries
from tests.analytics.answers import Answers, check
from tests.analytics.in_process import LakeInProcess
from tests.analytics.traffic import NUMBERS, Traffic

BEGIN = 1_772_323_200.0
"""A midnight in UTC: at this moment the first of all conversations begins."""

DAYS, SETTLED_DAYS = 13, 6
HOUR = 3600
WEST, EAST = "America/Sao_Paulo", "Asia/Kathmandu"


class Slip(NamedTuple):
    """What is written in place of what in a file of `sql/`, and the report that then has to be wrong."""

    file: str
    right: str
    wrong: str
    report: str
    zone: str = "UTC"


SLIPS = {
    "people counted as often as they come": Slip("report", "count(DISTINCT contact)", "count(contact)", "flow_report"),
    "people of a day counted as often as they write": Slip(
        "daily_activity", "count(DISTINCT CASE", "count(CASE", "daily_activity"
    ),
    "conversations counted at each of their visits": Slip(
        "heatmap", "count(DISTINCT number)", "count(number)", "nodes_heatmap"
    ),
    "days of another time zone": Slip("daily_activity", "$timezone", "'UTC'", "daily_activity", WEST),
    "whole hours, where days begin at a quarter": Slip(
        "event_sessions", "minute(happened_at) / 15 * 15", "0", "daily_activity", EAST
    ),
    "the first moment of the period left out": Slip(
        "conversations", "started_at >= :begins", "started_at > :begins", "flow_report"
    ),
    "the first day since the settled ones left out": Slip(
        "event_sessions", "dt >= :events_from", "dt > :events_from", "flow_report"
    ),
    "the last settled day left out": Slip("steps", "dt <= :daily_to", "dt < :daily_to", "nodes_heatmap"),
    "conversations without a step left out": Slip("heatmap", "LEFT JOIN", "INNER JOIN", "nodes_heatmap"),
    "another organization's events": Slip(
        "event_sessions", "organization_id = :organization_id", "organization_id >= :organization_id", "flow_report"
    ),
    "expired counted as completed": Slip(
        "conversations", "completed_at IS NOT NULL", "coalesce(completed_at, expired_at) IS NOT NULL", "flow_report"
    ),
    "an exit's drop-off from the last node in place of the path": Slip(
        "heatmap",
        "            AND numbered.node_exit = steps.node_exit AS given",
        "            AS given",
        "nodes_heatmap",
    ),
    "those who stay counted as given up": Slip(
        "heatmap", "state IN ('expired', 'ended')", "state <> 'completed'", "nodes_heatmap"
    ),
    "those who wait for an agent counted as still there": Slip(
        "heatmap", "state = 'active'", "state IN ('active', 'handed_off')", "nodes_heatmap"
    ),
    "waiting counted as a visit": Slip("event_steps", "count_if(arrived)", "count(arrived)", "nodes_heatmap"),
    "one version of the flow only": Slip(
        "event_sessions", "AND type <> 'delivery'", "AND coalesce(flow_version, 1) = 1", "flow_report"
    ),
    "agents' messages counted as the bot's": Slip(
        "event_sessions", "type = 'message_out' AND code IS NULL", "type = 'message_out'", "flow_report"
    ),
    "the one before the middle as the median": Slip(
        "report", "((places + 1) / 2, (places + 2) / 2)", "(places / 2)", "flow_report"
    ),
    "a percentile rounded down": Slip("report", "(95 * places + 99) / 100", "95 * places / 100", "flow_report"),
    "power from 25 messages on": Slip("user_segments", "messages >= 20", "messages >= 25", "user_segments"),
}


class World(Answers):
    """Traffic of some days, the first of them settled, over a lake in this process."""

    def __init__(self, folder: Path) -> None:
        traffic = Traffic(seed=11, days=DAYS - 1, begin=BEGIN)
        self.lake = LakeInProcess(folder, {name: traffic.events(name) for name in NUMBERS})
        super().__init__(traffic, self.lake)

    def settle(self, *organizations: str) -> None:
        """Make the daily aggregates of organizations, with the statements as they are now."""
        first, last = (datetime.fromtimestamp(BEGIN + day * 24 * HOUR, UTC).date() for day in (-1, SETTLED_DAYS - 1))
        self.lake.settle(organizations, first, last)
        self.log.settled = last.isoformat()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("lake"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the statements, which is asked in their place."""
    for path in queries._FOLDER.glob("*.sql"):
        (tmp_path / path.name).write_text(path.read_text())
    monkeypatch.setattr(queries, "_FOLDER", tmp_path)
    queries.statement.cache_clear()
    yield tmp_path
    queries.statement.cache_clear()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("zone", ["UTC", WEST, EAST])
def test_the_statements_as_they_are_pass(world: World, zone: str) -> None:
    world.settle(*NUMBERS)
    check(world, "acme", "shop", DAYS, zone)


@pytest.mark.parametrize("name", SLIPS)
def test_a_wrong_statement_is_found_out(world: World, folder: Path, name: str) -> None:
    slip = SLIPS[name]
    file = folder / f"{slip.file}.sql"
    assert slip.right in file.read_text(), "the slip is of a statement that is no more"
    file.write_text(file.read_text().replace(slip.right, slip.wrong))
    world.settle("acme")
    with pytest.raises(AssertionError):
        check(world, "acme", "shop", DAYS, slip.zone, [slip.report])
