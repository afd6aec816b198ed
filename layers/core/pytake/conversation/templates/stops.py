"""Templates that Meta has stopped: operators are told, because messages wait for them."""

from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents
from pytake.conversation.templates.stored import StoredTemplate


class ReportStoppedTemplates:
    """Tells operators that a template was paused, disabled or rejected: an event with an alarm."""

    def __init__(self, operator_events: OperatorEvents) -> None:
        self._operator_events = operator_events

    def __call__(self, organization_id: str, before: StoredTemplate | None, after: StoredTemplate) -> None:
        """Tell it, if the status of a copy has become one with which Meta sends nothing. `before` None: a new copy."""
        if after.stop_reason is None or (before is not None and before.stop_reason == after.stop_reason):
            return
        template = after.template
        detail = {
            "waba_id": after.waba_id,
            "template": template.name,
            "language": template.language,
            "reason": after.stop_reason,
            "cause": after.title or template.reason,
        }
        self._operator_events.publish(OperatorEvent("template.stopped", organization_id, detail))
