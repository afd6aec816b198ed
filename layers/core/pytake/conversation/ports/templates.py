"""The copies of templates, and the account's own templates at Meta."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.whatsapp.templates import MessageTemplate

ChangeTemplate = Callable[[StoredTemplate | None], StoredTemplate]
"""Gives a copy after a change; an equal copy writes nothing. May be called several times."""


class Templates(Protocol):
    """The copies of an organization's templates."""

    def find(self, key: TemplateKey) -> StoredTemplate | None:
        """The copy, cached for up to `TENANT_CACHE_SECONDS`, also that there is none."""

    def page(self, organization_id: str, limit: int, after: str = "") -> list[tuple[str, StoredTemplate]]:
        """At most `limit` copies behind the place `after`, each with its place: by account, name and language."""

    def of_account(self, organization_id: str, waba_id: str, name: str | None = None) -> list[StoredTemplate]:
        """The copies of an account, or those with this name."""

    def change(self, key: TemplateKey, change: ChangeTemplate) -> tuple[StoredTemplate | None, StoredTemplate]:
        """Change a copy; returns it before and after. Raises `ConflictError` when others keep writing it."""

    def listed_at(self, organization_id: str, waba_id: str) -> float | None:
        """When the account's whole list was last asked for; None: never. Without it a missing copy proves nothing."""

    def set_listed(self, organization_id: str, waba_id: str, at: float) -> None: ...

    def remove_account(self, organization_id: str, waba_id: str) -> None:
        """Delete all copies of an account."""


class TemplateApi(Protocol):
    """The templates of an account at Meta. Every method raises `pytake.whatsapp.sending.SendFailedError`."""

    def templates(self, waba_id: str, access_token: str) -> Iterator[list[MessageTemplate]]:
        """All templates of the account, page by page."""

    def create_template(self, waba_id: str, access_token: str, definition: dict[str, Any]) -> MessageTemplate:
        """Create a template; returns what Meta answers of it: id, status and category."""

    def delete_template(self, waba_id: str, access_token: str, name: str, template_id: str | None) -> None:
        """Delete a template: the one with this id, or the name in all languages."""
