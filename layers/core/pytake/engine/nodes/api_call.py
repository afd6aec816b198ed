from collections.abc import Callable
from typing import Any

import msgspec

from pytake.engine.effects import EffectResult, HttpRequest, placeholder_field, secret_placeholder, strip_placeholders
from pytake.engine.execution import CompiledNode, Execution, Handler, NodeHandlers
from pytake.engine.facts import Constant, SecretUse, Write
from pytake.engine.limits import API_ATTEMPTS, API_DEFAULT_TIMEOUT_SECONDS, API_TIMEOUT_SECONDS
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type
from pytake.engine.rendering import Getter, Render, getter, render
from pytake.engine.template import Expression, Term
from pytake.engine.values import plain_text

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")


@node_type("api_call")
class ApiCall(NodeData):
    """Calls an HTTP API.

    Templates work in `url`, `headers`, `query_params` and `body`; `{{secrets.NAME}}` works only here. A value in the URL is
    percent-encoded, except one at the start of the URL. `body` is JSON or a text; a text that contains JSON is sent as JSON. A
    text in the body that is exactly one `{{...}}` keeps the type of its value.

    A secret is sent only to the hosts that it was stored for; to another host the call fails with `secret_host_refused`. Write
    the host in the URL: where an expression decides the host, no secret may be used.

    The response's JSON (or text) is stored in `output_variable`. `response_map` stores parts of it by JSON path, as in
    `{"city": "$.address.city"}`: names, indexes (`[0]`, `[-1]`), and `[*]`, which gives a list.

    If the call fails, `output_variable` and the variables of `response_map` become empty, the reason is stored in
    `OUTPUT_VARIABLE_error` (`api_call_error` without an output variable; empty after a success), and the path continues at
    `error_next_node_id`, or at `next_node_id` if that is not set. `status_variable` stores the HTTP status of
    the response, also that of a failed call; it is empty if there was no response. `error_body_variable` stores what the
    server answered to a failed call; after a success it is empty.

    With `attempts` (at most 3) a call is repeated after a short pause, within its timeout, if the server cannot be reached or
    answers 429, 502, 503 or 504. Each attempt has the same `Idempotency-Key`.

    With `run_as_body` the body is everything that the conversation has collected:
    `{"flow": {"id", "node_id"}, "contact": {...}, "input": {"type", "text"}, "variables": {...}}`.
    """

    url: str
    method: str = "GET"
    headers: dict[str, str] | None = None
    query_params: dict[str, Any] | None = None
    body: Any = None
    run_as_body: bool = False
    timeout_seconds: float | None = None
    attempts: int = 1
    output_variable: str | None = None
    status_variable: str | None = None
    error_body_variable: str | None = None
    response_map: dict[str, str] | None = None
    next_node_id: str | None = None
    error_next_node_id: str | None = None

    @property
    def error_variable(self) -> str:
        """The variable that says why a call failed."""
        return f"{self.output_variable or 'api_call'}_error"

    def stored_variables(self, *, failed: bool) -> list[str]:
        """The variables that the node stores when the call is over."""
        results = filter(None, (self.output_variable, self.status_variable, self.error_body_variable))
        return [*results, *(self.response_map or {}), *([self.error_variable] if failed else [])]

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the request and the handling of its result."""
        method = self.method.upper()
        if method not in METHODS:
            build.problem("invalid_value", "method", f"Choose one of {', '.join(METHODS)}.")
        timeout = API_DEFAULT_TIMEOUT_SECONDS if self.timeout_seconds is None else self.timeout_seconds
        if not 0 < timeout <= API_TIMEOUT_SECONDS:
            message = f"Enter a number of seconds greater than 0 and at most {API_TIMEOUT_SECONDS}."
            build.problem("invalid_value", "timeout_seconds", message)
        if not 1 <= self.attempts <= API_ATTEMPTS:
            build.problem("invalid_value", "attempts", f"Enter a number from 1 to {API_ATTEMPTS}.")
        if self.run_as_body and self.body is not None:
            build.problem("conflicting_fields", "body", "`run_as_body` replaces the `body`. Remove one of them.")
        url, attempts = self._url(build), self.attempts
        headers = {
            name: _text(value, f"headers.{name}", build, _header) for name, value in (self.headers or {}).items()
        }
        query = {
            name: _text(value, f"query_params.{name}", build)
            if isinstance(value, str)
            else _fixed_text(plain_text(value))
            for name, value in (self.query_params or {}).items()
        }
        content = _body(self.body)
        if (
            placeholder_field(content) is not None
        ):  # `\ue000` in a text of JSON, which the document's own check cannot see
            build.problem("invalid_value", "body", "The body contains U+E000 or U+E001. Remove these characters.")
        body = _run if self.run_as_body else _json(content, "body", build)
        self._check_host(build)
        store = build.variable(self.output_variable, "output_variable") if self.output_variable else None
        mapped = [
            (build.variable(name, f"response_map.{name}"), _path(path, f"response_map.{name}", build))
            for name, path in (self.response_map or {}).items()
        ]
        node = build.node

        def enter(run: Execution) -> CompiledNode | None:
            run.at = node
            request = HttpRequest(
                key=f"{run.context.seed}/{node.flow_id}/{node.node_id}/{len(run.path)}",
                method=method,
                url=url(run),
                headers={name: value(run) for name, value in headers.items()},
                query_params={name: value(run) for name, value in query.items()},
                body=body(run),
                timeout_seconds=timeout,
                attempts=attempts,
            )
            run.request_effect(node, request)
            return None

        def keep(run: Execution, body: Any) -> None:
            if store is not None:
                store(run, body)
            for store_part, pick in mapped:
                store_part(run, pick(body))

        results = [*filter(None, [self.output_variable]), *(self.response_map or {})]
        result = build.effect_result(keep, results, self.error_variable, self.next_node_id, self.error_next_node_id)
        return NodeHandlers(enter, answer=enter, result=self._keeping(result, build))

    def _keeping(self, result: Handler, build: NodeBuild) -> Handler:
        """The handler of the result that also stores the status and the body of a failed call."""
        kept: list[tuple[Callable[[Execution, Any], None], Callable[[EffectResult], Any]]] = []
        if self.status_variable:
            kept.append((build.variable(self.status_variable, "status_variable"), lambda found: found.status))
            build.variable(
                self.status_variable, "status_variable", "error"
            )  # the prover must know both exits assign it
        if self.error_body_variable:
            store = build.variable(self.error_body_variable, "error_body_variable", "error")
            kept.append((store, lambda found: None if found.ok else found.body))
            build.facts.writes.append(Write(self.error_body_variable, "next", Constant(None)))
        if not kept:
            return result

        def keeping(run: Execution) -> CompiledNode | None:
            found = run.effect_result or EffectResult(ok=False)
            following = result(run)
            for store, value in kept:  # last, as the prover knows it: the variables may be those of the result
                store(run, value(found))
            return following

        return keeping

    def _url(self, build: NodeBuild) -> Render:
        from urllib.parse import quote

        def encoded(value: Any) -> str:
            return quote(strip_placeholders(plain_text(value)), safe="")

        url = self.url.strip()
        if not url.startswith(("https://", "http://", "{{")):
            build.problem("invalid_value", "url", "The URL must start with https://. Correct it.")
        parts = _parts(url, "url", build)
        build.facts.request_host = _constant_host(parts)
        first = parts[0] if parts else ""
        place = build.place("url")
        if not isinstance(first, str):
            head, rest = render([first], _plain, place), render(parts[1:], encoded, place)
            return lambda run: head(run) + rest(run)
        return render(parts, encoded, place)

    def _check_host(self, build: NodeBuild) -> None:
        if build.facts.request_host is not None:
            return
        if "{{" in self.url:
            message = (
                "An expression decides which host gets this request, so an answer may. Write the host in the URL and use "
                "expressions only after it."
            )
            build.problem("open_host", "url", message)
        for use in build.facts.secrets:
            message = (
                f"An expression decides which host gets the secret `{use.name}`. Write the host in the URL and use expressions "
                "only after it."
            )
            build.problem("secret_to_open_host", use.field, message)


def _run(run: Execution) -> dict[str, Any]:
    """Everything that the conversation has collected, as a body."""
    at, contact = run.at, run.contact
    fields = ("id", "name", "phone", "language", "fields", "tags")
    found = {
        "flow": {"id": at.flow_id, "node_id": at.node_id} if at is not None else None,
        "contact": {name: getattr(contact, name) for name in fields},
        "input": {"type": run.input.type, "text": run.input.text},
        "variables": run.all_variables(),
    }
    return _clean(found)  # type: ignore[no-any-return]


def _plain(value: Any) -> str:
    return strip_placeholders(plain_text(value))


def _header(value: Any) -> str:
    return " ".join(_plain(value).split())  # a line break would start another header


def _fixed_text(text: str) -> Render:
    return lambda _: text


def _parts(text: str, field: str, build: NodeBuild) -> list[str | Term]:
    """A template's parts, with each secret replaced by its placeholder."""
    parts: list[str | Term] = []
    for part in build.parts(text, field, secrets=True):
        if isinstance(part, Expression) and part.path[0] == "secrets":
            if len(part.path) != 2 or part.filters:
                build.problem("invalid_template", field, "Write a secret as `{{secrets.NAME}}`, without filters.")
            build.facts.secrets.append(SecretUse(part.path[-1], field))
            part = secret_placeholder(part.path[-1])
        parts.append(part)
    return parts


