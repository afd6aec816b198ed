"""What the lake layer holds, and that the lake's files are what Athena shall read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest
from moto import mock_aws
from msgspec.structs import replace

from pytake.aws.lake import S3Lake, object_key
from pytake.conversation.lake_events import COLUMNS, LakeEvent
from tests.build.conftest import ARCHITECTURE
from tests.build.test_layer import ELF_MACHINE, machines, size

pytestmark = pytest.mark.build

HOUR = 1_769_997_600


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
    assert S3Lake(s3, "lake").put("acme", HOUR, events(20_000))
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
    assert [lake.put("acme", HOUR, events(n)) for n in (100, 100, 101, 101)] == [True, False, True, False]
    assert len(s3.list_object_versions(Bucket="lake")["Versions"]) == 2
    assert read(s3, tmp_path, "select count(*) from {file}") == [(101,)]


def test_a_writer_that_fails_leaves_the_file_as_it_was(s3: Any, tmp_path: Path) -> None:
    lake = S3Lake(s3, "lake")
    lake.put("acme", HOUR, events(100))

    def broken() -> Iterator[LakeEvent]:
        yield from events(50)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        lake.put("acme", HOUR, broken())
    assert read(s3, tmp_path, "select count(*) from {file}") == [(100,)]


def test_what_an_erased_person_said_leaves_the_file_and_its_versions_and_every_row_stays(
    s3: Any, tmp_path: Path
) -> None:
    lake = S3Lake(s3, "lake")
    told = [replace(event, variables={"name": f"name of {event.contact}"}) for event in events(9_000)]
    for count in (5_000, 9_000):
        lake.put("acme", HOUR, told[:count])
    before = read(s3, tmp_path, "select * exclude (variables) from {file}")
    s3.put_object(Bucket="lake", Key="athena/result.csv", Body=b"name of contact 3")
    lake.withhold("acme", HOUR, {"contact 3"})
    lake.withhold("acme", HOUR - 3600, {"contact 3"})  # there is no such file
    assert read(s3, tmp_path, "select * exclude (variables) from {file}") == before
    counted = read(s3, tmp_path, "select contact, count(variables) from {file} group by 1 order by 1")
    assert counted == [(f"contact {n}", 0 if n == 3 else 1286 if n < 5 else 1285) for n in range(7)]
    lake.forget_versions("acme", HOUR)
    lake.forget_results()
    [version] = s3.list_object_versions(Bucket="lake")["Versions"]
    assert version["Key"] == object_key("acme", HOUR)
    assert version["IsLatest"]
    assert read(s3, tmp_path, "select count(*) from {file} where variables::varchar like '%contact 3%'") == [(0,)]
