"""The analysts' saved queries: known answers, and the same rows for every client and for DuckDB on the files themselves."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyathena
import pytest
import sqlglot

from local.expanded_template import expanded
from pytake.conversation.lake_events import LakeEvent
from tests.analytics.saved_queries import OWN, QUERIES
from tests.analytics.traffic import Traffic
from tests.lake import LakeOnAws
from tests.local.athena.conftest import Aws
from tests.stack import TEMPLATE

BEGIN = datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()
MARCH = ["'acme'", "'2026-03-01'", "'2026-03-31'"]


class Told:
    """Conversations, written as their events in the lake."""

    def __init__(self) -> None:
        self.events: list[LakeEvent] = []
        self.sessions = 0

    def merge(self, goes: str, stays: str, at: float = BEGIN + 7200) -> None:
        """Tell that a contact was merged into another one."""
        told = {"contact": stays, "code": goes, "session": None, "phone_number_id": "1", "turn": 9}
        self.events.append(LakeEvent(event_id=f"{goes}-9", type="merged", happened_at=round(at * 1000), **told))  # type: ignore[arg-type]

    def conversation(self, *steps: str, contact: str | None = None, at: float = BEGIN, flow: str = "shop") -> None:
        """Tell a conversation.

        Args:
            steps: each a turn after so many seconds: `12 person menu:button:buy rate:wait` a person wrote and these nodes
                were passed (a node that waited before is not visited again); `5 completed`, `90 expired`, `7 agent`, …
            contact: whose it is; a new person if omitted.
            at: when it began.
            flow: with which flow.
        """
        self.sessions += 1
        session, contact, waiting = f"s{self.sessions}", contact or f"c{self.sessions}", ""
        for turn, step in enumerate(steps, 1):
            seconds, *words = step.split(" ")
            at += float(seconds)
            told: list[tuple[str, dict[str, Any]]] = [("session_started", {})] if turn == 1 else []
            for word in words:
                node, _, way = word.partition(":")
                if word == "person":
                    told.append(("message_in", {}))
                elif word == "agent":
                    told.append(("message_out", {"code": "agent"}))
                elif way:
                    place = {"node_flow_id": flow, "node_id": node, "node_exit": way, "arrived": node != waiting}
                    told.append(("node_entered", place))
                    waiting = node if way in ("wait", "invalid") else ""
                else:
                    told.append((word, {}))
            for index, (type_, columns) in enumerate(told):
                self.events.append(
                    LakeEvent(
                        event_id=f"{contact}-{session}-{turn:06d}-{index:03d}",
                        type=type_,  # type: ignore[arg-type]
                        happened_at=round(at * 1000),
                        contact=contact,
                        session=session,
                        phone_number_id="1",
                        turn=turn,
                        flow_id=flow,
                        **columns,
                    )
                )


@pytest.fixture(scope="module")
def lake(new_lake: Callable[[], LakeOnAws]) -> LakeOnAws:
    return new_lake()


Ask = Callable[..., list[tuple[str | None, ...]]]


@pytest.fixture
def told(new_lake: Callable[[], LakeOnAws], request: pytest.FixtureRequest) -> Iterator[Told]:
    return Told()


@pytest.fixture
def ask(lake: LakeOnAws, told: Told, request: pytest.FixtureRequest) -> Ask:
    """Asks a saved query over what was told, for an organization of the test's own."""

    def run(name: str, *own: str) -> list[tuple[str | None, ...]]:
        organization_id = request.node.name[5:40]
        lake.put(organization_id, told.events)
        given = [f"'{organization_id}'", *MARCH[1:], *own]
        return [tuple(row.values()) for row in lake.queries().rows(QUERIES[name], given, "1")]

    return run


def test_the_template_offers_each_of_them(aws: Aws) -> None:
    resources = expanded(TEMPLATE)["Resources"].values()
    offered = {
        resource["Properties"]["Name"]: resource["Properties"]["QueryString"]
        for resource in resources
        if resource["Type"] == "AWS::Athena::NamedQuery"
    }
    assert offered == {f"pytake: {name.replace('_', ' ')}": text for name, text in QUERIES.items()}


