"""`pytake sql`, on a lake with the template's tables and work group."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import sql
from cli.main import app
from cli.stack import DeployedStack
from pytake.conversation.lake_events import LakeEvent
from tests.lake import LakeOnAws

AT = round(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp() * 1000)
TYPES = "SELECT type, count(*) AS n FROM events WHERE organization_id = :org AND dt BETWEEN :from AND :to GROUP BY 1 ORDER BY 1"
MARCH = ("--from", "2026-03-01", "--to", "2026-03-31")


class LakeStack(DeployedStack):
    """A stack whose Athena is that of a lake."""

    def __init__(self, lake: LakeOnAws) -> None:
        super().__init__("pytake-test", {"WorkGroupName": lake.work_group, "LakeDatabaseName": lake.database}, {})
        object.__setattr__(self, "athena", lake.athena)

    def client(self, service: str) -> object:
        return {"athena": self.athena}[service]  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def lake(new_lake: Callable[[], LakeOnAws]) -> LakeOnAws:
    lake = new_lake()
    events = [
        LakeEvent("e1", "session_started", AT, "c1", "s1", "1", 1, flow_id="shop"),
        LakeEvent("e2", "node_entered", AT, "c1", "s1", "1", 1, "shop", 1, "shop", "menu", "wait", arrived=True),
        LakeEvent("e3", "message_in", AT + 1000, "c1", "s1", "1", 2, flow_id="shop", code='a, "b" [bold]c'),
    ]
    lake.put("acme", events)
    lake.put("other", events[:1])
    return lake


@pytest.fixture
def run(lake: LakeOnAws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr(sql, "find_stack", lambda *_: LakeStack(lake))
    return lambda *arguments, given="": CliRunner().invoke(app, ["sql", *arguments], input=given)


def test_a_statement_gets_the_organization_and_the_days(run: Callable[..., Result]) -> None:
    done = run(TYPES, "--org", "acme", *MARCH, "--csv")
    assert (done.exit_code, done.output) == (0, "type,n\nmessage_in,1\nnode_entered,1\nsession_started,1\n")
    assert run(TYPES, "--org", "other", *MARCH, "--csv").output == "type,n\nsession_started,1\n"


def test_a_statement_comes_from_a_file_or_standard_input(run: Callable[..., Result], tmp_path: Path) -> None:
    text = "SELECT turn FROM events WHERE organization_id = :org AND type = :type AND turn >= :turn"
    Path(tmp_path, "ask.sql").write_text(text)
    values = ("--org", "acme", "-v", "type=message_in", "-v", "turn:=2", "--csv")
    for source, given in ((f"@{tmp_path}/ask.sql", ""), ("-", text)):
        assert run(source, *values, given=given).output == "turn\n2\n"


def test_a_table_shows_texts_as_they_are_and_what_is_missing(run: Callable[..., Result]) -> None:
    asked = "SELECT code, node_id FROM events WHERE organization_id = :org AND turn = 2"
    done = run(asked, "--org", "acme")
    assert 'a, "b" [bold]c' in done.output
    assert "NULL" in done.output
    assert run(asked, "--org", "acme", "--csv").output == 'code,node_id\n"a, ""b"" [bold]c",\n'


def test_an_empty_answer_says_how_far_the_lake_is_behind(run: Callable[..., Result]) -> None:
    asked = "SELECT code FROM events WHERE organization_id = :org AND turn = 99"
    assert "No rows. The lake is about five minutes behind" in run(asked, "--org", "acme").output
    assert run(asked, "--org", "acme", "--csv").output == "code\n"


def test_a_saved_query_is_asked_by_name(run: Callable[..., Result]) -> None:
    done = run("--saved", "funnel", "--org", "acme", *MARCH, "-v", "flow_id=shop", "-v", "nodes=menu,done", "--csv")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[1].startswith("1,menu,1,")


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        ([], "Give either a statement or --saved NAME.", 2),
        (["SELECT 1", "--saved", "funnel"], "Give either a statement or --saved NAME.", 2),
        (["SELECT :city"], "The statement names :city, which has no value. Give it with -v city=TEXT.", 2),
        (["SELECT 1", "-v", "city"], "'city' has no name. Write NAME=TEXT or NAME:=NUMBER.", 2),
        (["SELECT 1", "-v", "n:=two"], "'n:=two': 'two' is not a whole number.", 2),
        (["SELECT 1", "--from", "march"], "'march' is not a day. Write 2026-11-30.", 2),
        (["@missing.sql"], "missing.sql: No such file or directory", 2),
        (["--saved", "sales"], "No saved query is named 'sales'. The saved queries are ab_comparison, drop_off", 2),
        (["--saved", "funnel", "-v", "flow_id=shop"], "The parameter nodes is missing.", 2),
        (["SELECT type FROM events WHERE dt = '2026-03-10'"], "organization_id", 1),
        (["SELEKT 1"], "Athena refused:", 1),
    ],
)
def test_what_cannot_be_asked_says_why(
    run: Callable[..., Result], arguments: list[str], words: str, status: int
) -> None:
    done = run(*arguments)
    assert (done.exit_code, words in done.output) == (status, True), done.output