def _constant_host(parts: list[str | Term]) -> str | None:
    """The host that the URL's literal text names; None if an expression or a secret can change where the request goes."""
    from urllib.parse import urlsplit

    text = "".join(part if isinstance(part, str) else secret_placeholder("") for part in parts)
    try:
        found = urlsplit(text)
        host = found.hostname
    except ValueError:
        return None
    return host if host and placeholder_field([found.scheme, found.netloc]) is None else None


def _text(text: str, field: str, build: NodeBuild, write: Callable[[Any], str] = _plain) -> Render:
    return render(_parts(text, field, build), write, build.place(field))


def _json(value: Any, field: str, build: NodeBuild) -> Getter:
    if isinstance(value, str):
        parts = _parts(value, field, build)
        if len(parts) == 1 and not isinstance(parts[0], str):
            get = getter(parts[0], build.place(field))
            return lambda run: _clean(get(run))
        return render(parts, _plain, build.place(field))
    if isinstance(value, list):
        items = [_json(item, f"{field}[{index}]", build) for index, item in enumerate(value)]
        return lambda run: [item(run) for item in items]
    if isinstance(value, dict):
        entries = {key: _json(item, f"{field}.{key}", build) for key, item in value.items()}
        return lambda run: {key: item(run) for key, item in entries.items()}
    return lambda _: value


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return strip_placeholders(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def _body(body: Any) -> Any:
    """The body as JSON if it is a text with JSON, so that no rendered value can break out of its quotes."""
    if isinstance(body, str) and body.lstrip()[:1] in ("{", "["):
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError:
            return body
    return body


def _path(path: str, field: str, build: NodeBuild) -> Callable[[Any], Any]:
    from pytake.engine.json_path import json_path_reader, parse_json_path  # only flows with a `response_map` need it

    steps = parse_json_path(path)
    if steps is None:
        message = f"`{path}` is not a supported JSON path. Use names, indexes and `[*]`, as in `$.items[0].title`."
        build.problem("invalid_value", field, message)
        return lambda _: None
    return json_path_reader(steps)
