"""The mark on the turns that campaigns take."""

from msgspec import Struct

RETRY_SUFFIX = ":retry"
"""Ends the id of the turn that repeats a campaign's message."""


class CampaignMark(Struct, frozen=True, omit_defaults=True):
    """Says that a turn was taken by a campaign, whose messages leave through the queue of campaigns.

    `variant` is the name of the person's variant. `slot_at` is the reserved time at which the message may leave: its sender
    reserves no other. `price_micros` is what was reserved of the spend cap for it, in millionths of the currency. `retry`: it is
    the repetition of a message that Meta did not deliver. `recipient` is the contact in the campaign's audience, if that contact
    was merged into the conversation's one since. `marketing_messages`: whether a marketing template goes to Meta's API for
    them; None: as the number says.
    """

    campaign_id: str
    variant: str = ""
    slot_at: float = 0
    price_micros: int = 0
    retry: bool = False
    recipient: str = ""
    marketing_messages: bool | None = None
