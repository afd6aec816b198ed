"""Whether a template can be sent with the library files that it names."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from pytake.conversation.ports.media import Uploads
from pytake.engine.template_parameters import library_files
from pytake.whatsapp.media_types import kind_of

FileKinds = Callable[[str, Collection[str]], Mapping[str, str]]
"""The kinds of those of the library files that an organization can send, by id."""


class FileProblem(Struct, frozen=True):
    """A file with which a template cannot be sent: the organization does not have it, or it is not of its parameter's kind.
    `field` is its place."""

    code: Literal["media_unknown", "media_unsupported"]
    field: str
    file_id: str


def file_problems(
    file_kinds: FileKinds, organization_id: str, components: list[dict[str, Any]], where: str = "components"
) -> Iterator[FileProblem]:
    """The problems of the files in the components of a send. Without a library file nothing is looked up."""
    uses = list(library_files(components, where))
    known = file_kinds(organization_id, {use.file_id for use in uses}) if uses else {}
    for use in uses:
        kind = known.get(use.file_id)
        if kind != use.kind:
            yield FileProblem("media_unknown" if kind is None else "media_unsupported", use.field, use.file_id)


def names_file(components: list[dict[str, Any]], file_id: str) -> bool:
    """Whether the components of a send name the library file."""
    return any(use.file_id == file_id for use in library_files(components))


def stored_kinds(uploads: Uploads) -> FileKinds:
    """The kinds as the organization's uploads say, without a look at the store: the sender finds contents that have not come."""

    def kinds(organization_id: str, ids: Collection[str]) -> dict[str, str]:
        found = uploads.some(organization_id, ids)
        return {id_: kind for id_, upload in found.items() if (kind := kind_of(upload.mime_type)) is not None}

    return kinds
