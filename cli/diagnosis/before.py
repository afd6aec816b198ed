"""Checks that need no stack: the token issuer, the quotas of the account, access to models."""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from cli.diagnosis.findings import Finding

DISCOVERY = "/.well-known/openid-configuration"

USUAL_CONCURRENCY = 1_000
"""Lambda's usual quota. New accounts have less, and throttled messages wait minutes for their next try."""

_PROFILE_PREFIXES = ("us.", "eu.", "apac.", "jp.", "au.", "us-gov.", "global.")


def check_issuer(http: httpx.Client, issuer: str) -> Iterator[Finding]:
    """The issuer's discovery document and keys, as API Gateway reads them."""
    is_local = urlsplit(issuer).hostname in ("127.0.0.1", "localhost")
    if not issuer.startswith("https://") and not is_local:
        yield Finding("issuer", "failed", f"{issuer} is not an https URL.", "Give the issuer as in the claim iss.")
        return
    address = issuer.rstrip("/") + DISCOVERY
    document = _json(http, address)
    if document is None:
        advice = (
            "The deployment would fail with 'Invalid issuer'. Copy the claim iss of a token; for Cognito it is "
            "https://cognito-idp.<region>.amazonaws.com/<user pool>, not the domain of the hosted login."
        )
        yield Finding("issuer", "failed", f"No discovery document at {address}.", advice)
        return
    named = document.get("issuer")
    if named != issuer:
        text = f"The discovery document names the issuer {named}, not {issuer}."
        yield Finding("issuer", "failed", text, f"Deploy with OidcIssuer={named}: it must equal the claim iss exactly.")
        return
    keys = (_json(http, str(document.get("jwks_uri"))) or {}).get("keys")
    if not isinstance(keys, list) or not any(isinstance(key, dict) and key.get("kty") == "RSA" for key in keys):
        text = f"{document.get('jwks_uri')} holds no RSA key."
        yield Finding(
            "issuer", "failed", text, "API Gateway accepts RS256, RS384 and RS512 only: sign with an RSA key."
        )
        return
    yield Finding("issuer", "ok", f"{issuer} answers with its keys.")


def check_concurrency(client: Any, needed: int) -> Iterator[Finding]:
    """Lambda's concurrency quota against what the stack's functions may use at once."""
    limit = client.get_account_settings()["AccountLimit"]
    quota, free = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    advice = "Request an increase of the Lambda quota 'Concurrent executions' (L-B99A9384) in Service Quotas."
    if quota < needed:
        text = f"The account allows {quota} concurrent executions; the stack may need {needed}."
        yield Finding("Lambda concurrency", "failed", text, advice)
    elif quota < USUAL_CONCURRENCY or free < needed:
        text = (
            f"The account allows {quota} concurrent executions, {free} of them unreserved. The stack may need {needed}, and "
            f"the account's other functions use them too. The usual quota is {USUAL_CONCURRENCY}."
        )
        yield Finding("Lambda concurrency", "warning", text, advice)
    else:
        yield Finding(
            "Lambda concurrency",
            "ok",
            f"{free} of {quota} concurrent executions are unreserved; the stack may need {needed}.",
        )


def check_api_quota(client: Any, routes: tuple[str, ...], rate: int, burst: int) -> Iterator[Finding]:
    """API Gateway's throttle of the account and region against the highest one of these routes of the stack."""
    account = client.get_account()["throttleSettings"]
    what = "the API and the webhook" if "Webhook" in routes else "the API"
    accepted = f"The account takes {account['rateLimit']:g} requests a second (burst {account['burstLimit']})"
    if account["rateLimit"] < rate or account["burstLimit"] < burst:
        text = f"{accepted}, less than the limits of {what}: {rate} (burst {burst})."
        names = " and ".join(f"{route}RateLimit, {route}BurstLimit" for route in routes)
        advice = f"Lower {names}, or request an increase in Service Quotas."
        yield Finding("API Gateway quota", "warning", text, advice)
    else:
        yield Finding("API Gateway quota", "ok", f"{accepted}; the limits of {what}: {rate} (burst {burst}).")


def check_models(client: Any, models: Iterable[str]) -> Iterator[Finding]:
    """Access to the models of `ai_prompt`. An inference profile needs access to its foundation model."""
    for model in models:
        prefix = next((prefix for prefix in _PROFILE_PREFIXES if model.startswith(prefix)), "")
        answer = client.get_foundation_model_availability(modelId=model.removeprefix(prefix))
        if answer["regionAvailability"] != "AVAILABLE":
            text, advice = f"{model} is not offered in this region.", "Use another model or an inference profile."
        elif answer["authorizationStatus"] != "AUTHORIZED" or answer["entitlementAvailability"] != "AVAILABLE":
            text = f"The account has no access to {model}."
            advice = (
                "Invoke the model once as an administrator, who may subscribe to it in AWS Marketplace (Anthropic also asks "
                "for a use case). Until then ai_prompt takes its error exit."
            )
        elif answer["agreementAvailability"]["status"] != "AVAILABLE":
            text = f"The agreement for {model} is {answer['agreementAvailability']['status'].lower()}."
            advice = "Accept the model's agreement in the Bedrock console."
        else:
            yield Finding("model access", "ok", f"{model} can be invoked.")
            continue
        yield Finding("model access", "failed", text, advice)


def _json(http: httpx.Client, address: str) -> dict[str, Any] | None:
    try:
        answer = http.get(address)
        document = answer.json() if answer.is_success else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
    return document if isinstance(document, dict) else None
