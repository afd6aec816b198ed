"""Messages from before a number was connected."""

from msgspec import Struct

from pytake.whatsapp.input import InputMedia


class HistoryMessage(Struct, frozen=True, omit_defaults=True):
    """A message from before the number was connected, as the phone app shared it. Its `type` and `text` are as in an input.

    `status` is Meta's last one (`READ`, `DELIVERED` …). A file stays with the phone app; `media` describes it, if Meta does.
    """

    id: str
    sent_at: float
    by_business: bool
    type: str
    text: str = ""
    media: InputMedia | None = None
    status: str | None = None

    @property
    def is_placeholder(self) -> bool:
        """Whether Meta describes the file in another message, which has the same id."""
        return self.type == "media_placeholder"