def test_funnel(told: Told, ask: Ask) -> None:
    told.conversation(
        "0 person start:next menu:wait", "9 person menu:button:buy name:wait", "9 person name:next end:end completed"
    )
    told.conversation("0 person start:next menu:wait", "9 person menu:button:buy name:wait", "86400 expired")
    told.conversation("0 person start:next menu:wait", "86400 expired")
    told.conversation("0 person start:next name:wait", "5 person name:next menu:wait")  # the other way round
    told.conversation("0 person start:next menu:wait name:wait end:end", flow="other")
    assert ask("funnel", "'shop'", "'start,menu,name,end'") == [
        ("1", "start", "4", "1.0", None),
        ("2", "menu", "4", "1.0", "1.0"),
        ("3", "name", "2", "0.5", "0.5"),
        ("4", "end", "1", "0.25", "0.5"),
    ]
    # A name is compared as it is; a node of another flow has its name, and one without visits has none.
    told.conversation("0 person start:next ask_me:next", flow="other")
    assert ask("funnel", "'shop'", "'start,askXme,ask_me'") == [
        ("1", "start", "4", "1.0", None),
        ("2", None, "0", "0.0", "0.0"),
        ("3", "ask_me", "0", "0.0", None),
    ]


def test_drop_off(told: Told, ask: Ask) -> None:
    told.conversation("0 person start:next menu:wait", "86400 expired")
    told.conversation("0 person start:next menu:wait", "86400 expired")
    told.conversation("0 person start:next menu:wait", "9 person menu:invalid", "86400 expired")
    told.conversation("0 person start:next menu:wait", "9 person menu:button:buy name:wait", "9 person opted_out")
    told.conversation(
        "0 person start:next menu:wait", "9 person menu:button:human human:handoff handed_off", "86400 expired"
    )
    told.conversation("0 person start:next end:end completed")
    told.conversation("0 person start:next menu:wait")  # still going on
    assert ask("drop_off", "'shop'") == [
        ("shop", "menu", "start", "next", "2", "0.5"),
        ("shop", "menu", "menu", "invalid", "1", "0.25"),
        ("shop", "name", "menu", "button:buy", "1", "0.25"),
    ]


def test_response_times(told: Told, ask: Ask) -> None:
    begin = "0 person start:next menu:wait"
    told.conversation(begin, "10 person menu:invalid", "20 person menu:next name:wait", "5 person name:next")
    told.conversation(begin, "40 person menu:next person:handoff handed_off", "90 agent", "30 person", "30 agent")
    told.conversation(begin, "86400 expired")
    assert ask("response_times", "'shop'") == [
        ("agent", None, None, "1", "90.0", "90.0", "90.0"),
        ("person", "shop", "menu", "3", "23.333", "20.0", "40.0"),
        ("person", "shop", "name", "1", "5.0", "5.0", "5.0"),
    ]


def test_first_contact_resolution(told: Told, ask: Ask) -> None:
    told.conversation("0 person start:next", "60 completed", contact="happy")
    told.conversation("0 person start:next", "60 completed", contact="soon back")
    told.conversation("0 person start:next", contact="soon back", at=BEGIN + 3600, flow="other")
    told.conversation("0 person start:next", "60 completed", contact="late back")
    told.conversation("0 person start:next", "60 expired", contact="late back", at=BEGIN + 72 * 3600 + 60)
    told.conversation("0 person start:next", "60 handed_off", contact="to a person")
    told.conversation("0 person start:next", contact="still talking")
    assert ask("first_contact_resolution", "'shop'", "72") == [("5", "3", "2", "0.4")]


def test_a_person_who_came_back_under_another_contact_was_not_helped_at_once(told: Told, ask: Ask) -> None:
    told.conversation("0 person start:next", "60 completed", contact="hidden")
    told.conversation("0 person start:next", contact="shown", at=BEGIN + 3600, flow="other")
    told.conversation("0 person start:next", "60 completed", contact="happy")
    told.merge("hidden", "shown")
    assert ask("first_contact_resolution", "'shop'", "72") == [("2", "2", "1", "0.5")]


