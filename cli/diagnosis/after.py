"""Checks of a deployed stack: its state, its addresses, its alarms, its rate, its numbers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Protocol

import httpx

from cli.diagnosis.findings import Finding
from cli.stack import DeployedStack
from pytake.conversation.ports.tenants import Secrets, TenantRepository
from pytake.conversation.records import FlowSummary, Number
from pytake.meta.graph_api import GraphApi
from pytake.whatsapp.sending import SendFailedError

SPECIFIED_MESSAGES_PER_MINUTE = 5
"""The default of the template. A conversation of one person can need more."""


class FlowSummaries(Protocol):
    """Published flows."""

    def summary(self, organization_id: str, flow_id: str) -> FlowSummary | None:
        """The flow, or None."""


def check_addresses(http: httpx.Client, stack: DeployedStack) -> Iterator[Finding]:
    """The webhook refuses a wrong verify token, and the REST API a request without a token."""
    question = {"hub.mode": "subscribe", "hub.verify_token": "pytake-doctor", "hub.challenge": "1"}
    webhook, api = stack.outputs["WebhookUrl"], f"{stack.outputs['ApiUrl']}/api/v1/organization"
    for name, address, query, expected in (
        ("webhook", webhook, question, HTTPStatus.FORBIDDEN),
        ("REST API", api, {}, HTTPStatus.UNAUTHORIZED),
    ):
        try:
            status: int | str = http.get(address, params=query).status_code
        except httpx.HTTPError as error:
            status = type(error).__name__
        if status == expected:
            yield Finding(name, "ok", f"{address} answers.")
        else:
            advice = "Look at the log of the function and the alarm api-errors (docs/operations.md)."
            yield Finding(name, "failed", f"{address} answered {status}, not {expected.value}.", advice)


def check_alarms(client: Any, stack: DeployedStack, resource: Any) -> Iterator[Finding]:
    """An address receives the alarms: an email subscription must be confirmed."""
    topic = stack.parameters.get("AlarmTopicArn")
    if not topic and not stack.parameters.get("AlarmEmail"):
        advice = "Deploy with AlarmEmail or AlarmTopicArn: without one, alarms are only seen in the console."
        yield Finding("alarms", "failed", "No address receives the alarms.", advice)
        return
    found = client.list_subscriptions_by_topic(TopicArn=topic or resource("AlarmTopic"))["Subscriptions"]
    pending = [one["Endpoint"] for one in found if one["SubscriptionArn"] == "PendingConfirmation"]
    if pending:
        text = f"The subscription of {', '.join(pending)} is not confirmed: no alarm arrives."
        advice = (
            "Open the email 'AWS Notification - Subscription Confirmation' and follow its link. If it has expired, create the "
            "subscription again in the SNS console."
        )
        yield Finding("alarms", "failed", text, advice)
    elif not found:
        yield Finding("alarms", "failed", "The alarm topic has no subscription.", "Subscribe an address to the topic.")
    else:
        yield Finding("alarms", "ok", f"{len(found)} confirmed subscriptions receive the alarms.")


def check_rate(client: Any, stack: DeployedStack, now: datetime) -> Iterator[Finding]:
    """The default sending rate, and whether answers waited for it in the last day."""
    per_minute = int(stack.parameters["MessagesPerMinute"])
    answer = client.get_metric_statistics(
        Namespace="PyTake",
        MetricName="RateLimitWaits",
        Dimensions=[{"Name": "stage", "Value": stack.stage}],
        StartTime=now - timedelta(days=1),
        EndTime=now,
        Period=86_400,
        Statistics=["Sum"],
    )
    waits = int(sum(point["Sum"] for point in answer["Datapoints"]))
    if waits == 0 and per_minute > SPECIFIED_MESSAGES_PER_MINUTE:
        yield Finding("sending rate", "ok", f"{per_minute} messages a minute per organization; none waited in a day.")
        return
    text = f"An organization sends at most {per_minute} messages a minute, unless it sets its own limit; "
    text += f"{waits} messages waited for it in the last day." if waits else "further answers wait."
    advice = (
        "Raise MessagesPerMinute, or an organization's messages_per_minute: Meta itself takes 80 a second per number."
    )
    yield Finding("sending rate", "warning", text, advice)


class NumberChecks:
    """Checks of the numbers of one organization."""

    def __init__(
        self, tenants: TenantRepository, secrets: Secrets, flows: FlowSummaries, graph: GraphApi, webhook_url: str
    ) -> None:
        """`webhook_url` is where Meta has to post."""
        self._tenants = tenants
        self._secrets = secrets
        self._flows = flows
        self._graph = graph
        self._webhook_url = webhook_url

    def __call__(self, organization_id: str) -> Iterator[Finding]:
        """Check each number: sending, flow, verify token, and what Meta says about it."""
        numbers = self._tenants.numbers(organization_id)
        if not numbers:
            advice = "Connect one: pytake number put (README.md)."
            yield Finding("numbers", "warning", f"Organization {organization_id} has no numbers.", advice)
        for number in numbers:
            findings = [*self._stored(number), *self._at_meta(number)]
            yield from findings
            if not findings:
                yield Finding(self._name(number), "ok", "It sends, has a flow, and Meta posts its messages here.")

    def _stored(self, number: Number) -> Iterator[Finding]:
        name, id_ = self._name(number), number.phone_number_id
        if number.stopped_reason:
            advice = f"Fix the cause, then: pytake number resume {id_}"
            yield Finding(name, "failed", f"It is stopped: {number.stopped_reason}.", advice)
        if number.verify_token_hash is None:
            advice = f"Set one: pytake number put {id_} --verify-token TOKEN"
            yield Finding(name, "failed", "It has no verify token, so Meta cannot set up the webhook.", advice)
        if number.default_flow_id is None and not number.keywords:
            yield Finding(name, "failed", "It has no flow.", f"Set one: pytake number put {id_} --default-flow FLOW")
        for flow_id in sorted({*number.keywords.values(), *filter(None, [number.default_flow_id])}):
            flow = self._flows.summary(number.organization_id, flow_id)
            if flow is None or flow.published_version is None:
                advice = f"Publish it: POST /api/v1/flows/{flow_id}/publish, or pytake flow publish."
                yield Finding(name, "failed", f"Its flow {flow_id} is not published.", advice)

    def _at_meta(self, number: Number) -> Iterator[Finding]:
        name, id_ = self._name(number), number.phone_number_id
        secrets = self._secrets.of_number(number.organization_id, id_)
        if secrets is None:
            yield Finding(name, "failed", "It has no secrets.", f"Store them: pytake number put {id_}")
            return
        try:
            profile = self._graph.profile(id_, secrets.access_token)
        except SendFailedError as error:
            advice = f"Store a token that may use the number: pytake number put {id_} --access-token @FILE"
            yield Finding(name, "failed", f"Meta does not give its profile: {error}.", advice)
            return
        if profile.status not in (None, "CONNECTED"):
            advice = "Look at the number in Meta's WhatsApp Manager."
            yield Finding(name, "failed", f"Its status at Meta is {profile.status}.", advice)
        if profile.webhook_url is None:
            advice = f"Set the callback URL {self._webhook_url} in Meta's app, and subscribe to the field messages."
            yield Finding(name, "failed", "Meta knows no webhook for it.", advice)
        elif profile.webhook_url != self._webhook_url:
            advice = f"Set the callback URL {self._webhook_url} in Meta's app, or remove the override."
            yield Finding(name, "failed", f"Meta posts its messages to {profile.webhook_url}.", advice)

    def _name(self, number: Number) -> str:
        return f"number {number.phone_number_id}"
