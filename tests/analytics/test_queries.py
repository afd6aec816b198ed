"""Queries on Athena: values are bound, the same query is billed once, and every wait ends."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pytake.analytics.queries import literal, query
from pytake.aws.athena import AthenaQueries
from pytake.conversation.ports.lake import QueryFailedError, QueryNotReadyError, QueryTooLargeError


class Athena:
    """Executions by token; each answers its states one after the other, and then stays as it is."""

    def __init__(self, *states: tuple[str, str]) -> None:
        self.states = list(states) or [("SUCCEEDED", "")]
        self.starts: list[dict[str, Any]] = []
        self.asked: dict[str, int] = {}
        self.results_read = 0
        self.refuses: str | None = None
        self.slow: Callable[[str], bool] = lambda _: False
        self.lost: set[str] = set()
        """Executions whose result was deleted from the bucket."""

    def start_query_execution(self, **call: Any) -> dict[str, Any]:
        if self.refuses:
            raise ClientError({"Error": {"Code": self.refuses}}, "StartQueryExecution")
        self.starts.append(call)
        return {"QueryExecutionId": call["ClientRequestToken"]}

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803
        turn = self.asked.get(QueryExecutionId, 0)
        self.asked[QueryExecutionId] = turn + 1
        state, reason = self.states[min(turn, len(self.states) - 1)]
        if self.slow(QueryExecutionId):
            state = "RUNNING"
        return {"QueryExecution": {"Status": {"State": state, "StateChangeReason": reason}}}

    def batch_get_query_execution(self, QueryExecutionIds: list[str]) -> dict[str, Any]:  # noqa: N803
        assert len(QueryExecutionIds) <= 50
        found = [
            self.get_query_execution(id_)["QueryExecution"] | {"QueryExecutionId": id_} for id_ in QueryExecutionIds
        ]
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": []}

    def get_paginator(self, _: str) -> "Athena":
        return self

    def paginate(self, QueryExecutionId: str) -> list[dict[str, Any]]:  # noqa: N803
        if QueryExecutionId in self.lost:
            raise ClientError({"Error": {"Code": "InvalidRequestException"}}, "GetQueryResults")
        self.results_read += 1
        pages: list[list[list[str | None]]] = [[["a", "b"], ["1", None]], [["2", "x"]]]
        return [
            {
                "ResultSet": {
                    "Rows": [{"Data": [{"VarCharValue": v} if v is not None else {} for v in row]} for row in page]
                }
            }
            for page in pages
        ]


ROWS = [{"a": "1", "b": None}, {"a": "2", "b": "x"}]


def asking(athena: Athena, wait_seconds: float = 5) -> AthenaQueries:
    return AthenaQueries(athena, "group", "lake", wait_seconds, sleep=lambda _: None)  # type: ignore[arg-type]


def test_rows_of_all_pages_by_name_and_values_beside_the_text() -> None:
    athena = Athena(("QUEUED", ""), ("RUNNING", ""), ("SUCCEEDED", ""))
    assert asking(athena).rows("SELECT ?", ["'x'"], "1") == ROWS
    [start] = athena.starts
    assert (start["QueryString"], start["ExecutionParameters"]) == ("SELECT ?", ["'x'"])
    assert (start["WorkGroup"], start["QueryExecutionContext"]) == ("group", {"Database": "lake"})
    assert 32 <= len(start["ClientRequestToken"]) <= 128


def test_the_same_question_is_asked_once_per_version() -> None:
    athena = Athena()
    queries = asking(athena)
    for version in ("1", "1", "2"):
        assert queries.rows("SELECT ?", ["'x'"], version) == ROWS
    queries.rows("SELECT ?", ["'y'"], "2")
    assert (len(athena.starts), athena.results_read) == (3, 3)
    assert len({start["ClientRequestToken"] for start in athena.starts}) == 3


def test_who_asks_again_finds_the_work_done() -> None:
    athena = Athena(*[("RUNNING", "")] * 40, ("SUCCEEDED", ""))
    with pytest.raises(QueryNotReadyError):
        asking(athena).rows("SELECT 1", [], "1")
    assert asking(athena, 60).rows("SELECT 1", [], "1") == ROWS, "another process of the function"
    first, second = (start["ClientRequestToken"] for start in athena.starts)
    assert first == second


def test_a_result_that_an_erasure_deleted_is_asked_for_again_as_often_as_it_happens() -> None:
    athena = Athena()
    for times in (1, 2, 3):
        assert asking(athena).rows("SELECT 1", [], "1") == ROWS
        assert len(athena.starts) == 1 if times == 1 else 2 * times - 1
        athena.lost = {start["ClientRequestToken"] for start in athena.starts}


def test_who_could_not_wait_for_the_repeated_query_finds_it_running() -> None:
    athena = Athena()
    queries = asking(athena)
    asking(athena).rows("SELECT 1", [], "1")
    athena.lost = {start["ClientRequestToken"] for start in athena.starts}
    athena.slow = lambda execution: execution not in athena.lost and athena.asked[execution] < 30
    with pytest.raises(QueryNotReadyError):
        queries.rows("SELECT 1", [], "1")
    assert queries.rows("SELECT 1", [], "1") == ROWS
    assert len({start["ClientRequestToken"] for start in athena.starts}) == 2


def test_too_large_too_many_and_wrong() -> None:
    limit = Athena(("CANCELLED", "Query exhausted resources: Bytes scanned limit was exceeded"))
    with pytest.raises(QueryTooLargeError):
        asking(limit).rows("SELECT 1", [], "1")
    busy = Athena()
    busy.refuses = "TooManyRequestsException"
    with pytest.raises(QueryNotReadyError):
        asking(busy).rows("SELECT 1", [], "1")
    busy.refuses = "InvalidRequestException"
    with pytest.raises(ClientError):
        asking(busy).rows("SELECT 1", [], "1")
    wrong = Athena(("FAILED", "SYNTAX_ERROR: line 1:1"))
    with pytest.raises(QueryFailedError, match="SYNTAX_ERROR"):
        asking(wrong).rows("SELECT 1", [], "1")
    first, second = (start["ClientRequestToken"] for start in wrong.starts)
    assert first != second, "the token of what failed would give the failure again"


def test_many_queries_are_waited_for_together_and_each_has_its_own_outcome() -> None:
    athena = Athena(("RUNNING", ""), ("SUCCEEDED", ""))
    queries = asking(athena)
    started = [queries.start("SELECT 1", [], f"token {number}") for number in range(120)]
    athena.states[1:] = [("RUNNING", ""), ("SUCCEEDED", "")]
    assert queries.wait(started, lambda: False) == dict.fromkeys(started)
    assert max(athena.asked.values()) == 3
    wrong = Athena(("FAILED", "SYNTAX_ERROR"))
    [error] = asking(wrong).wait(["a"], lambda: False).values()
    assert isinstance(error, QueryFailedError)
    endless = Athena(("RUNNING", ""))
    [error] = asking(endless, 1e9).wait(["a"], lambda: endless.asked["a"] == 3).values()
    assert isinstance(error, QueryNotReadyError)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("it's", "'it''s'"),
        ("'; DROP TABLE events --", "'''; DROP TABLE events --'"),
        (72, "72"),
        (date(2026, 3, 1), "'2026-03-01'"),
        (datetime(2026, 3, 1, 3, 0, 0, 500_000, UTC), "TIMESTAMP '2026-03-01 03:00:00.500'"),
        (datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=-3))), "TIMESTAMP '2026-03-01 03:00:00.000'"),
    ],
)
def test_literals(value: Any, text: str) -> None:
    assert literal(value) == text


def test_a_statement_s_names_become_question_marks_in_their_order() -> None:
    day = date(2026, 3, 1)
    asked = query("daily", {"organization_id": "acme", "events_from": day, "events_to": date(2026, 3, 2)})
    assert asked.sql.count("?") == len(asked.parameters) == 12
    assert asked.parameters == ["'acme'", "'2026-03-01'", "'2026-03-02'"] * 4
    assert ":" not in asked.sql
    assert "--" not in asked.sql
    assert "{{" not in asked.sql
    with pytest.raises(KeyError):
        query("daily", {"organization_id": "acme"})
