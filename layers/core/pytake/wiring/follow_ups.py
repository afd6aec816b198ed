"""What plans the follow-ups of sequences. Few turns need it, so it is imported when the first one does."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pytake.conversation.records import ConversationKey, TurnRecord
from pytake.wiring import shared

if TYPE_CHECKING:
    from pytake.aws.sequences import DynamoFollowUps, DynamoSequences
    from pytake.conversation.sequences.plan import PlanFollowUps


@cache
def sequences() -> "DynamoSequences":
    from pytake.aws.sequences import DynamoSequences

    return DynamoSequences(shared.table(), shared.clock)


@cache
def follow_ups() -> "DynamoFollowUps":
    from pytake.aws.sequences import DynamoFollowUps

    return DynamoFollowUps(shared.table(), shared.clock)


@cache
def plan_follow_ups() -> "PlanFollowUps":
    from pytake.conversation.sequences.plan import PlanFollowUps

    return PlanFollowUps(sequences(), follow_ups(), shared.tenants(), shared.clock)


class LazyFollowUps:
    """Implements `pytake.conversation.ports.follow_ups.PlansFollowUps`."""

    def contact_changed(
        self, organization_id: str, contact_id: str, fields: Mapping[str, Any], changed: Collection[str]
    ) -> None:
        plan_follow_ups().contact_changed(organization_id, contact_id, fields, changed)

    def not_answered(
        self,
        key: ConversationKey,
        fields: Mapping[str, Any],
        last_inbound_at: float,
        base: float,
        template: TurnRecord | None = None,
    ) -> None:
        plan_follow_ups().not_answered(key, fields, last_inbound_at, base, template)
