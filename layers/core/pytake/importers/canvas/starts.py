"""The triggers of a canvas."""

from typing import Any

from pytake.importers.draft import FlowDraft
from pytake.importers.reading import as_list, as_text, dicts
from pytake.importers.sources import see
from pytake.importers.starts import keywords_loss


def report_triggers(draft: FlowDraft, triggers: Any) -> None:
    """Report what starts the flow. PyTake keeps it at the number."""
    for number, trigger in enumerate(dicts(triggers)):
        words = as_list(trigger.get("keywords")) or [trigger.get("keyword") or trigger.get("value")]
        kind = as_text(trigger.get("type"))
        found = keywords_loss(words) if kind in ("", "keyword", "keywords") else None
        code, severity, message = found or (
            "trigger",
            "loss",
            f"The flow starts by a trigger of the type `{kind[:40]}`. Start it at the number, by a campaign or by the API.",
        )
        draft.lose(code, severity, f"triggers[{number}]", message)
        see(trigger)
