"""The routes of the HTTP API and who may call them."""

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.yamlhelper import yaml_dump

from pytake.aws.media_files import S3MediaFiles
from pytake.conversation.ports.media import StoredFile
from tests.stack import Stack, target

OPEN = {
    "GET /api/v1/whatsapp/webhook": "WebhookIntegration",
    "POST /api/v1/whatsapp/webhook": "WebhookIntegration",
    "GET /api/v1/openapi.json": "ApiIntegration",
    "GET /api/v1/docs": "ApiIntegration",
    "GET /": "ConsoleIntegration",
    "GET /console": "ConsoleIntegration",
    "GET /console/{proxy+}": "ConsoleIntegration",
}


def test_all_routes_but_the_webhook_the_documentation_and_the_console_need_a_token(stack: Stack) -> None:
    without, with_token = {}, set()
    for route in stack.properties("AWS::ApiGatewayV2::Route").values():
        integration = route["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")
        if route["AuthorizationType"] == "NONE":
            without[route["RouteKey"]] = integration
        else:
            assert (route["AuthorizationType"], target(route["AuthorizerId"])) == ("JWT", "JwtAuthorizer")
            assert integration == "ApiIntegration"
            with_token.add(route["RouteKey"])
    assert without == OPEN
    assert with_token == {f"{method} /api/v1/{{proxy+}}" for method in ("GET", "PUT", "POST", "DELETE")}


def test_tokens_come_from_the_operators_issuer_for_this_audience(stack: Stack) -> None:
    [authorizer] = stack.properties("AWS::ApiGatewayV2::Authorizer").values()
    assert authorizer["AuthorizerType"] == "JWT"
    assert authorizer["JwtConfiguration"] == {"Issuer": {"Ref": "OidcIssuer"}, "Audience": [{"Ref": "OidcAudience"}]}


