"""Sets of people for segments, from the lake: who came where in a flow, by pseudonyms (ADR 31)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pytake.analytics.queries import Value, bind, statement
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
        values = {"type": _EVENTS.get(outcome.name, outcome.name), "flow_id": outcome.flow_id}
        return self._people(organization_id, "outcome", outcome.days, values)

    def named_by(self, organization_id: str, query: SegmentQuery) -> PseudonymSet:
        saved, days, values = _bound(query)
        return self._people(organization_id, saved.name, days, values)

    def check(self, query: SegmentQuery) -> None:
        _bound(query)

    def _people(self, organization_id: str, name: str, days: int, values: Mapping[str, Value]) -> PseudonymSet:
        last = datetime.fromtimestamp(self._clock(), UTC).date()
        first, settled = last - timedelta(days - 1), self._event_log.settled_through()
        settled_day = date.fromisoformat(settled) if settled is not None else first - timedelta(1)
        merged: dict[str, Value] = {
            "daily_from": first,
            "daily_to": settled_day,
            "events_from": max(settled_day + timedelta(1), first),
            "events_to": last,
        }
        own: dict[str, Value] = {"organization_id": organization_id, "first_day": first, "last_day": last}
        asked = bind(_packed(name), {**merged, **own, **values})
        rows = self._queries.rows(asked.sql, asked.parameters, f"{self._event_log.progress().as_of}")
        return PseudonymSet({str(row["first"]): str(row["contacts"]) for row in rows})


def _packed(name: str) -> str:
    """A query of people by the pseudonyms that they have now, with one row for all whose pseudonyms begin alike: Athena gives a
    thousand rows at once."""
    return (
        f"WITH merges AS (\n{statement('merges')}),\n\nrenamed AS (\n{statement('renamed')}),\n\n"
        f"found AS (\n{statement(f'audience/{name}')}),\n\n"
        "people AS (\nSELECT DISTINCT coalesce(renamed.contact, found.contact) AS contact\n"
        "FROM found\nLEFT JOIN renamed ON renamed.former_contact = found.contact\n)\n\n"
        f"SELECT substr(contact, 1, {PREFIX_CHARACTERS}) AS first, array_join(array_agg(contact), ',') AS contacts\n"
        "FROM people\nGROUP BY 1"
    )


def _bound(query: SegmentQuery) -> tuple[SavedQuery, int, dict[str, str | int]]:
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
        return saved, days, {parameter.name: checked_value(parameter, given) for parameter in saved.parameters}
    except ParameterError as error:
        raise SegmentError(f"query.parameters.{error.name}", str(error)) from None
