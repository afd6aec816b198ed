"""What is stored of a campaign: its definition, where it stands, and the recipients that it has in hand."""

from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from pytake.contacts.ports import ListPlace
from pytake.conversation.queues import FlowStart, StartTemplate

CampaignStatus = Literal["draft", "scheduled", "running", "paused", "stopped", "completed", "cancelled"]

Waiting = Literal["audience", "quiet_hours", "day_limit", "budget"]
"""Why a running campaign waits."""


class QuietHours(Struct, frozen=True):
    """The local times of day between which people are not written to, as `21:00`. They may pass midnight."""

    start: str
    end: str


class Variant(Struct, frozen=True, omit_defaults=True):
    """A part of the audience that gets another template, or whose answers start another flow. None: the campaign's own.

    The probability that a person gets the variant is its `share` divided by the sum of all shares.
    """

    name: str
    share: float = 1
    template: StartTemplate | None = None
    flow_id: str | None = None


class CampaignDefinition(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a campaign sends, to whom, and within which bounds.

    `holdout` is the share of the audience that gets nothing, for comparison. `spend_cap_micros` is in millionths of the currency
    of the rate card. `marketing_messages`: whether marketing templates go to Meta's API for them; None: as the number says.
    """

    name: str
    phone_number_id: str
    segment_id: str
    template: StartTemplate
    flow_id: str | None = None
    parameters: dict[str, Any] = {}
    start_at: float | None = None
    quiet_hours: QuietHours | None = None
    pace_per_second: float | None = None
    spend_cap_micros: int | None = None
    variants: list[Variant] = []
    holdout: float = 0
    marketing_messages: bool | None = None

    def templates(self) -> list[tuple[str, StartTemplate]]:
        """The templates that may be sent, with their places in the definition."""
        own = [(f"variants[{at}].template", one.template) for at, one in enumerate(self.variants)]
        found = [(where, template) for where, template in own if template is not None]
        return found if own and len(found) == len(own) else [("template", self.template), *found]

    def start_of(self, variant: str) -> FlowStart:
        """What opens the conversation with a person who has this variant."""
        own = next((one for one in self.variants if one.name == variant), Variant(""))
        flow_id = own.flow_id or self.flow_id
        return FlowStart(flow_id, self.parameters, own.template or self.template, only_idle=True)


class ZoneCursor(Struct, frozen=True, omit_defaults=True):
    """Where the release stands in the parts of one zone: `part` of `parts`, behind its first `offset` recipients."""

    parts: int = 0
    part: int = 0
    offset: int = 0

    @property
    def is_done(self) -> bool:
        return self.part >= self.parts


class Chunk(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The recipients that a worker has in hand: those at `places` of a part that are still planned.

    It is stored, with their slots and the money reserved for them, before the first of them is released. A worker that finds it
    releases them again: what was released is not repeated. `prices` has the price of a message for each variant, in millionths,
    `tries` counts the workers that took over. `spent_before` is what the campaign had spent before this chunk. `retry`: their
    messages were not delivered, and are repeated.
    """

    zone: str
    part: int
    places: list[int]
    first_slot: float
    interval: float
    reserved_micros: int = 0
    spent_before: int = 0
    prices: dict[str, int] = {}
    tries: int = 0
    retry: bool = False

    def reservation_id(self, campaign_id: str) -> str:
        """The id of its reservation of the budget. A worker that died before it stored the chunk had the same one. Who is left
        of a chunk may be the first of the next one, which has others, too: that one has an id of its own."""
        return f"campaign:{campaign_id}:{self.zone}:{self.part}:{self.places[0]}:{self.spent_before}"


class Freeze(Struct, frozen=True, omit_defaults=True):
    """How far the audience is frozen: up to `after`, `people` of the segment. `checksum` is over all parts so far."""

    epoch: int = 0
    after: ListPlace | None = None
    people: int = 0
    checksum: str = ""
    finished: bool = False


class Campaign(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A campaign. `revision` counts writes: a write succeeds only if the stored campaign has the revision that was read.

    `definition_revision` counts changes of the definition. `status_at`, `reason` and `by` belong to the last change of the
    status: `reason` says why it stopped or paused by itself, `by` is the subject of a token. `waiting`: why it
    rests at the moment.

    `watched_from` is where the release stood when a person last resumed it: the breaker looks at what came later.

    `spent_micros` is the price of what was released, and of what is reserved in `chunk`: never more than the cap. Before
    `paced_until`, its own pace allows no further message. Until `lease_until`, the worker `lease` has the campaign.
    """

    organization_id: str
    campaign_id: str
    definition: CampaignDefinition
    definition_revision: int = 1
    status: CampaignStatus = "draft"
    status_at: float = 0
    reason: str | None = None
    by: str = ""
    waiting: Waiting | None = None
    created_at: float = 0
    started_at: float = 0
    freeze: Freeze = Freeze()
    zones: dict[str, ZoneCursor] = {}
    watched_from: dict[str, ZoneCursor] = {}
    chunk: Chunk | None = None
    spent_micros: int = 0
    paced_until: float = 0
    lease: str = ""
    lease_until: float = 0
    revision: int = 0

    @property
    def message_id(self) -> str:
        """The id of the turn that the campaign takes in a conversation: a second one is refused by the commit."""
        return f"campaign:{self.campaign_id}"

    @property
    def is_frozen(self) -> bool:
        return self.freeze.finished

    @property
    def is_active(self) -> bool:
        """Whether ticks have to look at it."""
        return self.status in ("scheduled", "running") or self.chunk is not None

    @property
    def cap_left_micros(self) -> int | None:
        """What is left of the spend cap; None without one."""
        cap = self.definition.spend_cap_micros
        return None if cap is None else max(0, cap - self.spent_micros)

    def with_status(self, status: CampaignStatus, at: float, *, by: str = "", reason: str | None = None) -> "Campaign":
        """The campaign after a change of its status."""
        return replace(self, status=status, status_at=at, by=by, reason=reason, waiting=None)
