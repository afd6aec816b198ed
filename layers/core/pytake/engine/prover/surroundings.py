"""What an organization has besides the flow: its secrets, timetables, constants and other flows."""

from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from pytake.engine.compiler import Compilation
from pytake.engine.facts import NodeFacts
from pytake.engine.problems import Problem, problem
from pytake.engine.prover.message_templates import unsendable_templates
from pytake.whatsapp.templates import MessageTemplate


class Surroundings(Struct, frozen=True):
    """What the organization has. What is None is not known, so nothing is reported about it.

    `secrets` are the stored secrets' hosts by name, `timetables` and `constants` their names, `flows` the published flows that
    this one may start, by id, with the names of the parameters that they require. `templates` are all message templates of the
    organization's WhatsApp Business accounts. `sends_email`: the deployment has an address to send e-mails from. `files` are the
    library files by id, with the kind of message that each can be.
    """

    secrets: Mapping[str, Collection[str]] | None = None
    timetables: Collection[str] | None = None
    constants: Collection[str] | None = None
    flows: Mapping[str, Collection[str]] | None = None
    templates: Collection[MessageTemplate] | None = None
    sends_email: bool | None = None
    files: Mapping[str, str] | None = None


def missing_in(known: Surroundings, compilation: Compilation) -> Iterator[Problem]:
    """The problems of a flow that needs what the organization does not have."""
    hides_constants = any(
        write.variable == "constants" for facts in compilation.facts.values() for write in facts.writes
    )
    for facts in compilation.facts.values():
        if known.secrets is not None:
            yield from _unusable_secrets(facts, known.secrets)
        if known.timetables is not None:
            yield from _unknown_timetable(facts, known.timetables)
        if known.constants is not None and not hides_constants:
            yield from _unknown_constants(facts, known.constants)
        if known.flows is not None:
            yield from _not_startable(facts, known.flows)
        if known.files is not None:
            yield from _unsendable_files(facts, known.files)
        if known.sends_email is False:
            for email in facts.emails:
                message = (
                    "This deployment has no address to send e-mails from, so nothing is sent. Its operator sets the parameter "
                    "`EmailFrom`."
                )
                yield _problem("email_not_set_up", message, facts, email.field.removesuffix(".to"))
    if known.templates is not None:
        spoken = [compilation.facts, *(translation.facts for translation in compilation.translated)]
        yield from unsendable_templates(
            (facts for of_language in spoken for facts in of_language.values()), known.templates
        )


def _problem(code: str, message: str, facts: NodeFacts, field: str, nearest: str | None = None) -> Problem:
    return problem(code, message, flow_id=facts.flow_id, node_id=facts.node_id, field=field, nearest=nearest)


def _unusable_secrets(facts: NodeFacts, known: Mapping[str, Collection[str]]) -> Iterator[Problem]:
    host = facts.request_host
    for use in facts.secrets:
        if use.name not in known:
            code = "unknown_secret"
            message = (
                f"There is no secret `{use.name}`, so the call fails before it is sent. "
                f"Store it: `pytake secret put {use.name} --host {host or 'HOST'}`."
            )
        elif host is not None and host not in known[use.name]:
            code = "secret_host_refused"
            message = (
                f"The secret `{use.name}` may not be sent to {host}, so the call fails before it is sent. Correct the URL, "
                f"or store the secret for this host: `pytake secret put {use.name} --host {host}`."
            )
        else:
            continue
        yield _problem(code, message, facts, use.field)


def _unknown_timetable(facts: NodeFacts, known: Collection[str]) -> Iterator[Problem]:
    if facts.timetable is not None and facts.timetable not in known:
        message = (
            f"There is no timetable `{facts.timetable}`, so it always counts as closed. Store it with "
            "`PUT /api/v1/timetables`, or choose another one."
        )
        yield _problem("unknown_timetable", message, facts, "hours")


def _unknown_constants(facts: NodeFacts, known: Collection[str]) -> Iterator[Problem]:
    for use in facts.constants:
        if use.name not in known:
            message = (
                f"The organization has no constant `{use.name}`, so its value is empty. Store it with "
                "`PUT /api/v1/organization`, or correct the name."
            )
            yield _problem("unknown_constant", message, facts, use.field)


def _unsendable_files(facts: NodeFacts, known: Mapping[str, str]) -> Iterator[Problem]:
    for use in facts.files:
        kind = known.get(use.file_id)
        if kind is None:
            message = (
                "The organization does not have this file, so the message fails. Choose another one, or upload it with "
                "`POST /api/v1/media` and `keep`."
            )
            yield _problem("unknown_media", message, facts, use.field)
        elif kind != use.kind:
            message = f"WhatsApp sends this file as {kind}, not as {use.kind}. Choose another file, or another `type`."
            yield _problem("unsupported_media", message, facts, use.field, nearest=kind)


def _not_startable(facts: NodeFacts, known: Mapping[str, Collection[str]]) -> Iterator[Problem]:
    for started in facts.started_flows:
        if started.flow_id not in known:
            message = (
                f"The flow `{started.flow_id}` is not published, so it cannot be started. Publish it, or name another."
            )
            yield _problem("unknown_started_flow", message, facts, started.field)
            continue
        missing = sorted(set(known[started.flow_id]) - started.parameters)
        if missing:
            message = (
                f"The flow `{started.flow_id}` requires {', '.join(f'`{name}`' for name in missing)}, so it is not started. "
                "Add the parameters."
            )
            yield _problem("missing_parameter", message, facts, started.parameters_field)
