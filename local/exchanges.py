"""The HTTP exchanges between Meta and the platform: webhook posts and Graph API requests with their responses."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

Json = dict[str, Any]

MAX_EXCHANGES = 2_000
MAX_BODY_BYTES = 64_000
"""Of a longer body only the length is kept."""


class Exchange(Struct, kw_only=True, omit_defaults=True):
    """One request and its response. `phones` are the contacts it concerns; a webhook post may concern many."""

    seq: int
    at: float
    kind: Literal["webhook", "graph"]
    path: str
    request: Any
    status: int
    answer: Any = None
    phones: list[str] = []


class Exchanges:
    """Keeps the latest exchanges in memory."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._kept: deque[Exchange] = deque(maxlen=MAX_EXCHANGES)
        self._last = 0

    def record_webhook(self, path: str, body: bytes, status: int) -> None:
        """Record a notification that was posted to the webhook."""
        request = _decoded(body)
        self._keep("webhook", path, request, status, None, list(dict.fromkeys(_contacts(request))))

    def record_graph_request(self, path: str, body: bytes, status: int, answer: bytes, phone: str | None) -> None:
        """Record a Graph API request. Give `phone` if the request itself does not name the recipient."""
        request = _decoded(body)
        to = request.get("to") or request.get("recipient") if isinstance(request, dict) else None
        about = phone or (to if isinstance(to, str) else None)
        self._keep("graph", path, request, status, _decoded(answer), [about.lstrip("+")] if about else [])

    def of_phone(self, phone: str | None, after: int = 0) -> list[Exchange]:
        """The exchanges whose `seq` is greater than `after`; with `phone` only those that concern it."""
        return [one for one in self._kept if one.seq > after and (phone is None or phone in one.phones)]

    def _keep(
        self, kind: Literal["webhook", "graph"], path: str, request: Any, status: int, answer: Any, phones: list[str]
    ) -> None:
        self._last += 1
        self._kept.append(
            Exchange(
                seq=self._last,
                at=self._clock(),
                kind=kind,
                path=path,
                request=request,
                status=status,
                answer=answer,
                phones=phones,
            )
        )


def _decoded(body: bytes) -> Any:
    if len(body) > MAX_BODY_BYTES:
        return f"{len(body)} bytes"
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body.decode(errors="replace")


def _contacts(notification: Any) -> Iterator[str]:
    """The contacts that a notification concerns."""
    for entry in _list(notification, "entry"):
        for change in _list(entry, "changes"):
            value = change.get("value") if isinstance(change, dict) else None
            for message in _list(value, "messages"):
                yield from _texts(message, "from", "from_user_id")
            for status in _list(value, "statuses"):
                yield from _texts(status, "recipient_id", "recipient_user_id")


def _list(of: Any, name: str) -> list[Any]:
    found = of.get(name) if isinstance(of, dict) else None
    return found if isinstance(found, list) else []


def _texts(of: Any, *names: str) -> Iterator[str]:
    for name in names:
        found = of.get(name) if isinstance(of, dict) else None
        if isinstance(found, str):
            yield found
