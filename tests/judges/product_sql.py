"""The product's SQL and the saved SQL on a Trino: each cell equals what the local Athena answers (`make judges`).

Trino reads the same events in files as the product writes them (arro3), and the daily aggregates that the local Athena made.
Athena's `PREPARE` and `EXECUTE ... USING` are Trino's `EXECUTE IMMEDIATE`; of `UNLOAD`, which Trino lacks, its SELECT is asked.
"""

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from local.expanded_template import expanded
from pytake.analytics.aggregate import AggregateDays
from pytake.analytics.answers import Answers as AnswerTables
from pytake.analytics.audiences import LakeAudiences
from pytake.analytics.reports import Days
from pytake.aws.athena import AthenaQueries
from pytake.aws.daily_aggregates import S3DailyAggregates
from pytake.aws.lake import S3Lake, object_key, write_parquet
from pytake.contacts.segments import Outcome, SegmentQuery
from pytake.conversation.lake_events import LakeEvent
from tests.analytics.answers import Answers
from tests.analytics.conftest import aws, new_lake  # noqa: F401  fixtures
from tests.analytics.saved_queries import OWN, QUERIES
from tests.analytics.traffic import NUMBERS, Traffic
from tests.judges.trino_client import Answer, Trino
from tests.lake import LakeOnAws
from tests.stack import TEMPLATE

HOUR = 3600
TYPES = {
    "string": "varchar",
    "int": "integer",
    "boolean": "boolean",
    "timestamp": "timestamp(3)",
    "bigint": "bigint",
    "map<string,string>": "map(varchar, varchar)",
}
REPORTS = ("flow_report", "nodes_heatmap", "daily_activity", "user_segments")
VARIABLES = {"completed": {"name": 'Ana "x"', "city": "São Paulo"}, "expired": {}}
_UNLOAD = re.compile(r"UNLOAD \(\n(.*)\n\) TO '[^']*' WITH \(format = 'PARQUET', compression = 'ZSTD'\)", re.DOTALL)


_ANY_ORDER = "array_join(array_agg(contact), ',')"


class Tables:
    """The template's tables on Trino, over files below its folder."""

    def __init__(self, trino: Trino, folder: Path) -> None:
        self.trino, self.folder = trino, folder
        self.columns: dict[str, list[tuple[str, str]]] = {}
        for resource in expanded(TEMPLATE)["Resources"].values():
            if resource["Type"] == "AWS::Glue::Table":
                table = resource["Properties"]["TableInput"]
                columns = [(column["Name"], TYPES[column["Type"]]) for column in table["StorageDescriptor"]["Columns"]]
                self.columns[table["Name"]] = columns
        for name, columns in self.columns.items():
            (folder / name).mkdir()
            listed = ", ".join(f'"{column}" {kind}' for column, kind in columns)
            trino.ask(
                f"CREATE TABLE {name} ({listed}, organization_id varchar, dt varchar) WITH (format = 'PARQUET', "
                f"external_location = 'local:///{name}', partitioned_by = ARRAY['organization_id', 'dt'])"
            )

    def refresh(self, name: str) -> None:
        """Make Trino see the folders that a table has now."""
        self.trino.ask(f"CALL hive.system.sync_partition_metadata('lake', '{name}', 'FULL')")


class Judged(AthenaQueries):
    """The product's adapter; Trino is asked each question as well."""

    def __init__(self, lake: LakeOnAws, trino: Trino) -> None:
        super().__init__(lake.athena, lake.work_group, lake.database, 60)
        self.trino = trino
        self.unloaded: list[tuple[str, list[str]]] = []
        self.equal: Counter[str] = Counter()
        self.asked = ""

    def rows(self, sql: str, parameters: Sequence[str], version: str) -> list[dict[str, str | None]]:
        found = super().rows(sql, parameters, version)
        answer = self.trino.execute(sql, parameters)
        rows, expected = [tuple(row.values()) for row in found], answer.rows
        if found:
            assert list(found[0]) == answer.columns
        if _ANY_ORDER in sql:
            rows, expected = [people_in_order(row) for row in rows], [people_in_order(row) for row in expected]
        assert in_order(sql, expected) == in_order(sql, rows), (self.asked, parameters)
        self.equal[self.asked] += 1
        return found

    def start(self, sql: str, parameters: Sequence[str], token: str) -> str:
        if sql.startswith("UNLOAD"):
            self.unloaded.append((sql, list(parameters)))
        return super().start(sql, parameters, token)


