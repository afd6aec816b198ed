"""How long conversations are kept. A module of its own, because every function needs it and only one deletes."""

from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.records import MARKER_SECONDS

DAY = 86_400


class RetentionPolicy:
    """How many seconds an organization keeps conversations: its setting `retention_days`, or the stack's default.

    At least as long as an inbound message id is remembered, otherwise a redelivered message would be answered twice.
    """

    def __init__(self, tenants: TenantRepository, default_days: int) -> None:
        self._tenants = tenants
        self._default_days = default_days

    def __call__(self, organization_id: str) -> int:
        days = self._tenants.organization(organization_id).retention_days or self._default_days
        return max(days * DAY, MARKER_SECONDS)
