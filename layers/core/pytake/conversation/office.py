"""How long people wait for an agent, within the hours in which agents answer."""

from msgspec import Struct

from pytake.conversation.records import Organization
from pytake.engine.opening_times import OpeningTimes


class Wait(Struct, frozen=True):
    """A wait since `since`: `seconds`, and the time since `counts_from`; None while the office is closed.

    Nothing of it changes while the office neither opens nor closes.
    """

    since: float
    seconds: float
    counts_from: float | None


class Office:
    """The hours of a named timetable. `timezone` is the organization's."""

    def __init__(self, timetable: str, times: OpeningTimes, timezone: str) -> None:
        self.timetable = timetable
        self._times = times
        self._timezone = timezone

    def is_open(self, now: float) -> bool:
        return self._times.is_open(now, self._timezone)

    def changes_at(self, now: float) -> float | None:
        """When it opens or closes next; None if it does neither within a year."""
        return next(self._times.changes(now, self._timezone), None)

    def wait(self, since: float, now: float) -> Wait:
        seconds, at, is_open = 0.0, since, self.is_open(since)
        for change in self._times.changes(since, self._timezone):
            if change > now:
                break
            seconds += change - at if is_open else 0
            at, is_open = change, not is_open
        return Wait(since, seconds, at if is_open else None)


def office_of(organization: Organization) -> Office | None:
    """The office of an organization that names an existing timetable."""
    timetable = organization.timetables.get(organization.office_timetable or "")
    if organization.office_timetable is None or timetable is None:
        return None
    return Office(organization.office_timetable, OpeningTimes(timetable), organization.timezone)
