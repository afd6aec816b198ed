"""The reports of the REST API as tables, charts and a drawing. Fields are those of `functions/api/rest/reports.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.console.flow_graph import FlowGraph
from local.console.graph_view import Mark
from local.console.tables import Table
from local.console.words import Words

Json = Mapping[str, Any]

STATES = ("completed", "active", "expired", "handed_off", "other")
SEGMENTS = ("power", "active", "inactive")
HEATS = 6
"""Looks from heat-0 to heat-5 in console.css."""


_FOLLOW_NEXT = ("button:", "error")
"""Exits that go where `next` goes when they have no target of their own."""


@dataclass(frozen=True)
class Figure:
    """A number that is looked at first: its name, how it is written, and a word about it."""

    name: str
    value: str
    note: str = ""


def fresh_until(words: Words, as_of: str | None) -> str:
    """Return a sentence that says until when everything is counted, in the viewer's time zone."""
    if as_of is None:
        return words("measure.as_of.none")
    moment = datetime.fromisoformat(as_of).astimezone()
    return words("measure.as_of", when=moment.strftime("%d/%m/%Y %H:%M:%S"))


def period_of(words: Words, period: Json) -> str:
    """Return the days a report covers."""
    return words("measure.period", first=_day(period["from"]), last=_day(period["to"]), zone=period["timezone"])


def figures(words: Words, report: Json) -> list[Figure]:
    """Return the numbers at the top of a flow's report."""
    conversations, messages, duration = report["conversations"], report["messages"], report["duration"]
    rate = percent(conversations["completion_rate"])
    return [
        Figure(
            words("measure.conversations"),
            f"{conversations['total']:,}",
            words("measure.of_people", count=conversations["unique_users"]),
        ),
        Figure(words("measure.completion"), rate, words("measure.completed_of", count=conversations["completed"])),
        Figure(
            words("measure.messages"),
            f"{messages['total']:,}",
            words("measure.per_conversation", count=f"{messages['average_per_conversation']:.1f}"),
        ),
        Figure(words("measure.billable"), f"{messages['billable']:,}", words("measure.billable.note")),
        Figure(
            words("measure.duration"),
            lasting(duration["median_seconds"]),
            words("measure.duration.note", p95=lasting(duration["p95_seconds"])),
        ),
    ]


def report_table(words: Words, report: Json) -> Table:
    """Return a flow's report as names and values."""
    rows: list[tuple[str, Any]] = []
    for group in ("conversations", "messages", "duration"):
        rows += [
            (words.get(f"measure.field.{group}.{name}", f"{group}.{name}"), value)
            for name, value in report[group].items()
        ]
    return Table("report", (words("measure.figure"), words("measure.value")), tuple(rows))


def states_chart(words: Words, report: Json) -> dict[str, Any]:
    """Return a chart of what became of the conversations."""
    counts = _states(report["conversations"])
    data = [{"name": words(f"measure.state.{name}"), "value": counts[name]} for name in STATES if counts[name]]
    return {
        **_base(),
        "tooltip": {"trigger": "item"},
        "legend": {"bottom": 0, "textStyle": {"color": _TEXT}},
        "series": [
            {"type": "pie", "radius": ["48%", "72%"], "center": ["50%", "44%"], "label": {"show": False}, "data": data}
        ],
    }


def states_table(words: Words, report: Json) -> Table:
    """Return what became of the conversations."""
    counts = _states(report["conversations"])
    total = report["conversations"]["total"]
    rows = tuple(
        (words(f"measure.state.{name}"), counts[name], percent(counts[name] / total if total else 0)) for name in STATES
    )
    return Table("states", (words("measure.state"), words("measure.conversations"), words("measure.share")), rows)


