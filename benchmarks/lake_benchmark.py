"""The lake at one and ten million events: the export, the daily aggregates, each report; in the embedded AWS on one machine."""

import asyncio
import json
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple

import boto3
import duckdb

from benchmarks.environments import REPOSITORY
from benchmarks.handler_benchmark import built
from benchmarks.report import figure, table, times
from benchmarks.workers import once
from local.embedded_aws import EmbeddedAws
from pytake.analytics.aggregate import AggregateDays
from pytake.analytics.reports import Days, Reports
from pytake.aws.daily_aggregates import S3DailyAggregates
from pytake.aws.lake import S3Lake, object_key
from pytake.conversation.export import PASSES, ExportToLake
from pytake.conversation.lake_events import Pseudonyms, pseudonyms
from pytake.conversation.lake_records import ExportProgress, LogEntry, LoggedTurn
from pytake.conversation.records import ConversationKey, Delivery, TurnRecord
from pytake.engine import Event, Input, Step
from pytake.whatsapp.outbound import Text
from tests import fakes
from tests.fakes.lake import MemoryEventLog
from tests.lake import LakeOnAws

SIZES = (1_000_000, 10_000_000)
HOUR, DAY, DAYS = 3600, 86_400, 30
NOW = datetime(2026, 10, 31, 12, tzinfo=UTC)
BEGIN = int((NOW - timedelta(days=DAYS)).timestamp()) // DAY * DAY
OPENS, OPEN_HOURS = 11, 12
EVENTS_PER_SESSION = 40
EVENTS_PER_TURN = 8
EXPORTED_PER_TURN = 7
TURNS_PER_SESSION = 5
EXPORTED_HOURS = {"export": 60, "export, all of one hour": 1}
RUN_SECONDS = 300
"""The timeout of the scheduled function in template.yaml."""

REPORTS = ("flow_report", "nodes_heatmap", "daily_activity", "user_segments")


class Duration(NamedTuple):
    """Wall-clock seconds and CPU seconds, of the export's process or of the emulator with Athena."""

    wall: float
    cpu: float


NO_DURATION = Duration(0, 0)


class Export(NamedTuple):
    """An export's duration, its runs of the scheduled function, and its peak memory."""

    took: Duration
    runs: int
    peak_mb: float


@dataclass
class LakeResult:
    """The measurements at one number of events."""

    events: int
    megabytes: float = 0
    exports: dict[str, Export] = field(default_factory=dict)
    first: Duration = NO_DURATION
    daily: Duration = NO_DURATION
    from_events: dict[str, Duration] = field(default_factory=dict)
    from_daily: dict[str, Duration] = field(default_factory=dict)


def measure(sizes: Iterable[int], log: Callable[[str], None]) -> list[LakeResult]:
    """Measure at each size. Raises NotInstalledError when the build, which has the Parquet writer, fails."""
    layer = built() / "LakeLayer" / "python"
    return [_measure(size, layer, log) for size in sizes]


def _measure(events: int, layer: Path, log: Callable[[str], None]) -> LakeResult:
    folder = Path(tempfile.mkdtemp(prefix="pytake-bench-"))
    aws = EmbeddedAws(folder / "aws", folder / "logs")
    asyncio.run(aws.start())
    try:
        lake = LakeOnAws(_clients(aws), "lake")
        found = LakeResult(events)
        path = os.pathsep.join((str(REPOSITORY), str(layer)))
        environment = {**os.environ, **aws.client_environment, "PYTHONPATH": path}
        for name, hours in EXPORTED_HOURS.items():
            log(f"lake: {events:,} events: {name}")
            command = [sys.executable, "-m", "benchmarks.lake_benchmark", str(events), str(hours)]
            made: dict[str, Any] = once(command, REPOSITORY, environment, None)
            found.exports[name] = Export(Duration(made["wall"], made["cpu"]), made["runs"], made["peak_mb"])
            _empty(lake, "events/organization_id=export/")
        log(f"lake: {events:,} events: reports")
        found.megabytes = _fill(lake, events, folder) / 1e6
        _ask(lake, found, aws.process_id)
    finally:
        asyncio.run(aws.stop())
        shutil.rmtree(folder, ignore_errors=True)
    return found


