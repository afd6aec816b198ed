"""The people of an organization who use the API, by the name that their token says: records name accounts only."""

from typing import Protocol

from msgspec import Struct


class Colleague(Struct, frozen=True, omit_defaults=True):
    """A person. `subject` is the account: the subject of their tokens."""

    subject: str
    name: str
    role: str


class Colleagues(Protocol):
    """The colleagues of organizations."""

    def put(self, organization_id: str, colleague: Colleague) -> None:
        """Remember a person, in place of what was known."""

    def all(self, organization_id: str) -> list[Colleague]:
        """Those who were here within the time that records of changes are kept, by account."""
