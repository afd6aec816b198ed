"""Segments: which contacts of an organization belong together, by conditions on each contact (ADR 31).

A condition compares a field with the operators of flows. The values of one contact decide, so a segment holds the same people as
a count of all contacts one by one.
"""

from collections.abc import Callable, Container, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from pytake.contacts.consent import PURPOSES, Purpose
from pytake.contacts.phones import country_of
from pytake.contacts.records import ContactRecord
from pytake.engine.conditions import EMPTINESS, MATCHES, OPERATORS
from pytake.engine.patterns import PatternError, compile_pattern
from pytake.engine.template import is_name
from pytake.engine.values import plain_text, value_at

MOST_CONDITIONS = 50
LONGEST_VALUE = 500
MOST_VALUES = 500
MOST_DAYS = 365
DEFAULT_DAYS = 90

OUTCOMES = ("started", "completed", "handed_off", "expired")
"""What may have become of a flow: the types of the lake's events."""

FLOW, CONSENT, FIELDS = "flow.", "consent.", "fields."
_TIMES = ("last_activity", "created_at")
_DAY = 86_400


class Condition(Struct, frozen=True, omit_defaults=True):
    """One comparison. `days` belongs to the fields `flow.…`: how far back the flow counts.

    `value` of a time is a day or a time (`2026-11-01`), or `{"days_ago": 30}`.
    """

    field: str
    operator: str
    value: Any = None
    days: int | None = None


class SegmentQuery(Struct, frozen=True, omit_defaults=True):
    """A saved query whose rows name contacts by their pseudonyms, with its parameters."""

    name: str
    parameters: dict[str, Any] = {}


class Segment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A contact belongs to the segment when `all` conditions hold, one of `any` if there are some, and the query names them.

    A segment without conditions and query has all contacts. `revision` counts its changes.
    """

    id: str
    name: str
    all: list[Condition] = []
    any: list[Condition] = []
    query: SegmentQuery | None = None
    updated_at: float = 0
    revision: int = 0


class Person(Struct, frozen=True):
    """What conditions read: a contact, when they last wrote at any number, and their pseudonym if the lake knows them."""

    contact: ContactRecord
    last_activity: float = 0
    pseudonym: str | None = None


class SegmentError(Exception):
    """A segment is not valid. `path` names the place, such as `all.0.operator`; the text says what it takes."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


class Outcome(Struct, frozen=True):
    """The people whom a flow left in some state within the last days."""

    name: str
    flow_id: str
    days: int


Test = Callable[[Person], bool]


def checked(segment: Segment) -> Segment:
    """The segment, if it is valid. Raises `SegmentError`. The query's own rules are checked where it is asked."""
    conditions = [
        (f"{group}.{index}", condition)
        for group in ("all", "any")
        for index, condition in enumerate(getattr(segment, group))
    ]
    if len(conditions) > MOST_CONDITIONS:
        raise SegmentError("all", f"A segment may have {MOST_CONDITIONS} conditions.")
    for path, condition in conditions:
        _check(path, condition)
    return segment


def outcomes_of(segment: Segment) -> list[Outcome]:
    """The outcomes of flows that the conditions ask for, each once."""
    conditions = [*segment.all, *segment.any]
    return list(dict.fromkeys(_outcome(one) for one in conditions if one.field.startswith(FLOW)))


def asks_activity(segment: Segment) -> bool:
    """Whether a condition needs the time of the person's last message, which only their conversations know."""
    return any(condition.field == "last_activity" for condition in [*segment.all, *segment.any])


def compile_segment(
    segment: Segment, now: float, outcomes: Mapping[Outcome, Container[str]], named: Container[str] | None
) -> Test:
    """A function that says whether a person belongs to a valid segment.

    `outcomes` has the pseudonyms of each of `outcomes_of`, `named` those that the query names.
    """
    every = [_test(condition, now, outcomes) for condition in segment.all]
    some = [_test(condition, now, outcomes) for condition in segment.any]

    def belongs(person: Person) -> bool:
        if named is not None and (person.pseudonym is None or person.pseudonym not in named):
            return False
        return all(test(person) for test in every) and (not some or any(test(person) for test in some))

    return belongs


