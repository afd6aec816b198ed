"""What may be read of a webhook body before its signature is verified: cheaply, and with bounds a stranger cannot pass."""

import re
from typing import Any

import msgspec
from msgspec import Struct

from pytake.whatsapp.inbound import NotJsonError, NotWhatsAppError

MAX_BODY_BYTES = 3_000_000
"""Meta sends at most 3 MB in one POST (Webhooks, "Payloads")."""

MAX_TOKENS = 400_000
"""Objects, lists and commas. Meta's batches of a thousand updates have some 60,000; this many take less than 200 MB."""

MAX_NUMBERS = 20
"""Receiving numbers or accounts that are looked up to find the secret that signed a POST. Meta names one in most of them."""

_NUMBER = re.compile(rb'"phone_number_id"\s*:\s*"([0-9]{1,20})"')
_ACCOUNT = re.compile(r"[0-9]{1,20}")


class BodyTooLargeError(ValueError):
    """The body has more bytes, or more parts, than Meta sends."""


class _Head(Struct):
    object: Any = None


class _Entry(Struct):
    id: Any = None


class _Entries(Struct):
    entry: list[_Entry] = []


def check_size(body: bytes) -> None:
    """Raises `BodyTooLargeError`. Nothing is decoded."""
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLargeError(f"{len(body)} bytes")
    tokens = body.count(b"{") + body.count(b"[") + body.count(b",")
    if tokens > MAX_TOKENS:
        raise BodyTooLargeError(f"{tokens} parts")


def claimed_numbers(body: bytes) -> list[str]:
    """The first receiving numbers that the body names, without duplicates. It is not decoded: they are claims of a stranger.

    A text of a person cannot imitate one, because quotation marks in texts are escaped.
    """
    found: dict[str, None] = {}
    for match in _NUMBER.finditer(body):
        found[match[1].decode()] = None
        if len(found) == MAX_NUMBERS:
            break
    return list(found)


def claimed_accounts(body: bytes) -> list[str]:
    """The first accounts that the body is about, without duplicates; none if it is not a notification. Everything below the
    entries is skipped: they are claims of a stranger."""
    try:
        entries = msgspec.json.decode(body, type=_Entries).entry
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    found = dict.fromkeys(entry.id for entry in entries if isinstance(entry.id, str) and _ACCOUNT.fullmatch(entry.id))
    return list(found)[:MAX_NUMBERS]


def check_kind(body: bytes) -> None:
    """Raises `NotJsonError` or `NotWhatsAppError` as `read_notification` does, but skips everything below the top level."""
    try:
        head = msgspec.json.decode(body, type=_Head)
    except msgspec.ValidationError:
        raise NotWhatsAppError("the body is not an object") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotJsonError("the body is not JSON") from None
    if head.object != "whatsapp_business_account":
        raise NotWhatsAppError("the body is not a notification of a whatsapp_business_account")
