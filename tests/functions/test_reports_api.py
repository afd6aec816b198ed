"""The routes of reports: who may ask, what is refused, and what a slow lake answers. The metrics: tests/analytics."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from functions.api.handler import handler as api_handler
from pytake.conversation.ports.lake import QueryFailedError, QueryNotReadyError, QueryTooLargeError
from pytake.wiring import api
from tests.conversation.product import ECHO_FLOW
from tests.functions.conftest import Gateway, LambdaContext, http_event

BASE = "/api/v1/whatsapp-analytics/flows/echo"
REPORTS = ("report", "nodes-heatmap", "daily-activity", "user-segments")

ROW = {
    "total": "8", "completed": "6", "active": "1", "expired": "0", "handed_off": "1", "unique_users": "7",
    "from_user": "20", "from_bot": "24", "from_agents": "2", "billable": "23", "average_milliseconds": "61500.5",
    "median_milliseconds": "60000.0", "p95_milliseconds": "120000", "min_milliseconds": "0", "max_milliseconds": "120000",
}  # fmt: skip


class Lake:
    """A lake that gives what a test wants, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: list[dict[str, str | None]] | Exception = [dict(ROW)]
        self.asked: list[tuple[str, list[str]]] = []

    def rows(self, sql: str, parameters: Sequence[str], version: str) -> list[dict[str, str | None]]:
        self.asked.append((sql, list(parameters)))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def lake(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Lake:
    lake = Lake()
    monkeypatch.setattr(api, "athena_queries", lambda: lake)
    gateway.api("PUT", "/api/v1/flows/echo", ECHO_FLOW)
    return lake


def test_a_report_has_every_figure(gateway: Gateway, lake: Lake) -> None:
    answer = gateway.api("GET", f"{BASE}/report", query={"days": "7"})
    assert answer.status == 200
    assert answer.body["conversations"] == {
        "total": 8, "completed": 6, "active": 1, "expired": 0, "handed_off": 1, "completion_rate": 0.75,
        "unique_users": 7,
    }  # fmt: skip
    assert answer.body["messages"] == {
        "total": 46, "from_user": 20, "from_bot": 24, "billable": 23, "average_per_conversation": 5.75,
    }  # fmt: skip
    assert answer.body["duration"] == {
        "average_seconds": 61.501, "median_seconds": 60.0, "p95_seconds": 120.0, "min_seconds": 0.0, "max_seconds": 120.0,
    }  # fmt: skip
    assert answer.body["period"]["days"] == 7
    assert set(answer.body["period"]) == {"days", "from", "to", "timezone"}
    assert answer.body["as_of"] is None


def test_the_other_reports(gateway: Gateway, lake: Lake) -> None:
    lake.answer = [
        {"level": "7", "node_flow_id": None, "node_id": None, "node_exit": None, "conversations": "4", "visits": "7",
         "exits": "6", "node_drop_offs": "1", "still_here": "2", "exit_drop_offs": "1"},
        {"level": "1", "node_flow_id": "echo", "node_id": "ask", "node_exit": None, "conversations": "3", "visits": "4",
         "exits": "4", "node_drop_offs": "1", "still_here": "2", "exit_drop_offs": "1"},
        {"level": "0", "node_flow_id": "echo", "node_id": "ask", "node_exit": "next", "conversations": "3", "visits": "0",
         "exits": "3", "node_drop_offs": "1", "exit_drop_offs": "0"},
        {"level": "0", "node_flow_id": "echo", "node_id": "ask", "node_exit": "invalid", "conversations": "1",
         "visits": "0", "exits": "1", "node_drop_offs": "1", "exit_drop_offs": "1"},
        {"level": "0", "node_flow_id": "echo", "node_id": "ask", "node_exit": "wait", "conversations": "3",
         "visits": "4", "exits": "0", "node_drop_offs": "1", "exit_drop_offs": "0"},
    ]  # fmt: skip
    heatmap = gateway.api("GET", f"{BASE}/nodes-heatmap").body
    assert heatmap["conversations"] == 4
    assert heatmap["nodes"] == [
        {
            "flow_id": "echo", "node_id": "ask", "visits": 4, "share": 0.75, "drop_off": 1, "drop_off_rate": 0.3333,
            "still_here": 2,
            "exits": [
                {"exit": "next", "visits": 3, "share": 0.75, "drop_off": 0, "drop_off_rate": 0.0},
                {"exit": "invalid", "visits": 1, "share": 0.25, "drop_off": 1, "drop_off_rate": 1.0},
            ],
        }
    ]  # fmt: skip
    lake.answer = []
    days = gateway.api("GET", f"{BASE}/daily-activity", query={"days": "3"}).body["days"]
    assert [set(day) for day in days] == [{"date", "messages", "conversations", "unique_users"}] * 3
    lake.answer = [{"power": "1", "active": "0", "inactive": "3"}]
    segments = gateway.api("GET", f"{BASE}/user-segments").body["segments"]
    assert segments == {
        "power": {"count": 1, "share": 0.25},
        "active": {"count": 0, "share": 0.0},
        "inactive": {"count": 3, "share": 0.75},
    }


@pytest.mark.parametrize("report", REPORTS)
def test_analysts_and_builders_may_ask_and_agents_may_not(gateway: Gateway, lake: Lake, report: str) -> None:
    lake.answer = [ROW | {"power": "0", "inactive": "0"}] if report in ("report", "user-segments") else []
    for role in ("admin", "analyst", "builder"):
        assert gateway.api("GET", f"{BASE}/{report}", role=role).status == 200
    refused = gateway.api("GET", f"{BASE}/{report}", role="agent")
    assert (refused.status, refused.body["code"]) == (403, "role_not_allowed")


@pytest.mark.parametrize("report", REPORTS)
def test_what_is_wrong_is_said_and_the_lake_is_not_asked(gateway: Gateway, lake: Lake, report: str) -> None:
    for days in ("0", "366", "-1", "many", "1.5", ""):
        answer = gateway.api("GET", f"{BASE}/{report}", query={"days": days})
        assert (answer.status, answer.body["code"]) == (422, "invalid_request"), days
        assert answer.body["errors"][0]["field"] == "query.days"
    unknown = gateway.api("GET", f"{BASE.replace('echo', 'nothing')}/{report}")
    foreign = gateway.api("GET", f"{BASE}/{report}", org="zoo")
    assert [(answer.status, answer.body["code"]) for answer in (unknown, foreign)] == [(404, "flow_unknown")] * 2
    assert lake.asked == []


def test_values_are_bound_and_the_organization_is_the_token_s(gateway: Gateway, lake: Lake) -> None:
    assert gateway.api("GET", f"{BASE}/report", query={"organization_id": "zoo"}).body["code"] == "query_unknown"
    gateway.api("GET", f"{BASE}/report", query={"days": "1"})
    [(sql, parameters)] = lake.asked
    assert "acme" not in sql
    assert "echo" not in sql
    assert parameters.count("'acme'") == sql.count("WHERE organization_id = ?") == 4, (
        "of the events and of the daily metrics, and of the merges in both"
    )
    assert "'zoo'" not in parameters


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (QueryNotReadyError(), 503, "report_not_ready"),
        (QueryTooLargeError("limit"), 422, "report_too_large"),
        (QueryFailedError("SYNTAX_ERROR"), 500, "internal_error"),
    ],
)
def test_a_lake_that_does_not_answer(gateway: Gateway, lake: Lake, error: Exception, status: int, code: str) -> None:
    lake.answer = error
    answer = gateway.api("GET", f"{BASE}/report")
    assert (answer.status, answer.body["code"]) == (status, code)