def activity_chart(words: Words, activity: Json) -> dict[str, Any]:
    """Return a chart of messages, conversations and people by day."""
    days = activity["days"]
    series = [
        {
            "name": words(f"measure.{name}"),
            "type": "bar" if name == "messages" else "line",
            "data": [day[name] for day in days],
            "smooth": False,
            "symbolSize": 6,
        }
        for name in ("messages", "conversations", "unique_users")
    ]
    return {
        **_base(),
        "tooltip": {"trigger": "axis"},
        "legend": {"bottom": 0, "textStyle": {"color": _TEXT}},
        "grid": {"left": 8, "right": 8, "top": 16, "bottom": 40, "containLabel": True},
        "xAxis": {
            "type": "category",
            "data": [_day(day["date"], short=True) for day in days],
            "axisLabel": {"color": _TEXT},
        },
        "yAxis": {
            "type": "value",
            "minInterval": 1,
            "axisLabel": {"color": _TEXT},
            "splitLine": {"lineStyle": {"color": _LINE}},
        },
        "series": series,
    }


def activity_table(words: Words, activity: Json) -> Table:
    """Return messages, conversations and people by day."""
    headings = (
        words("measure.day"),
        words("measure.messages"),
        words("measure.conversations"),
        words("measure.unique_users"),
    )
    rows = tuple((day["date"], day["messages"], day["conversations"], day["unique_users"]) for day in activity["days"])
    return Table("daily-activity", headings, rows)


def segments_chart(words: Words, report: Json) -> dict[str, Any]:
    """Return a chart of people by how much they write."""
    segments = report["segments"]
    return {
        **_base(),
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 24, "top": 8, "bottom": 8, "containLabel": True},
        "xAxis": {
            "type": "value",
            "minInterval": 1,
            "axisLabel": {"color": _TEXT},
            "splitLine": {"lineStyle": {"color": _LINE}},
        },
        "yAxis": {
            "type": "category",
            "data": [words(f"measure.segment.{name}") for name in reversed(SEGMENTS)],
            "axisLabel": {"color": _TEXT},
        },
        "series": [
            {
                "type": "bar",
                "name": words("measure.unique_users"),
                "data": [segments[name]["count"] for name in reversed(SEGMENTS)],
                "barMaxWidth": 26,
            }
        ],
    }


def segments_table(words: Words, report: Json) -> Table:
    """Return people by how much they write."""
    segments = report["segments"]
    rows = tuple(
        (words(f"measure.segment.{name}"), segments[name]["count"], percent(segments[name]["share"]))
        for name in SEGMENTS
    )
    return Table(
        "user-segments", (words("measure.segment"), words("measure.unique_users"), words("measure.share")), rows
    )


def heatmap_table(words: Words, heatmap: Json, name_of: Mapping[str, str]) -> Table:
    """Return visits and drop-off by node and exit; `name_of` gives titles of nodes."""
    rows: list[tuple[Any, ...]] = []
    for node in heatmap["nodes"]:
        title = name_of.get(node["node_id"], node["node_id"])
        rows.append(
            (
                node["flow_id"],
                title,
                "",
                node["visits"],
                percent(node["share"]),
                node["drop_off"],
                percent(node["drop_off_rate"]),
            )
        )
        rows += [
            (
                node["flow_id"],
                title,
                way["exit"],
                way["visits"],
                percent(way["share"]),
                way["drop_off"],
                percent(way["drop_off_rate"]),
            )
            for way in node["exits"]
        ]
    names = ("flow", "node", "exit", "visits", "share", "drop_off", "drop_off_rate")
    return Table("nodes-heatmap", tuple(words(f"measure.{name}") for name in names), tuple(rows))


