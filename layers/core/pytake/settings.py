"""The environment of the functions, as one validated model. `template.yaml` sets every variable."""

import os
from collections.abc import Mapping

import msgspec

from pytake.observability import PublicError


class SettingsError(PublicError):
    """A variable is missing or has the wrong form; the text names it."""


class Settings(msgspec.Struct, frozen=True, rename="upper", kw_only=True):
    """Field `table_name` is the variable `TABLE_NAME`, and so on. Durations carry their unit in the name.

    `api_call_allow_private` is for development only: api_call may then use plain HTTP, any port, and addresses of this
    machine and its networks. The template never sets it.
    """

    stage: str
    table_name: str
    inbound_queue_url: str = ""
    outbound_queue_url: str = ""
    outbound_dlq_url: str = ""
    statuses_queue_url: str = ""
    inbound_dlq_url: str = ""
    statuses_dlq_url: str = ""
    lake_bucket: str = ""
    lake_database: str = ""
    work_group: str = ""
    secrets_prefix: str = ""
    event_bus_name: str = "default"
    graph_api_url: str = "https://graph.facebook.com"
    graph_api_version: str = "v25.0"
    messages_per_minute: int = 5
    ambiguous_seconds: int = 240
    session_ttl_hours: int = 24
    retention_days: int = 90
    api_call_allow_private: bool = False


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment. Raises `SettingsError` naming the first variable that is missing or wrong."""
    try:
        return msgspec.convert(dict(environment), Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"The function's environment is not complete: {error}") from error
