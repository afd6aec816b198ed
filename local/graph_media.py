"""Files at the simulated Graph API: uploads, and what people send. In memory, up to a number of bytes, oldest dropped first."""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.graph_errors import GraphApiError
from local.graph_inbound import sent_file
from local.graph_phones import MediaFromPerson
from local.graph_rules import check_product
from local.graph_sim_requests import SimulatorRequestError, json_response

Json = dict[str, Any]

_MAX_BYTES = 256 * 1024 * 1024
_MEGABYTE = 1024 * 1024

_LARGEST = {
    **dict.fromkeys(("image/jpeg", "image/png"), 5 * _MEGABYTE),
    "image/webp": 500 * 1024,
    **dict.fromkeys(("video/mp4", "video/3gpp"), 16 * _MEGABYTE),
    **dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16 * _MEGABYTE),
}
_LARGEST_DOCUMENT = 100 * _MEGABYTE
_DOCUMENTS = ("application/", "text/plain")


class StoredMedia(Struct, frozen=True):
    """A file and its owner, the number that may read it."""

    content: bytes
    mime_type: str
    phone_number_id: str

    def described(self, media_id: str, url: str) -> Json:
        """Meta's answer to `GET /{media_id}`."""
        return {
            "messaging_product": "whatsapp",
            "url": url,
            "mime_type": self.mime_type,
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "file_size": len(self.content),
            "id": media_id,
        }


class MediaApi:
    """Uploads, descriptions, downloads and deletions.

    `authorized` returns for a phone number id and the header `Authorization` or raises `GraphApiError`.
    """

    def __init__(self, authorized: Callable[[str, str | None], object], new_id: Callable[[], str]) -> None:
        self._authorized = authorized
        self._new_id = new_id
        self._files: OrderedDict[str, StoredMedia] = OrderedDict()

    def routes(self) -> list[BaseRoute]:
        """The routes with full paths, except the description (`describe`)."""
        return [
            Route("/_graph/{version}/{phone_number_id}/media", self._answered(self._upload), methods=["POST"]),
            Route("/_graph/{version}/{media_id}/content", self._answered(self._download), methods=["GET"]),
            Route("/_graph/{version}/{media_id}", self._answered(self._delete), methods=["DELETE"]),
        ]

    def describe(self, request: Request, media_id: str) -> Json | None:
        """Meta's answer to `GET /{media_id}`, if there is such a file. Raises `GraphApiError` for another number's token."""
        if media_id not in self._files:
            return None
        return self._own(request, media_id).described(media_id, f"{request.url.replace(query='')}/content")

    def put(self, media_id: str, file: StoredMedia) -> None:
        """Keep a file. Raises `GraphApiError` for a type or size that Meta refuses."""
        kind = file.mime_type.partition(";")[0].strip().lower()
        if kind not in _LARGEST and not kind.startswith(_DOCUMENTS):
            raise GraphApiError(100, f"Param file must be a file with one of the supported types, got {kind}")
        largest = _LARGEST.get(kind, _LARGEST_DOCUMENT)
        if not 0 < len(file.content) <= largest:
            raise GraphApiError(100, f"A file of the type {kind} has 1 to {largest} bytes, got {len(file.content)}")
        self._files[media_id] = file
        while sum(len(kept.content) for kept in self._files.values()) > _MAX_BYTES:
            self._files.popitem(last=False)

    def put_sent(self, media_id: str, media: MediaFromPerson, phone_number_id: str) -> bytes:
        """Keep a person's file and return its contents. Raises `SimulatorRequestError` for one that WhatsApp does not send."""
        try:
            content, mime_type = sent_file(media)
            self.put(media_id, StoredMedia(content, mime_type, phone_number_id))
        except (ValueError, GraphApiError) as error:
            raise SimulatorRequestError(422, "bad_file", f"People cannot send this file: {error}") from None
        return content

    async def _upload(self, request: Request) -> Response:
        phone_number_id = request.path_params["phone_number_id"]
        self._authorized(phone_number_id, request.headers.get("authorization"))
        async with request.form(max_files=1) as form:
            check_product(dict(form))
            file, kind = form.get("file"), form.get("type")
            if not isinstance(file, UploadFile):
                raise GraphApiError(100, "Param file must be a file")
            mime_type = kind if isinstance(kind, str) else file.content_type or ""
            media_id = str(int(self._new_id(), 16) % 10**16)
            self.put(media_id, StoredMedia(await file.read(), mime_type, phone_number_id))
        return json_response({"id": media_id})

    async def _download(self, request: Request) -> Response:
        file = self._own(request, request.path_params["media_id"])
        return Response(file.content, media_type=file.mime_type)

    async def _delete(self, request: Request) -> Response:
        self._own(request, request.path_params["media_id"])
        del self._files[request.path_params["media_id"]]
        return json_response({"success": True})

    def _own(self, request: Request, media_id: str) -> StoredMedia:
        file = self._files.get(media_id)
        if file is None:
            details = f"Unsupported request. Object with ID '{media_id}' does not exist"
            raise GraphApiError(100, details, more={"error_subcode": 33})
        self._authorized(file.phone_number_id, request.headers.get("authorization"))
        return file

    def _answered(self, endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except GraphApiError as error:
                return json_response(error.body(self._new_id()), error.http_status)

        return answer
