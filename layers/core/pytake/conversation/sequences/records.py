"""What is stored of sequences: the definition, and one follow-up of one person."""

from msgspec import Struct

from pytake.conversation.queues import FlowStart

ZONE_FIELD = "timezone"
"""The contact's field with the time zone of the person; without it, that of the organization counts."""


class Step(Struct, frozen=True, omit_defaults=True):
    """One follow-up: `days` and `hours` after the date or the silence (before it, if they are negative), and what it starts.

    `at` is a local time, such as `10:00`: it replaces the time of the day.
    """

    start: FlowStart
    days: int = 0
    hours: int = 0
    at: str | None = None


class Sequence(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Follow-ups of an organization. `field` is the contact's field with the date; None: they follow an answer that did not come.

    `until_answer`: once the person has written after the first follow-up of a date, the others are not sent. After a silence an
    answer always ends them. `revision` counts writes.
    """

    id: str
    name: str
    phone_number_id: str
    steps: list[Step]
    field: str | None = None
    enabled: bool = True
    until_answer: bool = True
    revision: int = 0


class FollowUp(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One step of a sequence for one person and one occurrence.

    `anchor` identifies the occurrence: the date as the contact's field has it, or the time of the person's last message before
    the silence, signed if it follows a campaign's repetition. `base` is when the silence began and `turn` the
    one whose template it follows, if it follows one. `due_at` is when it is looked at.
    """

    organization_id: str
    contact_id: str
    sequence_id: str
    step: int
    anchor: str
    due_at: float
    base: float = 0
    turn: int = 0
