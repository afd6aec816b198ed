"""The client of Meta's Graph API: one request and its result.

`pytake.whatsapp.errors` classifies errors; this module only knows at which step a request failed. The API has no idempotency
key: a request without a response may have been carried out, so nothing is retried here.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import msgspec

from pytake.whatsapp.errors import ErrorClass, classify, error_code
from pytake.whatsapp.sending import AcceptedMessage, NumberProfile, SendFailedError
from pytake.whatsapp.templates import MessageTemplate, read_template

Json = dict[str, Any]

_JSON = {"Content-Type": "application/json"}
_LONGEST_TEXT = 500  # characters of an error's title or details that are kept

_PROFILE_FIELDS = "id,display_phone_number,verified_name,status,webhook_configuration,health_status"
_TEMPLATE_FIELDS = "id,name,language,category,status,parameter_format,components,quality_score,rejected_reason"
_TEMPLATES_PER_PAGE = 100
_MOST_PAGES = 100  # a verified business has at most 6,000 templates
_WEBHOOK_LEVELS = ("phone_number", "whatsapp_business_account", "application")

# No byte of the request was written when these are raised.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)


_NOT_READY_FOR_MARKETING = frozenset((131055, 134100, 134101, 1752041))
"""Refusals of the endpoint for marketing messages: the account has not accepted its terms, the template is not a marketing one,
or it is new and not known there yet."""


class GraphApi:
    """Sends messages, reads profiles and manages templates through one pooled connection; safe to share between threads, made
    once per process.

    `base_url` (`https://graph.facebook.com`) and `version` (`v25.0`) are configuration: Meta retires versions, and
    the local cloud simulates Meta at another address. `connect_timeout` and `read_timeout` are seconds; `transport`
    replaces the network. `meanwhile` gives a context for the time in which a message is being sent.
    """

    def __init__(
        self,
        base_url: str,
        version: str,
        *,
        connect_timeout: float = 3.0,
        read_timeout: float = 10.0,
        transport: httpx.BaseTransport | None = None,
        meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._meanwhile = meanwhile
        self._base = f"{base_url.rstrip('/')}/{version}"
        self._client = httpx.Client(transport=transport, timeout=httpx.Timeout(read_timeout, connect=connect_timeout))

    def send(self, phone_number_id: str, access_token: str, payload: Json) -> AcceptedMessage:
        """Sends a message (`pytake.whatsapp.graph.message_payload`).

        One with a `product_policy` goes to the endpoint for marketing messages. What that does not take, because the
        account or the template is not ready for it, is sent as any other message at once.

        Returns the id that the message's statuses will carry. Raises `SendFailedError`: with `AMBIGUOUS` when the request was
        sent but no id was received (timeout, lost connection, unreadable response), with `RETRY` when no connection was made,
        and otherwise with the class of the error's code.
        """
        with self._meanwhile():
            answer = self._post_message(quote(phone_number_id, safe=""), access_token, payload)
        message = _first(answer, "messages")
        message_id = _field(message, "id")
        if message_id is None:
            raise SendFailedError(ErrorClass.AMBIGUOUS, http_status=200, title="The answer holds no message id")
        contact = _first(answer, "contacts")
        return AcceptedMessage(
            message_id,
            wa_id=_field(contact, "wa_id"),
            user_id=_field(contact, "user_id"),
            held=message.get("message_status") == "held_for_quality_assessment",
        )

    def _post_message(self, number: str, access_token: str, payload: Json) -> Json:
        if "product_policy" in payload:
            try:
                return self._request("POST", f"{number}/marketing_messages", access_token, payload)
            except SendFailedError as failure:
                if failure.code not in _NOT_READY_FOR_MARKETING:
                    raise
                payload = {name: value for name, value in payload.items() if name != "product_policy"}
        return self._request("POST", f"{number}/messages", access_token, payload)

    def mark_read(self, phone_number_id: str, access_token: str, payload: Json, seconds: float) -> None:
        """Posts a read receipt (`pytake.whatsapp.graph.read_receipt_payload`), with `seconds` for each step of the request.

        Raises `SendFailedError`.
        """
        self._request("POST", f"{quote(phone_number_id, safe='')}/messages", access_token, payload, seconds)

    def profile(self, phone_number_id: str, access_token: str) -> NumberProfile:
        """Reads a number's profile, which only a token of the number's WhatsApp account may do.

        Raises `SendFailedError`: with `AMBIGUOUS` or `RETRY` when Meta gave no usable answer, and otherwise with the class of
        the error's code.
        """
        answer = self._request("GET", f"{quote(phone_number_id, safe='')}?fields={_PROFILE_FIELDS}", access_token)
        if _field(answer, "id") != phone_number_id:
            raise SendFailedError(ErrorClass.AMBIGUOUS, http_status=200, title="The answer is not the number's profile")
        found = answer.get("webhook_configuration")
        webhooks = found if isinstance(found, dict) else {}
        # Meta posts to the most specific address.
        address = next((address for level in _WEBHOOK_LEVELS if (address := _field(webhooks, level))), None)
        return NumberProfile(
            phone_number_id,
            _field(answer, "display_phone_number"),
            _field(answer, "verified_name"),
            _field(answer, "status"),
            address,
            _account_of(answer.get("health_status")),
        )

    def templates(self, waba_id: str, access_token: str) -> Iterator[list[MessageTemplate]]:
        """All templates of an account, page by page. Raises `SendFailedError`: with `AMBIGUOUS` for an unusable answer.

        The next page is asked for by its cursor, never by the address in the answer, which would get the token.
        """
        path = f"{_templates_of(waba_id)}?fields={_TEMPLATE_FIELDS}&limit={_TEMPLATES_PER_PAGE}"
        after = ""
        for _ in range(_MOST_PAGES):
            answer = self._request("GET", f"{path}&after={quote(after, safe='')}" if after else path, access_token)
            data, paging = answer.get("data"), answer.get("paging")
            if not isinstance(data, list):
                raise SendFailedError(ErrorClass.AMBIGUOUS, http_status=200, title="The answer is not a list")
            yield [template for raw in data if (template := read_template(raw)) is not None]
            cursors = paging.get("cursors") if isinstance(paging, dict) and paging.get("next") else None
            after = (_field(cursors, "after") or "") if isinstance(cursors, dict) else ""
            if not after:
                return

    def create_template(self, waba_id: str, access_token: str, definition: Json) -> MessageTemplate:
        """Creates a template; its id, status and category. Raises `SendFailedError`, with `AMBIGUOUS` when it may exist."""
        answer = self._request("POST", _templates_of(waba_id), access_token, definition)
        created = read_template({**answer, "name": definition["name"], "language": definition["language"]})
        if created is None or created.id is None:
            raise SendFailedError(ErrorClass.AMBIGUOUS, http_status=200, title="The answer holds no template id")
        return created

    def delete_template(self, waba_id: str, access_token: str, name: str, template_id: str | None) -> None:
        """Deletes the template with this id, or the name in all languages. Raises `SendFailedError`."""
        one = f"hsm_id={quote(template_id, safe='')}&" if template_id is not None else ""
        self._request("DELETE", f"{_templates_of(waba_id)}?{one}name={quote(name, safe='')}", access_token)

    def close(self) -> None:
        """Close the pooled connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _request(
        self,
        method: str,
        path: str,
        access_token: str,
        payload: Json | None = None,
        seconds: float | None = None,
        *,
        form: Json | None = None,
        files: Json | None = None,
    ) -> Json:
        if not _fits_a_header(access_token):
            raise SendFailedError(
                ErrorClass.FATAL_TOKEN, title="The access token is empty or holds characters no token has"
            )
        try:
            response = self._client.request(
                method,
                f"{self._base}/{path}",
                content=msgspec.json.encode(payload) if payload is not None else None,
                data=form,
                files=files,
                headers={"Authorization": f"Bearer {access_token}"} | ({} if files else _JSON),
                timeout=httpx.USE_CLIENT_DEFAULT if seconds is None else seconds,
            )
        except httpx.RequestError as error:
            error_class = ErrorClass.RETRY if isinstance(error, _NOT_SENT) else ErrorClass.AMBIGUOUS
            details = _readable(str(error), access_token)
            # From None: a library's message about an invalid header may contain the token.
            raise SendFailedError(error_class, title=type(error).__name__, details=details) from None
        answer = _json_object(response.content)
        error_object = answer.get("error")
        if response.status_code == httpx.codes.OK and error_object is None:
            return answer
        raise _refused(response, error_object if isinstance(error_object, dict) else None, access_token)


