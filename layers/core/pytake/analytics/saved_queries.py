"""The analysts' saved queries (`sql/saved/`), for callers that do not write SQL: their parameters are named and checked."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Literal

from msgspec import Struct

from pytake.analytics.queries import Query, literal, statement
from pytake.analytics.reports import MAX_DAYS, PeriodError
from pytake.conversation.ports.lake import EventLog, LakeQueries

ParameterType = Literal["flow", "node", "nodes", "goal", "hours", "text"]
Given = str | int | list[str]

LONGEST_VALUE = 200
MOST_NODES = 50
MOST_HOURS = 8760


class ParameterError(ValueError):
    """A parameter is missing, unknown or not valid. `name` names it; the text says what it takes."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class QueryParameter(Struct, frozen=True):
    """A parameter of a query, besides the organization and the days. `default` is None if it must be given."""

    name: str
    type: ParameterType
    description: str
    default: int | None = None


class SavedQuery(Struct, frozen=True):
    """A query with the parameters in the order of its question marks."""

    name: str
    description: str
    parameters: list[QueryParameter]


_FLOW = QueryParameter("flow_id", "flow", "The flow with which the conversations began")

SAVED_QUERIES = {
    found.name: found
    for found in (
        SavedQuery(
            "ab_comparison",
            "Paths of a random node: the share that reached a goal, and the difference to the first path, with intervals (95 %)",
            [
                QueryParameter("flow_id", "flow", "The flow of the random node"),
                QueryParameter("node_id", "node", "The random node"),
                QueryParameter("goal", "goal", "`completed`, or a node that must be reached afterwards"),
            ],
        ),
        SavedQuery(
            "drop_off", "The nodes where conversations were abandoned, and the last exit that they took", [_FLOW]
        ),
        SavedQuery(
            "first_contact_resolution",
            "Conversations completed without an agent, after which the person did not begin another one within some hours",
            [_FLOW, QueryParameter("hours", "hours", "Within how many hours; the last day should be as long ago", 72)],
        ),
        SavedQuery(
            "funnel",
            "How many conversations reached each of the given nodes, one after the other",
            [_FLOW, QueryParameter("nodes", "nodes", "The nodes in their order, up to 50")],
        ),
        SavedQuery(
            "response_times",
            "How long people take to answer each node, and how long they wait for an agent after a handoff",
            [_FLOW],
        ),
    )
}


class AskSavedQuery:
    """The use case behind `POST /api/v1/queries/{name}`. A query reads the caller's organization only."""

    def __init__(self, queries: LakeQueries, event_log: EventLog) -> None:
        self._queries = queries
        self._event_log = event_log

    def __call__(
        self, organization_id: str, saved: SavedQuery, first: date, last: date, given: Mapping[str, Given]
    ) -> tuple[list[dict[str, str | None]], datetime | None]:
        """The rows, and the time up to which everything is counted.

        Raises `ParameterError`, `PeriodError`, and what `LakeQueries.rows` raises.
        """
        asked = bound(saved, organization_id, first, last, given)
        progress = self._event_log.progress().as_of
        rows = self._queries.rows(asked.sql, asked.parameters, f"{progress}")
        return rows, datetime.fromtimestamp(progress, UTC) if progress is not None else None


def bound(saved: SavedQuery, organization_id: str, first: date, last: date, given: Mapping[str, Given]) -> Query:
    """The statement with its values. Raises `ParameterError` and `PeriodError`."""
    if first > last:
        raise PeriodError(f"The first day, {first}, is after the last one, {last}.")
    if (last - first).days >= MAX_DAYS:
        raise PeriodError(f"The period is too long. Ask for at most {MAX_DAYS} days.")
    known = {parameter.name for parameter in saved.parameters}
    for name in given:
        if name not in known:
            raise ParameterError(name, f"The query {saved.name} has no parameter {name!r}; it has {', '.join(known)}.")
    values = [organization_id, first, last, *(checked_value(parameter, given) for parameter in saved.parameters)]
    return Query(statement(f"saved/{saved.name}"), [literal(value) for value in values])


def checked_value(parameter: QueryParameter, given: Mapping[str, Given]) -> str | int:
    """The value of a parameter, or its default. Raises `ParameterError`."""
    name, value = parameter.name, given.get(parameter.name, parameter.default)
    if value is None:
        raise ParameterError(name, f"The parameter {name} is missing. {parameter.description}.")
    if parameter.type == "hours":
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_HOURS:
            raise ParameterError(name, f"{name} is a whole number from 1 to {MOST_HOURS}.")
        return value
    if parameter.type == "nodes":
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_NODES:
            raise ParameterError(name, f"{name} is a list of 1 to {MOST_NODES} node ids.")
        return ",".join(_id(name, one) for one in value)
    if parameter.type == "text" and isinstance(value, str) and 1 <= len(value) <= LONGEST_VALUE:
        return value
    return _id(name, value)


def _id(name: str, value: Given) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_VALUE or "," in value or not value.isprintable():
        raise ParameterError(name, f"{name} is an id of 1 to {LONGEST_VALUE} characters.")
    return value
