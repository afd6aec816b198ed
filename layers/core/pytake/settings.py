"""The environment of the functions, as one validated struct per function. `template.yaml` sets exactly these variables."""

import os
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from pytake.observability import PublicError

Text = Annotated[str, Meta(min_length=1)]


class SettingsError(PublicError):
    """A variable is missing or has the wrong form. The text names the variable."""


class FunctionSettings(Struct, frozen=True, rename="upper", kw_only=True):
    """What every function needs. Field `table_name` is the variable `TABLE_NAME`, and so on."""

    stage: Text
    table_name: Text
    event_bus_name: Text
    retention_days: int
    observability: Literal["basic", "full"]


class WebhookSettings(FunctionSettings, frozen=True, kw_only=True):
    """The webhook looks up numbers and their secrets, and queues messages and statuses."""

    inbound_queue_url: Text
    statuses_queue_url: Text
    secrets_prefix: Text


class FlowRunnerSettings(FunctionSettings, frozen=True, kw_only=True):
    """The flow runner reads flows and queues messages to send. `session_ttl_hours` is the default of organizations;
    `effects_per_organization` is how many of its turns may wait for APIs and models at the same time. `keep_media`: the
    files of people are queued to be kept.

    `email_from` is the address that flows send e-mails from; empty: they send none.

    `api_call_allow_private` is for development only: an api_call may then use plain HTTP, any port, and addresses of this
    machine and its networks. The template never sets it.
    """

    inbound_queue_url: Text
    inbound_dlq_url: Text
    outbound_queue_url: Text
    media_queue_url: Text
    keep_media: bool
    lake_bucket: Text
    secrets_prefix: Text
    session_ttl_hours: int
    effects_per_organization: int
    email_from: str
    api_call_allow_private: bool = False


class SenderSettings(FunctionSettings, frozen=True, kw_only=True):
    """The sender calls the Graph API, and stores files of people of up to `media_megabytes`.

    `messages_per_minute` is the default of organizations; `ambiguous_seconds` is how long a send with an unknown outcome
    waits for a status before it is repeated; `visibility_timeout_seconds` is the queue's.
    """

    outbound_queue_url: Text
    outbound_dlq_url: Text
    bulk_queue_url: Text
    bulk_dlq_url: Text
    media_queue_url: Text
    media_megabytes: int
    lake_bucket: Text
    secrets_prefix: Text
    graph_api_url: Text
    graph_api_version: Text
    messages_per_minute: int
    ambiguous_seconds: int
    visibility_timeout_seconds: int


class StatusesSettings(FunctionSettings, frozen=True, kw_only=True):
    """The statuses function queues a message again that Meta reported as undeliverable and that can be repaired."""

    statuses_queue_url: Text
    outbound_queue_url: Text
    bulk_queue_url: Text


class LakeSettings(FunctionSettings, frozen=True, kw_only=True):
    """What a function needs that queries the lake."""

    lake_bucket: Text
    lake_database: Text
    work_group: Text


class ScheduledSettings(LakeSettings, frozen=True, kw_only=True):
    """The scheduled function queues due timers, turns and starts, releases campaigns, and removes erased people from the
    dead-letter queues.

    `messages_per_minute` and `session_ttl_hours` are the defaults of organizations.
    """

    inbound_queue_url: Text
    outbound_queue_url: Text
    bulk_queue_url: Text
    inbound_dlq_url: Text
    outbound_dlq_url: Text
    bulk_dlq_url: Text
    statuses_dlq_url: Text
    media_dlq_url: Text
    messages_per_minute: int
    session_ttl_hours: int


class ApiSettings(LakeSettings, frozen=True, kw_only=True):
    """The REST API queues the messages of agents and reported events, stores secrets and files, and starts jobs of
    `scheduled_function`.

    `session_ttl_hours` is the default of organizations; `keep_media`: the files of people are kept; `verify_numbers`: a
    number's access token is tried at the Graph API before it is stored; `sends_email`: flows can send e-mails.
    `api_call_allow_private` is for development only, as that of the flow runner.
    """

    inbound_queue_url: Text
    outbound_queue_url: Text
    bulk_queue_url: Text
    graph_api_url: Text
    graph_api_version: Text
    keep_media: bool
    verify_numbers: bool
    scheduled_function: Text
    secrets_prefix: Text
    sends_email: bool
    session_ttl_hours: int
    api_call_allow_private: bool = False


Settings = TypeVar("Settings", bound=FunctionSettings)


def read_settings(settings: type[Settings], environment: Mapping[str, str] = os.environ) -> Settings:
    """A function's settings. Raises `SettingsError` with the name of the first variable that is missing or malformed."""
    try:
        return msgspec.convert(dict(environment), settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"The function's environment is incomplete: {error}") from error