def people_in_order(row: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Return a row whose lists of pseudonyms are sorted: no engine promises an order of `array_agg`."""
    return tuple(",".join(sorted(cell.split(","))) if cell is not None else None for cell in row)


def in_order(sql: str, rows: Sequence[tuple[str | None, ...]]) -> list[tuple[str | None, ...]]:
    """Return the rows as they come when the statement orders them, else sorted."""
    if "ORDER BY" in sql.rpartition(")")[2]:
        return list(rows)
    return sorted(rows, key=lambda row: [(cell is not None, cell or "") for cell in row])


class World(Answers):
    """Traffic in a lake that the local Athena and Trino read."""

    def __init__(self, lake: LakeOnAws, tables: Tables, scratch: Path) -> None:
        self.lake, self.tables = lake, tables
        self.queries = Judged(lake, tables.trino)
        super().__init__(Traffic(seed=5, days=24), self.queries)
        for organization_id in NUMBERS:
            events = [each for event in self.traffic.events(organization_id) for each in self._with_answers(event)]
            lake.put(organization_id, events)
            self._write(organization_id, events, scratch)
        tables.refresh("events")
        self.aggregates = S3DailyAggregates(lake.s3, lake.bucket, self.queries)

    @staticmethod
    def _with_answers(event: LakeEvent) -> list[LakeEvent]:
        told = msgspec.structs.replace(event, variables=VARIABLES.get(event.type, event.variables))
        if event.type != "completed":
            return [told]
        return [msgspec.structs.replace(told, type="reported", event_id=f"{event.event_id}.a"), told]

    def _write(self, organization_id: str, events: list[LakeEvent], scratch: Path) -> None:
        hours: dict[int, list[LakeEvent]] = {}
        for event in events:
            hours.setdefault(event.happened_at // 1000 // HOUR * HOUR, []).append(event)
        for hour, of_hour in hours.items():
            lines, file = scratch / "lines.jsonl", self.tables.folder / object_key(organization_id, hour)
            lines.write_bytes(msgspec.json.Encoder().encode_lines(of_hour))
            file.parent.mkdir(parents=True, exist_ok=True)
            write_parquet(lines, file)

    def settle(self, hours_ago: int) -> None:
        """Make the daily aggregates, and show them to Trino."""
        now, lake = self.traffic.clock(), self.lake
        self.log.stored.through["settled"] = int(now - hours_ago * HOUR) // HOUR * HOUR
        aggregate = AggregateDays(
            self.log, S3Lake(lake.s3, lake.bucket), self.aggregates, self.traffic.clock, lambda *_: None
        )
        self.queries.asked = "the days that have events"
        aggregate(datetime.fromtimestamp(now, UTC))
        shutil.rmtree(self.tables.folder / "daily")
        (self.tables.folder / "daily").mkdir()
        for page in lake.s3.get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix="daily/"):
            for stored in page.get("Contents", ()):
                file = self.tables.folder / stored["Key"]
                file.parent.mkdir(parents=True, exist_ok=True)
                if stored["Size"]:
                    lake.s3.download_file(lake.bucket, stored["Key"], str(file))
        self.tables.refresh("daily")

    def ask_reports(self, organization_id: str, flow_id: str, days: int, zone: str) -> None:
        self.in_zone(zone)
        for report in REPORTS:
            self.queries.asked = report
            getattr(self.reports, report)(organization_id, flow_id, Days(days))


@pytest.fixture(scope="module")
def trino() -> Iterator[Trino]:
    with closing(Trino(os.environ["TRINO_URL"])) as client:
        yield client


@pytest.fixture(scope="module")
def world(
    new_lake: Callable[[], LakeOnAws],  # noqa: F811
    trino: Trino,
    tmp_path_factory: pytest.TempPathFactory,
) -> World:
    tables = Tables(trino, Path(os.environ["TRINO_FOLDER"]))
    return World(new_lake(), tables, tmp_path_factory.mktemp("scratch"))


def test_reports_from_events_alone(world: World) -> None:
    world.log.settled = None
    world.ask_reports("acme", "shop", 365, "UTC")
    world.ask_reports("acme", "shop", 8, "America/Sao_Paulo")
    assert set(world.queries.equal) >= set(REPORTS)


@pytest.mark.parametrize(
    ("hours_ago", "organization_id", "flow_id", "days", "zone"),
    [
        (72, "acme", "shop", 21, "Asia/Kathmandu"),
        (72, "acme", "shop", 10, "Pacific/Kiritimati"),
        (72, "acme", "echo", 30, "America/Sao_Paulo"),
        (72, "zoo", "shop", 30, "America/New_York"),
        (0, "acme", "survey", 30, "UTC"),
    ],
)
def test_reports_from_daily_aggregates_and_events(
    world: World, hours_ago: int, organization_id: str, flow_id: str, days: int, zone: str
) -> None:
    world.settle(hours_ago)
    world.ask_reports(organization_id, flow_id, days, zone)


def test_the_table_of_answers(world: World) -> None:
    product, clock = world.traffic.product, world.traffic.clock
    world.queries.asked = "answers"
    found = AnswerTables(world.queries, world.log, product.tenants, product.flows, clock).table(
        "acme", "shop", Days(30)
    )
    assert any("São Paulo" in row.answers.values() for row in found.rows)


def test_the_people_of_segments(world: World) -> None:
    audiences = LakeAudiences(world.queries, world.log, world.traffic.clock)
    for name in ("started", "completed"):
        world.queries.asked = f"outcome {name}"
        audiences.with_outcome("acme", Outcome(name, "shop", 60))
    for name, values in (
        ("answered", {"variable": "city", "value": "São Paulo"}),
        ("reached_node", {"node_id": "ask"}),
    ):
        world.queries.asked = name
        audiences.named_by("acme", SegmentQuery(name, {"flow_id": "shop", "days": 60, **values}))
    assert {"outcome started", "outcome completed", "answered", "reached_node"} <= set(world.queries.equal)


def test_the_aggregates_of_each_day(world: World) -> None:
    world.settle(0)
    columns = world.tables.columns["daily"]
    names = ", ".join(name for name, _ in columns)
    assert world.queries.unloaded
    for sql, parameters in world.queries.unloaded:
        select = _UNLOAD.fullmatch(sql)
        assert select is not None
        computed: Answer = world.tables.trino.execute(select[1], parameters)
        assert computed.columns == [name for name, _ in columns]
        # An integer of another width, or a text with a length, is stored in the table's type.
        assert [kind.partition("(")[0] for kind in computed.types] == [kind.partition("(")[0] for _, kind in columns]
        where = f"organization_id = {parameters[0]} AND dt = {parameters[1]}"
        stored = world.tables.trino.ask(f"SELECT {names} FROM daily WHERE {where}")  # noqa: S608
        assert in_order("", computed.rows) == in_order("", stored.rows)


@pytest.mark.parametrize("organization_id", ["'acme'", "'zoo'", "'nobody'"])
@pytest.mark.parametrize("name", sorted(QUERIES))
def test_saved_queries(world: World, name: str, organization_id: str) -> None:
    world.queries.asked = name
    rows: list[Any] = world.queries.rows(
        QUERIES[name], [organization_id, "'2026-03-01'", "'2026-03-31'", *OWN[name]], "1"
    )
    assert rows or organization_id != "'acme'"
