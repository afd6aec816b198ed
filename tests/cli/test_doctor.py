"""`pytake doctor`: what each check says of a sound and of a broken deployment. AWS, the issuer and Meta are fakes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError
from msgspec.structs import replace
from typer.testing import CliRunner

from cli import doctor as command
from cli.diagnosis import after, before
from cli.diagnosis.findings import Finding, run
from cli.main import app
from cli.stack import DeployedStack
from pytake.conversation.records import FlowSummary, Number, NumberSecrets
from pytake.meta.graph_api import GraphApi
from tests import fakes
from tests.stack import translated

ISSUER = "https://id.example.com/realms/acme"
WEBHOOK = "https://api.example.com/api/v1/whatsapp/webhook"
PARAMETERS = {
    **command.template_defaults(),
    "OidcIssuer": ISSUER,
    "Stage": "prod",
    "MessagesPerMinute": "600",
    "AlarmEmail": "ops@example.com",
}
NUMBER = Number("acme", "100", "+55 11 4000-0001", "main", verify_token_hash="hash")


class Answers:
    """A client of AWS with an answer for each operation; an exception is raised."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**_: Any) -> Any:
            answer = self._answers[operation]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def web(pages: dict[str, Any]) -> httpx.Client:
    """A web with these pages: a number is a status, anything else JSON."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = pages.get(str(request.url).partition("?")[0])
        if found is None:
            raise httpx.ConnectError("no such host", request=request)
        return httpx.Response(found) if isinstance(found, int) else httpx.Response(200, json=found)

    return httpx.Client(transport=httpx.MockTransport(answer))


def issuer_pages(issuer: str = ISSUER, named: str | None = None, kty: str = "RSA") -> dict[str, Any]:
    keys = "https://id.example.com/keys"
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    return {address: {"issuer": named or issuer, "jwks_uri": keys}, keys: {"keys": [{"kty": kty}]}}


@pytest.mark.parametrize("issuer", [ISSUER, "https://example.eu.auth0.com/"])
def test_a_sound_issuer_is_ok(issuer: str) -> None:
    (finding,) = before.check_issuer(web(issuer_pages(issuer)), issuer)
    assert finding.state == "ok"


@pytest.mark.parametrize(
    ("issuer", "pages", "advice"),
    [
        ("http://id.example.com", {}, "claim iss"),
        (ISSUER, {}, "not the domain of the hosted login"),
        (ISSUER, issuer_pages(named=f"{ISSUER}/"), f"OidcIssuer={ISSUER}/:"),
        (ISSUER, issuer_pages(kty="EC"), "RSA key"),
    ],
)
def test_an_issuer_that_api_gateway_would_refuse_fails(issuer: str, pages: dict[str, Any], advice: str) -> None:
    (finding,) = before.check_issuer(web(pages), issuer)
    assert finding.state == "failed"
    assert advice in finding.advice


@pytest.mark.parametrize(
    ("quota", "free", "state"), [(1000, 900, "ok"), (1000, 100, "warning"), (400, 400, "warning"), (10, 10, "failed")]
)
def test_the_concurrency_of_the_account_is_compared_with_what_the_stack_may_use(
    quota: int, free: int, state: str
) -> None:
    limit = {"ConcurrentExecutions": quota, "UnreservedConcurrentExecutions": free}
    (finding,) = before.check_concurrency(Answers(get_account_settings={"AccountLimit": limit}), 160)
    assert finding.state == state
    assert ("L-B99A9384" in finding.advice) == (state != "ok")


@pytest.mark.parametrize(
    ("rate", "burst", "state"), [(10_000.0, 5000, "ok"), (500.0, 5000, "warning"), (10_000.0, 1, "warning")]
)
def test_the_api_quota_is_compared_with_the_throttle_of_the_api(rate: float, burst: int, state: str) -> None:
    account = {"throttleSettings": {"rateLimit": rate, "burstLimit": burst}}
    (finding,) = before.check_api_quota(Answers(get_account=account), ("Api", "Webhook"), 1000, 2000)
    assert finding.state == state


class ThrottledAccount(DeployedStack):
    """A stack in an account whose throttle is given as the options of its clients."""

    def client(self, _: str) -> Any:
        return Answers(get_account={"throttleSettings": self.options})


@pytest.mark.parametrize("larger", ["Api", "Webhook"])
@pytest.mark.parametrize(
    ("limit", "throttle"),
    [
        ("RateLimit", {"rateLimit": 2500.0, "burstLimit": 5000}),
        ("BurstLimit", {"rateLimit": 10_000.0, "burstLimit": 2500}),
    ],
)
def test_the_larger_one_of_the_api_s_and_the_webhook_s_limits_counts(
    larger: str, limit: str, throttle: dict[str, Any]
) -> None:
    stack = ThrottledAccount("", {}, {**PARAMETERS, f"{larger}{limit}": "3000"}, throttle)
    with web({}) as http:
        (finding,) = dict(command.before(stack, http, []))["API Gateway quota"]()
    assert (finding.state, "3000" in finding.text) == ("warning", True)


def test_the_limits_of_the_webhook_s_route_do_not_count_for_a_function_url() -> None:
    """Meta then posts to the function, which API Gateway does not throttle."""
    given = {**PARAMETERS, "WebhookEndpoint": "function-url", "WebhookRateLimit": "6000", "WebhookBurstLimit": "6000"}
    stack = ThrottledAccount("", {}, given, {"rateLimit": 2500.0, "burstLimit": 5000})
    with web({}) as http:
        (finding,) = dict(command.before(stack, http, []))["API Gateway quota"]()
        assert (finding.state, "webhook" in finding.text) == ("ok", False)
        del given["WebhookEndpoint"]  # the stack was deployed by a release that had no function URL
        (finding,) = dict(command.before(stack, http, []))["API Gateway quota"]()
        assert (finding.state, "webhook" in finding.text) == ("warning", True)


AVAILABLE: dict[str, Any] = {
    "regionAvailability": "AVAILABLE",
    "authorizationStatus": "AUTHORIZED",
    "entitlementAvailability": "AVAILABLE",
    "agreementAvailability": {"status": "AVAILABLE"},
}


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({}, ""),
        ({"regionAvailability": "NOT_AVAILABLE"}, "another model"),
        ({"authorizationStatus": "NOT_AUTHORIZED"}, "as an administrator"),
        ({"entitlementAvailability": "NOT_AVAILABLE"}, "as an administrator"),
        ({"agreementAvailability": {"status": "PENDING"}}, "agreement"),
    ],
)
def test_a_model_without_access_fails_with_what_to_do(change: dict[str, Any], advice: str) -> None:
    client = Answers(get_foundation_model_availability=AVAILABLE | change)
    (finding,) = before.check_models(client, ["us.anthropic.claude-haiku"])
    assert finding.state == ("failed" if change else "ok")
    assert advice in finding.advice


def stack(**parameters: str) -> DeployedStack:
    outputs = {"ApiUrl": "https://api.example.com", "WebhookUrl": WEBHOOK}
    return DeployedStack("pytake-prod", outputs, PARAMETERS | parameters)


@pytest.mark.parametrize(
    ("pages", "states"),
    [
        ({WEBHOOK: 403, "https://api.example.com/api/v1/organization": 401}, ["ok", "ok"]),
        ({WEBHOOK: 500}, ["failed", "failed"]),
        ({WEBHOOK: 403, "https://api.example.com/api/v1/organization": 200}, ["ok", "failed"]),
    ],
)
def test_the_addresses_answer_strangers_with_a_refusal(pages: dict[str, Any], states: list[str]) -> None:
    assert [finding.state for finding in after.check_addresses(web(pages), stack())] == states


def subscriptions(*arns: str) -> Answers:
    found = [{"SubscriptionArn": arn, "Endpoint": "ops@example.com"} for arn in arns]
    return Answers(list_subscriptions_by_topic={"Subscriptions": found})


@pytest.mark.parametrize(
    ("parameters", "arns", "state", "advice"),
    [
        ({}, ["arn:aws:sns:1"], "ok", ""),
        ({}, ["PendingConfirmation"], "failed", "follow its link"),
        ({"AlarmTopicArn": "arn:aws:sns:eu-west-1:1:topic"}, [], "failed", "Subscribe an address"),
        ({"AlarmEmail": ""}, ["arn:aws:sns:1"], "failed", "AlarmEmail"),
    ],
)
def test_the_alarms_must_reach_somebody(parameters: dict[str, str], arns: list[str], state: str, advice: str) -> None:
    (finding,) = after.check_alarms(subscriptions(*arns), stack(**parameters), lambda name: f"arn:{name}")
    assert finding.state == state
    assert advice in finding.advice


@pytest.mark.parametrize(
    ("per_minute", "waits", "state"), [("600", [], "ok"), ("600", [3.0], "warning"), ("5", [], "warning")]
)
def test_a_rate_at_which_answers_wait_is_a_warning(per_minute: str, waits: list[float], state: str) -> None:
    client = Answers(get_metric_statistics={"Datapoints": [{"Sum": count} for count in waits]})
    (finding,) = after.check_rate(client, stack(MessagesPerMinute=per_minute), datetime(2026, 11, 29, tzinfo=UTC))
    assert finding.state == state
    assert per_minute in finding.text


class Numbers:
    """One number that is set up well, until a test breaks something."""

    def __init__(self) -> None:
        self.tenants, self.secrets, self.flows = fakes.MemoryTenants(), fakes.MemorySecrets(), fakes.MemoryFlows()
        self.tenants.by_id["100"] = replace(NUMBER)
        self.secrets.put("acme", "100", NumberSecrets("app-secret", "access-token"))
        self.flows.list["acme", "main"] = FlowSummary("main", "Main", 1, 1)
        self.profile: Any = {"id": "100", "status": "CONNECTED", "webhook_configuration": {"application": WEBHOOK}}

    def findings(self) -> list[Finding]:
        def answer(_: httpx.Request) -> httpx.Response:
            return httpx.Response(200 if "id" in self.profile else 400, json=self.profile)

        graph = GraphApi("https://graph.test", "v25.0", transport=httpx.MockTransport(answer))
        return list(after.NumberChecks(self.tenants, self.secrets, self.flows, graph, WEBHOOK)("acme"))


def test_a_number_that_is_set_up_is_ok() -> None:
    assert [finding.state for finding in Numbers().findings()] == ["ok"]


def stopped(numbers: Numbers) -> None:
    numbers.tenants.by_id["100"].stopped_reason = "fatal_token:190"


def without_flow(numbers: Numbers) -> None:
    numbers.tenants.by_id["100"].default_flow_id = None


def unpublished(numbers: Numbers) -> None:
    numbers.flows.list["acme", "main"].published_version = None


def without_verify_token(numbers: Numbers) -> None:
    numbers.tenants.by_id["100"].verify_token_hash = None


def without_secrets(numbers: Numbers) -> None:
    numbers.secrets.stored.clear()


def refused(numbers: Numbers) -> None:
    numbers.profile = {"error": {"code": 190, "message": "Malformed access token"}}


def elsewhere(numbers: Numbers) -> None:
    numbers.profile["webhook_configuration"]["phone_number"] = "https://old.example.com"


def unsubscribed(numbers: Numbers) -> None:
    del numbers.profile["webhook_configuration"]


def banned(numbers: Numbers) -> None:
    numbers.profile["status"] = "BANNED"


def unconnected(numbers: Numbers) -> None:
    numbers.tenants.by_id.clear()


@pytest.mark.parametrize(
    ("breaks", "state", "advice"),
    [
        (stopped, "failed", "pytake number resume 100"),
        (without_flow, "failed", "--default-flow"),
        (unpublished, "failed", "pytake flow publish"),
        (without_verify_token, "failed", "--verify-token"),
        (without_secrets, "failed", "pytake number put 100"),
        (refused, "failed", "--access-token"),
        (elsewhere, "failed", "remove the override"),
        (unsubscribed, "failed", WEBHOOK),
        (banned, "failed", "WhatsApp Manager"),
        (unconnected, "warning", "pytake number put"),
    ],
)
def test_what_is_wrong_with_a_number_is_named_with_what_to_do(
    breaks: Callable[[Numbers], None], state: str, advice: str
) -> None:
    numbers = Numbers()
    breaks(numbers)
    (finding,) = numbers.findings()
    assert finding.state == state
    assert advice in finding.advice
    assert "access-token" not in finding.text


def test_a_check_that_aws_refuses_is_unknown_and_the_others_go_on() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetAccountSettings")
    checks = [
        ("Lambda concurrency", lambda: before.check_concurrency(Answers(get_account_settings=denied), 1)),
        ("issuer", lambda: before.check_issuer(web(issuer_pages()), ISSUER)),
    ]
    assert [finding.state for finding in run(checks)] == ["unknown", "ok"]


@pytest.mark.parametrize("error", [NoRegionError(), NoCredentialsError()])
def test_without_region_or_credentials_the_advice_is_to_give_them(error: Exception) -> None:
    (finding,) = run([("alarms", lambda: before.check_concurrency(Answers(get_account_settings=error), 1))])
    assert (finding.state, "--region" in finding.advice) == ("unknown", True)


def test_the_defaults_are_those_of_the_template() -> None:
    given = translated().document["Parameters"]
    assert command.template_defaults() == {
        name: str(parameter["Default"]) for name, parameter in given.items() if "Default" in parameter
    }


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The answers of AWS before a deployment; a test may change them."""
    limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
    answers: dict[str, Any] = {
        "lambda": Answers(get_account_settings={"AccountLimit": limit}),
        "apigateway": Answers(get_account={"throttleSettings": {"rateLimit": 10_000.0, "burstLimit": 5000}}),
        "bedrock": Answers(get_foundation_model_availability=AVAILABLE),
    }
    monkeypatch.setattr(DeployedStack, "client", lambda _, service: answers[service])
    client = web(issuer_pages())
    monkeypatch.setattr(command.httpx, "Client", lambda **_: client)
    return answers


def doctor(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["doctor", *arguments])


@pytest.mark.usefixtures("account")
def test_before_a_deployment_everything_is_ok() -> None:
    result = doctor("--issuer", ISSUER, "--model", "amazon.nova-micro-v1:0", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert [finding["check"] for finding in found] == [
        "issuer",
        "Lambda concurrency",
        "API Gateway quota",
        "model access",
    ]
    assert {finding["state"] for finding in found} == {"ok"}


def test_a_failure_has_exit_status_1_and_says_what_to_do(account: dict[str, Any]) -> None:
    limit = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}
    account["lambda"] = Answers(get_account_settings={"AccountLimit": limit})
    result = doctor("--issuer", ISSUER)
    assert result.exit_code == 1
    assert "FAILED  Lambda concurrency" in result.output
    assert "L-B99A9384" in result.output


def test_a_wrong_issuer_has_exit_status_1(account: dict[str, Any]) -> None:
    assert account
    assert doctor("--issuer", "https://id.example.com/another").exit_code == 1


def test_a_stack_and_an_issuer_exclude_each_other() -> None:
    assert doctor("--issuer", ISSUER, "--stack", "pytake-prod").exit_code == 2
