"""Files: those that agents send, library files of flows and templates, and short-lived links to those that people sent."""

from base64 import b64decode
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.conversation.change_log import change_of
from pytake.conversation.ports.media import (
    MediaFile,
    MediaSizeError,
    StoredFile,
    UnknownMediaError,
    UnsupportedMediaError,
    Upload,
)
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.library_files import is_library_file
from pytake.whatsapp.sending import SendFailedError
from pytake.wiring import shared
from pytake.wiring.desk import change_log
from rest.caller import Caller, caller
from rest.cursor import read_list_cursor, write_list_cursor
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.paging import DEFAULT_LIMIT, Cursor, Limit, page_response
from rest.problems import ProblemError, conflict, not_found, unprocessable

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

_LATER = (ErrorClass.RETRY, ErrorClass.AMBIGUOUS)

_LIST = "media"
KEEP = Field(
    default=False,
    description="A library file, of flows and templates: kept until it is deleted. Only builders and admins may; builders must",
)
FILENAME = r"^[^/\\\x00-\x1f]+$"
MediaId = Annotated[str, Path(max_length=100, pattern="^[a-z0-9-]+$", description="The id of a file")]


class NewMedia(ApiModel):
    """A file to send: its contents in base64, and its MIME type."""

    model_config = ConfigDict(extra="forbid")

    mime_type: str = Field(min_length=3, max_length=100)
    content: str = Field(
        min_length=4, description="The file in base64; at most about 4 MB, and no more than WhatsApp takes"
    )
    filename: str | None = Field(default=None, min_length=1, max_length=240, pattern=FILENAME)
    keep: bool = KEEP


class StoredMedia(ApiModel):
    """A stored file. Send it with `POST /api/v1/conversations/{phone}/send`, a library file also with flows and templates."""

    id: str
    mime_type: str
    size: int
    filename: str | None
    created_at: datetime
    expires_at: datetime | None = Field(
        description="It is deleted then, with the retention of conversations; null: a library file"
    )


class NewUpload(ApiModel):
    """A file that is uploaded next: its MIME type, and its exact size in bytes."""

    model_config = ConfigDict(extra="forbid")

    mime_type: str = Field(min_length=3, max_length=100)
    size: int = Field(ge=1)
    filename: str | None = Field(default=None, min_length=1, max_length=240, pattern=FILENAME)
    keep: bool = KEEP


class StartedUpload(ApiModel):
    """Put the file to `url` with these headers and with this size before `expires_at`, without a token."""

    id: str
    url: str
    headers: dict[str, str]
    expires_at: datetime


class MediaLink(ApiModel):
    """An address that downloads the file without a token until `expires_at`. Browsers save the file and do not show it."""

    url: str
    expires_at: datetime
    mime_type: str
    size: int
    filename: str | None


class TranscriptMedia(ApiModel):
    """The file of a message."""

    model_config = ConfigDict(from_attributes=True)

    type: str
    id: str | None = Field(
        description="For `GET /api/v1/media/{media_id}`: of a library file, or of a person's file if the deployment keeps them "
        "(`KeepMedia`)"
    )
    mime_type: str | None
    filename: str | None


@router.post(
    "/api/v1/media",
    summary="Store a file to send",
    tags=["Media"],
    status_code=HTTPStatus.CREATED.value,
    openapi_extensions=route_docs("builder", "agent", problems=["media_unsupported", "media_size"]),
)
def store_media(file: NewMedia) -> StoredMedia:
    """The type must be one that WhatsApp sends, and the contents must begin as files of the type do. Meta gets the file when
    it is first sent from a number, and again before its copy expires. Agents store files for conversations, builders files with
    `keep`: the id of such a file is also the `id` of media in flows, and of files in the `components` of templates."""
    who = _sender(file.keep)
    try:
        content = b64decode(file.content, validate=True)
    except ValueError:
        raise unprocessable("media_unsupported", "`content` is not valid base64.") from None
    try:
        upload = wiring.media_library().add(
            who.organization_id, MediaFile(content, file.mime_type, file.filename), keep=file.keep
        )
    except (UnsupportedMediaError, MediaSizeError) as error:
        raise unsendable(error) from None
    _record(who, upload.id, None, {"filename": file.filename, "size": len(content)})
    return _stored(who, upload)


@router.post(
    "/api/v1/media/uploads",
    summary="Upload a larger file to send",
    tags=["Media"],
    status_code=HTTPStatus.CREATED.value,
    openapi_extensions=route_docs("builder", "agent", problems=["media_unsupported", "media_size"]),
)
def start_upload(file: NewUpload) -> StartedUpload:
    """For files that do not fit into a request: at most 32 MB, and no more than WhatsApp takes. The answer has an address of the
    store, which takes the file by PUT. The contents are checked when the file is first sent or linked to."""
    who = _sender(file.keep)
    described = StoredFile(file.mime_type, file.size, file.filename)
    try:
        upload, url, headers, expires_at = wiring.media_library().begin(who.organization_id, described, keep=file.keep)
    except (UnsupportedMediaError, MediaSizeError) as error:
        raise unsendable(error) from None
    _record(who, upload.id, None, {"filename": file.filename, "size": file.size})
    return StartedUpload(id=upload.id, url=url, headers=headers, expires_at=datetime.fromtimestamp(expires_at, UTC))


