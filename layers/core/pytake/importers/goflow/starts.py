"""The triggers and campaigns of a RapidPro export."""

from typing import Any

from pytake.importers.goflow.bundle import Bundle
from pytake.importers.reading import as_dict, as_list, as_text, dicts
from pytake.importers.report import Loss, Report
from pytake.importers.sources import see
from pytake.importers.starts import keywords_loss

_KEYWORD, _CATCH_ALL = "K", "C"
_KINDS = {
    "I": "an incoming call",
    "M": "a missed call",
    "N": "a new conversation",
    "O": "an opt-in",
    "P": "an opt-out",
    "R": "a referral",
    "S": "a schedule",
    "T": "a closed ticket",
}
_UNITS = {"M": "minutes", "H": "hours", "D": "days", "W": "weeks"}


def report_starts(settings: dict[str, Any], bundle: Bundle, report: Report) -> None:
    """Report what starts the flows of an export besides the flows themselves."""
    for number, trigger in enumerate(dicts(settings.get("triggers"))):
        _report_trigger(trigger, f"triggers[{number}]", bundle, report)
    for number, campaign in enumerate(dicts(settings.get("campaigns"))):
        name = as_text(campaign.get("name"))
        group = as_text(as_dict(campaign.get("group")).get("name"))
        for at, event in enumerate(dicts(campaign.get("events"))):
            source = f"campaigns[{number}].events[{at}]"
            flow = bundle.find(event.get("flow"))
            field = as_text(as_dict(event.get("relative_to")).get("key"))
            unit = _UNITS.get(as_text(event.get("unit")), "days")
            message = (
                f"The campaign `{name[:60]}` writes to the group `{group[:60]}` {as_text(event.get('offset'))} {unit} after "
                f"`{field[:40]}`. Add a follow-up to a sequence by this date of the contact."
            )
            report.add(Loss("campaign", "loss", source, None, message, flow.flow_id if flow is not None else None))
        see(campaign)


def _report_trigger(trigger: dict[str, Any], source: str, bundle: Bundle, report: Report) -> None:
    flow = bundle.find(trigger.get("flow"))
    flow_id = flow.flow_id if flow is not None else None
    kind = as_text(trigger.get("trigger_type"))
    words = as_list(trigger.get("keywords")) or [trigger.get("keyword")]
    chosen = bool(as_list(trigger.get("groups")) or as_list(trigger.get("exclude_groups")))
    found = keywords_loss(words) if kind in (_KEYWORD, "") else None
    if found is not None:
        report.add(Loss(found[0], found[1], source, None, found[2], flow_id))
        if trigger.get("match_type") == "F":
            message = (
                "The words start the flow at the beginning of a message. A keyword of PyTake is the whole message."
            )
            report.add(Loss("keyword_match", "loss", source, None, message, flow_id))
    elif kind == _CATCH_ALL:
        message = "This flow answers what no word starts. Choose it as the number's flow when you publish it."
        report.add(Loss("default_flow", "note", source, None, message, flow_id))
    else:
        message = (
            f"The flow starts by {_KINDS.get(kind, f'a trigger of the type `{kind[:20]}`')}. Start it by a sequence, a campaign "
            "or the API."
        )
        report.add(Loss("trigger", "loss", source, None, message, flow_id))
    if chosen:
        message = "The trigger holds for some groups. PyTake's holds for everyone: check the tags by a condition."
        report.add(Loss("trigger_groups", "loss", source, None, message, flow_id))
    see(trigger)
