"""Files: those that agents send, and short-lived links to those that people sent."""

from base64 import b64decode
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.conversation.media.library import MediaSizeError, UnknownMediaError, UnsupportedMediaError
from pytake.conversation.ports.media import MediaFile, StoredFile
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.sending import SendFailedError
from pytake.wiring import shared
from rest.caller import caller
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import ProblemError, not_found, unprocessable

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

_LATER = (ErrorClass.RETRY, ErrorClass.AMBIGUOUS)

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


class StoredMedia(ApiModel):
    """A stored file. Send it with `POST /api/v1/conversations/{phone}/send`."""

    id: str
    mime_type: str
    size: int
    filename: str | None
    expires_at: datetime = Field(description="It is deleted then, with the retention of conversations")


class NewUpload(ApiModel):
    """A file that is uploaded next: its MIME type, and its exact size in bytes."""

    model_config = ConfigDict(extra="forbid")

    mime_type: str = Field(min_length=3, max_length=100)
    size: int = Field(ge=1)
    filename: str | None = Field(default=None, min_length=1, max_length=240, pattern=FILENAME)


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
        description="For `GET /api/v1/media/{media_id}`, if the deployment keeps the files of people (`KeepMedia`)"
    )
    mime_type: str | None
    filename: str | None


@router.post(
    "/api/v1/media",
    summary="Store a file to send",
    tags=["Media"],
    status_code=HTTPStatus.CREATED.value,
    openapi_extensions=route_docs("agent", problems=["media_unsupported", "media_size"]),
)
def store_media(file: NewMedia) -> StoredMedia:
    """The type must be one that WhatsApp sends, and the contents must begin as files of the type do. Meta gets the file when
    it is first sent from a number, and again before its copy expires."""
    who = caller(router, "agent")
    try:
        content = b64decode(file.content, validate=True)
    except ValueError:
        raise unprocessable("media_unsupported", "`content` is not valid base64.") from None
    try:
        upload = wiring.media_library().add(who.organization_id, MediaFile(content, file.mime_type, file.filename))
    except (UnsupportedMediaError, MediaSizeError) as error:
        raise unsendable(error) from None
    expires_at = upload.created_at + shared.retention()(who.organization_id)
    return StoredMedia(
        id=upload.id,
        mime_type=upload.mime_type,
        size=upload.size,
        filename=upload.filename,
        expires_at=datetime.fromtimestamp(expires_at, UTC),
    )


@router.post(
    "/api/v1/media/uploads",
    summary="Upload a larger file to send",
    tags=["Media"],
    status_code=HTTPStatus.CREATED.value,
    openapi_extensions=route_docs("agent", problems=["media_unsupported", "media_size"]),
)
def start_upload(file: NewUpload) -> StartedUpload:
    """For files that do not fit into a request: at most 32 MB, and no more than WhatsApp takes. The answer has an address of the
    store, which takes the file by PUT. The contents are checked when the file is first sent or linked to."""
    who = caller(router, "agent")
    described = StoredFile(file.mime_type, file.size, file.filename)
    try:
        upload, url, headers, expires_at = wiring.media_library().begin(who.organization_id, described)
    except (UnsupportedMediaError, MediaSizeError) as error:
        raise unsendable(error) from None
    return StartedUpload(id=upload.id, url=url, headers=headers, expires_at=datetime.fromtimestamp(expires_at, UTC))


@router.get(
    "/api/v1/media/<media_id>",
    summary="A short-lived link to a file",
    tags=["Media"],
    openapi_extensions=route_docs("agent", problems=["media_unknown", "media_unsupported", "media_size"]),
)
def get_media(media_id: MediaId) -> MediaLink:
    """The id is that of an upload, or of a person's file in a transcript. A person's file is there some seconds after the
    message, if the deployment keeps files (`KeepMedia`) and it is not too large."""
    who = caller(router, "agent")
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
    openapi_extensions=route_docs("agent", problems=["media_unknown"]),
)
def delete_media(media_id: MediaId) -> Response[str]:
    """Only uploads. A person's file is deleted with the person, or with the retention of conversations."""
    who = caller(router, "agent")
    try:
        wiring.media_library().remove(who.organization_id, media_id)
    except UnknownMediaError:
        raise media_unknown() from None
    return Response(status_code=HTTPStatus.NO_CONTENT.value, body="")


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
