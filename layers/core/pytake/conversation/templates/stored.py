"""The copy of a template, and how news changes it: in any order, repeated or late, the newest holds.

Status, category, quality and components are told apart, so each has the time of its own last news.
"""

from msgspec import Struct
from msgspec.structs import replace

from pytake.whatsapp.template_changes import TemplateChange, changed_components
from pytake.whatsapp.templates import STOPPED_STATUSES, MessageTemplate

DELETED = "DELETED"


class TemplateKey(Struct, frozen=True):
    """Where a copy is: templates belong to a WhatsApp Business account, and a name has one template per language."""

    organization_id: str
    waba_id: str
    name: str
    language: str


class StoredTemplate(Struct, frozen=True, omit_defaults=True):
    """The copy of a template. The times are Meta's, in seconds. `title` tells why the status changed (FIRST_PAUSE, UNPAUSE …);
    `next_category` is announced for the day after."""

    waba_id: str
    template: MessageTemplate
    status_at: float = 0
    category_at: float = 0
    quality_at: float = 0
    components_at: float = 0
    title: str | None = None
    next_category: str | None = None

    @property
    def stop_reason(self) -> str | None:
        """Why nothing is sent with the template: `template_paused`, `template_disabled` or `template_rejected`; None: Meta may
        take it."""
        status = self.template.status
        return f"template_{status.lower()}" if status in STOPPED_STATUSES else None

    @property
    def is_deleted(self) -> bool:
        return self.template.status == DELETED


def after_listing(known: StoredTemplate | None, waba_id: str, listed: MessageTemplate, at: float) -> StoredTemplate:
    """The copy after the account's list, asked for at a time, has shown the template."""
    if known is None:
        return StoredTemplate(waba_id, listed, at, at, at, at)
    now = known.template
    merged = replace(now, id=listed.id or now.id, parameter_format=listed.parameter_format)
    if at >= known.status_at:
        title = known.title if listed.status == now.status else None
        merged = replace(merged, status=listed.status, reason=listed.reason)
        known = replace(known, status_at=at, title=title)
    if at >= known.category_at:
        merged = replace(merged, category=listed.category)
        next_category = known.next_category if known.next_category != listed.category else None
        known = replace(known, category_at=at, next_category=next_category)
    if at >= known.quality_at:
        merged, known = replace(merged, quality=listed.quality), replace(known, quality_at=at)
    if at >= known.components_at and listed.components is not None:
        merged, known = replace(merged, components=listed.components), replace(known, components_at=at)
    return replace(known, template=merged)


def after_change(known: StoredTemplate | None, waba_id: str, change: TemplateChange, at: float) -> StoredTemplate:
    """The copy after a webhook of a time. The first webhook about a template makes a copy without components."""
    known = known or StoredTemplate(waba_id, MessageTemplate(change.name, change.language))
    merged = known.template
    if change.status is not None and at >= known.status_at:
        merged = replace(merged, status=change.status, reason=change.reason, id=change.id or merged.id)
        known = replace(known, status_at=at, title=change.title)
    if (change.category or change.next_category) and at >= known.category_at:
        # An announcement names the category that holds until then.
        merged = replace(merged, category=change.category or merged.category)
        known = replace(known, category_at=at, next_category=change.next_category)
    if change.quality is not None and at >= known.quality_at:
        merged, known = replace(merged, quality=change.quality), replace(known, quality_at=at)
    if change.texts is not None and merged.components is not None and at >= known.components_at:
        merged = replace(merged, components=changed_components(merged.components, change.texts))
        known = replace(known, components_at=at)
    return replace(known, template=merged)


def after_deletion(known: StoredTemplate, at: float) -> StoredTemplate:
    """The copy of a template that the account does not have any more at a time."""
    if known.is_deleted or at < known.status_at:
        return known
    return replace(known, template=replace(known.template, status=DELETED, reason=None), status_at=at, title=None)
