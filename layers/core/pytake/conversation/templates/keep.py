"""Keep the copy of templates as Meta's webhooks tell it."""

from functools import partial

from pytake.conversation.ports.templates import Templates
from pytake.conversation.queues import StatusesItem
from pytake.conversation.templates.stops import ReportStoppedTemplates
from pytake.conversation.templates.stored import TemplateKey, after_change
from pytake.whatsapp.template_changes import read_change


class KeepTemplates:
    """The use case of the statuses function for changes of an account's templates. It may be repeated."""

    def __init__(self, templates: Templates, report_stopped: ReportStoppedTemplates) -> None:
        self._templates = templates
        self._report_stopped = report_stopped

    def __call__(self, item: StatusesItem) -> int:
        """Apply the changes to the organization's copies; the number of changes that named a template.

        Raises `ConflictError` when others keep writing a copy: the item must be retried.
        """
        named = 0
        for news in item.account_changes:
            change = read_change(news.value)
            if change is None:
                continue
            named += 1
            key = TemplateKey(item.organization_id, news.waba_id, change.name, change.language)
            changed = partial(after_change, waba_id=news.waba_id, change=change, at=news.at)
            before, after = self._templates.change(key, changed)
            # A worker may have died between the write and the report: a change that holds is told again.
            is_latest = change.status is not None and after.status_at == news.at
            self._report_stopped(item.organization_id, None if is_latest else before, after)
        return named
