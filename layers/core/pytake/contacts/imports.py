"""Imports of contacts: what a row of the file says, and the contact after it. Pure (ADR 31)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pytake.contacts.consent import ERASED_SOURCE, ConsentChange, ConsentState, Purpose, consent_after
from pytake.contacts.csv_rows import FileError, Place
from pytake.contacts.records import ContactRecord
from pytake.conversation.queues import digest
from pytake.engine.phones import normalised_phone
from pytake.engine.template import is_name
from pytake.engine.texts import language_code

MOST_COLUMNS = 200
MOST_TAGS = 200
LONGEST_TAG = 100
LONGEST_NAME = 200
LONGEST_SOURCE = 200
CONTACT_BYTES = 50_000
KEPT_PROBLEMS = 100

PHONE, USER_ID, NAME, LANGUAGE, TAGS = "phone", "user_id", "name", "language", "tags"
CONSENT: dict[str, Purpose] = {"consent_marketing": "marketing", "consent_utility": "utility"}
CONSENT_SOURCE, CONSENT_AT = "consent_source", "consent_at"
KNOWN = frozenset((PHONE, USER_ID, NAME, LANGUAGE, TAGS, *CONSENT, CONSENT_SOURCE, CONSENT_AT))
_NOT_FIELDS = ("id",)
_STATES: dict[str, ConsentState] = {"granted": "granted", "withdrawn": "withdrawn"}
_CLOCKS_DIFFER = timedelta(days=1)

ImportStatus = Literal["waiting", "running", "completed", "failed"]


class ImportProblem(Struct, frozen=True):
    """What is wrong with a row. `row` is its line in the file. The message repeats nothing of the row."""

    row: int
    code: str
    message: str


class Import(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An import and how far it is. `rows` counts those that were worked off: created, updated, and those with an error.

    `place` is where the next row begins. `read`: there is no further row, and the file can be deleted;
    `broken`: because the file is not valid from here on. `erased` are digests of
    people who were erased meanwhile. `owner` works on it until `leased_until`. `revision` counts writes.
    """

    id: str
    organization_id: str
    created_at: float
    status: ImportStatus = "running"
    country: str | None = None
    rows: int = 0
    created: int = 0
    updated: int = 0
    consent_kept: int = 0
    error_count: int = 0
    errors: list[ImportProblem] = []
    columns: list[str] = []
    delimiter: str = ""
    place: Place = Place()
    read: bool = False
    broken: bool = False
    erased: list[str] = []
    owner: str = ""
    leased_until: float = 0
    finished_at: float = 0
    revision: int = 0

    def with_problems(self, problems: Sequence[ImportProblem]) -> "Import":
        """The import with further problems: all are counted, the first hundred are kept."""
        kept = [*self.errors, *problems][:KEPT_PROBLEMS]
        return replace(self, errors=kept, error_count=self.error_count + len(problems))


class ImportRow(Struct, frozen=True, kw_only=True):
    """What a row says of a person. `phone` is in E.164. `consent_at` is when consent was given or withdrawn, None if the row does
    not say."""

    line: int
    phone: str | None
    user_id: str | None
    name: str
    language: str
    tags: list[str]
    fields: dict[str, Any]
    consent: dict[Purpose, ConsentState]
    consent_source: str
    consent_at: float | None

    @property
    def identity(self) -> str:
        """The identity under which a new contact is stored."""
        return self.phone[1:] if self.phone is not None else self.user_id or ""


