"""The data of the cost model: measurements, assumptions and prices, each a JSON file beside this module."""

from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

FOLDER = Path(__file__).parent

Table = TypeVar("Table", bound=Struct)


class Stage(Struct, frozen=True):
    """The measured usage of one stage of a message's path, per turn; `cpu_ms` is per call."""

    calls: float
    cpu_ms: float
    write_units: float
    read_units: float
    log_bytes: float
    requests: dict[str, float]


class MeasuredUsage(Struct, frozen=True):
    """The measurements of `make bench` for a plain turn with one answer and three statuses, and their origin."""

    measured_on: str
    commit: str
    machine: str
    stages: dict[str, Stage]
    stored_bytes: float


class Assumptions(Struct, frozen=True):
    """What cannot be counted at a client, and the numbers of metrics and dashboards in the template.

    Those that depend on the parameter Observability are by its values.
    """

    note: str
    wait_ms: dict[str, float]
    full_cpu_mb: float
    active_hours_per_day: float
    statuses_window_seconds: float
    max_statuses_batch: int
    queue_pollers: int
    long_poll_seconds: float
    access_log_bytes: float
    trace_reservoir_per_second: float
    trace_share_beyond: float
    custom_metrics: dict[str, int]
    scheduled_metrics: dict[str, int]
    alarm_metrics: dict[str, int]
    dashboards: dict[str, int]
    secrets_per_number: int
    secret_readers: float
    secret_cache_seconds: float
    key_users: float
    key_cache_seconds: float
    scheduled_seconds_per_minute: float
    scheduled_runs_per_day: float
    scheduled_write_units: float
    scheduled_read_units: float
    exports_per_hour: float
    daily_queries: float
    athena_minimum_bytes: float


class Meta(Struct, frozen=True):
    """Meta's fees per delivered message."""

    service_message: float
    utility_template: float
    marketing_template: float
    note: str = ""


class Prices(Struct, frozen=True):
    """The dated table of list prices. `pages` names their sources."""

    as_of: str
    currency: str
    note: str
    pages: dict[str, str]
    regions: dict[str, dict[str, float]]
    meta: Meta


class SpendingPart(Struct, frozen=True):
    """Messages of one category in the answer of `GET /api/v1/reports/spending`."""

    messages: int
    charged: int
    amount_micros: int
    unpriced: int
    category: str | None = None


class MeasuredSpending(Struct, frozen=True):
    """What an organization's messages cost: the answer of `GET /api/v1/reports/spending`."""

    currency: str
    total: SpendingPart
    categories: list[SpendingPart]


class CostError(Exception):
    """The bill cannot be computed from the given tables or volumes; the text says why and what to do."""


def measured_usage(path: Path = FOLDER / "measured_usage.json") -> MeasuredUsage:
    """Return the measurements of `make bench`. Raises `CostError` when the file cannot be read."""
    return _read(path, MeasuredUsage)


def prices(path: Path = FOLDER / "prices.json") -> Prices:
    """Return the price table. Raises `CostError` when the file cannot be read."""
    return _read(path, Prices)


def assumptions(path: Path = FOLDER / "assumptions.json") -> Assumptions:
    """Return the assumptions. Raises `CostError` when the file cannot be read."""
    return _read(path, Assumptions)


def measured_spending(path: Path, currency: str) -> MeasuredSpending:
    """Return the measured spending. Raises `CostError` when it cannot be read, or not be used for a bill in this currency."""
    found = _read(path, MeasuredSpending)
    if not found.total.messages:
        raise CostError(f"{path}: no message was delivered in this period. Ask the report for more days.")
    if found.currency != currency:
        raise CostError(f"{path}: the amounts are in {found.currency}, the price table is in {currency}.")
    if found.total.unpriced:
        raise CostError(
            f"{path}: the rate card has no price for {found.total.unpriced} charged messages. Add it (docs/cost.md)."
        )
    return found


def _read(path: Path, kind: type[Table]) -> Table:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise CostError(f"{path}: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise CostError(f"{path}: {error}.") from error
