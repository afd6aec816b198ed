"""Effects: requests to APIs, language models and other conversations as data.

The use case performs them and gives their results back.

A request never contains a secret. `{{secrets.NAME}}` becomes a placeholder that no person's answer can contain (see
`secret_placeholder`). `with_secrets` inserts the values at the last moment, after the request was recorded.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct, structs

_OPEN, _CLOSE = "\ue000", "\ue001"  # private-use characters, removed from every value rendered into a request
_STRIP = {ord(_OPEN): None, ord(_CLOSE): None}


class HttpRequest(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="api_call"):
    """The HTTP request of an api_call node. `key` identifies one visit of the node in one turn.

    `attempts`: it may be sent this many times within its timeout, while the server cannot be reached or is overloaded.
    """

    key: str
    method: str
    url: str
    headers: dict[str, str] = {}
    query_params: dict[str, str] = {}
    body: Any = None
    timeout_seconds: float = 10
    attempts: int = 1

    def with_secrets(self, secrets: Mapping[str, str]) -> "HttpRequest":
        """The request to send: each placeholder replaced by the secret's value, or removed if there is no such secret."""
        return structs.replace(
            self,
            url=_reveal(self.url, secrets),
            headers=_reveal(self.headers, secrets),
            query_params=_reveal(self.query_params, secrets),
            body=_reveal(self.body, secrets),
        )

    def with_secret_names(self) -> "HttpRequest":
        """The request for people who read it: each placeholder as the `{{secrets.NAME}}` that it stands for."""
        names = re.findall(f"{_OPEN}(.*?){_CLOSE}", msgspec.json.encode(self).decode())
        return self.with_secrets({name: f"{{{{secrets.{name}}}}}" for name in names})


class ModelMessage(Struct, frozen=True, gc=False):
    """What the person (`user`) or the model (`assistant`) said earlier in a dialogue."""

    role: Literal["user", "assistant"]
    text: str


FieldType = Literal["text", "number", "boolean"]


class ModelRequest(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="ai_prompt"):
    """The prompt of an ai_prompt node for a language model (Amazon Bedrock Converse).

    `history` is the dialogue before the prompt. With `fields` the model gives an object with these fields instead of a text.
    """

    key: str
    model: str
    prompt: str
    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    history: list[ModelMessage] = []
    fields: dict[str, FieldType] = {}


class EmailRequest(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="send_email"):
    """An e-mail in plain text from the deployment's address."""

    key: str
    to: list[str]
    subject: str
    text: str


class StartFlowRequest(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="start_flow"):
    """Start a flow for another person, named by phone number or user id, with these values of its parameters."""

    key: str
    to: str
    flow_id: str
    parameters: dict[str, Any] = {}


ServiceRequest = HttpRequest | ModelRequest | EmailRequest
"""An effect that another service performs."""

Effect = ServiceRequest | StartFlowRequest


class EffectResult(Struct, frozen=True, gc=False, omit_defaults=True):
    """How an effect ended: with `ok` the node takes its `next` exit, otherwise its `error` exit with `error` as the reason.

    `body` is the API's decoded JSON response (or its text), or the text or object that a model gave.
    """

    ok: bool
    status: int | None = None
    body: Any = None
    error: str | None = None


def secret_placeholder(name: str) -> str:
    """The placeholder of the secret `name` in a request."""
    return f"{_OPEN}{name}{_CLOSE}"


def strip_placeholders(text: str) -> str:
    """The text without placeholder characters, so that no value can imitate a secret's placeholder in a request."""
    return text.translate(_STRIP) if _OPEN in text or _CLOSE in text else text


def placeholder_field(value: Any, path: str = "") -> str | None:
    """Where a JSON value contains a placeholder character, as a path such as `headers.X`; None if it contains none.

    A document with such a character could use a secret without naming it.
    """
    if isinstance(value, str):
        return path if _OPEN in value or _CLOSE in value else None
    if isinstance(value, list):
        entries: Iterable[tuple[str, Any]] = ((f"{path}[{index}]", item) for index, item in enumerate(value))
    elif isinstance(value, dict):
        if any(placeholder_field(key) is not None for key in value):
            return path
        entries = ((f"{path}.{key}" if path else str(key), item) for key, item in value.items())
    else:
        return None
    return next((found for at, item in entries if (found := placeholder_field(item, at)) is not None), None)


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
