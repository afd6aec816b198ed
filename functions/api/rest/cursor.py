"""Cursors of lists: opaque to the caller, bound to the organization, checked before they are used.

A cursor holds a place in the list, never the organization: the place is always looked for in the caller's own list, so
nothing is gained by making one up. The check tells a cursor of another organization, or a changed one, from a good one.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from http import HTTPStatus
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from pytake.conversation.queues import digest
from pytake.conversation.records import ConversationKey, RecentPosition
from rest.problems import ProblemError

_LONGEST = 1024
_LONGEST_NUMBER = 16


class _Cursor(Struct, array_like=True, forbid_unknown_fields=True):
    hour: Annotated[int, Meta(ge=0, le=2**40)]
    phone_number_id: str
    contact_id: str
    check: str


class _Mark(Struct, array_like=True, forbid_unknown_fields=True):
    mark: str
    check: str


_Any = TypeVar("_Any", _Cursor, _Mark)


def write_cursor(organization_id: str, place: RecentPosition) -> str:
    """The cursor that goes on behind this place."""
    number, contact_id = place.key.phone_number_id, place.key.contact_id
    cursor = _Cursor(place.hour, number, contact_id, _check(organization_id, place.hour, number, contact_id))
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_cursor(organization_id: str, text: str) -> RecentPosition:
    """The place that `write_cursor` wrote for this organization. Raises the 400 problem `cursor_invalid` for all else."""
    cursor = _read(text, _Cursor)
    if cursor is None or cursor.check != _check(
        organization_id, cursor.hour, cursor.phone_number_id, cursor.contact_id
    ):
        raise _invalid()
    return RecentPosition(ConversationKey(organization_id, cursor.phone_number_id, cursor.contact_id), cursor.hour)


def write_list_cursor(list_name: str, organization_id: str, mark: str) -> str:
    """The cursor that goes on behind the entry `mark` of one of the organization's lists."""
    cursor = _Mark(mark, digest("list", list_name, organization_id, mark)[:16])
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_list_cursor(list_name: str, organization_id: str, text: str) -> str:
    """The entry that `write_list_cursor` wrote for this list of this organization. Raises the 400 problem `cursor_invalid`."""
    cursor = _read(text, _Mark)
    if cursor is None or cursor.check != digest("list", list_name, organization_id, cursor.mark)[:16]:
        raise _invalid()
    return cursor.mark


def read_version_cursor(list_name: str, organization_id: str, text: str) -> int:
    """As `read_list_cursor`, for entries that are numbered from 1."""
    mark = read_list_cursor(list_name, organization_id, text)
    if not (mark.isascii() and mark.isdecimal() and len(mark) < _LONGEST_NUMBER):  # anybody can make the check
        raise _invalid()
    return int(mark)


def _read(text: str, type_: type[_Any]) -> _Any | None:
    try:
        if len(text) > _LONGEST:
            return None
        return msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=type_)
    except (ValueError, msgspec.DecodeError):  # also wrong base64 and text that is no UTF-8
        return None


def _invalid() -> ProblemError:
    detail = "This cursor is not from this list. Begin again without a cursor, and pass it on as it is."
    return ProblemError(HTTPStatus.BAD_REQUEST, "cursor_invalid", detail)


def _check(organization_id: str, hour: int, phone_number_id: str, contact_id: str) -> str:
    return digest("recent", organization_id, str(hour), phone_number_id, contact_id)[:16]
