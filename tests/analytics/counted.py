"""The reports, counted by hand from the audit records: what docs/reports.md says, written a second time and plainly."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from pytake.conversation.records import Delivery
from tests.analytics.traffic import Traffic

STAYS = {"wait", "invalid", "stale"}


@dataclass
class Talk:
    """One session, from its first turn to its last."""

    person: str
    began: float = 0
    flow_id: str | None = None
    turns: int = 0
    said: list[tuple[float, str]] = field(default_factory=list)
    billable: int = 0
    last: float = 0
    ends: set[str] = field(default_factory=set)
    failed_last: bool = False
    visits: Counter[tuple[str, str]] = field(default_factory=Counter)
    exits: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    standing: tuple[str, str] | None = None
    last_exit: tuple[str, str, str] | None = None

    @property
    def state(self) -> str:
        for state in ("completed", "handed_off", "expired", "closed", "opted_out"):
            if state in self.ends:
                return state if state in {"completed", "handed_off", "expired"} else "ended"
        return "ended" if self.failed_last else "active"

    @property
    def given_up(self) -> bool:
        return self.state in {"expired", "ended"}


def talks(traffic: Traffic, organization_id: str) -> list[Talk]:
    """Every session of an organization."""
    found: dict[str, Talk] = {}
    for key, record in traffic.records(organization_id):
        names = [event.type for event in record.events]
        for event in record.events:
            ended = event.data.get("session_id")
            if event.type == "session_expired":
                found[ended].ends.add("expired")
            if event.type == "session_closed":
                found[ended].ends.add("closed")
        if not record.session_id:
            continue
        talk = found.get(record.session_id)
        if talk is None:
            talk = found[record.session_id] = Talk(key.contact_id, record.at, record.flow_id)
        talk.turns += 1
        by_agent = "agent_message" in names
        if record.message_type not in (None, "due"):
            talk.said.append((record.at, "user"))
        for index, _ in enumerate(record.messages):
            talk.said.append((record.at, "agent" if by_agent else "bot"))
            talk.billable += _billable(traffic.product.deliveries.load(key, record.seq, index))
        if record.path or record.messages or record.message_type not in (None, "due") or talk.turns == 1:
            talk.last = record.at
        talk.ends |= {name for name in names if name in {"completed", "handed_off", "opted_out"}}
        if "taken_over" in names:
            talk.ends.add("handed_off")
        talk.failed_last = record.status == "failed"
        _walk(talk, record.path, restarted="session_restarted" in names)
    return list(found.values())


def _walk(talk: Talk, path: list[Any], *, restarted: bool) -> None:
    standing = None if restarted else talk.standing
    for step in path:
        node = step.flow_id, step.node_id
        returned = step.exit == "next" and node in RETURNS
        if node != standing and not returned:
            talk.visits[node] += 1
        if step.exit != "wait":
            talk.exits[(*node, step.exit)] += 1
            talk.last_exit = (*node, step.exit)
        standing = node if step.exit in STAYS else None
        talk.standing = node


RETURNS = {("shop", "rate")}
"""The jumps of the test's flows that sub-flows come back to: `next` is their way out when that happened."""


def _billable(delivery: Delivery | None) -> bool:
    if delivery is None or delivery.status == "failed":
        return False
    return delivery.state == "accepted" or delivery.status is not None


@dataclass
class Counted:
    """A flow's reports over the last days of a time zone, counted."""

    traffic: Traffic
    organization_id: str
    flow_id: str
    days: int
    zone: str

    def __post_init__(self) -> None:
        today = self._day(self.traffic.clock())
        self.all_days = [today - timedelta(days=back) for back in reversed(range(self.days))]
        self.talks = [
            talk
            for talk in talks(self.traffic, self.organization_id)
            if talk.flow_id == self.flow_id and self._day(talk.began) >= self.all_days[0]
        ]

    def _day(self, at: float) -> date:
        return datetime.fromtimestamp(round(at * 1000) / 1000, UTC).astimezone(ZoneInfo(self.zone)).date()

    def report(self) -> dict[str, Any]:
        states = Counter(talk.state for talk in self.talks)
        said = Counter(who for talk in self.talks for _, who in talk.said)
        seconds = sorted(round(t.last * 1000) - round(t.began * 1000) for t in self.talks)
        count = len(seconds)
        return {
            "total": count,
            **{state: states[state] for state in ("completed", "active", "expired", "handed_off")},
            "unique_users": len({talk.person for talk in self.talks}),
            "from_user": said["user"],
            "from_bot": said["bot"],
            "from_agents": said["agent"],
            "billable": sum(talk.billable for talk in self.talks),
            "average_seconds": round(sum(seconds) / count / 1000, 3) if count else None,
            "median_seconds": round(median(seconds) / 1000, 3) if count else None,
            "p95_seconds": round(seconds[-(-95 * count // 100) - 1] / 1000, 3) if count else None,
            "min_seconds": round(seconds[0] / 1000, 3) if count else None,
            "max_seconds": round(seconds[-1] / 1000, 3) if count else None,
        }

    def heatmap(self) -> dict[tuple[str, str], dict[str, Any]]:
        nodes: dict[tuple[str, str], dict[str, Any]] = defaultdict(
            lambda: {
                "visits": 0,
                "conversations": 0,
                "drop_off": 0,
                "still_here": 0,
                "exits": defaultdict(lambda: [0, 0]),
            }
        )
        for talk in self.talks:
            for node, visits in talk.visits.items():
                nodes[node]["visits"] += visits
            for node in {*talk.visits, *((flow_id, node_id) for flow_id, node_id, _ in talk.exits)}:
                nodes[node]["conversations"] += 1
            for (flow_id, node_id, way), taken in talk.exits.items():
                nodes[flow_id, node_id]["exits"][way][0] += taken
            if talk.given_up and talk.standing is not None:
                nodes[talk.standing]["drop_off"] += 1
            if talk.state == "active" and talk.standing is not None:
                nodes[talk.standing]["still_here"] += 1
            if talk.given_up and talk.last_exit is not None:
                nodes[talk.last_exit[:2]]["exits"][talk.last_exit[2]][1] += 1
        return {
            node: {**found, "exits": {k: tuple(v) for k, v in found["exits"].items()}} for node, found in nodes.items()
        }

    def daily(self) -> list[tuple[date, int, int, int]]:
        messages, began = Counter[date](), Counter[date]()
        wrote: dict[date, set[str]] = defaultdict(set)
        for talk in self.talks:
            began[self._day(talk.began)] += 1
            for at, who in talk.said:
                messages[self._day(at)] += 1
                if who == "user":
                    wrote[self._day(at)].add(talk.person)
        return [(day, messages[day], began[day], len(wrote[day])) for day in self.all_days]

    def segments(self) -> tuple[int, int, int]:
        wrote = Counter(talk.person for talk in self.talks for _, who in talk.said if who == "user")
        counts = list(wrote.values())
        return sum(c >= 20 for c in counts), sum(5 <= c < 20 for c in counts), sum(c < 5 for c in counts)
