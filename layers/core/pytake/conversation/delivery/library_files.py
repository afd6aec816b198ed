"""Meta's ids for the library files of a message, exchanged before the message is claimed: an upload sends nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytake.conversation.ports.common import Clock
from pytake.conversation.records import Number
from pytake.conversation.ttl_cache import TtlCache
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.library_files import with_meta_ids
from pytake.whatsapp.outbound import OutboundMessage
from pytake.whatsapp.sending import SendFailedError

if TYPE_CHECKING:
    from pytake.conversation.media.sendable import SendableFiles

KNOWN_SECONDS, KNOWN_FILES = 60, 1000
"""How long, and of how many files, Meta's ids are remembered: a campaign sends one file a million times. A deleted file may be
sent for this long."""


class ExchangeFiles:
    """Replaces the ids of library files. `files` makes their use case when the first one is sent."""

    def __init__(self, files: "Callable[[], SendableFiles]", clock: Clock) -> None:
        self._files = files
        self._known: TtlCache[str] = TtlCache(KNOWN_SECONDS, KNOWN_FILES, clock)

    def __call__(self, message: OutboundMessage, number: Number) -> OutboundMessage:
        """The message as Meta takes it: the same one if it has no library file.

        Raises `UnusableFileError`, and `SendFailedError` when Meta does not take a file.
        """
        return with_meta_ids(message, lambda id_: self._meta_id(number, id_))

    def _meta_id(self, number: Number, id_: str) -> str:
        place = f"{number.organization_id} {number.phone_number_id} {id_}"
        return self._known.get(place, lambda: self._uploaded(number, id_))

    def _uploaded(self, number: Number, id_: str) -> str:
        files, organization_id = self._files(), number.organization_id
        upload = files.arrived(organization_id, id_)
        try:
            return files.meta_id(organization_id, number.phone_number_id, upload)
        except SendFailedError as failure:
            if failure.error_class is ErrorClass.AMBIGUOUS:  # nothing was sent, so nothing has to be waited for
                failure.error_class = ErrorClass.TRANSIENT
            raise
