"""Files and what is known of uploads: the same tests on memory and on S3 and DynamoDB (moto)."""

from typing import Any
from unittest.mock import Mock
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from msgspec.structs import replace

from pytake.aws.media_files import S3MediaFiles, S3StoredMedia
from pytake.aws.table import Table
from pytake.aws.uploads import DynamoUploads
from pytake.conversation.ports.media import MediaFile, StoredFile, Upload
from pytake.conversation.retention_policy import RetentionPolicy
from tests import fakes
from tests.fakes.media import MemoryMediaFiles, MemoryUploads

BUCKET = "media"
PICTURE = MediaFile(b"picture", "image/png", 'a "quoted" câmera\r\n.png')
ANA, BIA = "a" * 24, "b" * 24


class Store:
    """Both sides of the store: the one of the functions that read and write, and the one of the scheduled function."""

    def __init__(self, files: Any, stored: Any) -> None:
        self.files, self.stored = files, stored


@pytest.fixture(params=["fake", "aws"])
def store(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> Store:
    if request.param == "fake":
        memory = MemoryMediaFiles(clock)
        return Store(memory, memory)
    request.getfixturevalue("aws")
    client = boto3.client("s3", config=Config(signature_version="s3v4"))
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return Store(S3MediaFiles(lambda: client, BUCKET), S3StoredMedia(client, BUCKET))


def test_a_file_comes_back_with_its_type_and_name(store: Store) -> None:
    assert store.files.get("media/uploads/acme/1") is store.files.find("media/uploads/acme/1") is None
    store.files.put("media/uploads/acme/1", PICTURE)
    assert store.files.get("media/uploads/acme/1") == PICTURE
    assert store.files.find("media/uploads/acme/1") == StoredFile("image/png", 7, PICTURE.filename)
    store.files.delete("media/uploads/acme/1")
    assert store.files.find("media/uploads/acme/1") is None


def test_a_person_s_files_are_erased_by_the_beginning_of_their_keys(store: Store) -> None:
    for contact in (ANA, BIA):
        for name in ("1", "2"):
            store.files.put(f"media/contacts/acme/{contact}/{name}", PICTURE)
    store.files.put(f"media/contacts/zoo/{ANA}/1", PICTURE)
    assert store.stored.erase("acme", [ANA]) == 2
    assert store.stored.erase("acme", [ANA]) == store.stored.erase("acme", []) == 0
    left = [store.files.find(f"media/contacts/{place}") for place in (f"acme/{ANA}/1", f"acme/{BIA}/2", f"zoo/{ANA}/1")]
    assert [one is not None for one in left] == [False, True, True]


def test_old_files_of_an_organization_are_deleted(store: Store, clock: fakes.FrozenClock) -> None:
    store.files.put(f"media/contacts/acme/{ANA}/1", PICTURE)
    store.files.put("media/uploads/zoo/up-1", PICTURE)
    assert store.stored.organizations() == ["acme", "zoo"]
    assert store.stored.delete_before("acme", 0) == 0
    assert store.stored.delete_before("acme", 1e12) == 1
    assert store.stored.organizations() == ["zoo"]


def test_a_library_file_is_outside_of_every_retention(store: Store) -> None:
    store.files.put("files/acme/file-1", PICTURE)
    assert store.stored.organizations() == []
    assert store.stored.delete_before("acme", 1e12) == store.stored.erase("acme", [ANA]) == 0
    assert store.files.get("files/acme/file-1") == PICTURE


def test_a_file_that_may_not_be_read_is_not_a_missing_one() -> None:
    """S3 answers 403 for both, to a role that may not list the whole bucket."""
    refused = ClientError({"Error": {}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "GetObject")  # type: ignore[typeddict-item]
    listed = Mock(return_value={"KeyCount": 0})
    client = Mock(get_object=Mock(side_effect=refused), head_object=Mock(side_effect=refused), list_objects_v2=listed)
    files = S3MediaFiles(lambda: client, BUCKET)
    assert files.get("files/acme/file-1") is files.find("files/acme/file-1") is None
    listed.assert_called_with(Bucket=BUCKET, Prefix="files/acme/file-1", MaxKeys=1)
    for answer in ({"return_value": {"KeyCount": 1}}, {"side_effect": refused}):
        listed.configure_mock(**answer)
        for read in (files.get, files.find):
            with pytest.raises(ClientError):
                read("files/acme/file-1")


def test_nothing_of_an_erased_file_is_left_in_the_bucket(aws: None) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    files = S3MediaFiles(lambda: client, BUCKET)
    for _ in range(2):
        files.put(f"media/contacts/acme/{ANA}/1", PICTURE)
    files.delete(f"media/contacts/acme/{ANA}/1")
    assert S3StoredMedia(client, BUCKET).erase("acme", [ANA]) == 3
    listed = client.list_object_versions(Bucket=BUCKET)
    assert "Versions" not in listed
    assert "DeleteMarkers" not in listed


def test_a_link_expires_is_signed_and_makes_the_browser_save_the_file(aws: None) -> None:
    client = boto3.client("s3", config=Config(signature_version="s3v4"))
    client.create_bucket(Bucket=BUCKET)
    files = S3MediaFiles(lambda: client, BUCKET)
    files.put("media/uploads/acme/1", PICTURE)
    link = files.link("media/uploads/acme/1", 300)
    assert "X-Amz-Signature=" in link
    assert "X-Amz-Expires=300" in link
    stored = client.head_object(Bucket=BUCKET, Key="media/uploads/acme/1")
    assert stored["ContentDisposition"].startswith("attachment; filename*=UTF-8''a%20%22quoted%22%20c%C3%A2mera%0D%0A")


def test_the_beginning_of_a_file_is_read_without_the_rest(store: Store) -> None:
    store.files.put("media/uploads/acme/1", MediaFile(b"%PDF" + b"x" * 10_000, "application/pdf"))
    assert store.files.beginning("media/uploads/acme/1") == b"%PDF" + b"x" * 4092


def test_an_address_takes_one_file_of_one_size_and_type(aws: None) -> None:
    client = boto3.client("s3", config=Config(signature_version="s3v4"))
    files = S3MediaFiles(lambda: client, BUCKET)
    url, headers = files.upload_link("media/uploads/acme/1", StoredFile("video/mp4", 5_000_000, "câmera.mp4"), 900)
    query = parse_qs(urlsplit(url).query)
    signed = set(query["X-Amz-SignedHeaders"][0].split(";"))
    assert signed == {"content-length", "host", *(name.lower() for name in headers)}
    assert (query["X-Amz-Expires"], headers["Content-Type"]) == (["900"], "video/mp4")
    assert headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''c%C3%A2mera.mp4")


@pytest.fixture(params=["fake", "aws"])
def uploads(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return MemoryUploads()
    table: Table = request.getfixturevalue("table")
    return DynamoUploads(table, RetentionPolicy(fakes.MemoryTenants(), 20))


def test_what_is_known_of_an_upload_is_its_organization_s(uploads: Any) -> None:
    upload = Upload("up-1", "image/png", 7, 1.0, "a.png", {"106": ("meta-1", 2.0)})
    assert uploads.get("acme", "up-1") is None
    uploads.put("acme", upload)
    assert uploads.get("acme", "up-1") == upload
    assert uploads.get("zoo", "up-1") is None
    uploads.delete("acme", "up-1")
    assert uploads.get("acme", "up-1") is None


def library_file(number: int) -> Upload:
    return Upload(f"file-{number:032x}", "image/png", 7, float(number))


def test_library_files_are_listed_by_page_newest_first(uploads: Any) -> None:
    for number in range(1, 6):
        uploads.put("acme", library_file(number))
    uploads.put("acme", Upload("up-1", "image/png", 7, 1.0))
    uploads.put("zoo", library_file(9))
    first = uploads.library("acme", 2)
    assert first == [library_file(5), library_file(4)]
    assert uploads.library("acme", 2, first[-1].id) == [library_file(3), library_file(2)]
    assert uploads.library("acme", 2, library_file(2).id) == [library_file(1)]
    assert uploads.library("acme", 2, library_file(1).id) == uploads.library("globex", 2) == []


def test_several_uploads_are_found_at_once(uploads: Any) -> None:
    uploads.put("acme", library_file(1))
    uploads.put("zoo", library_file(2))
    ids = {library_file(1).id, library_file(2).id}
    assert uploads.some("acme", ids) == {library_file(1).id: library_file(1)}
    assert uploads.some("acme", []) == {}


def test_what_changes_of_a_deleted_upload_is_forgotten(uploads: Any) -> None:
    known, sent = library_file(1), replace(library_file(1), ids={"106": ("meta-1", 2.0)})
    uploads.put("acme", known)
    uploads.change("acme", sent)
    assert uploads.get("acme", known.id) == sent
    uploads.delete("acme", known.id)
    uploads.change("acme", sent)
    assert uploads.get("acme", known.id) is None


def test_only_a_library_file_has_no_end(table: Table) -> None:
    uploads = DynamoUploads(table, RetentionPolicy(fakes.MemoryTenants(), 20))
    uploads.put("acme", library_file(1))
    uploads.put("acme", Upload("up-1", "image/png", 7, 1.0))
    ends = {item.sk: item.expires_at for item in table.item.query("ORG#acme#MEDIA")}
    assert ends == {library_file(1).id: None, "up-1": 1 + 20 * 86_400}
