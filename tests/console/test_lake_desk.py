"""SQL on the lake: what is sent to Athena, and what comes back."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from local.console.lake_desk import (
    FIRST_QUERY,
    LakeDesk,
    StatementError,
    bytes_read,
    check,
    parameters,
    report_queries,
    suggestions,
    value_of,
    with_names,
)
from pytake import analytics
from pytake.analytics.queries import bind, names


class FakeAthena:
    """Athena's API as far as the desk asks it, in AWS's own shapes."""

    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []
        self.state: dict[str, Any] = {"State": "SUCCEEDED"}
        self.pages: list[dict[str, Any]] = []
        self.named: list[dict[str, Any]] = []

    def start_query_execution(self, **call: Any) -> dict[str, Any]:
        self.started.append(call)
        return {"QueryExecutionId": "1"}

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803  AWS's name
        statistics = {"TotalExecutionTimeInMillis": 1500, "DataScannedInBytes": 2048}
        return {"QueryExecution": {"Status": self.state, "Statistics": statistics}}

    def batch_get_named_query(self, NamedQueryIds: list[str]) -> dict[str, Any]:  # noqa: N803  AWS's name
        return {"NamedQueries": [query for query in self.named if query["NamedQueryId"] in NamedQueryIds]}

    def get_paginator(self, operation: str) -> Any:
        pages = self.pages
        if operation == "list_named_queries":
            pages = [{"NamedQueryIds": [query["NamedQueryId"]]} for query in self.named]

        class Paginator:
            def paginate(self, **_: Any) -> Any:
                return iter(pages)

        return Paginator()


@pytest.fixture
def athena() -> FakeAthena:
    return FakeAthena()


@pytest.fixture
def desk(athena: FakeAthena) -> LakeDesk:
    return LakeDesk(athena, "pytake-test", "lake", lambda: None)  # type: ignore[arg-type]


def test_values_are_bound_and_never_written_into_the_statement(desk: LakeDesk, athena: FakeAthena) -> None:
    sql = (
        "-- it's mine\nSELECT ':no' FROM events WHERE organization_id = :organization_id AND code = :code LIMIT :most;"
    )
    desk.start(sql, {"organization_id": "demo", "code": "it's", "most": 5})
    (call,) = athena.started
    assert call["QueryString"] == "SELECT ':no' FROM events WHERE organization_id = ? AND code = ? LIMIT ?"
    assert call["ExecutionParameters"] == ["'demo'", "'it''s'", "5"]
    assert (call["WorkGroup"], call["QueryExecutionContext"]) == ("pytake-test", {"Database": "lake"})


@pytest.mark.parametrize(
    ("sql", "key"),
    [
        ("DELETE FROM events WHERE organization_id = :organization_id", "sql.only_reads"),
        ("", "sql.only_reads"),
        ("-- SELECT\nDROP TABLE events", "sql.only_reads"),
        ("SELECT * FROM events WHERE organization_id = 'other'", "sql.organization_missing"),
        (
            "SELECT * FROM events -- :organization_id in words only\nWHERE organization_id = 'x'",
            "sql.organization_missing",
        ),
        ("SELECT * FROM events WHERE organization_id IN (:organization_id, 'other')", "sql.organization_missing"),
        ("SELECT * FROM events WHERE organization_id > :organization_id", "sql.organization_missing"),
        ("SELECT :organization_id FROM events WHERE organization_id = 'other'", "sql.organization_missing"),
        ("SELECT * FROM events WHERE organization_id = :organization_id || 'x'", "sql.organization_missing"),
        ("SELECT * FROM events e WHERE e.organization_id = :organization_id AND dt > '2026-01-01'", ""),
        ('SELECT * FROM events WHERE ("organization_id" = :organization_id)', ""),
        ("-- :organization_id\nSELECT * FROM events", "sql.organization_missing"),
        ("SELECT * FROM events WHERE organization_id = ':organization_id'", "sql.organization_missing"),
    ],
)
def test_what_does_not_read_or_names_no_organization_is_not_sent(sql: str, key: str) -> None:
    if not key:
        check(sql)
        return
    with pytest.raises(StatementError) as caught:
        check(sql)
    assert caught.value.key == key


def test_show_tables_needs_no_organization() -> None:
    check("SHOW TABLES")


def test_a_missing_value_is_named(desk: LakeDesk) -> None:
    with pytest.raises(StatementError) as caught:
        desk.start("SELECT :x FROM events WHERE organization_id = :organization_id", {"organization_id": "demo"})
    assert (caught.value.key, caught.value.name) == ("sql.parameter.missing", "x")


def test_a_result_of_several_pages_keeps_its_types(desk: LakeDesk, athena: FakeAthena) -> None:
    columns = [{"Name": "type", "Type": "varchar"}, {"Name": "n", "Type": "bigint"}, {"Name": "r", "Type": "double"}]

    def page(*rows: tuple[str | None, ...]) -> dict[str, Any]:
        data = [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in rows]
        return {"ResultSet": {"ResultSetMetadata": {"ColumnInfo": columns}, "Rows": data}}

    athena.pages = [
        page(("type", "n", "r"), ("a", "1", "0.5")),
        page((None, None, "NaN"), ("007", "12345678901234567890", "1")),
    ]
    table = desk.result("1")
    assert table.headings == ("type", "n", "r")
    assert table.rows[0] == ("a", 1, 0.5)
    assert table.rows[1][:2] == (None, None)
    assert table.rows[2] == ("007", 12345678901234567890, 1)
    assert len(desk.result("1", 2).rows) == 2


def test_how_an_execution_stands(desk: LakeDesk, athena: FakeAthena) -> None:
    athena.state = {"State": "FAILED", "StateChangeReason": "SYNTAX_ERROR: line 1:8"}
    execution = desk.look("1")
    assert (execution.state, execution.reason, execution.ended) == ("FAILED", "SYNTAX_ERROR: line 1:8", True)
    assert (execution.milliseconds, execution.scanned) == (1500, 2048)


def test_named_queries_of_this_database_by_name(desk: LakeDesk, athena: FakeAthena) -> None:
    athena.named = [
        {"NamedQueryId": str(n), "Name": name, "Database": database, "QueryString": "SELECT 1"}
        for n, (name, database) in enumerate((("zeta", "lake"), ("Alpha", "lake"), ("other", "elsewhere")))
    ]
    assert [query.name for query in desk.named_queries()] == ["Alpha", "zeta"]


SAVED = sorted((Path(analytics.__file__).parent / "sql" / "saved").glob("*.sql"))


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
def test_the_saved_queries_say_what_their_values_are(path: Path) -> None:
    given = names(without_comments(with_names(path.read_text())))
    assert given[:3] == ["organization_id", "from_day", "to_day"]
    assert given[3] in ("flow_id", "flow_of_the_node")
    assert set(given[4:]) <= {"random_node", "goal", "nodes_in_their_order", "hours"}
    bound = bind(without_comments(with_names(path.read_text())), dict.fromkeys(given, "x"))
    assert bound.sql == without_comments(path.read_text())


def test_a_question_mark_without_a_word_about_it_is_numbered() -> None:
    assert with_names("SELECT '?' -- ?\nFROM t WHERE a = ?") == "SELECT '?' -- ?\nFROM t WHERE a = :value_1"


def without_comments(sql: str) -> str:
    return "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))


def test_the_statements_of_the_reports_can_be_sent_with_what_is_suggested(desk: LakeDesk, athena: FakeAthena) -> None:
    given = suggestions("f", "America/Sao_Paulo", 7, date(2026, 11, 22))
    for query in [*report_queries()]:
        values = {name: value_of(given[name]) for name in parameters(query.sql)}
        desk.start(query.sql, {**values, "organization_id": "demo"})
    assert len(athena.started) == 4
    assert given["from_day"] == "2026-11-16"
    assert set(parameters(FIRST_QUERY)) == {"from_day", "to_day"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 12 ", 12),
        ("-3", -3),
        ("2026-11-22", "2026-11-22"),
        ("2026-11-22 10:00:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("1.5", "1.5"),
        ("O'Hara", "O'Hara"),
    ],
)
def test_values_as_they_are_written(text: str, value: object) -> None:
    assert value_of(text) == value


def test_bytes() -> None:
    assert [bytes_read(count) for count in (0, 999, 1500, 12_000_000)] == ["0 B", "999 B", "1.5 KB", "12.0 MB"]
