"""The contents of the lake layer; the files that it writes have the rows and types that Athena expects."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import boto3
import duckdb
import pytest
from moto import mock_aws
from msgspec.structs import replace

from pytake.aws.daily_aggregates import S3DailyAggregates, aggregates_key
from pytake.aws.lake import S3Lake, UnreadableFileError, object_key
from pytake.conversation.lake_events import COLUMNS, LakeEvent
from pytake.conversation.lake_records import LakePart
from tests.build.conftest import ARCHITECTURE
from tests.build.layer_files import ELF_MACHINE, machines, size

pytestmark = pytest.mark.build

HOUR = 1_769_997_600
WHOLE = LakePart("acme", HOUR, HOUR * 1000, HOUR * 1000)


@pytest.fixture
def s3(lake_layer: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(lake_layer)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="lake")
        client.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
        yield client


def events(count: int) -> list[LakeEvent]:
    return [
        LakeEvent(
            event_id=f"c-{index:06d}-000",
            type="message_in",
            happened_at=HOUR * 1000 + index,
            contact=f"contact {index % 7}",
            session=None,
            phone_number_id="100000000000001",
            turn=index,
            kind="text",
            billable=True if index % 2 else None,
            state_at=HOUR * 1000 + 250 if index == 0 else None,
            variables={"city": "São Paulo", "n": "1"} if index == 0 else None,
        )
        for index in range(count)
    ]


def read(s3: Any, tmp_path: Path, question: str) -> list[tuple[Any, ...]]:
    body = s3.get_object(Bucket="lake", Key=object_key("acme", HOUR))["Body"].read()
    file = tmp_path / "events.parquet"
    file.write_bytes(body)
    return duckdb.sql(question.format(file=f"'{file}'")).fetchall()


def test_it_holds_the_writer_and_nothing_else(lake_layer: Path) -> None:
    names = {path.name.split("-")[0] for path in lake_layer.iterdir()} - {"__pycache__"}
    assert names == {"arro3", "arro3_core", "arro3_io"}
    assert size(lake_layer) <= 36_000_000
    assert machines(lake_layer) <= {ELF_MACHINE[ARCHITECTURE]}


def test_the_file_has_every_event_with_the_columns_types(s3: Any, tmp_path: Path) -> None:
    assert S3Lake(s3, "lake").put(WHOLE, events(20_000))
    types = {"string": "VARCHAR", "int": "INTEGER", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP"}
    types["map<string,string>"] = "MAP(VARCHAR, VARCHAR)"
    described = read(s3, tmp_path, "describe select * from {file}")
    assert [(row[0], row[1]) for row in described] == [(name, types[type_]) for name, type_ in COLUMNS.items()]
    [counted] = read(
        s3,
        tmp_path,
        "select count(*), count(distinct event_id), count(billable), min(happened_at)::varchar, count(session) from {file}",
    )
    assert counted == (20_000, 20_000, 10_000, "2026-02-02 02:00:00", 0)
    [first] = read(s3, tmp_path, "select variables, state_at::varchar from {file} where turn = 0")
    assert first == ({"city": "São Paulo", "n": "1"}, "2026-02-02 02:00:00.25")
    [compressed] = read(s3, tmp_path, "select distinct compression from parquet_metadata({file})")
    assert compressed == ("ZSTD",)


def test_the_same_events_are_not_written_again(s3: Any, tmp_path: Path) -> None:
    lake = S3Lake(s3, "lake")
    assert [lake.put(WHOLE, events(n)) for n in (100, 100, 101, 101)] == [True, False, True, False]
    assert len(s3.list_object_versions(Bucket="lake")["Versions"]) == 2
    assert read(s3, tmp_path, "select count(*) from {file}") == [(101,)]


def test_a_writer_that_fails_leaves_the_file_as_it_was(s3: Any, tmp_path: Path) -> None:
    lake = S3Lake(s3, "lake")
    lake.put(WHOLE, events(100))

    def broken() -> Iterator[LakeEvent]:
        yield from events(50)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        lake.put(WHOLE, broken())
    assert read(s3, tmp_path, "select count(*) from {file}") == [(100,)]


def test_texts_of_an_erased_person_are_removed_from_the_file_and_its_versions_and_every_row_stays(
    s3: Any, tmp_path: Path
) -> None:
    lake = S3Lake(s3, "lake")
    written = [replace(event, variables={"name": f"name of {event.contact}"}) for event in events(9_000)]
    for count in (5_000, 9_000):
        lake.put(WHOLE, written[:count])
    before = read(s3, tmp_path, "select * exclude (variables) from {file}")
    s3.put_object(Bucket="lake", Key="athena/result.csv", Body=b"name of contact 3")
    lake.redact("acme", HOUR, {"contact 3"})
    lake.redact("acme", HOUR - 3600, {"contact 3"})  # this file does not exist
    assert read(s3, tmp_path, "select * exclude (variables) from {file}") == before
    counted = read(s3, tmp_path, "select contact, count(variables) from {file} group by 1 order by 1")
    assert counted == [(f"contact {n}", 0 if n == 3 else 1286 if n < 5 else 1285) for n in range(7)]
    lake.delete_old_versions("acme", HOUR)
    lake.delete_query_results()
    [version] = s3.list_object_versions(Bucket="lake")["Versions"]
    assert version["Key"] == object_key("acme", HOUR)
    assert version["IsLatest"]
    assert read(s3, tmp_path, "select count(*) from {file} where variables::varchar like '%contact 3%'") == [(0,)]


FIGURES = """
SELECT 'session' AS kind, 's' || i AS session, TIMESTAMP '2026-03-10 12:00:00' AS slot, i::BIGINT AS messages_in,
    'exit ' || (i % 3) AS node_exit, CAST(NULL AS BIGINT) AS visits
