"""Who gets which variant, and who is left out: a hash of campaign and contact, as the `random` node draws."""

from collections.abc import Sequence
from hashlib import sha256

from pytake.campaigns.records import CampaignDefinition, Variant


def is_held_out(campaign_id: str, contact_id: str, definition: CampaignDefinition) -> bool:
    """Whether a person belongs to the share that gets nothing."""
    return _drawn(contact_id, f"{campaign_id}\nholdout") < definition.holdout


def variant_of(campaign_id: str, contact_id: str, variants: Sequence[Variant]) -> str:
    """The name of a person's variant; empty without variants. It does not depend on the holdout."""
    point = _drawn(contact_id, f"{campaign_id}\nvariant") * sum(variant.share for variant in variants)
    name = ""
    for variant in variants:  # the last one also covers rounding errors
        point, name = point - variant.share, variant.name if variant.share else name
        if point < 0:
            break
    return name


def _drawn(contact_id: str, salt: str) -> float:
    """A number from 0 (included) to 1, the same for each contact and salt."""
    return int.from_bytes(sha256(f"{contact_id}\n{salt}".encode(errors="replace")).digest()[:8], "big") / 2**64
