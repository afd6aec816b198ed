"""Organizations, their numbers, secrets and flows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct

from pytake.conversation.change_log import Author
from pytake.conversation.records import (
    FlowMetadata,
    FlowSummary,
    FlowVersion,
    Number,
    NumberSecrets,
    Organization,
    StoredDraft,
)
from pytake.engine.timetable import Timetable

TENANT_CACHE_SECONDS = 5
"""How long the adapter caches numbers and organizations: every worker sees a change within this time."""

ExpectedDraft = int | Literal["any", "none"]
"""The draft that a write replaces: the one with this revision, any, or none (a new flow)."""


class UnknownNumberError(Exception):
    """The organization has no such number."""


class FlowSecret(Struct, frozen=True):
    """A secret of an organization's flows, and the hosts that it may be sent to."""

    value: str
    hosts: tuple[str, ...]

    def __repr__(self) -> str:
        return "FlowSecret(hidden)"


ChangeFlowSecrets = Callable[[Mapping[str, FlowSecret]], Mapping[str, FlowSecret]]
"""Gives an organization's secrets by name after a change."""


class DraftChangedError(Exception):
    """The stored draft is not the expected one. `revision` is the stored draft's, None if there is no draft."""

    def __init__(self, revision: int | None) -> None:
        super().__init__(f"the stored draft has revision {revision}")
        self.revision = revision


class FlowSecretsUnreadableError(Exception):
    """The stored flow secrets of an organization are malformed. Names the organization, never the content."""


class TenantRepository(Protocol):
    """Organizations and their numbers. Reads are cached for up to `TENANT_CACHE_SECONDS`."""

    def number(self, phone_number_id: str, *, fresh: bool = False) -> Number | None:
        """The number, or None. `fresh` bypasses the cache."""

    def find_numbers(self, phone_number_ids: Sequence[str]) -> dict[str, Number]:
        """Those of at most 100 numbers that exist, by id. What is not cached costs one request together."""

    def find_accounts(self, waba_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """The numbers of those of at most 100 WhatsApp Business accounts that are known: by account, each number's
        organization. What is not cached costs one request together."""

    def knows_verify_token(self, token: str) -> bool: ...

    def organization(self, organization_id: str) -> Organization:
        """The organization's settings; the defaults when nothing is stored."""

    def numbers(self, organization_id: str) -> list[Number]: ...

    def number_ids(self, organization_id: str) -> list[str]:
        """The ids of the organization's numbers, also of those that it had: their conversations are still its own."""

    def put_number(self, number: Number, author: Author | None = None, secrets: Collection[str] = ()) -> None:
        """Store a number. Raises `ConflictError` when another organization owns it or its verify token.

        This method and those below with an `author` record the change if there is one. `secrets`: the names of the number's
        secrets that change with it.
        """

    def remove_number(self, number: Number, author: Author | None = None) -> None:
        """Remove a number if its organization still has it; `number_ids` keeps its id."""

    def move_number(self, number: Number, to: Number) -> None:
        """Replace a number by `to`, which has the same id, another organization and no verify token.

        Raises `ConflictError` when the organization of `number` does not have it any more.
        """

    def put_organization(self, organization: Organization, author: Author | None = None) -> None:
        """Store the settings, except the timetables. Raises `ConflictError` when others keep writing."""

    def put_timetables(
        self, organization_id: str, timetables: dict[str, Timetable], author: Author | None = None
    ) -> None:
        """Replace the organization's timetables."""

    def stop_number(self, number: Number, reason: str) -> bool:
        """Stop the number's sending for a reason. False when it was already stopped."""

    def confirm_stop(self, number: Number, at: float) -> None:
        """Record that the stop has been visible since `at` at the latest; the first call wins.

        A separate write, because `stop_number` cannot know how long its own write takes to become visible.
        """

    def begin_resuming(self, number: Number, at: float) -> None:
        """Let a stopped number send again while its held turns are being released."""

    def end_resuming(self, number: Number) -> None:
        """The number has no held turns any more."""

    def hold_turns_until(self, number: Number, until: float, now: float) -> None:
        """Announce that turns of the number may be held until `until`. One that holds longer stays.

        One that has ended by `now` begins again and is not confirmed.
        """

    def confirm_holding(self, number: Number, at: float) -> None:
        """Record that the announcement has been visible since `at` at the latest; the first call wins."""


class Secrets(Protocol):
    """Number secrets, cached for minutes. `fresh` bypasses the cache: a rotation may just have happened.

    Each kind is stored apart: the webhook may read app secrets only, and the sender access tokens only.
    """

    def app_secrets(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> tuple[str, ...]:
        """The app secrets that verify the number's webhooks; none for a number without secrets, which may be
        remembered for seconds."""

    def cached_app_secrets(self, organization_id: str, phone_number_id: str) -> tuple[str, ...]:
        """The app secrets if they are cached; none otherwise. No request is made."""

    def access_token(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> str | None:
        """The access token that sends for the number, or None."""

    def of_number(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> NumberSecrets | None:
        """All secrets of the number, or None."""

    def put(self, organization_id: str, phone_number_id: str, secrets: NumberSecrets) -> None: ...

    def remove(self, organization_id: str, phone_number_id: str) -> None:
        """Delete all secrets of a number for good; there may be none."""


class FlowSecretStore(Protocol):
    """The secrets of an organization's flows. Both methods raise `FlowSecretsUnreadableError`."""

    def hosts(self, organization_id: str) -> dict[str, tuple[str, ...]]:
        """The hosts that each stored secret may be sent to, by the secret's name."""

    def change(self, organization_id: str, change: ChangeFlowSecrets) -> None:
        """Replace the secrets (by name) with the result of `change`, which is called again after a concurrent write.

        An exception of `change` is passed on, and nothing is stored. Raises `ConflictError` when others keep writing.
        """


class Flows(Protocol):
    """Drafts and published versions of flows."""

    def summary(self, organization_id: str, flow_id: str) -> FlowSummary | None: ...

    def summaries(self, organization_id: str, limit: int | None = None, after: str = "") -> list[FlowSummary]:
        """The flows in the order of their ids: at most `limit`, after the id `after`."""

    def draft(self, organization_id: str, flow_id: str) -> StoredDraft | None: ...

    def put_draft(
        self,
        organization_id: str,
        document: dict[str, Any],
        at: float,
        expected: ExpectedDraft | None = None,
        by: str = "",
    ) -> int:
        """Store the document as the draft of the flow whose id it contains; returns the draft's new revision.

        Raises `DraftChangedError`, and changes nothing, when the stored draft is not the expected one.
        """

    def version(self, organization_id: str, flow_id: str, version: int) -> FlowVersion | None: ...

    def versions(
        self, organization_id: str, flow_id: str, limit: int | None = None, before: int | None = None
    ) -> list[FlowVersion]:
        """The published versions without their documents, newest first: at most `limit`, older than `before`."""

    def publish(self, organization_id: str, version: FlowVersion, name: str) -> None:
        """Store the next version and move the pointer to it. Raises `ConflictError` if that version exists."""

    def point_to(self, organization_id: str, flow_id: str, version: int, at: float, by: str) -> None:
        """Move the pointer to an existing version. Raises `ConflictError` if there is none."""

    def put_metadata(self, organization_id: str, flow_id: str, metadata: FlowMetadata, at: float, by: str) -> None:
        """File a flow. Raises `ConflictError` if the flow does not exist."""
