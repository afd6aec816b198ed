"""The OpenAPI document: what Powertools knows about the routes, completed with every possible response."""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from rest.caller import Role
from rest.problems import CONTENT_TYPE, PROBLEM_CODES

ROLES: tuple[Role, ...] = ("admin", "builder", "agent", "analyst")

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457). Some codes have additional members: `errors`, `problems`, `field`.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string", "description": "The status in words"},
        "status": {"type": "integer"},
        "code": {"$ref": "#/components/schemas/ProblemCode"},
        "detail": {"type": "string", "description": "What is wrong and what to do; for people"},
        "field": {"type": "string", "description": "The member of the body that is wrong"},
        "errors": {
            "type": "array",
            "description": "With `invalid_request`: each place that does not match the documentation",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "message"],
            },
        },
        "problems": {
            "type": "array",
            "description": "With `flow_has_errors`: the problems of the flow",
            "items": {"$ref": "#/components/schemas/FlowProblem"},
        },
        "turn": {"type": "integer", "description": "With `conversation_changed`: the latest turn"},
        "request_id": {"type": "string", "description": "With `internal_error`: for the operator"},
        "idempotency_key": {
            "type": "string",
            "description": "With `queue_unavailable`: repeat the request with this key",
        },
    },
    "required": ["type", "title", "status", "code", "detail"],
}
_CODES: dict[str, Any] = {
    "type": "string",
    "title": "ProblemCode",
    "description": "The kind of error. A code never changes its meaning; later releases may add codes.",
    "enum": list(PROBLEM_CODES),
}
_GATEWAY: dict[str, Any] = {
    "type": "object",
    "title": "GatewayMessage",
    "description": "The response of API Gateway itself, before a request reaches the API",
    "properties": {"message": {"type": ["string", "null"]}},
    "required": ["message"],
}
_LINK: dict[str, Any] = {
    "description": '`<address>; rel="next"` (RFC 8288): the next page. Missing: this is the last page',
    "schema": {"type": "string"},
}
_ETAG: dict[str, Any] = {
    "description": "The tag of what is stored (RFC 9110): send it as `If-Match` to change exactly that",
    "schema": {"type": "string"},
}
QUERY_PREFIX = "x-query-prefix"

