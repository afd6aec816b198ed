"""Nodes that send a message template, compared with the organization's copy of its templates.

An organization may have several accounts with templates of the same name: a node has a problem if it has it with all of them.
"""

from collections.abc import Collection, Iterable, Iterator

from pytake.engine.facts import NodeFacts, SentTemplate
from pytake.engine.problems import Problem, problem
from pytake.whatsapp.templates import UNSENDABLE_STATUSES, MessageTemplate, language_code, mismatches


def unsendable_templates(nodes: Iterable[NodeFacts], known: Collection[MessageTemplate]) -> Iterator[Problem]:
    """The problems of nodes whose template Meta would refuse, or would not send to everyone."""
    for facts in nodes:
        if facts.template is not None:
            for code, message, field in _problems(facts.template, known):
                yield problem(code, message, flow_id=facts.flow_id, node_id=facts.node_id, field=field)


def _problems(sent: SentTemplate, known: Collection[MessageTemplate]) -> Iterator[tuple[str, str, str]]:
    of_name = [template for template in known if template.name == sent.name]
    found = [template for template in of_name if template.language == language_code(sent.language)]
    if not found:
        languages = ", ".join(sorted({template.language for template in of_name}))
        there = f"It exists in {languages}." if languages else "Correct the name, or create the template."
        yield (
            "unknown_message_template",
            f"The message template `{sent.name}` does not exist in `{sent.language}`, so Meta refuses it. {there}",
            "language" if languages else "name",
        )
        return
    unsendable = [template for template in found if template.status in UNSENDABLE_STATUSES]
    if len(unsendable) == len(found):
        status = unsendable[0].status
        message = f"The template `{sent.name}` has the status {status}. Meta sends it only when it is APPROVED."
        yield "unsendable_message_template", message, "name"
    misfits = [mismatches(template, sent.components) for template in found]
    if all(misfits):
        for misfit in misfits[0]:
            yield "message_template_parameters", misfit.message, _field(misfit.field)
    if all(template.category == "MARKETING" for template in found):
        message = (
            f"The template `{sent.name}` has the category MARKETING: people who have not consented to marketing do not get it. "
            "Send a UTILITY template if everyone needs it."
        )
        yield "marketing_message_template", message, "name"


def _field(place: str) -> str:
    """The field of a place below `components`; a part that is missing has none of its own."""
    first, *others = place.split(".")
    if not first.isdecimal():
        return "components"
    return f"components[{first}]" + "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in others)