class RowError(Exception):
    """A row is not applied. `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def columns_of(header: Sequence[str]) -> list[str]:
    """The columns of a file; an empty name is a column that is left out. Raises `FileError`."""
    columns = [name.strip() for name in header]
    columns = [name.lower() if name.lower() in KNOWN else name for name in columns]
    if not {PHONE, USER_ID} & set(columns):
        raise FileError("header_invalid", "The header has no column `phone` or `user_id`.")
    if len(columns) > MOST_COLUMNS:
        raise FileError("header_invalid", f"The file has more than {MOST_COLUMNS} columns.")
    for number, name in enumerate(columns, 1):
        if name and columns.index(name) != number - 1:
            raise FileError("header_invalid", f"The columns {columns.index(name) + 1} and {number} have the same name.")
        if name and name not in KNOWN and (not is_name(name) or name.lower() in _NOT_FIELDS):
            message = f"The name of column {number} cannot be a field. Use letters, digits and _ only, and not `id`."
            raise FileError("header_invalid", message)
    return columns


def read_row(line: int, cells: Sequence[str], about: Import) -> ImportRow:
    """What a row says. Raises `RowError`."""
    if any(cell.strip() for cell in cells[len(about.columns) :]):
        raise RowError("row_invalid", "The row has more cells than the header.")
    given = {name: said for name, cell in zip(about.columns, cells, strict=False) if name and (said := cell.strip())}
    phone = user_id = None
    if text := given.get(PHONE):
        phone = normalised_phone(text, about.country)
        if phone is None:
            raise RowError("phone_invalid", "The phone number is not valid. Write it with its country code.")
    if text := given.get(USER_ID):
        user_id = text
        if not _is_user_id(text):
            raise RowError("user_id_invalid", "The user ID is not a business-scoped user ID such as BR.123.")
    if phone is None and user_id is None:
        raise RowError("phone_missing", "The row has neither a phone number nor a user ID.")
    language = language_code(given[LANGUAGE]) if LANGUAGE in given else ""
    if language is None or len(given.get(LANGUAGE, "")) > 20:
        raise RowError("language_invalid", "The language is not a code such as pt_BR, en or es.")
    if len(given.get(NAME, "")) > LONGEST_NAME:
        raise RowError("name_invalid", f"The name has more than {LONGEST_NAME} characters.")
    return ImportRow(
        line=line,
        phone=phone,
        user_id=user_id,
        name=given.get(NAME, ""),
        language=language,
        tags=_tags(given.get(TAGS, "")),
        fields={name: value for name, value in given.items() if name not in KNOWN},
        consent=_consent(given),
        consent_source=_source(given, about),
        consent_at=_time(given.get(CONSENT_AT), about.created_at),
    )


def erased_mark(organization_id: str, contact_id: str) -> str:
    """What an import remembers of a person who was erased: only a reader who knows the person finds it."""
    return digest("import", organization_id, contact_id)


def contact_after(
    known: ContactRecord, row: ImportRow, about: Import
) -> tuple[ContactRecord, list[ConsentChange], bool]:
    """The contact after a row, the changes of consent, and whether a withdrawal was kept although the row grants consent.

    The same row gives the same contact again. Empty cells change nothing, tags are added. An import lifts a withdrawal only if
    the row says that consent was given later, and that of an erased person never. Raises `RowError`.
    """
    if about.erased and erased_mark(about.organization_id, known.contact_id) in about.erased:
        raise RowError("person_erased", "The person was erased after the file was accepted.")
    changes, consent, kept = list[ConsentChange](), dict(known.consent), False
    for purpose, state in row.consent.items():
        current = known.consent_to(purpose)
        if state == "granted" and current.state == "withdrawn":
            is_later = row.consent_at is not None and row.consent_at > current.at
            if current.source == ERASED_SOURCE or not is_later:
                kept = True
                continue
        at = row.consent_at if row.consent_at is not None else about.created_at
        change = ConsentChange(purpose, state, row.consent_source, at)
        after = consent_after(consent, [change])
        if after != consent:
            changes.append(change)
        consent = after
    fields = {**known.fields, **row.fields}
    contact = replace(
        known,
        # The name of the person's profile never replaces a name that is also a field.
        name=row.name or known.name,
        fields=fields | {NAME: row.name} if row.name else fields,
        language=row.language or known.language,
        tags=list(dict.fromkeys([*known.tags, *row.tags])),
        consent=consent,
        phone=known.phone or row.phone,
        user_id=known.user_id or row.user_id,
    )
    if len(contact.tags) > MOST_TAGS:
        raise RowError("tags_invalid", f"The contact would have more than {MOST_TAGS} tags.")
    if len(msgspec.json.encode(contact)) > CONTACT_BYTES:
        raise RowError("contact_too_large", f"The contact would have more than {CONTACT_BYTES:,} bytes.")
    if not known.revision and not known.imported:
        # All contacts of an import have its time, so a repeated row writes the same.
        contact = replace(contact, created_at=about.created_at, imported=import_mark(about, row))
    return contact, changes, kept


def import_mark(about: Import, row: ImportRow) -> str:
    """What a contact that this row created keeps: so a repeated row still counts as one that created it."""
    return f"{about.id}:{row.line}"


def _is_user_id(text: str) -> bool:
    country, point, rest = text.partition(".")
    return (
        bool(point and rest)
        and len(country) == 2
        and country.isascii()
        and country.isupper()
        and len(text) <= 140
        and all(c.isascii() and (c.isalnum() or c == ".") for c in rest)
    )


def _tags(text: str) -> list[str]:
    tags = list(dict.fromkeys(tag for part in text.split(";") if (tag := part.strip())))
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        raise RowError(
            "tags_invalid", f"The row has more than {MOST_TAGS} tags, or one of over {LONGEST_TAG} characters."
        )
    return tags


def _consent(given: dict[str, str]) -> dict[Purpose, ConsentState]:
    found: dict[Purpose, ConsentState] = {}
    for column, purpose in CONSENT.items():
        if column in given:
            state = _STATES.get(given[column].lower())
            if state is None:
                raise RowError("consent_invalid", f"`{column}` is `granted`, `withdrawn` or empty.")
            found[purpose] = state
    return found


def _source(given: dict[str, str], about: Import) -> str:
    source = given.get(CONSENT_SOURCE, f"import {about.id}")
    if len(source) > LONGEST_SOURCE:
        raise RowError("consent_invalid", f"`{CONSENT_SOURCE}` has more than {LONGEST_SOURCE} characters.")
    return source


def _time(text: str | None, accepted_at: float) -> float | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise RowError("consent_invalid", f"`{CONSENT_AT}` is a day or time such as 2026-11-01.") from None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    if not datetime(2009, 1, 1, tzinfo=UTC) <= at <= datetime.fromtimestamp(accepted_at, UTC) + _CLOCKS_DIFFER:
        raise RowError("consent_invalid", f"`{CONSENT_AT}` is in the future, or before WhatsApp.")
    return min(at.timestamp(), accepted_at)
