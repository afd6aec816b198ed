"""Works imports off: in parts, each with the place where the next one begins (ADR 31).

A part writes contacts and then the import. If the worker dies in between, the part is worked off again and changes nothing: a
contact keeps which row created it, and a row that was applied gives the same contact.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from pytake.contacts.csv_rows import CsvRow, FileError, csv_rows, read_header
from pytake.contacts.import_ports import (
    ContactBatches,
    Identities,
    ImportedContact,
    ImportFiles,
    Imports,
)
from pytake.contacts.imports import (
    Import,
    ImportProblem,
    ImportRow,
    ImportStatus,
    RowError,
    columns_of,
    contact_after,
    import_mark,
    read_row,
)
from pytake.contacts.reading import LOADED_TOGETHER
from pytake.contacts.records import ContactRecord
from pytake.conversation.people import spellings
from pytake.conversation.ports.common import WRITE_ATTEMPTS, Clock, ConflictError, until_written
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.follow_ups import PlansFollowUps, tell_fields
from pytake.conversation.records import ConversationKey
from pytake.conversation.turn_contact import update_copy

ROWS_PER_PART = 800
"""A part is read and written by requests that are in flight together: sixteen transactions are two times eight."""

LEASE_SECONDS = 60
"""A worker that dies keeps the import so long. A part takes seconds."""


class ImportRun(Struct):
    """What a run did, for its log line."""

    imports: int = 0
    rows: int = 0


class RunImports:
    """The use case behind the job `imports`."""

    def __init__(
        self,
        imports: Imports,
        files: ImportFiles,
        batches: ContactBatches,
        conversations: Conversations,
        clock: Clock,
        new_owner: Callable[[], str],
        spread: Callable[[Callable[[Any], None], Iterable[Any]], object] = lambda work, items: list(map(work, items)),
        follow_ups: PlansFollowUps | None = None,
    ) -> None:
        """`spread` calls a function with each item, several at once, and waits for all of them. `follow_ups` are told which
        fields a contact gets, before it is stored."""
        self._follow_ups = follow_ups
        self._imports = imports
        self._files = files
        self._batches = batches
        self._conversations = conversations
        self._clock = clock
        self._new_owner = new_owner
        self._spread = spread

    def __call__(self, out_of_time: Callable[[], bool]) -> ImportRun:
        """Work all running imports off, until time is up. The next run continues.

        An import that another run has is left to it.
        """
        done = ImportRun()
        for organization_id, import_id in self._imports.running():
            if out_of_time():
                break
            owner = self._new_owner()
            for _ in range(WRITE_ATTEMPTS):
                try:
                    self._work_off(organization_id, import_id, owner, out_of_time, done)
                except ConflictError:
                    continue  # an erasure has marked the import, or another run has taken it
                break
        return done

    def _work_off(
        self, organization_id: str, import_id: str, owner: str, out_of_time: Callable[[], bool], done: ImportRun
    ) -> None:
        about = self._imports.get(organization_id, import_id)
        if about is None or about.status != "running":
            return
        if about.owner != owner and about.leased_until > self._clock():
            return
        about = self._put(replace(about, owner=owner))
        if not about.read:
            try:
                about, rows = self._read(about)
                for part in _parts(rows):
                    about = self._put(self._worked_off(about, part))
                    done.rows += len(part)
                    if out_of_time():
                        self._imports.put(replace(about, leased_until=0))
                        return
            except FileError as error:
                problem = ImportProblem(error.line, error.code, str(error))
                about = replace(about.with_problems([problem]), broken=True)
            about = self._put(replace(about, read=True))
        # The file goes first: once the import has ended, no run looks at it again.
        self._files.delete(organization_id, import_id)
        status: ImportStatus = "failed" if about.broken else "completed"
        self._imports.put(replace(about, status=status, leased_until=0, finished_at=self._clock(), erased=[]))
        done.imports += 1

    def _put(self, about: Import) -> Import:
        return self._imports.put(replace(about, leased_until=self._clock() + LEASE_SECONDS))

    def _read(self, about: Import) -> tuple[Import, Iterator[CsvRow]]:
        """The rows from the import's place on."""
        if not about.columns:
            header, delimiter, place = read_header(self._file(about, 0))
            about = replace(about, columns=columns_of(header), delimiter=delimiter, place=place)
        return about, csv_rows(self._file(about, about.place.offset), about.delimiter, about.place)

    def _file(self, about: Import, offset: int) -> Iterable[bytes]:
        chunks = self._files.read(about.organization_id, about.id, offset)
        if chunks is None:
            raise FileError("file_missing", "The file of the import does not exist.")
        return chunks

    def _worked_off(self, about: Import, part: Sequence[CsvRow]) -> Import:
        """The import after these rows are applied."""
        rows, problems = list[ImportRow](), list[ImportProblem]()
        for row in part:
            try:
                if row.cells is None:
                    raise RowError(
                        "row_invalid", "The row is not CSV in UTF-8, or a quotation mark is at a wrong place."
                    )
                rows.append(read_row(row.line, row.cells, about))
            except RowError as error:
                problems.append(ImportProblem(row.line, error.code, str(error)))
        created = updated = kept = 0
        for _ in range(WRITE_ATTEMPTS):
            applied = self._apply(about, rows)
            problems += applied.problems
            created, updated, kept = created + applied.created, updated + applied.updated, kept + applied.kept
            rows = applied.again
            if not rows:
                break
        message = "Others kept writing the contact. Import the row again."
        problems += [ImportProblem(row.line, "contact_busy", message) for row in rows]
        after = about.with_problems(sorted(problems, key=lambda problem: problem.row))
        return replace(
            after,
            rows=about.rows + len(part),
            created=about.created + created,
            updated=about.updated + updated,
            consent_kept=about.consent_kept + kept,
            place=part[-1].after,
        )

    def _apply(self, about: Import, rows: Sequence[ImportRow]) -> "_Applied":
        """Read the contacts of the rows, change them in the order of the rows, and store those that changed."""
        owner = about.organization_id
        people = [Identities(tuple(spellings(row.phone)) if row.phone else (), row.user_id) for row in rows]
        before: dict[str, ContactRecord] = {}
        contacts: dict[str, ImportedContact] = {}
        effects: dict[str, list[_Effect]] = {}
        applied = _Applied()
        for row, found in zip(rows, self._batches.find(owner, people) if people else (), strict=True):
            id_ = found.contact.contact_id
            before.setdefault(id_, found.contact)
            known = contacts.get(id_) or ImportedContact(found.contact, [])
            try:
                if found.disputed or _contradicts(known.contact, row):
                    raise RowError("identities_differ", "The phone number and the user ID are those of two contacts.")
                contact, changes, kept = contact_after(known.contact, row, about)
            except RowError as error:
                applied.problems.append(ImportProblem(row.line, error.code, str(error)))
                continue
            learned = _learned(found.contact, row)
            contacts[id_] = ImportedContact(contact, [*known.changes, *changes], known.learned or learned)
            effects.setdefault(id_, []).append(_Effect(row, contact.imported == import_mark(about, row), kept))
        writes = [one for id_, one in contacts.items() if one.contact != before[id_] or not one.contact.revision]
        for one in writes:
            tell_fields(self._follow_ups, owner, before[one.contact.contact_id], one.contact)
        stored = self._batches.save(owner, writes) if writes else set()
        written = {one.contact.contact_id for one in writes}
        for id_, found_effects in effects.items():
            if id_ in written and id_ not in stored:
                applied.again += [effect.row for effect in found_effects]
                continue
            for effect in found_effects:
                applied.created += effect.created
                applied.updated += not effect.created
                applied.kept += effect.kept
        current = [
            replace(one.contact, revision=one.contact.revision + (id_ in stored))
            for id_, one in contacts.items()
            if id_ not in written or id_ in stored
        ]
        self._update_copies(owner, [contact for contact in current if contact.numbers])
        return applied

    def _update_copies(self, organization_id: str, contacts: Sequence[ContactRecord]) -> None:
        """Bring the copies up to date that conversations keep, also those that a worker left behind that died."""
        by_id = {contact.contact_id: contact for contact in contacts}
        keys = [
            ConversationKey(organization_id, number, contact.contact_id)
            for contact in contacts
            for number in contact.numbers
        ]
        old: list[ConversationKey] = []

        def look(together: Sequence[ConversationKey]) -> None:
            for known in self._conversations.load_all(together):
                if known.contact_revision < by_id[known.key.contact_id].revision:
                    old.append(known.key)

        def update(key: ConversationKey) -> None:
            saved = by_id[key.contact_id]
            change = partial(update_copy, self._conversations, key, saved, saved.revision)
            until_written(change, "the conversation")

        self._spread(look, [keys[start : start + LOADED_TOGETHER] for start in range(0, len(keys), LOADED_TOGETHER)])
        self._spread(update, old)


