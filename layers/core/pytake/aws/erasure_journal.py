"""The journal of erasures in the bucket, where a restore of the table does not reach it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from pytake.conversation.recorded_erasures import RecordedErasure

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

PREFIX = "erasures/"
"""The bucket's lifecycle deletes these objects after 40 days: point-in-time recovery goes back 35."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(RecordedErasure).decode


class S3ErasureJournal:
    """Implements `pytake.conversation.ports.conversations.ErasureJournal`: an object per erasure, in order of time."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def record(self, erasure: RecordedErasure) -> None:
        key = f"{_first_key(erasure.at)}-{uuid4().hex}.json"
        self._client().put_object(Bucket=self._bucket, Key=key, Body=_encode(erasure), ContentType="application/json")

    def since(self, at: float) -> Iterator[RecordedErasure]:
        client = self._client()
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=PREFIX, StartAfter=_first_key(at)
        )
        for page in pages:
            for found in page.get("Contents", []):
                yield _decode(client.get_object(Bucket=self._bucket, Key=found["Key"])["Body"].read())


def _first_key(at: float) -> str:
    """The key before those of erasures from this millisecond on."""
    return f"{PREFIX}{int(at * 1000):013d}"
