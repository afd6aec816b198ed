"""The recipes of docs/sign-in.md: a token of each provider's shape reaches the API with the recipe's parameters."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from functions.api.handler import handler as api_handler
from tests.functions.conftest import LambdaContext, answer_of, http_event
from tests.stack import translated

PAGE = (Path(__file__).parents[2] / "docs" / "sign-in.md").read_text()


class Recipe(NamedTuple):
    title: str
    parameters: dict[str, str]
    token: dict[str, Any]
    code: str | None


def recipes() -> Iterator[Recipe]:
    for section in PAGE.split("\n## ")[1:]:
        blocks = dict(re.findall(r"^```(\w*)\n(.*?)^```", section, re.MULTILINE | re.DOTALL))
        if "json" not in blocks:
            continue  # not about a provider
        parameters = dict(line.split("=", 1) for line in blocks[""].splitlines())
        yield Recipe(section.partition("\n")[0], parameters, json.loads(blocks["json"]), blocks.get("python"))


RECIPES = list(recipes())
by_title = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)


def as_api_gateway_passes_on(value: Any) -> str:
    """API Gateway gives every claim to the function as text, a list as `[a b]`."""
    if isinstance(value, list):
        return f"[{' '.join(map(as_api_gateway_passes_on, value))}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{as_api_gateway_passes_on(member)}' for name, member in value.items())}]"
    return json.dumps(value) if isinstance(value, bool) else str(value)


def ask(claims: dict[str, Any], organization: str = "organization_id", role: str = "role") -> Any:
    """Call a route for admins, on a stage with these names of claims."""
    event = http_event("PUT", "/api/v1/organization", json.dumps({"messages_per_minute": 7}))
    event["stageVariables"] = {"organization_claim": organization, "role_claim": role}
    jwt = {"claims": {name: as_api_gateway_passes_on(value) for name, value in claims.items()}, "scopes": None}
    event["requestContext"]["authorizer"] = {"jwt": jwt}
    return answer_of(api_handler(event, LambdaContext()))


def test_every_provider_has_a_recipe() -> None:
    assert [recipe.title for recipe in RECIPES] == ["Cognito: ID token", "Cognito: access token", "Auth0", "Keycloak"]


@by_title
@pytest.mark.usefixtures("gateway")
def test_a_token_of_the_recipe_is_an_admin_of_its_organization(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = {name: given.get("Default") for name, given in translated().document["Parameters"].items()}
    parameters = defaults | recipe.parameters
    names = parameters["OrganizationClaim"], parameters["RoleClaim"]
    token = recipe.token
    audiences = token["aud"] if isinstance(token.get("aud"), list) else [token.get("aud", token.get("client_id"))]
    assert parameters["OidcAudience"] in audiences
    assert parameters["OidcIssuer"] == token["iss"]
    answer = ask(token, *names)
    assert (answer.status, answer.body.get("messages_per_minute")) == (200, 7), answer.body
    for claim in names:
        refused = ask({name: value for name, value in token.items() if name != claim}, *names)
        assert (refused.status, refused.body["code"]) == (401, "token_incomplete")
        assert claim in refused.body["detail"]


@pytest.mark.usefixtures("gateway")
def test_the_trigger_of_the_recipe_puts_the_claims_into_the_access_token() -> None:
    (code,) = [recipe.code for recipe in RECIPES if recipe.code]
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102 (the code is in our own page)
    event = {
        "version": "2",
        "triggerSource": "TokenGeneration_Authentication",
        "request": {"userAttributes": {"sub": "1", "custom:organization_id": "acme", "custom:role": "admin"}},
        "response": {"claimsAndScopeOverrideDetails": None},
    }
    answered = namespace["handler"](event, None)["response"]["claimsAndScopeOverrideDetails"]
    assert ask(answered["accessTokenGeneration"]["claimsToAddOrOverride"]).status == 200


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize(
    ("groups", "status"),
    [
        (["admin"], 200),
        (["eu-west-1_abc_Google", "admin"], 200),
        (["agent"], 403),
        (["admin", "agent"], 401),
        ([], 401),
        (["Admin"], 401),
        ("[admin", 401),
        ("admin agent", 401),
    ],
)
def test_a_list_of_groups_names_exactly_one_role(groups: Any, status: int) -> None:
    assert ask({"organization_id": "acme", "cognito:groups": groups}, role="cognito:groups").status == status


@pytest.mark.usefixtures("gateway")
def test_only_the_configured_claims_count() -> None:
    claims = {"organization_id": "acme", "role": "admin"}
    assert ask(claims, "custom:organization_id", "custom:role").status == 401


def test_the_stage_passes_the_names_on() -> None:
    [stage] = translated().properties("AWS::ApiGatewayV2::Stage").values()
    names = {"organization_claim": {"Ref": "OrganizationClaim"}, "role_claim": {"Ref": "RoleClaim"}}
    assert stage["StageVariables"].items() >= names.items()