def _empty(lake: LakeOnAws, prefix: str) -> None:
    """Remove the files of an export, which no report reads."""
    for page in lake.s3.get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            lake.s3.delete_object(Bucket=lake.bucket, Key=found["Key"])


def _clients(aws: EmbeddedAws) -> Callable[[str], Any]:
    environment = aws.client_environment
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    client: Any = session.client
    return lambda name: client(name, endpoint_url=aws.endpoint_url)


# --- reports -----------------------------------------------------------------------------------------------------------


def _ask(lake: LakeOnAws, found: LakeResult, emulator: int) -> None:
    clock = fakes.FrozenClock(NOW.timestamp())
    flows = fakes.MemoryFlows()
    flows.put_draft("bench", {"id": "bench", "name": "Bench"}, 0)
    log = MemoryEventLog(fakes.MemoryConversations(), fakes.MemoryDeliveries())
    queries = lake.queries(600)
    reports = Reports(queries, log, fakes.MemoryTenants(), flows, clock)

    def timed(work: Callable[[], Any]) -> tuple[Duration, Any]:
        began, before = perf_counter(), _cpu(emulator)
        done = work()
        return Duration(perf_counter() - began, _cpu(emulator) - before), done

    def ask(name: str, version: float) -> Duration:
        log.stored.as_of = version
        return timed(lambda: getattr(reports, name)("bench", "bench", Days(DAYS)))[0]

    def ask_all(version: float) -> dict[str, Duration]:
        # The first time brings files and translations; what counts is a warm Athena asked something new.
        return {name: min(ask(name, version + again) for again in range(3)) for name in REPORTS}

    found.first = ask("flow_report", 99)
    found.from_events = ask_all(100)
    log.stored.through["settled"] = int(NOW.timestamp()) // HOUR * HOUR - 73 * HOUR
    daily = S3DailyAggregates(lake.s3, lake.bucket, queries)
    aggregate = AggregateDays(log, S3Lake(lake.s3, lake.bucket), daily, clock, lambda *_: None)
    took, aggregated = timed(lambda: aggregate(NOW))
    found.daily = Duration(took.wall / aggregated.made, took.cpu / aggregated.made)
    found.from_daily = ask_all(200)


