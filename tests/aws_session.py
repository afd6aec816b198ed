"""Sessions of botocore and boto3 that tests on moto share: a session takes longer to make than most tests take."""

from functools import cache

import boto3
import botocore.session
import pytest

botocore_session = cache(botocore.session.get_session)
boto3_session = cache(boto3.Session)


def share_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `boto3.client` and PynamoDB use them for a test. Call it within `mock_aws`, with the credentials of the tests."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3_session())
    monkeypatch.setattr("pynamodb.connection.base.get_session", botocore_session)
