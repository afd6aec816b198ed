"""Imports of contacts from CSV files. They show who people are only by line, but they change contacts: for agents and admins."""

from base64 import b64decode
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.contacts.csv_rows import FileError
from pytake.contacts.imports import Import
from pytake.contacts.manage_imports import UPLOAD_SECONDS, UnknownImportError
from pytake.conversation.ports.common import ConflictError
from rest.caller import caller
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import ProblemError, conflict, not_found, unprocessable
from rest.requests import IMPORT_PATH

MOST_LISTED = 50

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

ImportId = Annotated[str, Path(pattern="^[a-z0-9-]{1,64}$", description="The id of an import")]
_COUNTRY = (
    "The country of phone numbers without a country code, such as `BR`. Default: that of the organization's numbers"
)


class AcceptedImport(ApiModel):
    """The import that `Location` names."""

    import_id: str


class ImportUpload(ApiModel):
    """A file that is uploaded: its national phone numbers belong to `country`."""

    model_config = ConfigDict(extra="forbid")

    country: str | None = Field(default=None, pattern="^[A-Z]{2}$", description=_COUNTRY)


class AwaitedImport(AcceptedImport):
    """Send the file with `PUT` to `upload_url`, with `Content-Type: text/csv` and without a token, then start the import."""

    upload_url: str
    expires_at: datetime


class ImportRowProblem(ApiModel):
    """Why a row was not applied. `row` is the line of the file where it begins."""

    row: int
    code: str
    message: str


class ImportResponse(ApiModel):
    """An import. `rows` counts those that were worked off: created, updated, and those with an error.

    `errors` has the first 100 of `error_count`. `consent_kept` counts rows that grant a consent which the person has withdrawn,
    and that do not say that it was given later: everything else of them was applied.
    """

    import_id: str
    status: Literal["waiting", "running", "completed", "failed"]
    rows: int
    created: int
    updated: int
    consent_kept: int
    error_count: int
    errors: list[ImportRowProblem]
    created_at: datetime
    finished_at: datetime | None


class ImportList(ApiModel):
    """The organization's latest imports, the newest first."""

    imports: list[ImportResponse]


@router.post(
    IMPORT_PATH,
    summary="Import contacts from a CSV file",
    tags=["Contacts"],
    status_code=HTTPStatus.ACCEPTED.value,
    openapi_extensions=route_docs("agent", problems=["import_invalid"], body="text/csv"),
)
def import_contacts(
    country: Annotated[str | None, Query(pattern="^[A-Z]{2}$", description=_COUNTRY)] = None,
) -> Response[AcceptedImport]:
    """The body is CSV in UTF-8 with a header, delimited by `,`, `;` or tabs, of at most 5 MB. Known columns: `phone`,
    `user_id`, `name`, `language`, `tags` (separated by `;`), `consent_marketing` and `consent_utility` (`granted`, `withdrawn` or
    empty), `consent_source`, `consent_at`. Every other column is a field.

    A row creates a contact or changes it: empty cells change nothing, and tags are added. The rows are worked off in the
    background; repeating an import changes nothing more. Larger files: `POST /api/v1/contacts/imports`.
    """
    who = caller(router, "agent")
    event = router.current_event
    text = event.body or ""
    content = b64decode(text) if event.is_base64_encoded else text.encode()
    try:
        about = wiring.manage_imports().accept(who.organization_id, content, country)
    except FileError as error:
        raise unprocessable("import_invalid", str(error)) from None
    return _accepted(about)


@router.post(
    "/api/v1/contacts/imports",
    summary="Upload a large file of contacts",
    tags=["Contacts"],
    status_code=HTTPStatus.CREATED.value,
    openapi_extensions=route_docs("agent"),
)
def await_import(request: ImportUpload) -> AwaitedImport:
    """Gives an address for a file of any size, which works for an hour."""
    who = caller(router, "agent")
    about, url = wiring.manage_imports().await_upload(who.organization_id, request.country)
    expires_at = datetime.fromtimestamp(about.created_at + UPLOAD_SECONDS, UTC)
    return AwaitedImport(import_id=about.id, upload_url=url, expires_at=expires_at)


@router.post(
    "/api/v1/contacts/imports/<import_id>/start",
    summary="Start the import of an uploaded file",
    tags=["Contacts"],
    status_code=HTTPStatus.ACCEPTED.value,
    openapi_extensions=route_docs("agent", problems=["import_unknown", "conversation_busy"]),
)
def start_import(import_id: ImportId) -> Response[AcceptedImport]:
    """Repeating it changes nothing."""
    who = caller(router, "agent")
    try:
        return _accepted(wiring.manage_imports().start(who.organization_id, import_id))
    except UnknownImportError:
        raise _unknown() from None
    except ConflictError:
        raise conflict("conversation_busy", "Another request is starting the import. Try again.") from None


@router.get(
    "/api/v1/contacts/imports",
    summary="The latest imports of contacts",
    tags=["Contacts"],
    openapi_extensions=route_docs("agent", polled=True),
)
def list_imports() -> ImportList:
    who = caller(router, "agent")
    found = wiring.manage_imports().latest(who.organization_id, MOST_LISTED)
    return ImportList(imports=[_response(about) for about in found])


@router.get(
    "/api/v1/contacts/imports/<import_id>",
    summary="How far an import of contacts is",
    tags=["Contacts"],
    openapi_extensions=route_docs("agent", problems=["import_unknown"]),
)
def get_import(import_id: ImportId) -> ImportResponse:
    who = caller(router, "agent")
    try:
        return _response(wiring.manage_imports().get(who.organization_id, import_id))
    except UnknownImportError:
        raise _unknown() from None


def _accepted(about: Import) -> Response[AcceptedImport]:
    headers: dict[str, str | list[str]] = {"Location": f"/api/v1/contacts/imports/{about.id}"}
    return Response(
        status_code=HTTPStatus.ACCEPTED.value,
        content_type="application/json",
        body=AcceptedImport(import_id=about.id),
        headers=headers,
    )


def _response(about: Import) -> ImportResponse:
    counts = {name: getattr(about, name) for name in ("rows", "created", "updated", "consent_kept", "error_count")}
    return ImportResponse(
        import_id=about.id,
        status=about.status,
        errors=[ImportRowProblem(row=one.row, code=one.code, message=one.message) for one in about.errors],
        created_at=datetime.fromtimestamp(about.created_at, UTC),
        finished_at=datetime.fromtimestamp(about.finished_at, UTC) if about.finished_at else None,
        **counts,
    )


def _unknown() -> ProblemError:
    return not_found("import_unknown", "The import does not exist, or no longer.")
