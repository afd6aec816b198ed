"""What people answered in a flow, as a table: one row per conversation, one column per variable that the flow reports.

The lake has the answers, because erasing a person removes them from there too, with every query's result.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from pytake.analytics.reports import Days, PeriodQueries, Report
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.lake import EventLog, LakeQueries
from pytake.conversation.ports.tenants import Flows, TenantRepository
from pytake.engine import normalize_text

MOST_ROWS = 10_000
"""A table has the latest conversations up to this number; `sql/answers.sql` reads one more."""

MOST_FREQUENT = 10
"""Answers that are counted one by one."""

REMEMBERED_SECONDS = 300
"""No result with answers is used for longer: it may hold those of a person who was erased meanwhile."""

_UNIT, _RECORD = "\x1f", "\x1e"


class AnswerRow(Struct, frozen=True):
    """The answers of one conversation. `contact` is the person's pseudonym, `state` as in the flow's report."""

    session: str
    contact: str
    started_at: datetime
    state: str
    answers: dict[str, str]


class AnswerQuestion(Struct, frozen=True):
    """A column: a variable, and the question of the published flow (or of its draft) that asks for it."""

    variable: str
    question: str | None
    node_id: str | None
    flow_id: str


class AnswerTable(Report, frozen=True):
    """The latest first. `truncated`: the period has more conversations than a table."""

    questions: list[AnswerQuestion]
    rows: list[AnswerRow]
    truncated: bool


class Answers:
    """The use case behind `GET /api/v1/flows/{flow_id}/answers`."""

    def __init__(
        self, queries: LakeQueries, event_log: EventLog, tenants: TenantRepository, flows: Flows, clock: Clock
    ) -> None:
        self._lake = PeriodQueries(queries, event_log, tenants, clock)
        self._flows = flows

    def table(self, organization_id: str, flow_id: str, days: Days) -> AnswerTable:
        """The conversations that began in the period.

        Raises `UnknownFlowError`, `PeriodError`, and what `LakeQueries.rows` raises.
        """
        summary = self._flows.summary(organization_id, flow_id)
        if summary is None:
            raise UnknownFlowError(flow_id)
        asked = {"flow_id": flow_id, "unit": _UNIT, "record": _RECORD}
        # The table `daily` has no answers. Without an export for a while, too, an answer that was erased is forgotten soon.
        scope, found = self._lake.ask(
            "answers", organization_id, days, asked, from_daily=False, remembered_seconds=REMEMBERED_SECONDS
        )
        rows = [_row(row) for row in found]
        return AnswerTable(
            **scope,
            questions=self._questions(organization_id, flow_id, summary.published_version, rows),
            rows=rows[:MOST_ROWS],
            truncated=len(rows) > MOST_ROWS,
        )

    def _questions(
        self, organization_id: str, flow_id: str, published: int | None, rows: Iterable[AnswerRow]
    ) -> list[AnswerQuestion]:
        """Every reported variable: of the published flow, its sub-flows and the draft, then of earlier versions."""
        documents: list[dict[str, Any]] = []
        if published is not None and (version := self._flows.version(organization_id, flow_id, published)) is not None:
            documents += [version.documents[flow_id], *(version.documents[name] for name in version.sub_flows)]
        if (draft := self._flows.draft(organization_id, flow_id)) is not None:
            documents.append(draft.document)
        found: dict[str, AnswerQuestion] = {}
        for document in documents:
            for question in _reported(document):
                found.setdefault(question.variable, question)
        for row in rows:
            for name in row.answers:
                found.setdefault(name, AnswerQuestion(name, None, None, flow_id))
        return list(found.values())


def matching(rows: Iterable[AnswerRow], variable: str | None, value: str | None) -> list[AnswerRow]:
    """The rows with an answer to a question, or with an answer that contains a text; case and accents do not matter."""
    wanted = normalize_text(value) if value is not None else ""

    def fits(row: AnswerRow) -> bool:
        answers = (
            row.answers.values() if variable is None else [row.answers[variable]] if variable in row.answers else []
        )
        return any(wanted in normalize_text(answer) for answer in answers)

    return [row for row in rows if fits(row)] if variable is not None or value is not None else list(rows)


class AnswerCount(Struct, frozen=True):
    """How many conversations gave an answer, in its most frequent spelling."""

    value: str
    count: int


class QuestionCounts(Struct, frozen=True):
    """The most frequent answers to a question. `others` conversations of the `answered` gave other answers."""

    variable: str
    answered: int
    most_frequent: list[AnswerCount]
    others: int


def counted(questions: Iterable[AnswerQuestion], rows: Sequence[AnswerRow]) -> list[QuestionCounts]:
    """How often each question has which answer; case and accents do not matter."""
    return [
        _counted(variable, [row.answers[variable] for row in rows if variable in row.answers])
        for variable in (question.variable for question in questions)
    ]


def _counted(variable: str, answers: list[str]) -> QuestionCounts:
    spellings: dict[str, Counter[str]] = {}
    for spelling, times in Counter(answers).items():
        spellings.setdefault(normalize_text(spelling), Counter())[spelling] = times
    counts = [AnswerCount(found.most_common(1)[0][0], found.total()) for found in spellings.values()]
    counts.sort(key=lambda one: (-one.count, one.value))
    shown = counts[:MOST_FREQUENT]
    return QuestionCounts(variable, len(answers), shown, len(answers) - sum(one.count for one in shown))


def _row(row: dict[str, str | None]) -> AnswerRow:
    entries = [entry.partition(_UNIT) for entry in (row["answers"] or "").split(_RECORD) if entry]
    started_at = datetime.fromtimestamp(int(row["started_at"] or 0) / 1000, UTC)
    answers = {name: value for name, _, value in entries}
    return AnswerRow(str(row["session"]), str(row["contact"]), started_at, str(row["state"]), answers)


def _reported(document: dict[str, Any]) -> Iterable[AnswerQuestion]:
    """The variables that a document reports, with the first node that assigns each. A draft may have any form."""
    names = document.get("report_variables")
    nodes = [node for node in _list(document.get("nodes")) if isinstance(node, dict)]
    for name in (name for name in _list(names) if isinstance(name, str)):
        asking = next((node for node in nodes if _data(node).get("variable") == name), None)
        data = _data(asking) if asking is not None else {}
        text = data.get("question") or data.get("text")
        node_id = str(asking.get("id")) if asking is not None else None
        yield AnswerQuestion(name, str(text) if text else None, node_id, str(document.get("id")))


def _data(node: dict[str, Any]) -> dict[str, Any]:
    data = node.get("data")
    return data if isinstance(data, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
