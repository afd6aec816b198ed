"""The lake's benchmark asks what reports answer, over events like the export's."""

from benchmarks.lake_benchmark import (
    BEGIN,
    EXPORTED_HOURS,
    EXPORTED_PER_TURN,
    HOUR,
    REPORTS,
    Duration,
    Export,
    LakeResult,
    _Turns,
    lake_table,
    lake_targets,
)
from pytake.analytics.reports import Reports
from pytake.conversation.lake_events import events_of, pseudonyms


def test_the_exported_turns_give_so_many_events() -> None:
    log = _Turns(80, 2)
    hours = [list(log.turns(hour, log.entries(hour))) for hour in range(BEGIN, BEGIN + 3 * HOUR, HOUR)]
    assert [len(turns) for turns in hours] == [40, 40, 0]
    names = pseudonyms(b"key", "anyone")
    events = [events_of(turn.key, turn.record, turn.deliveries, names) for turns in hours for turn in turns]
    assert {len(told) for told in events} == {EXPORTED_PER_TURN}


def test_the_table_tells_the_growth_of_processor_time() -> None:
    def at(events: int, cpu: float) -> LakeResult:
        exports = {name: Export(Duration(9, cpu), 2, 100) for name in EXPORTED_HOURS}
        asked = dict.fromkeys(REPORTS, Duration(2 * cpu, cpu))
        return LakeResult(events, 10, exports, from_events=asked, from_daily=asked)

    lines = lake_table([at(1_000_000, 0.5), at(10_000_000, 2)]).splitlines()
    assert lines[0].split("|")[2:4] == [" 1,000,000 events ", " 10,000,000 events "]
    assert any("flow_report from events" in line and "1.00 (0.50)" in line and "4.00x" in line for line in lines)
    assert any("export: peak of memory, MB" in line and "1.00x" in line for line in lines)
    assert lake_targets([at(1_000_000, 0.5)])[0][2] == "1.00 s (0.50 s of CPU)"


def test_the_reports_are_those_there_are() -> None:
    assert all(callable(getattr(Reports, name)) for name in REPORTS)
