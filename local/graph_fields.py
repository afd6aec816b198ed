"""Fields of a request to the Graph API: read and checked, with Meta's errors."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from local.graph_errors import GraphApiError
from pytake.whatsapp import limits

Json = dict[str, Any]

INVALID, MISSING, BAD_VALUE = 100, 131008, 131009


def object_at(parent: Json, key: str, path: str) -> Json:
    """The JSON object at `key`. Raises `GraphApiError` as all functions here do."""
    if key not in parent:
        raise GraphApiError(MISSING, f"{joined(path, key)} is required")
    found = parent[key]
    if not isinstance(found, dict):
        raise GraphApiError(INVALID, f"{joined(path, key)} must be a JSON object")
    return found


def list_at(
    parent: Json, key: str, path: str, *, least: int = 1, most: int | None = None, required: bool = True
) -> Sequence[Json]:
    """The list of JSON objects at `key`; empty if it may be missing and is."""
    found = parent.get(key)
    if found is None:
        if required:
            raise GraphApiError(MISSING, f"{joined(path, key)} is required")
        return ()
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise GraphApiError(INVALID, f"{joined(path, key)} must be a list of JSON objects")
    if len(found) < least or (most is not None and len(found) > most):
        raise GraphApiError(
            BAD_VALUE, f"Invalid count of {joined(path, key)}: {len(found)}. Min: {least}, max: {most or 'none'}"
        )
    return found


def text_at(parent: Json, key: str, path: str, *, longest: int, required: bool = True) -> str:
    """The text at `key`, of at most `longest` characters; empty if it may be missing and is."""
    found = parent.get(key)
    if found is None:
        if required:
            raise GraphApiError(MISSING, f"{joined(path, key)} is required")
        return ""
    if not isinstance(found, str):
        raise GraphApiError(INVALID, f"{joined(path, key)} must be a string")
    if required and not found.strip():
        raise GraphApiError(BAD_VALUE, f"{joined(path, key)} must not be empty")
    if len(found) > longest:
        raise GraphApiError(
            BAD_VALUE, f"{joined(path, key)} length invalid. Min length: 1, max length: {longest}, got {len(found)}"
        )
    return found


def check_url(parent: Json, key: str, path: str) -> None:
    """Check an http or https address."""
    if not re.fullmatch(r"https?://[^\s/]\S*", text_at(parent, key, path, longest=limits.ADDRESS)):
        raise GraphApiError(BAD_VALUE, f"{joined(path, key)} must be an http or https address")


def check_unique(items: Iterable[Json], key: str, path: str) -> None:
    """Check that no two items have the same value at `key`."""
    values = [item[key] for item in items]
    if len(set(values)) < len(values):
        raise GraphApiError(BAD_VALUE, f"Duplicated {key} in {path}")


def check_keys(found: Json, path: str, keys: Iterable[str]) -> None:
    """Check that there are no other keys than these."""
    unexpected = sorted(set(found) - set(keys))
    if unexpected:
        raise GraphApiError(INVALID, f'Unexpected key "{unexpected[0]}" on param "{path or "message"}"')


def joined(path: str, key: str) -> str:
    """The path of a key, as Meta writes it in errors."""
    return f"{path}.{key}" if path else key


def check_media(media: Json, path: str, keys: Iterable[str]) -> None:
    """Check a file that is sent by id or link."""
    check_keys(media, path, keys)
    text_at(media, "caption", path, longest=limits.CAPTION, required=False)
    text_at(media, "filename", path, longest=limits.FILENAME, required=False)
    if ("id" in media) == ("link" in media):
        raise GraphApiError(INVALID, f"Give exactly one of id and link in {path}")
    if "link" in media:
        check_url(media, "link", path)
    else:
        text_at(media, "id", path, longest=limits.META_ID)
