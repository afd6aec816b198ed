"""What every function uses."""

import time
from functools import cache
from typing import Any

from botocore.config import Config

from pytake import observability
from pytake.aws.deliveries import DynamoDeliveries
from pytake.aws.operator_events import EventBridgeOperatorEvents
from pytake.aws.session import USER_AGENT
from pytake.aws.table import Table
from pytake.aws.tenants import DynamoTenants
from pytake.conversation.retention_policy import RetentionPolicy
from pytake.settings import FunctionSettings, read_settings

clock = time.time


@cache
def settings() -> FunctionSettings:
    return read_settings(FunctionSettings)


@cache
def metrics() -> observability.Metrics:
    only_full = observability.FULL_METRICS if settings().observability == "basic" else frozenset[str]()
    return observability.Metrics(settings().stage, without=only_full)


@cache
def table() -> Table:
    return Table(settings().table_name)


@cache
def client(service: Any) -> Any:
    """The botocore client of an AWS service."""
    config = Config(
        connect_timeout=2,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 3},
        # Both are work per request: what we send is typed already, and botocore builds its own user agent twice each time.
        parameter_validation=False,
        user_agent=USER_AGENT,
    )
    # botocore without boto3, and the session that the table has already: each of the two saves a tenth of a cold start.
    return table().connection.session.create_client(service, config=config)


@cache
def tenants() -> DynamoTenants:
    return DynamoTenants(table(), clock)


@cache
def retention() -> RetentionPolicy:
    return RetentionPolicy(tenants(), settings().retention_days)


@cache
def deliveries() -> DynamoDeliveries:
    return DynamoDeliveries(table(), clock, retention())


@cache
def operator_events() -> EventBridgeOperatorEvents:
    return EventBridgeOperatorEvents(
        lambda: client("events"), settings().event_bus_name, observability.logger(), settings().stage, clock
    )