def heat_marks(words: Words, heatmap: Json, graph: FlowGraph) -> tuple[dict[str, Mark], dict[tuple[str, str], Mark]]:
    """Return marks for a flow's drawing: how warm each node is, what was given up there, how often each line was taken.

    A node's heat is its share of the conversations; a drop-off stands in its corner.
    """
    nodes: dict[str, Mark] = {node.id: Mark("heat-0", note=words("measure.never_reached")) for node in graph.nodes}
    taken: dict[tuple[str, str], int] = {}
    for node in heatmap["nodes"]:
        if node["flow_id"] != graph.flow_id or node["node_id"] not in graph.by_id:
            continue
        heat = min(HEATS - 1, 1 + int(node["share"] * (HEATS - 1) * 0.999)) if node["visits"] else 0
        lost = f" −{node['drop_off']}" if node["drop_off"] else ""
        note = words(
            "measure.node.note",
            visits=node["visits"],
            share=percent(node["share"]),
            drop_off=node["drop_off"],
            rate=percent(node["drop_off_rate"]),
        )
        nodes[node["node_id"]] = Mark(
            f"heat-{heat}" + (" dropped" if node["drop_off"] else ""), f"{node['visits']}{lost}", note
        )
        by_exit = {way["exit"]: way["visits"] for way in node["exits"]}
        leaving = [edge for edge in graph.edges if edge.source == node["node_id"]]
        named = {one.name for edge in leaving for one in edge.exits}
        with_next = sum(count for name, count in by_exit.items() if name not in named and name.startswith(_FOLLOW_NEXT))
        for edge in leaving:
            names = [one.name for one in edge.exits]
            taken[edge.source, edge.target] = sum(by_exit.get(name, 0) for name in names) + with_next * (
                "next" in names
            )
    most = max(taken.values(), default=0)
    edges = {
        way: Mark(
            f"flow-{1 + int(3.999 * count / most)}" if most and count else "flow-0", f"{count:,}" if count else ""
        )
        for way, count in taken.items()
    }
    return nodes, edges


def drop_offs(heatmap: Json, name_of: Mapping[str, str], most: int = 5) -> list[tuple[str, str, int, str]]:
    """Return the nodes where most conversations are given up: id, title, how many, which part of those that came by."""
    lost = sorted((node for node in heatmap["nodes"] if node["drop_off"]), key=lambda node: -node["drop_off"])
    return [
        (
            node["node_id"],
            name_of.get(node["node_id"], node["node_id"]),
            node["drop_off"],
            percent(node["drop_off_rate"]),
        )
        for node in lost[:most]
    ]


def transcript_table(words: Words, transcript: Json) -> Table:
    """Return a transcript as rows."""
    names = ("timestamp", "speaker", "text", "node", "delivery")
    rows = tuple(
        (
            message["timestamp"],
            words(f"measure.speaker.{message['speaker']}"),
            message.get("text") or f"({message.get('type', '')})",
            message.get("node_id") or "",
            message.get("delivery") or "",
        )
        for message in transcript["messages"]
    )
    return Table("transcript", tuple(words(f"measure.{name}") for name in names), rows)


def percent(share: float) -> str:
    """Return a share as it is read."""
    return f"{100 * share:.1f} %"


def lasting(seconds: float | None) -> str:
    """Return a duration as it is read: its two largest units."""
    if seconds is None:
        return "—"
    if seconds < 10:
        return f"{seconds:.1f} s"
    parts: list[str] = []
    left = round(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def _states(conversations: Json) -> dict[str, int]:
    counts = {name: int(conversations[name]) for name in STATES[:-1]}
    return {**counts, "other": int(conversations["total"]) - sum(counts.values())}


def _day(date: str, *, short: bool = False) -> str:
    year, month, day = date.split("-")
    return f"{day}/{month}" if short else f"{day}/{month}/{year}"


_TEXT = "#7f8c95"
_LINE = "rgba(127,140,149,0.25)"
"""Readable on both panels: a chart does not follow the page's colours by itself."""

_COLORS: Sequence[str] = ("#1daa61", "#0a84d0", "#b7791f", "#8b5cf6", "#8a97a0")


def _base() -> dict[str, Any]:
    return {
        "color": list(_COLORS),
        "textStyle": {"fontFamily": "inherit"},
        "animationDuration": 300,
        "aria": {"enabled": True},
    }