FROM range({first}, {end}) AS numbers (i)
"""
"""As the files of one answer are: strings in dictionaries, columns that are null throughout."""


class Answers:
    """Athena, whose answer is the files given, whatever is asked."""

    def __init__(self, s3: Any, *files: Path) -> None:
        self._s3 = s3
        self.files = list(files)

    def start(self, sql: str, _parameters: Any, _token: str) -> str:
        folder = sql.partition(" TO 's3://lake/")[2].partition("'")[0]
        for number, file in enumerate(self.files):
            self._s3.put_object(Bucket="lake", Key=f"{folder}part-{number}", Body=file.read_bytes())
        return ""

    def wait(self, executions: Any, _: Any) -> dict[str, None]:
        return dict.fromkeys(executions)


def make(aggregates: S3DailyAggregates, source: str) -> None:
    """Make a day's aggregates."""
    day = aggregates.start("acme", "2026-03-10", "SELECT", [], source)
    aggregates.finish(day, *aggregates.wait([day], lambda: False))


def answer(tmp_path: Path, name: str, first: int, end: int, select: str = "*") -> Path:
    file = tmp_path / f"{name}.parquet"
    figures = FIGURES.format(first=first, end=end)
    duckdb.sql(f"COPY (SELECT {select} FROM ({figures})) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")  # noqa: S608
    return file


def figures(s3: Any, tmp_path: Path, question: str) -> list[tuple[Any, ...]]:
    file = tmp_path / "figures.parquet"
    file.write_bytes(s3.get_object(Bucket="lake", Key=aggregates_key("acme", "2026-03-10"))["Body"].read())
    return duckdb.sql(question.format(file=f"'{file}'")).fetchall()