def test_functions_get_payload_format_2(stack: Stack) -> None:
    functions = {}
    for name, integration in stack.properties("AWS::ApiGatewayV2::Integration").items():
        assert (integration["IntegrationType"], integration["PayloadFormatVersion"]) == ("AWS_PROXY", "2.0")
        functions[name] = integration["IntegrationUri"]["Fn::Sub"]
    arn = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"
    assert functions == {
        "WebhookIntegration": arn + "${WebhookFunction}:live",
        "ApiIntegration": arn + "${ApiFunction}:live",
        "ConsoleIntegration": arn + "${ConsoleFunction}:live",
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # samcli uses samtranslator
def test_sam_local_start_api_finds_each_route_and_its_function(
    stack: Stack, source: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "expanded.yaml").write_text(yaml_dump(source))
    stacks, failed = SamLocalStackProvider.get_stacks(str(tmp_path / "expanded.yaml"))
    assert failed == []
    found = {
        f"{method} {route.path.replace('<path:proxy>', '{proxy+}')}": route.function_name
        for route in ApiProvider(stacks).api.routes
        for method in route.methods
    }
    declared = {route["RouteKey"]: "ApiFunction" for route in stack.properties("AWS::ApiGatewayV2::Route").values()}
    webhook = {key: "WebhookFunction" for key in declared if key.endswith("/whatsapp/webhook")}
    console = {key: "ConsoleFunction" for key, integration in OPEN.items() if integration == "ConsoleIntegration"}
    expected = {**declared, **webhook, **console}
    assert {key: name for key, name in found.items() if not key.startswith("OPTIONS ")} == expected


def test_only_this_api_may_call_the_functions_and_only_by_their_routes(stack: Stack) -> None:
    paths = {}
    for name, permission in stack.properties("AWS::Lambda::Permission").items():
        if (
            name == "StartPermission" or "Url" in name
        ):  # of the event bus, see test_functions.py; of the function URL, see below
            continue
        assert permission["Principal"] == "apigateway.amazonaws.com"
        paths[stack.behind(permission["FunctionName"])] = permission["SourceArn"]["Fn::Sub"].partition(":${HttpApi}")[2]
    assert paths == {
        "WebhookFunction": "/*/*/api/v1/whatsapp/webhook",
        "ApiFunction": "/*/*/api/v1/*",
        "ConsoleFunction": "/*/GET/*",  # its routes begin at the root
    }


def test_meta_can_post_to_a_url_of_the_function_which_the_operator_must_limit(stack: Stack) -> None:
    [url] = stack.properties("AWS::Lambda::Url").values()
    assert (stack.behind(url["TargetFunctionArn"]), url["Qualifier"], url["AuthType"]) == (
        "WebhookFunction",
        "live",
        "NONE",
    )
    # Since October 2025 both permissions are needed ("Control access to Lambda function URLs").
    permissions = [one for one in stack.properties("AWS::Lambda::Permission").values() if one["Principal"] == "*"]
    assert {(one["Action"], stack.behind(one["FunctionName"])) for one in permissions} == {
        ("lambda:InvokeFunctionUrl", "WebhookFunction"),
        ("lambda:InvokeFunction", "WebhookFunction"),
    }
    for one in permissions:  # never to everybody by Lambda's own API
        assert one.get("FunctionUrlAuthType") == "NONE" or one.get("InvokedViaFunctionUrl") is True
    conditional = {name for name, one in stack.resources.items() if one.get("Condition") == "HasFunctionUrl"}
    assert conditional == {"WebhookFunctionUrl", "WebhookFunctionUrlPermission", "WebhookFunctionByUrlPermission"}
    assert stack.document["Parameters"]["WebhookEndpoint"]["Default"] == "api"
    rule = stack.document["Rules"]["FunctionUrlHasALimit"]
    assert rule["Assertions"][0]["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "WebhookReservedConcurrency"}, 0]}]}
    address = {"Fn::GetAtt": ["WebhookFunctionUrl", "FunctionUrl"]}
    assert stack.document["Outputs"]["WebhookUrl"]["Value"]["Fn::If"][:2] == ["HasFunctionUrl", address]
    [stage] = stack.properties("AWS::ApiGatewayV2::Stage").values()
    assert stage["StageVariables"]["console_webhook"]["Fn::If"][:2] == ["HasFunctionUrl", address]


def test_browsers_may_call_the_api_only_from_allowed_origins(stack: Stack) -> None:
    assert stack.document["Parameters"]["AllowedOrigins"]["Default"] == ""
    [api] = stack.properties("AWS::ApiGatewayV2::Api").values()
    condition, cors, otherwise = api["CorsConfiguration"]["Fn::If"]
    assert (condition, otherwise) == ("HasAllowedOrigins", {"Ref": "AWS::NoValue"})
    assert cors["AllowOrigins"] == {"Ref": "AllowedOrigins"}
    assert "*" not in str(cors)
    assert {"authorization", "content-type", "idempotency-key"} <= set(cors["AllowHeaders"])
    assert set(cors["AllowMethods"]) == {"GET", "PUT", "POST", "DELETE"}


def test_requests_are_logged_and_throttled(stack: Stack) -> None:
    [stage] = stack.properties("AWS::ApiGatewayV2::Stage").values()
    line = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"requestId", "route", "status", "latencyMs", "authorizerError"} <= set(line)
    # The query string contains the verify token.
    assert not any("query" in value.lower() or "path" in value.lower() for value in line.values())
    assert stack.default(stage["DefaultRouteSettings"]["ThrottlingRateLimit"]) > 0
    assert stack.default(stage["DefaultRouteSettings"]["ThrottlingBurstLimit"]) > 0


def test_what_strangers_reach_has_limits_of_its_own(stack: Stack) -> None:
    """So that none of them makes API Gateway answer 429 to Meta, or to the users of the API."""
    [stage] = stack.properties("AWS::ApiGatewayV2::Stage").values()
    limits = dict(stage["RouteSettings"])
    assert set(limits) == set(OPEN)
    post = limits.pop("POST /api/v1/whatsapp/webhook")
    assert post == {
        "ThrottlingRateLimit": {"Ref": "WebhookRateLimit"},
        "ThrottlingBurstLimit": {"Ref": "WebhookBurstLimit"},
    }
    verify = limits.pop("GET /api/v1/whatsapp/webhook")
    assert verify["ThrottlingRateLimit"] <= 5
    for key in [key for key, integration in OPEN.items() if integration == "ConsoleIntegration"]:
        assert list(limits.pop(key).values()) == [{"Ref": "ConsoleRateLimit"}] * 2, key
    for setting in limits.values():
        assert setting == {"Fn::If": ["HasPublicDocs", verify, {"Ref": "AWS::NoValue"}]}
    # API Gateway refuses the limit of a route that does not exist yet.
    waits_for = set(stack.of_type("AWS::ApiGatewayV2::Stage")["HttpApiStage"]["DependsOn"])
    waits_for |= {one["Ref"] for one in stage["StageVariables"]["docs"]["Fn::If"][1]["Fn::Join"][1]}
    routes = stack.of_type("AWS::ApiGatewayV2::Route")
    assert {routes[name]["Properties"]["RouteKey"] for name in waits_for} == set(OPEN)


def test_the_documentation_can_be_kept_from_strangers(stack: Stack) -> None:
    conditional = {
        route["Properties"]["RouteKey"]
        for route in stack.of_type("AWS::ApiGatewayV2::Route").values()
        if route.get("Condition") == "HasPublicDocs"
    }
    assert conditional == {"GET /api/v1/openapi.json", "GET /api/v1/docs"}
    assert stack.document["Conditions"]["HasPublicDocs"] == {"Fn::Equals": [{"Ref": "PublicDocs"}, "true"]}


def test_routes_are_not_billed_as_metrics(stack: Stack) -> None:
    [stage] = stack.properties("AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"]["DetailedMetricsEnabled"] is False


@pytest.mark.parametrize(
    ("issuer", "allowed"),
    [
        ("https://cognito-idp.sa-east-1.amazonaws.com/sa-east-1_abc", True),
        ("http://127.0.0.1:8000/_oidc", True),
        ("http://localhost:8000", True),
        ("http://issuer.example.com", False),
        ("cognito-idp.sa-east-1.amazonaws.com", False),
    ],
)
def test_an_issuer_that_api_gateway_would_refuse_is_refused_at_once(stack: Stack, issuer: str, allowed: bool) -> None:
    assert bool(re.fullmatch(stack.document["Parameters"]["OidcIssuer"]["AllowedPattern"], issuer)) is allowed


def test_the_api_can_have_a_host_name_and_needs_a_certificate_for_it(stack: Stack) -> None:
    assert {stack.document["Parameters"][name]["Default"] for name in ("DomainName", "CertificateArn")} == {""}
    [domain] = stack.of_type("AWS::ApiGatewayV2::DomainName").values()
    [mapping] = stack.of_type("AWS::ApiGatewayV2::ApiMapping").values()
    assert domain["Condition"] == mapping["Condition"] == "HasDomain"
    [configuration] = domain["Properties"]["DomainNameConfigurations"]
    assert configuration == {
        "CertificateArn": {"Ref": "CertificateArn"},
        "EndpointType": "REGIONAL",
        "SecurityPolicy": "TLS_1_2",
    }
    outputs = stack.document["Outputs"]
    for value in (outputs["ApiUrl"]["Value"], outputs["WebhookUrl"]["Value"]["Fn::If"][2]):
        condition, own, _ = value["Fn::If"]
        assert (condition, "https://${DomainName}" in own["Fn::Sub"]) == ("HasDomain", True)
    for rule in ("DomainHasACertificate", "CertificateHasADomain"):
        assert stack.document["Rules"][rule]["Assertions"]


@pytest.mark.parametrize(
    ("stage", "allowed"), [("dev", True), ("a", True), ("a-b", True), ("a-", False), ("-a", False)]
)
def test_a_stage_makes_valid_names(stack: Stack, stage: str, allowed: bool) -> None:
    assert bool(re.fullmatch(stack.document["Parameters"]["Stage"]["AllowedPattern"], stage)) is allowed


def test_pages_of_the_console_and_of_allowed_origins_may_upload_what_the_api_has_signed(stack: Stack) -> None:
    rules = stack.properties("AWS::S3::Bucket")["LakeBucket"]["CorsConfiguration"]["CorsRules"]
    own, (condition, allowed, otherwise) = rules[0], rules[1]["Fn::If"]
    domain, endpoint = {"Fn::Sub": "https://${DomainName}"}, {"Fn::GetAtt": ["HttpApi", "ApiEndpoint"]}
    assert own["AllowedOrigins"] == [{"Fn::If": ["HasDomain", domain, endpoint]}]
    assert (condition, allowed["AllowedOrigins"], otherwise) == (
        "HasAllowedOrigins",
        {"Ref": "AllowedOrigins"},
        {"Ref": "AWS::NoValue"},
    )
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    file = StoredFile("application/pdf", 5_000_000, "Preços.pdf")
    _, headers = S3MediaFiles(lambda: client, "bucket").upload_link("media/uploads/a/1", file, 60)
    for rule in (own, allowed):
        assert "*" not in str(rule)
        assert rule["AllowedMethods"] == ["PUT"]
        assert {name.lower() for name in headers} <= set(rule["AllowedHeaders"])