def _cpu(process_id: int) -> float:
    """CPU seconds of a process; 0 if they cannot be read."""
    stat = Path(f"/proc/{process_id}/stat")
    if not stat.exists():
        return 0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _fill(lake: LakeOnAws, events: int, folder: Path) -> int:
    """Write events of thirty days, conversations of five turns that start at any time, and return the bytes of their files."""
    sessions = events // EVENTS_PER_SESSION
    connection = duckdb.connect(config={"memory_limit": "6GB", "temp_directory": str(folder / "spill")})
    connection.execute("SET threads = 1")  # else each thread writes a file per hour, which the export does not
    connection.execute("SET partitioned_write_max_open_files = 1000")
    connection.execute(
        f"""
        COPY (
            SELECT
                format('{{:024x}}-{{:06d}}-{{:03d}}', hash(s), turn, place) AS event_id,
                CASE place
                    WHEN 0 THEN IF(turn = 1, 'session_started', 'message_in') WHEN 1 THEN 'message_in'
                    WHEN 2 THEN 'node_entered' WHEN 3 THEN 'node_entered' WHEN 4 THEN 'node_entered'
                    WHEN 5 THEN 'message_out' WHEN 6 THEN 'delivery'
                    ELSE IF(turn < 5, 'reported', IF(s % 3 = 0, 'expired', 'completed')) END AS type,
                make_timestamp_ms(
                    ({BEGIN + OPENS * HOUR} + (hash(s) % {DAYS})::BIGINT * {DAY}
                     + (hash(s, 2) % {OPEN_HOURS * HOUR - 200})::BIGINT + turn * 40) * 1000
                ) AS happened_at,
                format('{{:024x}}', hash(s % {max(1, sessions // 3)})) AS contact,
                format('{{:024x}}', hash(s, 1)) AS session,
                '1' AS phone_number_id,
                turn::INTEGER AS turn,
                IF(s % 20 = 0, 'other', 'bench') AS flow_id,
                1::INTEGER AS flow_version,
                'bench' AS node_flow_id,
                IF(place BETWEEN 2 AND 4, format('node-{{}}', turn * 3 + place), NULL) AS node_id,
                IF(place = 4, 'wait', IF(place BETWEEN 2 AND 3, format('button:{{}}', s % 4), NULL)) AS node_exit,
                place <> 2 OR turn = 1 AS arrived,
                IF(place IN (0, 1, 5), 'text', NULL) AS kind,
                IF(place BETWEEN 5 AND 6, 0, NULL)::INTEGER AS message_index,
                IF(place = 5, true, NULL) AS billable,
                IF(place = 6, 'read', NULL) AS state,
                NULL::TIMESTAMP AS state_at,
                NULL::VARCHAR AS code,
                NULL::MAP(VARCHAR, VARCHAR) AS variables,
                epoch_ms(happened_at) // {HOUR * 1000} * {HOUR} AS hour
            FROM range({sessions}) AS sessions(s), range(1, 6) AS turns(turn), range({EVENTS_PER_TURN}) AS places(place)
        ) TO '{folder / "files"}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (hour))
        """  # noqa: S608  nothing comes from outside
    )
    total = 0
    for place in sorted((folder / "files").iterdir()):
        files = sorted(place.glob("*.parquet"))
        key = object_key("bench", int(place.name.removeprefix("hour=")))
        for number, path in enumerate(files):  # DuckDB's threads write a file each
            total += path.stat().st_size
            lake.s3.upload_file(str(path), lake.bucket, key.replace(".parquet", f"-{number}.parquet"))
    shutil.rmtree(folder / "files")
    return total


# --- the export, in a process that has the lake's layer -----------------------------------------------------------------


class _Turns(MemoryEventLog):
    """A log with so many turns in each of some hours, made as they are read: conversations of five turns, by different
    people. Keys are created for each call, as from a table: nothing is kept here.
    """

    def __init__(self, turns: int, hours: int) -> None:
        super().__init__(fakes.MemoryConversations(), fakes.MemoryDeliveries())
        self._entries = turns // hours // TURNS_PER_SESSION
        self._hours = range(BEGIN, BEGIN + hours * HOUR, HOUR)
        done = dict.fromkeys(PASSES, BEGIN + hours * HOUR)  # one pass is measured: each hour is written once
        self.stored = ExportProgress(None, done | {"closed": BEGIN - HOUR})

    def entries(
        self, hour: int, organization_id: str | None = None, since: tuple[str, int] | None = None
    ) -> Iterator[LogEntry]:
        for number in range(self._entries if hour in self._hours else 0):
            at = hour * 1000 + number * HOUR * 1000 // self._entries
            if since is None or at >= since[1]:
                yield LogEntry(organization_id or "export", at, (f"5511{number:09d}", ""))

    def turns(self, hour: int, entries: Iterable[LogEntry]) -> Iterator[LoggedTurn]:
        path = [Step("bench", "a", "next"), Step("bench", "b", "button:yes"), Step("bench", "c", "wait")]
        events = [Event("variable_reported", {"name": "city", "value": "Lisbon"})]
        for entry in entries:
            key = ConversationKey("export", "1", entry.position[0])
            for seq in range(1, TURNS_PER_SESSION + 1):
                record = TurnRecord(
                    seq=seq, at=min(entry.at / 1000 + seq, hour + HOUR - 1), session_id=f"s{entry.position[0]}{hour}",
                    status="waiting", input=Input(text="Hi"), message_id="m", message_type="text", flow_id="bench",
                    flow_version=1, path=path, messages=[Text("Hello")], events=events,
                )  # fmt: skip
                yield LoggedTurn(key, record, [Delivery(seq, 0, "accepted", status="read", status_at=record.at)])

    def pseudonyms(self, _organization_id: str, contact_ids: Iterable[str], _now: float) -> dict[str, Pseudonyms]:
        return {contact_id: pseudonyms(contact_id.encode(), contact_id) for contact_id in contact_ids}

    def record_reported_hour(self, organization_id: str, contact_ids: Iterable[str], hour: int) -> None:
        """Not stored."""


