"""Estimates the monthly cost of messages: counted requests, units and GB-seconds times list prices."""

import math
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from cli.costing.tables import Assumptions, CostError, MeasuredSpending, MeasuredUsage, Prices, Stage

MONTH_DAYS = 30
MILLION = 1_000_000
STATUSES = ("sent", "delivered", "read")

DEPLOYED_MEMORY = {"webhook": 512, "flow_runner": 512, "sender": 256, "statuses": 512}
"""The functions on a message's path and their memory in MB. A test compares it with the template."""

FUNCTIONS = tuple(DEPLOYED_MEMORY)

Group = Literal["message", "storage", "observability", "fixed", "organizations"]
GROUPS: dict[Group, str] = {
    "message": "Messages",
    "storage": "Storage",
    "observability": "Observability",
    "fixed": "Fixed costs",
    "organizations": "Organizations and numbers",
}


class Volumes(Struct, frozen=True, kw_only=True):
    """The expected volumes of a month. `statuses` is the number per answer, in the order of `STATUSES`; `memory` by function."""

    messages: float = MILLION
    turns_per_conversation: float = 7
    answers: float = 1
    statuses: float = 3
    webhook: Literal["api", "function-url"] = "api"
    templates: float = 0
    numbers: int = 1
    organizations: int = 1
    retention_days: int = 90
    region: str = "us-east-1"
    architecture: Literal["arm64", "x86_64"] = "arm64"
    memory: dict[str, int] = {}
    log_retention_days: int = 30
    observability: Literal["basic", "full"] = "basic"
    tracing: bool = False


class Line(Struct, frozen=True):
    """One line of the bill. `quantity` is per month, in `unit`; `price` is per unit."""

    group: Group
    service: str
    what: str
    quantity: float
    unit: str
    price: float
    page: str

    @property
    def usd(self) -> float:
        return self.quantity * self.price


