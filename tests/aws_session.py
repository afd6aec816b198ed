"""Sessions of botocore and boto3, and their clients, that tests on moto share: each takes longer to make than most tests take."""

import os
from functools import cache
from typing import Any

import boto3
import botocore.session
import pytest


@cache
def botocore_session() -> botocore.session.Session:
    """The session of the product's own clients."""
    return _with_shared_clients(botocore.session.get_session())


@cache
def boto3_session() -> boto3.Session:
    """The session of `boto3.client`."""
    return boto3.Session(botocore_session=_with_shared_clients(botocore.session.get_session()))


def _with_shared_clients(session: botocore.session.Session) -> botocore.session.Session:
    create, made = session.create_client, dict[str, Any]()

    def create_client(service: str, *args: Any, config: Any = None, **kwargs: Any) -> Any:
        options = config and vars(config)["_user_provided_options"]
        key = f"{service} {args} {kwargs} {options} {os.environ.get('AWS_DEFAULT_REGION')}"
        if key not in made:
            made[key] = create(service, *args, config=config, **kwargs)
        elif service == "dynamodb":  # PynamoDB adds a handler for more headers; tests have none
            made[key].meta.events.register_first = lambda *_: None
        return made[key]

    session.create_client = create_client  # type: ignore[method-assign]
    return session


def share_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `boto3.client` and PynamoDB use them for a test. Call it within `mock_aws`, with the credentials of the tests."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3_session())
    monkeypatch.setattr("pynamodb.connection.base.get_session", botocore_session)
