"""Actions that the use case performs: to start a flow for another person, to send an e-mail.

The turn pauses until each has ended.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pytake.engine.effects import Effect, EffectResult, EmailRequest, StartFlowRequest
from pytake.engine.execution import CompiledNode, Execution
from pytake.engine.facts import EmailTo, StartedFlow
from pytake.engine.limits import EMAIL_RECIPIENTS, EMAIL_TEXT_CHARACTERS, SUBJECT_CHARACTERS
from pytake.engine.node_build import NodeBuild
from pytake.engine.validators.email import address


class StartFlowAction(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="start_flow"):
    """Start a published flow for another person: `to` is a phone number or a user id, `parameters` are values for its start.

    The flow replaces the one that runs for that person. It starts within seconds. If the person has not written within 24
    hours, its first turn may send only templates. `outcome_variable` stores `started`, or why it was refused: `flow_unknown`,
    `recipient_invalid`, `parameter_missing`, `opted_out`, `with_agent`, `window_closed`, `unavailable`.
    """

    to: str
    flow_id: str
    parameters: dict[str, Any] | None = None
    outcome_variable: str | None = None


class SendEmailAction(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="send_email"):
    """Send an e-mail in plain text, from the address of the deployment (parameter `EmailFrom`).

    `to` holds up to 10 addresses, separated by commas. A subject is cut after 200 characters, a text after 20,000.
    `outcome_variable` stores `sent`, or why it was not sent: `recipient_invalid`, `not_configured`, `refused` (by Amazon SES),
    `limit`, `call_limit`, `unavailable`.
    """

    to: str
    subject: str
    text: str
    outcome_variable: str | None = None


EffectAction = StartFlowAction | SendEmailAction


class EffectAct(Struct, frozen=True):
    """A compiled action with an effect: its request (None: nothing is asked for), and what its result leads to."""

    request: Callable[[Execution], Effect | None]
    finish: Callable[[Execution], None]


def compile_effect_action(action: EffectAction, build: NodeBuild, index: int) -> EffectAct:
    """Compile an action of a node."""
    field = f"actions[{index}]"
    if isinstance(action, StartFlowAction):
        return EffectAct(_start_flow(action, build, index), _finish(action.outcome_variable, "started", build, field))
    return EffectAct(_send_email(action, build, index), _finish(action.outcome_variable, "sent", build, field))


def _start_flow(action: StartFlowAction, build: NodeBuild, index: int) -> Callable[[Execution], Effect | None]:
    field, node, flow_id = f"actions[{index}]", build.node, action.flow_id
    if not flow_id or "{{" in flow_id:
        build.problem("invalid_value", f"{field}.flow_id", "Enter the id of a flow, without expressions.")
    if not action.to.strip():
        build.problem("missing_field", f"{field}.to", "Enter the phone number or user id of the person.")
    to = build.rendering(action.to, f"{field}.to")
    parameters = build.value(action.parameters or {}, f"{field}.parameters")
    build.facts.started_flows.append(
        StartedFlow(flow_id, frozenset(action.parameters or {}), f"{field}.flow_id", f"{field}.parameters")
    )
    return lambda run: StartFlowRequest(_key(run, node, index), to(run).strip(), flow_id, parameters(run))


def _send_email(action: SendEmailAction, build: NodeBuild, index: int) -> Callable[[Execution], Effect | None]:
    field, node = f"actions[{index}]", build.node
    if "{{" not in action.to and not addresses(action.to):
        message = f"`{action.to}` is not an e-mail address. Enter up to {EMAIL_RECIPIENTS}, separated by commas."
        build.problem("invalid_value", f"{field}.to", message)
    build.facts.emails.append(EmailTo(action.to, f"{field}.to", len(build.facts.writes)))
    to = build.rendering(action.to, f"{field}.to")
    subject, text = build.rendering(action.subject, f"{field}.subject"), build.rendering(action.text, f"{field}.text")

    def request(run: Execution) -> EmailRequest | None:
        recipients = addresses(to(run))
        if not recipients:
            return None
        # A line break would end the header.
        line = " ".join(subject(run).split())[:SUBJECT_CHARACTERS]
        return EmailRequest(_key(run, node, index), recipients, line, text(run)[:EMAIL_TEXT_CHARACTERS])

    return request


def addresses(text: str) -> list[str]:
    """The e-mail addresses in a list with commas; none if one of them is invalid, or if there are too many."""
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    found = [address(part) for part in parts]
    if len(found) > EMAIL_RECIPIENTS:
        return []
    return [] if None in found else [one for one in found if one is not None]


def _finish(variable: str | None, done: str, build: NodeBuild, field: str) -> Callable[[Execution], None]:
    """What follows from the result: the outcome is stored, and an event reports a failure."""
    store = build.variable(variable, f"{field}.outcome_variable") if variable else None
    node_id = build.node_id

    def finish(run: Execution) -> None:
        result = run.effect_result or EffectResult(ok=False, error="recipient_invalid")  # nothing was asked for
        reason = (result.error or "failed").partition(":")[0]
        if store is not None:
            store(run, done if result.ok else reason)
        if not result.ok:
            run.emit("effect_failed", node_id=node_id, error=reason)

    return finish


def _key(run: Execution, node: CompiledNode, index: int) -> str:
    return f"{run.context.seed}/{node.flow_id}/{node.node_id}/{len(run.path)}.{index}"