class Bill:
    """A month's bill. `lines` are those of AWS; `meta` is the total of Meta's fees in US dollars.

    With a measured `spending`, Meta's fees follow its shares of categories and its amounts; `meta_by_category` has them.
    """

    def __init__(
        self,
        volumes: Volumes,
        usage: MeasuredUsage,
        price_table: Prices,
        assumed: Assumptions,
        spending: MeasuredSpending | None = None,
    ) -> None:
        if volumes.region not in price_table.regions:
            known = ", ".join(sorted(price_table.regions))
            raise CostError(f"The price table has no region {volumes.region!r}; it has {known}. Add it with --prices.")
        self.volumes = volumes
        self._usage = usage
        self._prices = price_table.regions[volumes.region]
        self._pages = price_table.pages
        self._assumed = assumed
        self._answers = volumes.messages * volumes.answers
        self._statuses = self._answers * volumes.statuses
        self._queued_statuses = sum(stage.calls * times for stage, times in self._stages("statuses"))
        self.status_batch_size = self._status_batch_size()
        self.seconds = {name: self._milliseconds(name) / 1000 for name in FUNCTIONS}
        self.lines = [
            *self._message(),
            *self._storage(),
            *self._observability(),
            *self._fixed(),
            *self._organizations(),
        ]
        fees = price_table.meta
        templates = min(volumes.templates, self._answers)
        self.meta = (self._answers - templates) * fees.service_message + templates * fees.utility_template
        self.meta_by_category: dict[str, float] = {}
        if spending is not None:
            per_message = self._answers / spending.total.messages / MILLION  # the amounts are in millionths
            self.meta_by_category = {str(p.category): p.amount_micros * per_message for p in spending.categories}
            self.meta = spending.total.amount_micros * per_message

    def total(self, *groups: Group) -> float:
        """US dollars per month of these groups; of all groups if none is given."""
        return sum(line.usd for line in self.lines if not groups or line.group in groups)

    def per_million(self, *groups: Group) -> float:
        """US dollars per million inbound messages."""
        return self.total(*groups) / self.volumes.messages * MILLION

    def _status_batch_size(self) -> float:
        """The mean number of statuses per batch: each poller of the queue waits for its own batch."""
        assumed = self._assumed
        rate = self._queued_statuses / (MONTH_DAYS * assumed.active_hours_per_day * 3600)
        waiting = rate * assumed.statuses_window_seconds / assumed.queue_pollers
        return min(1 + waiting, assumed.max_statuses_batch)

    def _stages(self, function: str) -> Iterator[tuple[Stage, float]]:
        """The stages of a function, each with the factor from the measured events to those of the volumes."""
        for name, stage in self._usage.stages.items():
            if name.partition(",")[0] != function:
                continue
            _, _, which = name.partition(", ")
            if which:  # a status: of one and a half statuses every second message has the second
                times = self._answers * min(max(self.volumes.statuses - STATUSES.index(which), 0), 1)
            else:
                times = self.volumes.messages if function != "sender" else self._answers
            yield stage, times

    def _units(self, figure: Literal["write_units", "read_units", "log_bytes"]) -> float:
        found = (getattr(stage, figure) * times for name in FUNCTIONS for stage, times in self._stages(name))
        return float(sum(found))

    def _requests(self, operation: str) -> float:
        return sum(
            stage.requests.get(operation, 0) * times for name in FUNCTIONS for stage, times in self._stages(name)
        )

    def invocations(self, function: str) -> float:
        """Invocations of a function per month."""
        if function == "statuses":
            return self._queued_statuses / self.status_batch_size
        return sum(stage.calls * times for stage, times in self._stages(function))

    def _milliseconds(self, function: str) -> float:
        """The mean billed duration of an invocation in whole ms: CPU time at the memory's share of a vCPU, and waits."""
        memory, assumed = self._memory(function), self._assumed
        slower = max(1.0, assumed.full_cpu_mb / memory)
        calls = spent = 0.0
        for stage, times in self._stages(function):
            waits = sum(assumed.wait_ms.get(name, 0) * count for name, count in stage.requests.items()) / stage.calls
            calls += stage.calls * times
            spent += (stage.cpu_ms * slower + waits) * stage.calls * times
        if not calls:
            return 0
        return math.ceil(spent / calls * (self.status_batch_size if function == "statuses" else 1))

    def _memory(self, function: str) -> int:
        return self.volumes.memory.get(function, DEPLOYED_MEMORY[function])

    def gb_seconds(self, function: str) -> float:
        """The billed GB-seconds of a function per month."""
        return self.invocations(function) * self.seconds[function] * self._memory(function) / 1024

    def _line(self, group: Group, service: str, what: str, quantity: float, unit: str, price: str, page: str) -> Line:
        per = MILLION if price.endswith("_million") else 1
        return Line(group, service, what, quantity, unit, self._prices[price] / per, self._pages[page])

    @property
    def _api_posts(self) -> float:
        """Posts of Meta to API Gateway. A function URL has neither a price nor an access log."""
        return self.volumes.messages + self._statuses if self.volumes.webhook == "api" else 0

    def _message(self) -> Iterator[Line]:
        volumes, line = self.volumes, self._line
        if posts := self._api_posts:
            yield line("message", "API Gateway", "webhook posts", posts, "requests", "http_api_million", "api_gateway")
        invocations = sum(self.invocations(function) for function in FUNCTIONS)
        yield line("message", "Lambda", "invocations", invocations, "requests", "lambda_request_million", "lambda")
        price = f"lambda_gb_second_{volumes.architecture}"
        for function in FUNCTIONS:
            what = f"{function} {self.seconds[function] * 1000:.0f} ms, {self._memory(function)} MB"
            yield line("message", "Lambda", what, self.gb_seconds(function), "GB-s", price, "lambda")
        # Each message is sent once, and received and deleted in batches. Batches of conversations count as one message.
        fifo = 3 * volumes.messages + 3 * self._answers
        yield line("message", "SQS", "conversations", fifo, "requests", "sqs_fifo_million", "sqs")
        statuses = self._queued_statuses + 2 * self.invocations("statuses")
        yield line("message", "SQS", "statuses", statuses, "requests", "sqs_standard_million", "sqs")
        events = self._requests("events.PutEvents")
        if events:
            yield line("message", "EventBridge", "business events", events, "events", "events_million", "events")
        writes = self._units("write_units")
        yield line("message", "DynamoDB", "write units", writes, "units", "dynamodb_write_million", "dynamodb")
        reads = self._units("read_units")
        yield line("message", "DynamoDB", "read units", reads, "units", "dynamodb_read_million", "dynamodb")

    def _storage(self) -> Iterator[Line]:
        months = self.volumes.retention_days / MONTH_DAYS
        gigabytes = self.volumes.messages * self._usage.stored_bytes * months / 1e9
        what = f"table, {self.volumes.retention_days} days"
        yield self._line("storage", "DynamoDB", what, gigabytes, "GB", "dynamodb_gb_month", "dynamodb")
        yield self._line("storage", "DynamoDB", "its recovery", gigabytes, "GB", "dynamodb_pitr_gb_month", "dynamodb")
        logs = self._logs() * self.volumes.log_retention_days / MONTH_DAYS
        what = f"logs, {self.volumes.log_retention_days} days"
        yield self._line("storage", "CloudWatch", what, logs, "GB", "logs_stored_gb_month", "logs")

    def _logs(self) -> float:
        """Gigabytes of logs per month, with API Gateway's access log."""
        return (self._units("log_bytes") + self._api_posts * self._assumed.access_log_bytes) / 1e9

    def _observability(self) -> Iterator[Line]:
        tier, assumed = self.volumes.observability, self._assumed
        yield self._line("observability", "CloudWatch", "logs", self._logs(), "GB", "logs_gb", "logs")
        if self.volumes.tracing:
            traces = self._traces(self.volumes.messages + self._statuses) + self._scheduled_traces()
            yield self._line("observability", "X-Ray", "sampled traces", traces, "traces", "xray_million", "xray")
        # A metric is billed for the hours in which it is recorded: without messages, only scheduled jobs record some.
        metrics = (assumed.custom_metrics if self.volumes.messages else assumed.scheduled_metrics)[tier]
        yield self._line("observability", "CloudWatch", "metrics", metrics, "metrics", "metric_month", "cloudwatch")
        alarms, boards = assumed.alarm_metrics[tier], assumed.dashboards[tier]
        yield self._line("observability", "CloudWatch", "alarms", alarms, "metrics", "alarm_month", "cloudwatch")
        yield self._line(
            "observability", "CloudWatch", "dashboards", boards, "dashboards", "dashboard_month", "cloudwatch"
        )

    def _scheduled_traces(self) -> float:
        """Scheduled runs are seconds apart, so that Lambda traces each of them."""
        return self._assumed.scheduled_runs_per_day * MONTH_DAYS

    def _traces(self, posts: float) -> float:
        """Sampled traces: Lambda traces the first call of each second and 5 % of the others; posts arrive at random."""
        seconds = MONTH_DAYS * self._assumed.active_hours_per_day * 3600
        rate = posts / seconds
        first = min(rate, self._assumed.trace_reservoir_per_second * (1 - math.exp(-rate)))
        return seconds * (first + self._assumed.trace_share_beyond * (rate - first))

    def _fixed(self) -> Iterator[Line]:
        seconds, assumed, line = MONTH_DAYS * 86_400, self._assumed, self._line
        polls = assumed.queue_pollers * seconds / assumed.long_poll_seconds
        yield line(
            "fixed", "SQS", "polling conversations and campaigns", 3 * polls, "requests", "sqs_fifo_million", "sqs"
        )
        yield line("fixed", "SQS", "polling statuses", polls, "requests", "sqs_standard_million", "sqs")
        runs = assumed.scheduled_runs_per_day * MONTH_DAYS
        yield line("fixed", "Lambda", "scheduled runs", runs, "requests", "lambda_request_million", "lambda")
        scheduled = seconds / 60 * assumed.scheduled_seconds_per_minute
        price = f"lambda_gb_second_{self.volumes.architecture}"
        yield line("fixed", "Lambda", "scheduled", scheduled, "GB-s", price, "lambda")
        writes, reads = runs * assumed.scheduled_write_units, runs * assumed.scheduled_read_units
        yield line("fixed", "DynamoDB", "scheduled writes", writes, "units", "dynamodb_write_million", "dynamodb")
        yield line("fixed", "DynamoDB", "scheduled reads", reads, "units", "dynamodb_read_million", "dynamodb")
        secrets = self.volumes.numbers * assumed.secrets_per_number
        yield line("fixed", "Secrets Manager", "numbers", secrets, "secrets", "secret_month", "secrets")

    def _organizations(self) -> Iterator[Line]:
        """What depends on how many organizations and numbers are active, rather than on their messages."""
        if not self.volumes.messages:
            return
        assumed, line = self._assumed, self._line
        hours = MONTH_DAYS * assumed.active_hours_per_day
        reads = self.volumes.numbers * assumed.secret_readers * hours * 3600 / assumed.secret_cache_seconds
        yield line("organizations", "Secrets Manager", "reads", reads, "requests", "secret_request_million", "secrets")
        # Each read of a secret decrypts it; DynamoDB asks for the table's key once per client and five minutes.
        keys = reads + assumed.key_users * hours * 3600 / assumed.key_cache_seconds
        yield line("organizations", "KMS", "uses of AWS's keys", keys, "requests", "kms_request_million", "kms")
        parts = self.volumes.organizations * hours * assumed.exports_per_hour
        yield line("organizations", "S3", "exports to the lake", parts, "requests", "s3_put_million", "s3")
        terabytes = (
            self.volumes.organizations * MONTH_DAYS * assumed.daily_queries * assumed.athena_minimum_bytes / 1e12
        )
        yield line("organizations", "Athena", "daily aggregates", terabytes, "TB", "athena_tb", "athena")

    def as_json(self) -> dict[str, Any]:
        """The bill as plain data; without messages it has no figures per message."""
        bill: dict[str, Any] = {
            "volumes": msgspec.to_builtins(self.volumes),
            "lines": [{**msgspec.to_builtins(line), "usd": round(line.usd, 4)} for line in self.lines],
            "usd_per_month": {"aws": round(self.total(), 4), "meta": round(self.meta, 2)},
        }
        if self.meta_by_category:
            bill["meta_usd_by_category"] = {name: round(usd, 2) for name, usd in self.meta_by_category.items()}
        if not self.volumes.messages:
            return bill
        per_million: dict[str, float] = {group: round(self.per_million(group), 4) for group in GROUPS}
        per_million["aws"] = round(self.per_million(), 4)
        per_million["meta"] = round(self.meta / self.volumes.messages * MILLION, 2)
        return bill | {
            "per_turn": self.per_turn(),
            "usd_per_million_messages": per_million,
            "usd_per_conversation": {
                "aws": self.total() / self.volumes.messages * self.volumes.turns_per_conversation,
                "meta": self.meta / self.volumes.messages * self.volumes.turns_per_conversation,
            },
        }

    def per_turn(self) -> dict[str, float]:
        """AWS usage per turn, including its answers and their statuses."""
        names = {
            name for stage in self._usage.stages.values() for name in stage.requests if not name.startswith("graph.")
        }
        messages = self.volumes.messages
        return {
            "requests": round(sum(self._requests(name) for name in names) / messages, 2),
            "write_units": round(self._units("write_units") / messages, 2),
            "read_units": round(self._units("read_units") / messages, 2),
            "gb_seconds": round(sum(self.gb_seconds(name) for name in FUNCTIONS) / messages, 4),
        }