def _templates_of(waba_id: str) -> str:
    return f"{quote(waba_id, safe='')}/message_templates"


def _refused(response: httpx.Response, error: Json | None, access_token: str) -> SendFailedError:
    found = error or {}
    data = found.get("error_data")
    details = data.get("details") if isinstance(data, dict) else data
    return SendFailedError(
        classify(response.status_code, error),
        http_status=response.status_code,
        code=error_code(error),
        subcode=error_code({"code": found.get("error_subcode")}),
        title=_readable(found.get("message") or found.get("error_user_title"), access_token),
        details=_readable(details or found.get("error_user_msg"), access_token),
        fbtrace_id=_field(found, "fbtrace_id"),
        retry_after=_retry_after(response),
    )


def _retry_after(response: httpx.Response) -> float | None:
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) <= 6 else None


def _readable(text: Any, access_token: str) -> str:
    """An error text without the token. Meta quotes the token in some errors ("Malformed access token …")."""
    return text.replace(access_token, "***")[:_LONGEST_TEXT] if isinstance(text, str) else ""


def _fits_a_header(access_token: str) -> bool:
    return bool(access_token) and all("!" <= character <= "~" for character in access_token)


def _json_object(content: bytes) -> Json:
    try:
        answer = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _account_of(health_status: Any) -> str | None:
    """The WhatsApp Business account among the entities of a number's `health_status`."""
    entities = health_status.get("entities") if isinstance(health_status, dict) else None
    for entity in entities if isinstance(entities, list) else []:
        if isinstance(entity, dict) and entity.get("entity_type") == "WABA":
            return _field(entity, "id")
    return None


def _first(answer: Json, key: str) -> Json:
    found = answer.get(key)
    return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}


def _field(found: Json, key: str) -> str | None:
    value = found.get(key)
    return value if isinstance(value, str) and value else None