def _export(events: int, hours: int) -> dict[str, float]:
    """Export this many events of this many hours in as many runs as needed; return the duration and the peak memory."""
    lake = S3Lake(boto3.client("s3"), "lake")
    log = _Turns(events // EXPORTED_PER_TURN, hours)
    began, before = perf_counter(), process_time()
    now = BEGIN + hours * HOUR + 900
    clock = lambda: now + perf_counter() - began  # noqa: E731
    export = ExportToLake(log, lake, fakes.MemoryHeldTurns(), clock, lambda *_: None, lambda _: 0)
    runs, done = 1, export(RUN_SECONDS)
    while not done.up_to_date:
        runs, done = runs + 1, export(RUN_SECONDS)
    wall, cpu = perf_counter() - began, process_time() - before
    return {"wall": wall, "cpu": cpu, "peak_mb": _peak_mb(), "runs": runs}


def _peak_mb() -> float:
    """The peak memory of this process. `getrusage` would include that of its parent."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


# --- the tables --------------------------------------------------------------------------------------------------------


def lake_table(measured: list[LakeResult]) -> str:
    """A row per figure, a column per size, and the growth between the first and the last."""
    rows = [
        ["Parquet, MB", *(figure(one.megabytes) for one in measured), _growth([one.megabytes for one in measured])],
        *(row for name in EXPORTED_HOURS for row in _export_rows(name, [one.exports[name] for one in measured])),
        _row("daily aggregates of a day", [one.daily for one in measured]),
        _row("the very first report", [one.first for one in measured]),
    ]
    for name in REPORTS:
        rows.append(_row(f"{name} from events", [one.from_events[name] for one in measured]))
        rows.append(_row(f"{name} from daily aggregates", [one.from_daily[name] for one in measured]))
    return table(["seconds (CPU seconds)", *(f"{one.events:,} events" for one in measured), "growth of CPU"], rows)


def _export_rows(name: str, exports: list[Export]) -> list[list[str]]:
    peaks = [one.peak_mb for one in exports]
    return [
        _row(name, [one.took for one in exports]),
        [f"{name}: peak of memory, MB", *map(figure, peaks), _growth(peaks)],
        [f"{name}: runs of at most {RUN_SECONDS} s", *(str(one.runs) for one in exports), ""],
    ]


def _row(name: str, took: list[Duration]) -> list[str]:
    return [name, *(f"{figure(one.wall)} ({figure(one.cpu)})" for one in took), _growth([one.cpu for one in took])]


def _growth(values: list[float]) -> str:
    return times(values[-1] / values[0]) if values[0] else ""


def lake_targets(measured: list[LakeResult]) -> list[list[str]]:
    """The target: every report within two seconds on a million events."""
    first = measured[0]
    slowest = max((*first.from_events.values(), *first.from_daily.values()), key=lambda took: took.wall)
    said = f"{figure(slowest.wall)} s ({figure(slowest.cpu)} s of CPU)"
    return [[f"slowest report on {first.events:,} events, local cloud", "≤ 2 s", said]]


if __name__ == "__main__":
    print(json.dumps(_export(int(sys.argv[1]), int(sys.argv[2]))))
