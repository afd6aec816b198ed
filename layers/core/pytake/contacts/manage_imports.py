"""The use cases behind `/api/v1/contacts/import`: accept files of contacts, and say how far their import is."""

from collections.abc import Callable

from msgspec.structs import replace

from pytake.contacts.csv_rows import LOST, FileError, read_header
from pytake.contacts.import_ports import ImportFiles, Imports
from pytake.contacts.imports import Import, columns_of
from pytake.conversation.ports.common import Clock, until_written
from pytake.conversation.ports.tenants import TenantRepository

UPLOAD_SECONDS = 3600
"""How long the address of an upload works."""


class UnknownImportError(Exception):
    """The organization has no such import."""


class ManageImports:
    """Accepts imports. `start_job` starts the job that works them off; it also starts every minute."""

    def __init__(
        self,
        imports: Imports,
        files: ImportFiles,
        tenants: TenantRepository,
        clock: Clock,
        new_id: Callable[[], str],
        start_job: Callable[[], None],
    ) -> None:
        self._imports = imports
        self._files = files
        self._tenants = tenants
        self._clock = clock
        self._new_id = new_id
        self._start_job = start_job

    def accept(self, organization_id: str, content: bytes, country: str | None) -> Import:
        """Begin the import of a file. `country`: where national phone numbers belong to; None: as the organization's numbers.

        Raises `FileError` for a file whose header is not valid or that is not UTF-8.
        """
        header, _, _ = read_header([content])
        columns_of(header)
        before, lost, _ = content.decode(errors="replace").partition(LOST)
        if lost:
            line = before.count("\n") + 1
            message = f"Line {line} is not in UTF-8. Save the file as CSV UTF-8, and import it again."
            raise FileError("file_not_utf8", message, line)
        about = self._new(organization_id, country)
        self._files.put(organization_id, about.id, content)
        return self._begin(about)

    def await_upload(self, organization_id: str, country: str | None) -> tuple[Import, str]:
        """An import whose file is uploaded, and the address for it. It begins with `start`."""
        about = self._imports.put(replace(self._new(organization_id, country), status="waiting"))
        return about, self._files.upload_link(organization_id, about.id, UPLOAD_SECONDS)

    def start(self, organization_id: str, import_id: str) -> Import:
        """Begin an import whose file was uploaded. Repeating it changes nothing. Raises `UnknownImportError`."""

        def write() -> Import:
            about = self.get(organization_id, import_id)
            return about if about.status != "waiting" else self._begin(replace(about, status="running"))

        return until_written(write, "the import")

    def get(self, organization_id: str, import_id: str) -> Import:
        """An import. Raises `UnknownImportError`."""
        found = self._imports.get(organization_id, import_id)
        if found is None:
            raise UnknownImportError(import_id)
        return found

    def latest(self, organization_id: str, most: int) -> list[Import]:
        """The organization's latest imports, the newest first."""
        return self._imports.latest(organization_id, most)

    def _new(self, organization_id: str, country: str | None) -> Import:
        if country is None:
            countries = {number.country for number in self._tenants.numbers(organization_id)}
            country = countries.pop() if len(countries) == 1 else None
        return Import(id=self._new_id(), organization_id=organization_id, created_at=self._clock(), country=country)

    def _begin(self, about: Import) -> Import:
        stored = self._imports.put(about)
        self._start_job()
        return stored