@router.get(
    "/api/v1/media",
    summary="The library files",
    tags=["Media"],
    openapi_extensions=route_docs("builder", "agent", problems=["cursor_invalid"], paged=True),
)
def list_media(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[list[StoredMedia]]:
    """The files that were stored with `keep`, newest first. A page may have fewer files than `limit`."""
    who = caller(router, "builder", "agent")
    before = read_list_cursor(_LIST, who.organization_id, cursor) if cursor is not None else None
    found, last = wiring.media_library().library(who.organization_id, limit, before)
    following = write_list_cursor(_LIST, who.organization_id, last) if last is not None else None
    return page_response("/api/v1/media", [_stored(who, upload) for upload in found], limit, following)


@router.get(
    "/api/v1/media/<media_id>",
    summary="A short-lived link to a file",
    tags=["Media"],
    openapi_extensions=route_docs("builder", "agent", problems=["media_unknown", "media_unsupported", "media_size"]),
)
def get_media(media_id: MediaId) -> MediaLink:
    """The id is that of an upload, or of a person's file in a transcript. A person's file is there some seconds after the
    message, if the deployment keeps files (`KeepMedia`) and it is not too large. For builders there are only library files."""
    who = caller(router, "builder", "agent")
    if who.role == "builder" and not is_library_file(media_id):
        raise media_unknown()
    try:
        found, url, expires_at = wiring.media_library().link(who.organization_id, media_id)
    except UnknownMediaError:
        raise media_unknown() from None
    except (UnsupportedMediaError, MediaSizeError) as error:
        raise unsendable(error) from None
    return MediaLink(
        url=url,
        expires_at=datetime.fromtimestamp(expires_at, UTC),
        mime_type=found.mime_type,
        size=found.size,
        filename=found.filename,
    )


@router.delete(
    "/api/v1/media/<media_id>",
    summary="Delete a file to send",
    tags=["Media"],
    status_code=HTTPStatus.NO_CONTENT.value,
    openapi_extensions=route_docs("builder", "agent", problems=["media_unknown", "media_in_use"]),
)
def delete_media(media_id: MediaId) -> Response[str]:
    """Only uploads: of agents by agents, library files by builders. A file that a campaign sends, from its start to its end, or a
    sequence that is switched on, stays (`media_in_use`). A message of a flow that names the file fails from then on
    (`media_unknown`). A person's file is deleted with the person, or with the retention of conversations."""
    who = _sender(is_library_file(media_id))
    library = wiring.media_library()
    try:
        if is_library_file(media_id) and library.kinds(who.organization_id, [media_id]):
            _refuse_in_use(who.organization_id, media_id)
        library.remove(who.organization_id, media_id)
    except UnknownMediaError:
        raise media_unknown() from None
    _record(who, media_id, {}, None)
    return Response(status_code=HTTPStatus.NO_CONTENT.value, body="")


def _record(who: Caller, media_id: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    """Record a change of the library. Agents' files belong to conversations."""
    change = change_of(who.author(), "files", before, after, media_id)
    if change is not None and is_library_file(media_id):
        change_log().add(who.organization_id, change)


def _sender(keep: bool) -> Caller:
    """The caller, who may store and delete files of this kind."""
    return caller(router, "builder" if keep else "agent")


def _refuse_in_use(organization_id: str, media_id: str) -> None:
    campaigns = wiring.manage_campaigns().sending(organization_id, media_id)
    sequences = wiring.manage_sequences().sending(organization_id, media_id)
    if campaigns or sequences:
        detail = f"The file is sent by {', '.join([*campaigns, *sequences])}. Cancel or change this first."
        raise conflict("media_in_use", detail, campaigns=campaigns, sequences=sequences)


def _stored(who: Caller, upload: Upload) -> StoredMedia:
    expires_at = None
    if not is_library_file(upload.id):
        expires_at = datetime.fromtimestamp(upload.created_at + shared.retention()(who.organization_id), UTC)
    return StoredMedia(
        id=upload.id,
        mime_type=upload.mime_type,
        size=upload.size,
        filename=upload.filename,
        created_at=datetime.fromtimestamp(upload.created_at, UTC),
        expires_at=expires_at,
    )


def unsendable(error: UnsupportedMediaError | MediaSizeError) -> ProblemError:
    """The problem of a file that WhatsApp does not take."""
    if isinstance(error, MediaSizeError):
        return unprocessable("media_size", f"Not accepted: {error}.")
    return unprocessable("media_unsupported", f"Not accepted: {error}.")


def media_unknown() -> ProblemError:
    return not_found("media_unknown", "The file does not exist, or it has been deleted.")


def refused_by_meta(error: SendFailedError) -> ProblemError:
    """The problem of a file that Meta did not take."""
    if error.error_class in _LATER:
        detail = "Meta does not take the file at the moment. Repeat the request later."
        return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "meta_unavailable", detail, headers={"Retry-After": "5"})
    return unprocessable("media_refused", f"Meta does not take the file: {error}")
