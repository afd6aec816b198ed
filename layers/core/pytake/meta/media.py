"""Files at Meta's Graph API: what a person's file is, its contents, and uploads."""

from urllib.parse import quote, urlsplit

import httpx

from pytake.conversation.ports.media import MediaFile, MediaTooLargeError
from pytake.meta.graph_api import GraphApi
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.sending import MediaDescription, SendFailedError

_HOSTS = ("fbsbx.com", "fbcdn.net", "whatsapp.net", "facebook.com", "whatsapp.com")
"""Meta's domains, from which files come. The address comes from Meta's answer; the token must never go elsewhere."""


class GraphMedia(GraphApi):
    """Implements `pytake.conversation.ports.media.MetaMedia`."""

    def describe(self, phone_number_id: str, access_token: str, media_id: str) -> MediaDescription:
        """What Meta says about a file, with an address for five minutes. Raises `SendFailedError`."""
        path = f"{quote(media_id, safe='')}?phone_number_id={quote(phone_number_id, safe='')}"
        answer = self._request("GET", path, access_token)
        url, size = answer.get("url"), answer.get("file_size")
        if not isinstance(url, str) or not self._is_metas(url):
            raise SendFailedError(ErrorClass.PERMANENT, http_status=200, title="The answer has no address of Meta")
        mime_type, sha256 = answer.get("mime_type"), answer.get("sha256")
        return MediaDescription(
            url,
            mime_type if isinstance(mime_type, str) else None,
            sha256.lower() if isinstance(sha256, str) else None,
            size if isinstance(size, int) else None,
        )

    def download(self, url: str, access_token: str, most: int) -> bytes:
        """A file's contents. Raises `MediaTooLargeError`, and `SendFailedError` when Meta does not give the file."""
        if not self._is_metas(url):
            raise SendFailedError(ErrorClass.PERMANENT, title="The address is not one of Meta")
        content = bytearray()
        try:
            with self._client.stream("GET", url, headers={"Authorization": f"Bearer {access_token}"}) as response:
                if response.status_code != httpx.codes.OK:
                    raise SendFailedError(ErrorClass.RETRY, http_status=response.status_code, title="No file")
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > most:
                        raise MediaTooLargeError
        except httpx.RequestError as error:
            raise SendFailedError(ErrorClass.RETRY, title=type(error).__name__) from None
        return bytes(content)

    def upload(self, phone_number_id: str, access_token: str, file: MediaFile) -> str:
        """Meta's id of an uploaded file. Raises `SendFailedError`."""
        answer = self._request(
            "POST",
            f"{quote(phone_number_id, safe='')}/media",
            access_token,
            form={"messaging_product": "whatsapp", "type": file.mime_type},
            files={"file": (file.filename or "file", file.content, file.mime_type)},
        )
        media_id = answer.get("id")
        if not isinstance(media_id, str) or not media_id:
            raise SendFailedError(ErrorClass.AMBIGUOUS, http_status=200, title="The answer holds no id of the file")
        return media_id

    def _is_metas(self, url: str) -> bool:
        """Whether an address belongs to Meta, or to the Graph API that the settings name (the simulated one)."""
        found, base = urlsplit(url), urlsplit(self._base)
        if (found.scheme, found.netloc) == (base.scheme, base.netloc):
            return True
        host = found.hostname or ""
        return found.scheme == "https" and any(host == known or host.endswith(f".{known}") for known in _HOSTS)