def _parts(rows: Iterator[CsvRow]) -> Iterator[list[CsvRow]]:
    """The rows in parts, also those before the place from which the file is not valid. Raises `FileError` then."""
    broken: FileError | None = None

    def readable() -> Iterator[CsvRow]:
        nonlocal broken
        try:
            yield from rows
        except FileError as error:
            broken = error

    left = readable()
    while part := list(islice(left, ROWS_PER_PART)):
        yield part
    if broken is not None:
        raise broken


def _contradicts(known: ContactRecord, row: ImportRow) -> bool:
    """Whether a row names another phone number or user id than those of the contact that one of them leads to."""
    if row.user_id is not None and known.user_id not in (None, row.user_id):
        return True
    if row.phone is None or known.phone is None or known.phone == row.phone:
        return False
    return known.phone[1:] not in spellings(row.phone)


def _learned(known: ContactRecord, row: ImportRow) -> str | None:
    """The identity that leads to the contact from now on."""
    if row.user_id is not None and known.user_id is None and row.user_id != known.contact_id:
        return row.user_id
    if row.phone is not None and known.phone is None and row.phone[1:] != known.contact_id:
        return row.phone[1:]
    return None


class _Effect(Struct, frozen=True):
    """What a row did, once its contact is stored."""

    row: ImportRow
    created: bool
    kept: bool


class _Applied(Struct):
    """What became of rows. `again`: their contacts were not stored, because another worker has written them."""

    problems: list[ImportProblem] = field(default_factory=list)
    created: int = 0
    updated: int = 0
    kept: int = 0
    again: list[ImportRow] = field(default_factory=list)
