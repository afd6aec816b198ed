"""What a flow wants done in the outside world: requests as data, performed by the use case, answered back.

A request never holds a secret. Where the flow wrote `{{secrets.NAME}}` stands a mark that no person's answer can contain
(see `secret_placeholder`); `with_secrets` puts the values in at the last moment, after the request was recorded.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, structs

_OPEN, _CLOSE = "\ue000", "\ue001"  # private use characters; taken out of every value that is rendered into a request
_STRIP = {ord(_OPEN): None, ord(_CLOSE): None}


class HttpRequest(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="api_call"):
    """An HTTP request of an api_call node. `key` is the same for the same visit of a node in a turn."""

    key: str
    method: str
    url: str
    headers: dict[str, str] = {}
    query_params: dict[str, str] = {}
    body: Any = None
    timeout_seconds: float = 10

    def with_secrets(self, secrets: Mapping[str, str]) -> "HttpRequest":
        """The request to send: every secret's mark replaced by its value, a missing secret by nothing."""
        return structs.replace(
            self,
            url=_reveal(self.url, secrets),
            headers=_reveal(self.headers, secrets),
            query_params=_reveal(self.query_params, secrets),
            body=_reveal(self.body, secrets),
        )


class ModelRequest(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="ai_prompt"):
    """A question to a language model, of an ai_prompt node (Amazon Bedrock Converse)."""

    key: str
    model: str
    prompt: str
    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None


Effect = HttpRequest | ModelRequest


class EffectResult(Struct, frozen=True, gc=False, omit_defaults=True):
    """How an effect ended: `ok` takes the node's next exit, anything else its error exit with `error` as the reason.

    `body` is the decoded JSON answer (or the text) of an API, or the text a model wrote.
    """

    ok: bool
    status: int | None = None
    body: Any = None
    error: str | None = None


def secret_placeholder(name: str) -> str:
    """What stands in a request where the secret `name` belongs."""
    return f"{_OPEN}{name}{_CLOSE}"


def strip_placeholders(text: str) -> str:
    """A value as it may be rendered into a request: it can never pass for a secret's mark."""
    return text.translate(_STRIP) if _OPEN in text or _CLOSE in text else text


def _reveal(value: Any, secrets: Mapping[str, str]) -> Any:
    if isinstance(value, str) and _OPEN in value:
        head, *rest = value.split(_OPEN)
        pairs = (part.partition(_CLOSE) for part in rest)
        return head + "".join(secrets.get(name, "") + text for name, _, text in pairs)
    if isinstance(value, dict):
        return {_reveal(key, secrets): _reveal(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_reveal(item, secrets) for item in value]
    return value
