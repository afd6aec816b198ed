"""Sets of people for segments, from the lake: who came where in a flow, by pseudonyms (ADR 31)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pytake.analytics.queries import Query, literal, statement
from pytake.analytics.saved_queries import ParameterError, QueryParameter, SavedQuery, checked_value
from pytake.contacts.segments import DEFAULT_DAYS, MOST_DAYS, Outcome, SegmentError, SegmentQuery
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.lake import EventLog, LakeQueries

PREFIX_CHARACTERS = 3
"""Pseudonyms are hexadecimal: 4,096 groups. A million people fill each with 6 KB."""

_EVENTS = {"started": "session_started"}

_DAYS = "days"
_FLOW = QueryParameter("flow_id", "flow", "The flow")

AUDIENCE_QUERIES = {
    found.name: found
    for found in (
        SavedQuery(
            "answered",
            "People who gave an answer: a value of a variable that the flow marks for reporting",
            [
                _FLOW,
                QueryParameter("variable", "text", "The variable"),
                QueryParameter("value", "text", "The answer"),
            ],
        ),
        SavedQuery(
            "reached_node",
            "People who reached a node",
            [QueryParameter("flow_id", "flow", "The flow of the node"), QueryParameter("node_id", "node", "The node")],
        ),
    )
}
"""The queries of segments by name. Each takes `days` too: how far back it looks."""


class PseudonymSet:
    """Many pseudonyms in little memory: as texts with commas, by their first characters."""

    def __init__(self, groups: Mapping[str, str]) -> None:
        self._groups = {first: f",{people}," for first, people in groups.items()}

    def __contains__(self, pseudonym: object) -> bool:
        if not isinstance(pseudonym, str) or "," in pseudonym:
            return False
        return f",{pseudonym}," in self._groups.get(pseudonym[:PREFIX_CHARACTERS], "")


class LakeAudiences:
    """Implements `pytake.contacts.segment_ports.Audiences`. A query reads one organization only."""

    def __init__(self, queries: LakeQueries, event_log: EventLog, clock: Clock) -> None:
        self._queries = queries
        self._event_log = event_log
        self._clock = clock

    def with_outcome(self, organization_id: str, outcome: Outcome) -> PseudonymSet:
        values = [_EVENTS.get(outcome.name, outcome.name), outcome.flow_id]
        return self._people(organization_id, "outcome", outcome.days, values)

    def named_by(self, organization_id: str, query: SegmentQuery) -> PseudonymSet:
        saved, days, values = _bound(query)
        return self._people(organization_id, saved.name, days, values)

    def check(self, query: SegmentQuery) -> None:
        _bound(query)

    def _people(self, organization_id: str, name: str, days: int, values: Sequence[str | int]) -> PseudonymSet:
        asked = _packed(name)
        last = datetime.fromtimestamp(self._clock(), UTC).date()
        given = [organization_id, last - timedelta(days - 1), last, *values]
        bound = Query(asked, [literal(value) for value in given])
        rows = self._queries.rows(bound.sql, bound.parameters, f"{self._event_log.progress().as_of}")
        return PseudonymSet({str(row["first"]): str(row["contacts"]) for row in rows})


def _packed(name: str) -> str:
    """A query of people, with one row for all whose pseudonyms begin alike: Athena gives a thousand rows at once."""
    return (
        f"SELECT substr(contact, 1, {PREFIX_CHARACTERS}) AS first, array_join(array_agg(contact), ',') AS contacts\n"
        f"FROM (\n{statement(f'audience/{name}')}) AS people\nGROUP BY 1"
    )


def _bound(query: SegmentQuery) -> tuple[SavedQuery, int, list[str | int]]:
    """The saved query, its days and its other values. Raises `SegmentError`."""
    saved = AUDIENCE_QUERIES.get(query.name)
    if saved is None:
        names = ", ".join(AUDIENCE_QUERIES)
        raise SegmentError("query.name", f"There is no query {query.name!r} for segments. The queries are {names}.")
    known = [_DAYS, *(parameter.name for parameter in saved.parameters)]
    for name in query.parameters:
        if name not in known:
            path, names = f"query.parameters.{name}", ", ".join(known)
            raise SegmentError(path, f"The query {saved.name} has no parameter {name!r}; it has {names}.")
    days = query.parameters.get(_DAYS, DEFAULT_DAYS)
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MOST_DAYS:
        raise SegmentError(f"query.parameters.{_DAYS}", f"days is a whole number from 1 to {MOST_DAYS}.")
    given: dict[str, Any] = dict(query.parameters)
    try:
        return saved, days, [checked_value(parameter, given) for parameter in saved.parameters]
    except ParameterError as error:
        raise SegmentError(f"query.parameters.{error.name}", str(error)) from None