def test_who_has_to_wait_is_told_how_long(gateway: Gateway, lake: Lake) -> None:
    lake.answer = QueryNotReadyError()
    event = http_event("GET", f"{BASE}/report", None)
    claims: dict[str, Any] = {"organization_id": "acme", "role": "analyst", "sub": "tester"}
    event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    headers = api_handler(event, LambdaContext())
    assert {**headers.get("headers", {}), **headers.get("multiValueHeaders", {})}["Retry-After"] == "5"


SPENDING = "/api/v1/reports/spending"


def spent(level: str, messages: int, *, charged: bool = True, **columns: str) -> dict[str, str | None]:
    known: dict[str, str | None] = {
        "country": "BR",
        "pricing_category": "marketing",
        "month": "2026-11-01 00:00:00.000",
    }
    absent: dict[str, str | None] = dict.fromkeys(("flow_id", "template", "campaign_id"))
    return absent | known | columns | {"level": level, "messages": str(messages), "charged": str(charged).lower()}


def test_spending_has_messages_and_amounts_by_what_caused_them(gateway: Gateway, lake: Lake) -> None:
    lake.answer = [
        spent("7", 10),
        spent("7", 4, charged=False, pricing_category="service"),
        spent("7", 2, country="ZZ", pricing_category="utility"),
        spent("3", 16, flow_id="shop"),
        spent("5", 10, template="sale"),
        spent("6", 10, campaign_id="spring"),
    ]
    answer = gateway.api("GET", SPENDING, role="analyst", query={"days": "7"})
    assert answer.status == 200
    body = answer.body
    assert (body["currency"], body["period"]["days"]) == ("USD", 7)
    assert body["total"] == {"messages": 16, "charged": 12, "amount_micros": 625_000, "unpriced": 2}
    assert body["categories"] == [
        {"category": "marketing", "messages": 10, "charged": 10, "amount_micros": 625_000, "unpriced": 0},
        {"category": "service", "messages": 4, "charged": 0, "amount_micros": 0, "unpriced": 0},
        {"category": "utility", "messages": 2, "charged": 2, "amount_micros": 0, "unpriced": 2},
    ]
    assert [(one["country"], one["messages"]) for one in body["countries"]] == [("BR", 14), ("ZZ", 2)]
    assert [one["flow_id"] for one in body["flows"]] == ["shop"]
    assert [one["template"] for one in body["templates"]] == ["sale"]
    assert [one["campaign_id"] for one in body["campaigns"]] == ["spring"]
    [(sql, parameters)] = lake.asked
    assert parameters.count("'acme'") == sql.count("WHERE organization_id = ?") == 2
    file = gateway.api("GET", SPENDING, role="analyst", query={"days": "7"}, headers={"accept": "text/csv"})
    assert file.content_type.startswith("text/csv")
    assert file.body.splitlines()[:3] == [
        "by,key,messages,charged,amount,currency,unpriced",
        "total,,16,12,0.625,USD,2",
        "category,marketing,10,10,0.625,USD,0",
    ]
    assert file.body.splitlines()[-1] == "campaign,spring,10,10,0.625,USD,0"


