"""Answers and saved queries over the REST API: who may ask, pages, CSV, and what is refused. The figures: tests/analytics."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest

from pytake.wiring import api
from tests.conversation.product import ECHO_FLOW
from tests.functions.conftest import Gateway

ANSWERS, QUERIES = "/api/v1/flows/echo/answers", "/api/v1/queries"


class Lake:
    def __init__(self) -> None:
        self.answer: list[dict[str, str | None]] = []
        self.asked: list[tuple[str, list[str]]] = []

    def rows(self, sql: str, parameters: Sequence[str], version: str) -> list[dict[str, str | None]]:
        self.asked.append((sql, list(parameters)))
        return self.answer


@pytest.fixture
def lake(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Lake:
    lake = Lake()
    monkeypatch.setattr(api, "athena_queries", lambda: lake)
    gateway.api("PUT", "/api/v1/flows/echo", ECHO_FLOW | {"report_variables": ["city"]})
    lake.answer = [
        {"session": f"s{n}", "contact": f"c{n}", "started_at": str(1_790_000_000_000 - n), "state": "active",
         "answers": f"city\x1f{city}"}
        for n, city in enumerate(["Recife", "São Paulo", "=1+1"])
    ]  # fmt: skip
    return lake


def test_answers_come_in_pages(gateway: Gateway, lake: Lake) -> None:
    first = gateway.api("GET", ANSWERS, query={"limit": "2"}, role="analyst")
    assert first.status == 200, first.body
    assert [row["answers"] for row in first.body["rows"]] == [{"city": "Recife"}, {"city": "São Paulo"}]
    assert (first.body["total"], first.body["questions"][0]["variable"]) == (3, "city")
    second = gateway.api("GET", ANSWERS, query={"limit": "2", "cursor": first.body["next_cursor"]})
    assert [row["session"] for row in second.body["rows"]] == ["s2"]
    assert second.body["next_cursor"] is None
    found = gateway.api("GET", ANSWERS, query={"value": "sao"})
    assert [row["session"] for row in found.body["rows"]] == ["s1"]


def test_answers_are_counted_over_all_pages(gateway: Gateway, lake: Lake) -> None:
    lake.answer = [
        {"session": f"s{n}", "contact": f"c{n}", "started_at": str(1_790_000_000_000 - n), "state": "active",
         "answers": f"city\x1f{city}"}
        for n, city in enumerate(["São Paulo", "sao paulo", "São Paulo", "Recife", *map(str, range(12))])
    ]  # fmt: skip
    first = gateway.api("GET", ANSWERS, query={"limit": "2"}, role="analyst").body
    [city] = first["counts"]
    assert city["most_frequent"][:3] == [
        {"value": "São Paulo", "count": 3}, {"value": "0", "count": 1}, {"value": "1", "count": 1},
    ]  # fmt: skip
    assert (city["variable"], city["answered"], len(city["most_frequent"]), city["others"]) == ("city", 16, 10, 4)
    assert gateway.api("GET", ANSWERS, query={"limit": "2", "cursor": first["next_cursor"]}).body["counts"] == []
    assert gateway.api("GET", ANSWERS, query={"value": "recife"}).body["counts"][0]["answered"] == 1


def test_answers_are_a_file_for_those_who_ask_for_csv(gateway: Gateway, lake: Lake) -> None:
    answer = gateway.api("GET", ANSWERS, headers={"accept": "text/csv"})
    assert answer.content_type.startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="echo-answers.csv"'
    header, *rows = csv.reader(io.StringIO(answer.body))
    assert header == ["session", "contact", "started_at", "state", "city"]
    assert [row[-1] for row in rows] == ["Recife", "São Paulo", "'=1+1"]  # a spreadsheet must not run it


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\t'=1"),
        ("oi\n=1", "oi\n'=1"),
        ("oi;=cmd|'/c calc'!A0", "oi;'=cmd|'/c calc'!A0"),
        ("oi; +cmd;-2", "oi; '+cmd;'-2"),
        ("\u200b=1", "\u200b'=1"),
        ("\ufeff\u202e-cmd", "\ufeff\u202e'-cmd"),
        ("＝1", "'＝1"),
        ("-12.5", "-12.5"),
        ("a=b; c-d", "a=b; c-d"),
        ("https://example.com/?a=1;b=2", "https://example.com/?a=1;b=2"),
    ],
)
def test_no_cell_is_a_formula(gateway: Gateway, lake: Lake, written: str, cell: str) -> None:
    lake.answer = [{written: written}]
    body = {"from": "2026-03-01", "to": "2026-03-31", "parameters": {"flow_id": "f", "nodes": ["start"]}}
    answer = gateway.api("POST", f"{QUERIES}/funnel", body, headers={"accept": "text/csv"})
    assert list(csv.reader(io.StringIO(answer.body, newline=""))) == [[cell], [cell]]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (ANSWERS, {"from": "2026-03-02", "to": "2026-03-01"}),
        (ANSWERS, {"to": "2999-01-01"}),
        ("/api/v1/whatsapp-analytics/flows/echo/report", {"from": "2020-01-01"}),
    ],
)
def test_an_impossible_period_is_refused(gateway: Gateway, lake: Lake, path: str, query: dict[str, str]) -> None:
    answer = gateway.api("GET", path, query=query)
    assert (answer.status, answer.body["code"]) == (422, "period_invalid")


def test_a_report_covers_the_days_that_are_asked_for(gateway: Gateway, lake: Lake) -> None:
    lake.answer = []
    query = {"from": "2026-03-01", "to": "2026-03-03"}
    answer = gateway.api("GET", "/api/v1/whatsapp-analytics/flows/echo/daily-activity", query=query)
    assert [day["date"] for day in answer.body["days"]] == ["2026-03-01", "2026-03-02", "2026-03-03"]


def test_a_saved_query_is_bound_to_the_organization_of_the_token(gateway: Gateway, lake: Lake) -> None:
    listed = gateway.api("GET", QUERIES, role="analyst").body
    assert [query["name"] for query in listed] == sorted(query["name"] for query in listed)
    lake.answer = [{"step": "1", "node_id": "start", "share_of_all": "-0.5"}]
    body = {"from": "2026-03-01", "to": "2026-03-31", "parameters": {"flow_id": "it's", "nodes": ["start", "end"]}}
    answer = gateway.api("POST", f"{QUERIES}/funnel", body, org="globex", role="analyst")
    assert answer.status == 200, answer.body
    assert answer.body["columns"] == ["step", "node_id", "share_of_all"]
    assert lake.asked[-1][1] == ["'globex'", "'2026-03-01'", "'2026-03-31'", "'it''s'", "'start,end'"]
    as_csv = gateway.api("POST", f"{QUERIES}/funnel", body, headers={"accept": "text/csv"})
    assert as_csv.body.splitlines() == ["step,node_id,share_of_all", "1,start,-0.5"]


def test_every_saved_query_has_as_many_parameters_as_question_marks() -> None:
    from pytake.analytics.queries import statement
    from pytake.analytics.saved_queries import SAVED_QUERIES
    from tests.analytics.saved_queries import OWN
    from tests.analytics.saved_queries import QUERIES as FILES

    assert SAVED_QUERIES.keys() == FILES.keys()
    for name, saved in SAVED_QUERIES.items():
        assert len(saved.parameters) == len(OWN[name]) == statement(f"saved/{name}").count("?") - 3


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("select", {}, "saved_query_unknown"),
        ("funnel", {"parameters": {"flow_id": "echo"}}, "query_parameter_invalid"),
        ("funnel", {"parameters": {"flow_id": "echo", "nodes": "start"}}, "query_parameter_invalid"),
        ("drop_off", {"parameters": {"flow_id": "echo", "sql": "1"}}, "query_parameter_invalid"),
        ("first_contact_resolution", {"parameters": {"flow_id": "echo", "hours": 0}}, "query_parameter_invalid"),
        ("drop_off", {"from": "2026-04-02", "parameters": {"flow_id": "echo"}}, "period_invalid"),
        ("drop_off", {"from": "2020-04-02", "parameters": {"flow_id": "echo"}}, "period_invalid"),
    ],
)
def test_what_a_saved_query_does_not_take(
    gateway: Gateway, lake: Lake, name: str, body: dict[str, Any], code: str
) -> None:
    answer = gateway.api("POST", f"{QUERIES}/{name}", {"from": "2026-03-01", "to": "2026-03-31", **body})
    assert (answer.status, answer.body["code"]) == (404 if code == "saved_query_unknown" else 422, code)
    assert lake.asked == []
