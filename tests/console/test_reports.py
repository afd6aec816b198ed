"""Reports as the Measure area shows them."""

import csv
import io
from typing import Any

import pytest

from local.console import reports
from local.console.flow_graph import flow_graph
from local.console.tables import Table, csv_of, shown
from local.console.words import Words

WORDS = Words("en")
PERIOD = {"days": 2, "from": "2026-11-21", "to": "2026-11-22", "timezone": "America/Sao_Paulo"}
REPORT: dict[str, Any] = {
    "conversations": {
        "total": 10, "completed": 4, "active": 2, "expired": 2, "handed_off": 1, "completion_rate": 0.4, "unique_users": 8,
    },
    "messages": {"total": 50, "from_user": 20, "from_bot": 30, "billable": 28, "average_per_conversation": 5.0},
    "duration": {
        "average_seconds": 80.5, "median_seconds": 61.0, "p95_seconds": 4000.0, "min_seconds": 1.5, "max_seconds": 90000.0,
    },
    "period": PERIOD,
    "as_of": "2026-11-22T12:00:00Z",
}  # fmt: skip
EMPTY = {
    **REPORT,
    "conversations": dict.fromkeys(REPORT["conversations"], 0),
    "duration": dict.fromkeys(REPORT["duration"]),
    "as_of": None,
}
FLOW = {
    "id": "f",
    "start_node_id": "a",
    "nodes": [
        {
            "id": "a",
            "type": "message",
            "data": {
                "text": "Hi",
                "buttons": [{"label": "One", "value": "1", "next_node_id": "b"}, {"label": "Two", "value": "2"}],
                "next_node_id": "c",
            },
        },
        {"id": "b", "type": "end"},
        {"id": "c", "type": "end"},
        {"id": "d", "type": "end"},
    ],
}


def exit_(name: str, visits: int, drop_off: int = 0) -> dict[str, Any]:
    return {"exit": name, "visits": visits, "share": 0.5, "drop_off": drop_off, "drop_off_rate": 0.1}


def node(
    node_id: str, visits: int, share: float, drop_off: int, *exits: dict[str, Any], flow_id: str = "f"
) -> dict[str, Any]:
    rate = drop_off / visits if visits else 0
    place = {"flow_id": flow_id, "node_id": node_id}
    return {
        **place,
        "visits": visits,
        "share": share,
        "drop_off": drop_off,
        "drop_off_rate": rate,
        "exits": list(exits),
    }


HEATMAP = {
    "conversations": 10,
    "nodes": [
        node("a", 12, 1.0, 3, exit_("button:1", 6, 2), exit_("next", 1), exit_("button:2", 2), exit_("invalid", 2)),
        node("b", 6, 0.6, 0, exit_("end", 6)),
        node("x", 5, 0.5, 4, flow_id="sub"),
    ],
}


def test_conversations_that_ended_otherwise_are_a_state_of_their_own() -> None:
    table = reports.states_table(WORDS, REPORT)
    assert [row[1] for row in table.rows] == [4, 2, 2, 1, 1]
    assert table.rows[0][2] == "40.0 %"
    assert sum(slice_["value"] for slice_ in reports.states_chart(WORDS, REPORT)["series"][0]["data"]) == 10


def test_the_figures_at_the_top() -> None:
    values = [figure.value for figure in reports.figures(WORDS, REPORT)]
    assert values == ["10", "40.0 %", "50", "28", "1 min 1 s"]


def test_nothing_yet_is_no_division_by_zero() -> None:
    assert [figure.value for figure in reports.figures(WORDS, EMPTY)][-1] == "—"
    assert [row[1] for row in reports.states_table(WORDS, EMPTY).rows] == [0] * 5
    assert "not" not in reports.fresh_until(WORDS, REPORT["as_of"])
    assert "5 minutes" in reports.fresh_until(WORDS, None)


def test_every_day_is_a_row_and_a_point() -> None:
    days = [{"date": f"2026-11-2{n}", "messages": n, "conversations": 1, "unique_users": 1} for n in (1, 2)]
    activity = {"days": days}
    assert [row[:2] for row in reports.activity_table(WORDS, activity).rows] == [("2026-11-21", 1), ("2026-11-22", 2)]
    assert reports.activity_chart(WORDS, activity)["xAxis"]["data"] == ["21/11", "22/11"]


def test_segments() -> None:
    part = {"count": 3, "share": 0.5}
    found = reports.segments_table(
        WORDS, {"segments": {"power": part, "active": part, "inactive": {"count": 0, "share": 0}}}
    )
    assert [row[1:] for row in found.rows] == [(3, "50.0 %"), (3, "50.0 %"), (0, "0.0 %")]


def test_the_drawing_is_warm_where_conversations_pass() -> None:
    nodes, edges = reports.heat_marks(WORDS, HEATMAP, flow_graph(FLOW))
    assert nodes["a"].look == "heat-5 dropped"
    assert nodes["a"].badge == "12 −3"
    assert "25.0 %" in nodes["a"].note
    assert nodes["b"].look == "heat-3"
    assert nodes["d"].look == "heat-0"
    assert set(nodes) == {"a", "b", "c", "d"}  # the sub-flow's are not in this drawing
    assert edges["a", "b"].badge == "6"
    assert edges["a", "c"].badge == "3"  # `next`, and a button without a target of its own
    assert edges["a", "b"].look == "flow-4"


def test_the_worst_drop_offs_come_first_whatever_flow_they_are_in() -> None:
    assert [(node_id, count) for node_id, _, count, _ in reports.drop_offs(HEATMAP, {})] == [("x", 4), ("a", 3)]
    rows = reports.heatmap_table(WORDS, HEATMAP, {"a": "Hello"}).rows
    assert [row[1:4] for row in rows[:2]] == [("Hello", "", 12), ("Hello", "button:1", 6)]


def test_a_transcript_is_rows() -> None:
    message = {"timestamp": "2026-11-22T12:00:00Z", "speaker": "bot", "type": "image", "text": None}
    message |= {"node_id": "a", "delivery": "read"}
    (row,) = reports.transcript_table(WORDS, {"messages": [message]}).rows
    assert row == ("2026-11-22T12:00:00Z", "Bot", "(image)", "a", "read")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "—"), (0.25, "0.2 s"), (59.6, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (90061, "1 d 1 h")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert reports.lasting(seconds) == text


def test_csv_survives_commas_and_disarms_formulas() -> None:
    table = Table("t", ("a", "b"), (('x, "y"\n', 1), ("=1+1", None), ("-5", 2.5), ("+551199", -3), ("@x", 0)))
    raw = csv_of(table)
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert rows == [["a", "b"], ['x, "y"\n', "1"], ["'=1+1", ""], ["-5", "2.5"], ["+551199", "-3"], ["'@x", "0"]]
    assert table.numeric == (False, True)
    assert [shown(cell) for cell in (None, 1234, 2.50, "x")] == ["—", "1,234", "2.5", "x"]


def test_no_cell_of_a_file_is_a_formula_for_any_spreadsheet() -> None:
    written = ["oi;=cmd|'/c calc'!A0", "a\t=1", "\u200b=1", "\ufeff=1", "\n=1", "a; b", "a;-", "5;6"]
    table = Table("t", ("=heading",), tuple((text,) for text in written))
    rows = list(csv.reader(io.StringIO(csv_of(table).decode("utf-8-sig"), newline="")))
    assert [row[0] for row in rows] == [
        "'=heading",
        "oi;'=cmd|'/c calc'!A0",
        "a\t'=1",
        "'=1",
        "'=1",
        "'\n=1",
        "a; b",
        "a;'-",
        "5;6",
    ]
