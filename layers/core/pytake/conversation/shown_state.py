"""The state of a message for people and reports."""

from pytake.conversation.records import Delivery
from pytake.whatsapp.errors import STOPPED_TEMPLATES

HELD_BY_META = "held_for_quality_assessment"

_TEMPLATE_REASONS = frozenset({*STOPPED_TEMPLATES.values(), "template_rejected"})


def shown_state(delivery: Delivery) -> str:
    """Meta's status, else our state.

    `held_for_quality_assessment`, `template_paused`, `template_disabled` and `template_rejected` are told apart: in the ledger
    they are accepted, failed and deferred messages.
    """
    if delivery.status == "failed":
        return STOPPED_TEMPLATES.get(delivery.error_code or 0, "failed")
    if delivery.status is None and delivery.state == "deferred" and delivery.reason in _TEMPLATE_REASONS:
        return delivery.reason
    if delivery.status is None and delivery.state == "accepted" and delivery.held_by_meta:
        return HELD_BY_META
    return delivery.status or delivery.state
