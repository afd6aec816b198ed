"""RetentionPolicy: the lake and the table forget what an organization wants forgotten, and nothing else."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pytake.aws.lake import S3Lake, object_key
from pytake.conversation.records import Organization
from pytake.conversation.retention import ApplyRetention
from pytake.conversation.retention_policy import RetentionPolicy
from tests.analytics.world import HOUR, NUMBERS, World
from tests.fakes.media import MemoryMediaFiles

DAY = 86_400


class Kept(World):
    """Both organizations have talked once a day for 30 days; acme keeps 10 of them, zoo the default of 20."""

    def __init__(self) -> None:
        super().__init__()
        self.acme_keeps(10)
        self.media = MemoryMediaFiles(self.clock)
        self.apply_retention = ApplyRetention(
            self.log,
            self.lake,
            self.media,
            RetentionPolicy(self.product.tenants, 20),
            self.clock,
            lambda *record_metric: self.measured.append(record_metric),
        )

    def acme_keeps(self, days: int) -> None:
        self.product.tenants.put_organization(Organization("acme", retention_days=days))

    def live(self, days: int) -> None:
        for day in range(days):
            for number in NUMBERS.values():
                for text in ("Hi", "Ana"):
                    self.product.say(text, phone=f"55119{day:08d}", number=number)
            self.clock.forward(HOUR)
            assert self.run().up_to_date
            self.clock.forward(DAY - HOUR)

    def oldest(self, organization_id: str) -> tuple[float, float]:
        """The age in days of the oldest event in the lake and of the oldest turn in the table."""
        events = [
            event.happened_at / 1000
            for (owner, _), file in self.lake.files.items()
            for event in file
            if owner == organization_id
        ]
        turns = [
            record.at
            for key, records in self.product.conversations.records.items()
            for record in records.values()
            if key.organization_id == organization_id
        ]
        return (self.clock() - min(events)) / DAY, (self.clock() - min(turns)) / DAY


@pytest.fixture
def world() -> Kept:
    return Kept()


def test_the_lake_keeps_whole_days_as_long_as_each_organization_wants(world: Kept) -> None:
    world.live(30)
    assert world.apply_retention().finished
    for organization_id, days in (("acme", 10), ("zoo", 20)):
        assert days <= world.oldest(organization_id)[0] <= days + 1
    assert world.apply_retention().days == 0


def test_the_lag_is_how_long_the_oldest_day_has_outlived_its_time(world: Kept) -> None:
    world.live(12)
    world.measured.clear()
    world.apply_retention()
    world.apply_retention()
    [(_, before), (_, after)] = world.measured
    assert before > DAY
    assert after == 0


def test_a_run_without_time_goes_on_the_next_time(world: Kept) -> None:
    world.live(30)
    left = iter([False, False, True])
    assert world.apply_retention(lambda: next(left)).days == 2
    assert world.apply_retention().finished
    assert world.oldest("acme")[0] <= 11


def test_a_shorter_retention_reaches_turns_that_were_written_for_a_longer_one(world: Kept) -> None:
    world.acme_keeps(25)
    world.live(24)
    assert world.apply_retention().turns == 0
    world.acme_keeps(8)
    calls = iter([False] * 200 + [True] * 1000)
    first = world.apply_retention(lambda: next(calls))
    assert not first.finished
    second = world.apply_retention()
    assert second.finished
    assert first.turns + second.turns == 2 * (24 - 8)
    assert world.oldest("acme")[1] <= 8 + HOUR / DAY
    assert world.oldest("zoo")[1] > 20, "another organization's wish is its own"
    assert world.apply_retention().turns == 0
    assert not [
        key
        for key in world.product.conversations.stored
        if key.organization_id == "acme" and key not in world.product.conversations.records
    ]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="lake")
        client.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
        yield client


def test_a_day_goes_with_all_versions_of_its_objects(s3: Any) -> None:
    hour = 1_769_997_600
    for organization_id in ("acme", "acme-2"):
        for at in (hour, hour + HOUR, hour + DAY):
            for body in (b"one", b"two"):
                s3.put_object(Bucket="lake", Key=object_key(organization_id, at), Body=body)
    s3.delete_object(Bucket="lake", Key=object_key("acme", hour))  # hides the object only
    lake = S3Lake(s3, "lake")
    assert lake.organizations() == ["acme", "acme-2"]
    assert lake.days("acme") == ["2026-02-02", "2026-02-03"]
    for _ in range(2):
        lake.delete_day("acme", "2026-02-02")
    versions = s3.list_object_versions(Bucket="lake")
    assert not versions.get("DeleteMarkers")
    left = sorted(version["Key"] for version in versions["Versions"])
    kept = [object_key("acme", hour + DAY), *(object_key("acme-2", at) for at in (hour, hour + HOUR, hour + DAY))]
    assert left == sorted([*kept, *kept])