def _check(path: str, condition: Condition) -> None:
    field, operator, value = condition.field, condition.operator, condition.value
    if _reader(field) is None and not _is_outcome(field):
        known = ", ".join([*_READERS, "fields.NAME", "consent.PURPOSE", "flow.OUTCOME"])
        raise SegmentError(f"{path}.field", f"A segment cannot compare {field!r}. Choose one of {known}.")
    if condition.days is not None and not (_is_outcome(field) and 1 <= condition.days <= MOST_DAYS):
        raise SegmentError(f"{path}.days", f"`days` is a number from 1 to {MOST_DAYS}, for the fields `flow.…` only.")
    operators = ["==", "!="] if _is_outcome(field) else [*OPERATORS, MATCHES]
    if operator not in operators:
        raise SegmentError(f"{path}.operator", f"`{field}` has the operators {', '.join(operators)}.")
    if operator in EMPTINESS:
        return
    if _is_days_ago(value):
        if field not in _TIMES:
            raise SegmentError(f"{path}.value", f"`days_ago` compares {' and '.join(_TIMES)} only.")
        return
    if _is_outcome(field) or operator == MATCHES:
        if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_VALUE:
            what = "the id of a flow" if _is_outcome(field) else "a pattern"
            raise SegmentError(f"{path}.value", f"The value is {what}.")
        if operator == MATCHES:
            try:
                compile_pattern(value)
            except PatternError as error:
                raise SegmentError(f"{path}.value", f"The value is not a valid pattern: {error}.") from None
        return
    values = value if isinstance(value, list) else [value]
    if len(values) > MOST_VALUES or not all(_is_plain(one) for one in values):
        message = (
            f"The value is a text of up to {LONGEST_VALUE} characters, a number, or a list of up to {MOST_VALUES}."
        )
        raise SegmentError(f"{path}.value", message)


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= LONGEST_VALUE)


def _is_days_ago(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"days_ago"}:
        return False
    days = value["days_ago"]
    return isinstance(days, int) and not isinstance(days, bool) and 0 <= days <= 10 * MOST_DAYS


def _is_outcome(field: str) -> bool:
    return field.startswith(FLOW) and field.removeprefix(FLOW) in OUTCOMES


def _outcome(condition: Condition) -> Outcome:
    return Outcome(condition.field.removeprefix(FLOW), condition.value, condition.days or DEFAULT_DAYS)


def _test(condition: Condition, now: float, outcomes: Mapping[Outcome, Container[str]]) -> Test:
    field, operator, value = condition.field, condition.operator, condition.value
    if _is_outcome(field):
        people, wanted = outcomes[_outcome(condition)], operator == "=="
        return lambda person: (person.pseudonym is not None and person.pseudonym in people) is wanted
    read = _reader(field)
    if read is None:
        raise SegmentError("", f"there is no field {field!r}")
    if operator == MATCHES:
        matches = compile_pattern(value)
        return lambda person: matches(plain_text(read(person)).strip())
    compare, right = OPERATORS[operator], time_text(now - value["days_ago"] * _DAY) if _is_days_ago(value) else value
    return lambda person: compare(read(person), right)


def time_text(at: float) -> str:
    """A time as conditions compare it; empty for a time that is not known. Later times are greater, and so is a time of the day
    than the day alone."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}" if at else ""


_READERS: dict[str, Callable[[Person], Any]] = {
    "tags": lambda person: person.contact.tags,
    "name": lambda person: person.contact.name,
    "language": lambda person: person.contact.language,
    "country": lambda person: country_of(person.contact.phone, person.contact.user_id or person.contact.contact_id),
    "phone": lambda person: person.contact.phone,
    "user_id": lambda person: person.contact.user_id,
    "username": lambda person: person.contact.username,
    "numbers": lambda person: person.contact.numbers,
    "last_activity": lambda person: time_text(max(person.last_activity, person.contact.last_inbound_at)),
    "created_at": lambda person: time_text(person.contact.created_at),
}


def _reader(field: str) -> Callable[[Person], Any] | None:
    """What reads a field of a person; None if there is no such field."""
    if field.startswith(FIELDS):
        path = tuple(field.removeprefix(FIELDS).split("."))
        return (lambda person: value_at(person.contact.fields, path)) if all(map(is_name, path)) else None
    if field.startswith(CONSENT):
        purposes: dict[str, Purpose] = {purpose: purpose for purpose in PURPOSES}
        purpose = purposes.get(field.removeprefix(CONSENT))
        return None if purpose is None else lambda person: person.contact.consent_to(purpose).state
    return _READERS.get(field)
