"""Cursors of lists: opaque to the caller, bound to the organization, checked before use.

A cursor holds a position in the list, never the organization. The position is always applied to the caller's own list, so a
forged cursor gains nothing. The check detects a changed cursor and a cursor of another organization.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from http import HTTPStatus
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from pytake.conversation.inbox import ListPosition
from pytake.conversation.queues import digest
from pytake.conversation.records import ConversationKey
from rest.problems import ProblemError

_LONGEST = 1024
_LONGEST_NUMBER = 16


class _Cursor(Struct, array_like=True, forbid_unknown_fields=True):
    rank: str
    at: Annotated[float, Meta(ge=0, le=2**40)]
    phone_number_id: str
    contact_id: str
    check: str


class _Mark(Struct, array_like=True, forbid_unknown_fields=True):
    mark: str
    check: str


_Any = TypeVar("_Any", _Cursor, _Mark)


def write_cursor(list_name: str, organization_id: str, place: ListPosition) -> str:
    """The cursor of what follows this position in a list of conversations."""
    check = _check(list_name, organization_id, place)
    cursor = _Cursor(place.rank, place.at, place.key.phone_number_id, place.key.contact_id, check)
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_cursor(list_name: str, organization_id: str, text: str) -> ListPosition:
    """The position that `write_cursor` wrote for this list of this organization. Raises the 400 problem `cursor_invalid`."""
    cursor = _read(text, _Cursor)
    if cursor is None:
        raise invalid_cursor()
    key = ConversationKey(organization_id, cursor.phone_number_id, cursor.contact_id)
    place = ListPosition(cursor.rank, cursor.at, key)
    if cursor.check != _check(list_name, organization_id, place):
        raise invalid_cursor()
    return place


def write_list_cursor(list_name: str, organization_id: str, mark: str) -> str:
    """The cursor of what follows the entry `mark` in one of the organization's lists."""
    cursor = _Mark(mark, digest("list", list_name, organization_id, mark)[:16])
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_list_cursor(list_name: str, organization_id: str, text: str) -> str:
    """The entry that `write_list_cursor` wrote for this list of this organization. Raises the 400 problem `cursor_invalid`."""
    cursor = _read(text, _Mark)
    if cursor is None or cursor.check != digest("list", list_name, organization_id, cursor.mark)[:16]:
        raise invalid_cursor()
    return cursor.mark


def read_version_cursor(list_name: str, organization_id: str, text: str) -> int:
    """Like `read_list_cursor`, for entries that are numbered from 1."""
    mark = read_list_cursor(list_name, organization_id, text)
    if not (mark.isascii() and mark.isdecimal() and len(mark) < _LONGEST_NUMBER):  # anyone can compute the check
        raise invalid_cursor()
    return int(mark)


def _read(text: str, type_: type[_Any]) -> _Any | None:
    try:
        if len(text) > _LONGEST:
            return None
        return msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=type_)
    except (ValueError, msgspec.DecodeError):  # also invalid base64 and UTF-8
        return None


def invalid_cursor() -> ProblemError:
    """The 400 problem of a cursor that is not from this list."""
    detail = "This cursor is not from this list. Start again without a cursor, and pass cursors unchanged."
    return ProblemError(HTTPStatus.BAD_REQUEST, "cursor_invalid", detail)


def _check(list_name: str, organization_id: str, place: ListPosition) -> str:
    key = place.key
    parts = list_name, organization_id, place.rank, repr(place.at), key.phone_number_id, key.contact_id
    return digest("conversations", *parts)[:16]
