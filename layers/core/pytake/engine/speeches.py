"""The languages that a bundle speaks: one table of compiled nodes for each."""

from msgspec import Struct

from pytake.engine.execution import CompiledNode
from pytake.engine.texts import Language, best_match


class Speech(Struct, frozen=True):
    """A bundle as it speaks one language: its nodes by flow id and node id, where it starts, and the built-in texts' language."""

    nodes: dict[tuple[str, str], CompiledNode]
    start: CompiledNode
    language: Language


class Speeches:
    """The languages that a bundle speaks. `others` is empty for a flow with one language."""

    __slots__ = ("code", "default", "others")

    def __init__(self) -> None:
        self.code = ""  # the language of the root document
        self.default = Speech({}, CompiledNode("", ""), "en")
        self.others: dict[str, Speech] = {}

    def of(self, language: str) -> Speech:
        """The speech that suits a contact's language; the flow's own if no other does."""
        found = self.others.get(language)
        if found is None and language and self.others:
            found = self.others.get(best_match(language, (self.code, *self.others)) or "")
        return found or self.default