def test_agents_may_not_see_spending_and_wrong_days_are_refused(gateway: Gateway, lake: Lake) -> None:
    refused = gateway.api("GET", SPENDING, role="agent")
    assert (refused.status, refused.body["code"]) == (403, "role_not_allowed")
    wrong = gateway.api("GET", SPENDING, query={"from": "2026-11-02", "to": "2026-11-01"})
    assert (wrong.status, wrong.body["code"]) == (422, "period_invalid")
    assert lake.asked == []
    lake.answer = QueryNotReadyError()
    assert gateway.api("GET", SPENDING).status == 503


def test_the_budget_is_shown_with_what_is_reserved_of_it(gateway: Gateway) -> None:
    assert gateway.api("PUT", "/api/v1/organization", {"monthly_budget_micros": 5_000_000}).status == 200
    budget = gateway.api("GET", "/api/v1/reports/budget", role="analyst").body
    assert (budget.pop("month")[:2], budget) == (
        "20",
        {"currency": "USD", "budget_micros": 5_000_000, "reserved_micros": 0},
    )
    api.budgets().reserve("acme", "one", 1_000_000, time.time())
    assert gateway.api("GET", "/api/v1/reports/budget").body["reserved_micros"] == 1_000_000
    assert gateway.api("GET", "/api/v1/reports/budget", org="zoo").body["budget_micros"] is None
    assert gateway.api("GET", "/api/v1/reports/budget", role="agent").status == 403


EXPERIMENTS = "/api/v1/flows/echo/experiments"


def test_experiments_compare_the_paths_of_random_nodes(gateway: Gateway, lake: Lake) -> None:
    lake.answer = [
        {"node_id": "test", "path": "a", "mixed": "false", "people": "1000", "reached": "100"},
        {"node_id": "test", "path": "a", "mixed": "true", "people": "3", "reached": "3"},
        {"node_id": "test", "path": "b", "mixed": "false", "people": "1000", "reached": "300"},
    ]
    body = gateway.api("GET", EXPERIMENTS, role="analyst", query={"goal": "event:paid", "smallest_effect": "0.05"}).body
    assert (body["goal"], body["smallest_effect"], body["alpha"]) == ("event:paid", 0.05, 0.05)
    [node] = body["nodes"]
    assert (node["people_in_several_paths"], node["sample_ratio_mismatch"]) == (3, False)
    assert node["paths"][0] == {
        "path": "a", "weight": None, "people": 1000, "reached": 100, "share": 0.1, "difference": None,
        "verdict": "no_difference_yet",
    }  # fmt: skip
    assert (node["paths"][1]["verdict"], node["paths"][1]["difference"]["estimate"]) == ("better", pytest.approx(0.2))
    [(_, parameters)] = lake.asked
    assert "'event:paid'" in parameters


def test_a_goal_that_does_not_exist_is_refused_and_agents_may_not_ask(gateway: Gateway, lake: Lake) -> None:
    for query in ({"goal": "won"}, {"goal": "event:"}, {"smallest_effect": "0"}, {"smallest_effect": "nan"}):
        assert gateway.api("GET", EXPERIMENTS, query=query).body["code"] == "invalid_request", query
    assert gateway.api("GET", EXPERIMENTS, role="agent").status == 403
    assert gateway.api("GET", EXPERIMENTS, org="zoo").body["code"] == "flow_unknown"
    assert lake.asked == []