def test_ab_comparison(told: Told, ask: Ask) -> None:
    for path, conversations, goals in (("a", 100, 20), ("b", 100, 45), ("c", 10, 3)):
        for number in range(conversations):
            told.conversation(
                f"0 person start:next test:path:{path} menu:wait", *(["5 person completed"] * (number < goals))
            )
    told.conversation("0 person start:next", "5 person completed")  # never came by
    rows = ask("ab_comparison", "'shop'", "'test'", "'completed'")
    # Wilson, Newcombe: computed by hand from the papers' formulas.
    assert rows == [
        ("a", "100", "20", "0.2", "0.1334", "0.2888", None, None, None, None),
        ("b", "100", "45", "0.45", "0.3561", "0.5476", "0.25", "0.1208", "0.3681", "true"),
        ("c", "10", "3", "0.3", "0.1078", "0.6032", "0.1", "-0.1117", "0.4105", "false"),
    ]


@pytest.fixture(scope="module")
def traffic(lake: LakeOnAws) -> Traffic:
    traffic = Traffic(seed=7, days=12)
    lake.put("acme", traffic.events("acme"))
    lake.put("zoo", traffic.events("zoo"))
    return traffic


@pytest.mark.parametrize("name", QUERIES)
def test_boto3_and_pyathena_give_the_rows_that_duckdb_finds_in_the_files(
    aws: Aws,
    lake: LakeOnAws,
    traffic: Traffic,
    tmp_path: Path,
    name: str,
) -> None:
    given = [*MARCH, *OWN[name]]
    by_boto3 = [tuple(row.values()) for row in lake.queries().rows(QUERIES[name], given, "2")]
    connection = pyathena.connect(
        endpoint_url=aws.endpoint_url,
        region_name=aws.environment["AWS_REGION"],
        aws_access_key_id=aws.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws.environment["AWS_SECRET_ACCESS_KEY"],
        work_group=lake.work_group,
        schema_name=lake.database,
        poll_interval=0.05,
    )
    cursor = connection.cursor()
    cursor.execute(QUERIES[name], given, paramstyle="qmark")
    by_pyathena = cursor.fetchall()
    by_duckdb = on_the_files(lake, tmp_path, name, given)
    assert by_boto3
    assert [tuple(_text(value) for value in row) for row in by_pyathena] == by_boto3
    assert [tuple(_text(value) for value in row) for row in by_duckdb] == by_boto3


@pytest.mark.parametrize("name", QUERIES)
def test_an_organization_that_has_nothing_gets_nothing_of_another_s(
    lake: LakeOnAws, traffic: Traffic, name: str
) -> None:
    rows = lake.queries().rows(QUERIES[name], ["'nobody'", *MARCH[1:], *OWN[name]], "3")
    nothing = {
        "first_contact_resolution": [["0", "0", "0", None]],
        "funnel": [[str(step), None, "0", None, None] for step in (1, 2, 3, 4)],
    }
    assert [list(row.values()) for row in rows] == nothing.get(name, [])


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def on_the_files(lake: LakeOnAws, folder: Path, name: str, given: list[str]) -> list[tuple[Any, ...]]:
    """Ask DuckDB itself, in its own words, over the downloaded files."""
    for page in lake.s3.get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix="events/"):
        for file in page["Contents"]:
            path = folder / file["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            lake.s3.download_file(lake.bucket, file["Key"], str(path))
    text = QUERIES[name]
    for value in given:
        text = text.replace("?", value, 1) if "?" not in value else text
    for trino, own in OWN_WORDS:
        text = text.replace(trino, own)
    text = re.sub(r"date_diff\('(\w+)', ", r"date_sub('\1', ", text)
    sql = sqlglot.parse_one(text, read="duckdb").sql("duckdb")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        f"CREATE VIEW events AS FROM read_parquet('{folder}/events/**/*.parquet', hive_partitioning = true, "
        "hive_types = {'organization_id': VARCHAR, 'dt': VARCHAR})"
    )
    wilson = "(k + z*z/2 {0} z * sqrt(k * (n - k) / n::DOUBLE + z*z/4)) / (n + z*z)"
    for end, sign in (("lower", "-"), ("upper", "+")):
        connection.execute(f"CREATE MACRO wilson_interval_{end}(k, n, z) AS {wilson.format(sign)}")
    return connection.execute(sql).fetchall()


OWN_WORDS = [
    (" / 2,", " // 2,"),
    (" / 2))", " // 2))"),
    ("+ 99) / 100", "+ 99) // 100"),
    ("split(", "string_split("),
    ("array_join(sequence(", "array_to_string(generate_series("),
    ("array_join(", "array_to_string("),
    ("sequence(", "generate_series("),
    ("element_at(", "list_extract("),
]