_CONTENT_TAG: dict[str, Any] = {
    "description": "The answer's tag: send it as `If-None-Match`, and an unchanged answer is 304 without a body",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH: dict[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of an earlier answer",
    "schema": {"type": "string"},
}
POLLED = "x-polled"
"""Marks routes that clients ask again and again."""

BODY = "x-body"
"""The media type of a body that is a file and not JSON."""

_NEVER_SENT = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
"""Powertools' own forms of errors."""

_TEXT: dict[str, Any] = {"schema": {"type": "string"}}

_FROM_GATEWAY = {
    401: "the token is missing, expired, or of another issuer or audience",
    429: "more requests than `ApiRateLimit` and `ApiBurstLimit` of the deployment allow",
    503: "the API did not respond in time",
}


def route_docs(
    *roles: Role,
    problems: Iterable[str] = (),
    media_type: str = "application/json",
    paged: bool = False,
    tagged: bool = False,
    query_prefix: str = "",
    csv: bool = False,
    polled: bool = False,
    body: str = "",
) -> dict[str, Any]:
    """The documentation of a route (`openapi_extensions=`): the roles besides admin, and its own problem codes.

    `body` is the media type of a body that is a file. The route takes query parameters of any name with `query_prefix`; its
    docstring says what they mean.
    """
    allowed = [role for role in ROLES if role in ("admin", *roles)]
    headers = {name: header for name, header, has in (("Link", _LINK, paged), ("ETag", _ETAG, tagged)) if has}
    media_types = [media_type, "text/csv"] if csv else [media_type]
    own = {"x-problems": list(problems), "x-media-types": media_types, "x-headers": headers}
    return {"x-roles": allowed, QUERY_PREFIX: query_prefix, POLLED: polled, BODY: body, **own}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the responses of every operation. `route_docs` is converted to standard OpenAPI."""
    components = document.setdefault("components", {})
    schemas, shared = components.setdefault("schemas", {}), components.setdefault("responses", {})
    schemas.update(Problem=_PROBLEM, ProblemCode=_CODES, GatewayMessage=_GATEWAY)
    for methods in document["paths"].values():
        for method, operation in methods.items():
            _complete(method, operation, shared)
    for unused in _NEVER_SENT:
        schemas.pop(unused, None)
    _drop_derived_texts(document)
    return document


def _drop_derived_texts(part: Any) -> None:
    """Remove what repeats its neighbour: titles that pydantic derives from names, descriptions of a parameter's schema."""
    if isinstance(part, list):
        for member in part:
            _drop_derived_texts(member)
    elif isinstance(part, dict):
        named: list[tuple[str, Any]] = [*part.get("properties", {}).items()] if "type" in part else []
        if "in" in part and "schema" in part:
            named.append((part["name"], part["schema"]))
            if part["schema"].get("description") == part.get("description"):
                part["schema"].pop("description", None)
        for name, schema in named:
            if schema.get("title") == name.replace("_", " ").title():
                del schema["title"]
        for member in part.values():
            _drop_derived_texts(member)


def operation_id(function_name: str) -> str:
    """The id of an operation, which generated clients use as the name of a method: `list_flows` gives `listFlows`."""
    first, *others = function_name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _complete(method: str, operation: dict[str, Any], shared: dict[str, Any]) -> None:
    """Add the responses of an operation. Those that many routes have alike become components in `shared`."""
    roles, own = operation.get("x-roles", []), operation.pop("x-problems", [])
    media_types = operation.pop("x-media-types", ["application/json"])
    headers = operation.pop("x-headers", {})
    operation.pop(QUERY_PREFIX, None)
    if body := operation.pop(BODY, ""):
        operation["requestBody"] = {"required": True, "content": {body: _TEXT}}
    polled = operation.pop(POLLED, False)
    if polled:
        headers = {"ETag": _CONTENT_TAG} | headers
        operation["parameters"] = [*operation.get("parameters", ()), _IF_NONE_MATCH]
    operation.pop("deprecated", None)
    summary = f"Roles: {', '.join(roles)}."
    operation["description"] = "\n\n".join(filter(None, (operation.get("description"), summary)))
    answers: dict[str, Any] = {
        str(status): answer for status, answer in operation["responses"].items() if str(status).startswith("2")
    }
    for status, answer in answers.items():
        content = answer.pop("content", {})
        if status != "204":
            first, *others = media_types
            described: dict[str, Any] = next(iter(content.values()), {})
            if others:  # the route gives a model or the text of a file
                described = {"schema": described["schema"]["anyOf"][0]}
            answer["content"] = {first: described} | dict.fromkeys(others, _TEXT)
        if headers:
            answer["headers"] = headers
    if polled:
        answers["304"] = {"description": "Nothing has changed since the answer with this `ETag`"}
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for code in (*own, *_common(method, operation, roles)):
        by_status[PROBLEM_CODES[code].status.value].append(code)
    for number in sorted({*by_status, *_FROM_GATEWAY}):
        codes = by_status[number]
        if set(codes) & set(own):
            answers[str(number)] = _answer(number, codes)
        else:
            name = "Or".join(operation_id(f"_{code}") for code in codes) or HTTPStatus(number).phrase.replace(" ", "")
            shared.setdefault(name, _answer(number, codes))
            answers[str(number)] = {"$ref": f"#/components/responses/{name}"}
    operation["responses"] = answers


def _common(method: str, operation: dict[str, Any], roles: list[str]) -> list[str]:
    """The codes common to all routes, and to those with a body or parameters."""
    codes = ["query_unknown", "token_incomplete", "internal_error", "temporarily_unavailable"]
    if len(roles) < len(ROLES):
        codes.append("role_not_allowed")
    if "requestBody" in operation or method == "post":
        codes += ["json_invalid", "content_type_unsupported", "body_too_large"]
    if method == "post" and "requestBody" not in operation:
        codes.append("body_unknown")
    if "requestBody" in operation or operation.get("parameters"):
        codes.append("invalid_request")
    return codes


def _answer(status: int, codes: list[str]) -> dict[str, Any]:
    lines = [f"`{code}`: {PROBLEM_CODES[code].meaning}" for code in codes]
    content: dict[str, Any] = {}
    if codes:
        code: dict[str, Any] = {"type": "object", "properties": {"code": {"enum": codes}}}
        content[CONTENT_TYPE] = {"schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, code]}}
    if status in _FROM_GATEWAY:
        content["application/json"] = {"schema": {"$ref": "#/components/schemas/GatewayMessage"}}
        lines.append(f"From API Gateway: {_FROM_GATEWAY[status]}")
    return {"description": "\n\n".join(lines), "content": content}
