"""What the platform stores about the lake: the event log, its files, unfinished erasures, and the progress of the jobs."""

from msgspec import Struct

from pytake.conversation.records import ConversationKey, Delivery, TurnRecord


class LogEntry(Struct, frozen=True):
    """An entry of the event log: the first of a conversation's consecutive turns within an hour.

    `at` is in milliseconds. Entries are sorted by organization and `at`. `position` is private to the log.
    """

    organization_id: str
    at: int
    position: tuple[str, str]


class LakePart(Struct, frozen=True):
    """A file of the lake: the entries of an organization's hour from `begins` up to the next file.

    `begins`, `until` and `next` are times in milliseconds. The file has no entry after `until`. The next file begins at
    `next`; None: there is no next file yet. The first file of an hour begins at the hour's start.
    """

    organization_id: str
    hour: int
    begins: int
    until: int
    next: int | None = None


class LoggedTurn(Struct, frozen=True):
    """A turn in the event log: its conversation, its record and the ledger entries of its messages."""

    key: ConversationKey
    record: TurnRecord
    deliveries: list[Delivery]

    @property
    def organization_id(self) -> str:
        return self.key.organization_id


class PendingErasure(Struct):
    """An unfinished erasure: what is left to do outside the conversations' own items.

    `contacts` are the person's pseudonyms in the lake, `reported` the hours whose files contain the person's answers,
    `unsettled` the hours that will be exported again. `keys` stay in clear text until the erasure is finished.
    """

    id: str
    organization_id: str
    at: float
    keys: list[ConversationKey]
    contacts: list[str]
    reported: list[int]
    unsettled: list[int]


class ExportCursor(Struct, frozen=True):
    """Where a pass of the export continues in an hour that it could not finish: when it started the hour, and the part."""

    hour: int
    began: float
    organization_id: str
    begins: int


class ExportProgress(Struct, omit_defaults=True):
    """The progress of the export: the lake holds everything up to `as_of`. `through` is the last hour that each pass has
    finished; `cursors` is its position in the next hour."""

    as_of: float | None = None
    through: dict[str, int] = {}
    cursors: dict[str, ExportCursor] = {}


class RetentionProgress(Struct, omit_defaults=True):
    """How long an organization's items in the table were written to be kept. While a run shortens that, `through` is the hour up
    to which older items are deleted."""

    seconds: int
    through: int | None = None