def test_an_answer_of_several_files_becomes_one_with_every_row_in_order(s3: Any, tmp_path: Path) -> None:
    none, few, many = (
        answer(tmp_path, name, *rows)
        for name, rows in {"none": (0, 0), "few": (0, 1000), "many": (1000, 150_000)}.items()
    )
    athena = Answers(s3, none, few, many)
    made = S3DailyAggregates(s3, "lake", athena)  # type: ignore[arg-type]
    bodies = []
    for _ in range(2):
        make(made, "source")
        bodies.append(s3.get_object(Bucket="lake", Key=aggregates_key("acme", "2026-03-10"))["Body"].read())
    assert bodies[0] == bodies[1]
    assert made.made_from("acme", "2026-03-10") == "source"
    counted = figures(
        s3,
        tmp_path,
        "select count(*), count(distinct session), sum(messages_in), count(visits), count(distinct node_exit), "
        "bool_and(messages_in = file_row_number) from read_parquet({file}, file_row_number = true)",
    )
    assert counted == [(150_000, 150_000, 149_999 * 150_000 // 2, 0, 3, True)]
    types = dict(row[:2] for row in figures(s3, tmp_path, "describe select * from {file}"))
    assert (types["slot"], types["messages_in"], types["visits"]) == ("TIMESTAMP", "BIGINT", "BIGINT")
    athena.files = [none, none]
    make(made, "other")
    assert figures(s3, tmp_path, "select count(*) from {file}") == [(0,)]
    assert s3.list_objects_v2(Bucket="lake", Prefix="athena/").get("KeyCount") == 0


@pytest.mark.parametrize("select", ["* exclude (visits)", "*, 1 as more", "* replace (visits::integer as visits)"])
def test_files_that_do_not_fit_together_leave_the_figures_as_they_were(s3: Any, tmp_path: Path, select: str) -> None:
    whole = answer(tmp_path, "whole", 0, 10)
    made = S3DailyAggregates(s3, "lake", Answers(s3, whole))  # type: ignore[arg-type]
    make(made, "before")
    other = answer(tmp_path, "other", 0, 10, select)
    for files in ((whole, other), (other, whole)):
        with pytest.raises(Exception, match="Schema"):
            make(S3DailyAggregates(s3, "lake", Answers(s3, *files)), "after")  # type: ignore[arg-type]
    assert made.made_from("acme", "2026-03-10") == "before"
    assert figures(s3, tmp_path, "select count(*) from {file}") == [(10,)]


@pytest.mark.parametrize("left", [4, 300])
def test_a_truncated_file_raises_and_has_no_other_effect(s3: Any, tmp_path: Path, left: int) -> None:
    whole, cut = answer(tmp_path, "whole", 0, 10), tmp_path / "cut.parquet"
    cut.write_bytes(whole.read_bytes()[:left])
    with pytest.raises(UnreadableFileError):
        make(S3DailyAggregates(s3, "lake", Answers(s3, whole, cut)), "")  # type: ignore[arg-type]
    s3.put_object(Bucket="lake", Key=object_key("acme", HOUR), Body=cut.read_bytes())
    with pytest.raises(UnreadableFileError):
        S3Lake(s3, "lake").redact("acme", HOUR, {"contact"})


def test_a_part_says_how_far_it_reaches_and_where_the_next_one_begins(s3: Any) -> None:
    lake, begins = S3Lake(s3, "lake"), HOUR * 1000 + 421_733
    assert lake.part("acme", HOUR, HOUR * 1000) is None
    first = LakePart("acme", HOUR, HOUR * 1000, begins - 5, begins)
    last = LakePart("acme", HOUR, begins, begins + 9)
    assert [lake.put(part, events(10)) for part in (first, last, first, last)] == [True, True, False, False]
    assert lake.part("acme", HOUR, HOUR * 1000) == first
    assert lake.part("acme", HOUR, begins) == last
    assert lake.put(replace(last, next=begins + 10), events(10)), "the same events, and now it is known where they end"
    assert lake.part("acme", HOUR, begins) == replace(last, next=begins + 10)
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket="lake")["Contents"]]
    assert keys == [
        "events/organization_id=acme/dt=2026-02-02/02-0421733.parquet",
        "events/organization_id=acme/dt=2026-02-02/02.parquet",
    ]


def test_a_file_that_does_not_say_how_far_it_reaches_is_never_cut(s3: Any) -> None:
    s3.put_object(Bucket="lake", Key=object_key("acme", HOUR), Body=b"", Metadata={"sha256": "x"})
    found = S3Lake(s3, "lake").part("acme", HOUR, HOUR * 1000)
    assert found == LakePart("acme", HOUR, HOUR * 1000, (HOUR + 3600) * 1000)


def test_texts_of_an_erased_person_are_removed_from_every_part(s3: Any) -> None:
    lake = S3Lake(s3, "lake")
    written = [replace(event, variables={"name": f"name of {event.contact}"}) for event in events(70)]
    parts = [LakePart("acme", HOUR, (HOUR + at) * 1000, (HOUR + at) * 1000 + 9, None) for at in (0, 600)]
    other = LakePart("acme", HOUR + 3600, (HOUR + 3600) * 1000, (HOUR + 3600) * 1000)
    for part in (*parts, other):
        lake.put(part, written)
    lake.redact("acme", HOUR, {"contact 3"})
    lake.delete_old_versions("acme", HOUR)
    versions = s3.list_object_versions(Bucket="lake")["Versions"]
    assert len(versions) == 3
    assert [lake.part("acme", HOUR, part.begins) for part in parts] == parts
    found = {
        version["Key"]: b"contact 3" in _plain(s3.get_object(Bucket="lake", Key=version["Key"])["Body"].read())
        for version in versions
    }
    assert found == {
        object_key("acme", HOUR): False,
        object_key("acme", HOUR, parts[1].begins): False,
        object_key("acme", HOUR + 3600): True,
    }


def _plain(parquet: bytes) -> bytes:
    """What the variables of a file hold."""
    with NamedTemporaryFile(suffix=".parquet") as file:
        file.write(parquet)
        file.flush()
        return str(duckdb.sql(f"SELECT variables FROM '{file.name}'").fetchall()).encode()  # noqa: S608
