"""What imports need: their records, their files, and reading and writing many contacts at once."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from pytake.contacts.consent import ConsentChange
from pytake.contacts.imports import Import
from pytake.contacts.records import ContactRecord


class Imports(Protocol):
    """The imports of all organizations."""

    def get(self, organization_id: str, import_id: str) -> Import | None:
        """An import as stored (a consistent read)."""

    def put(self, about: Import) -> Import:
        """Store an import; returns it with its new revision. A running one is from now on among `running`.

        Raises `ConflictError` when the stored import does not have this `revision`, 0 for one that is not stored.
        """

    def latest(self, organization_id: str, most: int) -> list[Import]:
        """The organization's latest imports, the newest first."""

    def running(self) -> list[tuple[str, str]]:
        """Organization and id of the running imports (a consistent read)."""


class ImportFiles(Protocol):
    """The files of imports, until they are worked off."""

    def put(self, organization_id: str, import_id: str, content: bytes) -> None: ...

    def read(self, organization_id: str, import_id: str, offset: int) -> Iterable[bytes] | None:
        """The file from a byte on, in chunks; None if it does not exist. Empty after its end."""

    def delete(self, organization_id: str, import_id: str) -> None:
        """Delete the file, with all its versions."""

    def upload_link(self, organization_id: str, import_id: str, seconds: int) -> str:
        """An address to which the file can be sent with PUT, without a token."""


class Identities(Struct, frozen=True):
    """How a row names a person: the spellings of the phone number, the first one as given, and the user id."""

    phones: tuple[str, ...]
    user_id: str | None


class FoundContact(Struct, frozen=True):
    """The contact of a person, as stored or new. `disputed`: the phone number and the user id are those of two contacts."""

    contact: ContactRecord
    disputed: bool = False


class ImportedContact(Struct, frozen=True):
    """A contact to store, with changes of consent. From now on the identity `learned` leads to it."""

    contact: ContactRecord
    changes: list[ConsentChange]
    learned: str | None = None


class ContactBatches(Protocol):
    """Reads and writes many contacts at once."""

    def find(self, organization_id: str, people: Sequence[Identities]) -> list[FoundContact]:
        """The contact of each person (consistent reads). A new one knows the withdrawn consent of an erased person."""

    def save(self, organization_id: str, writes: Sequence[ImportedContact]) -> set[str]:
        """Store contacts, each once and as a whole or not at all; the ids of those that were stored.

        A contact is not stored when another worker has written it, or when its identity leads to another contact.
        """


class RunningImports(Protocol):
    """What an erasure tells the imports that have not ended, also those that wait for their file."""

    def forget(self, organization_id: str, contact_ids: Sequence[str]) -> None:
        """From now on none of the organization's imports creates or changes these contacts."""
