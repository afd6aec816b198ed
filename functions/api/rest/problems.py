"""Errors as RFC 9457 problem details, each with a stable `code`."""

import json
from http import HTTPStatus
from typing import Any, NamedTuple

from aws_lambda_powertools.event_handler import Response

CONTENT_TYPE = "application/problem+json"


class ProblemCode(NamedTuple):
    """One kind of error: the status it comes with, and what to do about it."""

    status: HTTPStatus
    meaning: str


# What `docs/api.md` and the OpenAPI document list. A code never changes its meaning or its status.
PROBLEM_CODES: dict[str, ProblemCode] = {
    "json_invalid": ProblemCode(
        HTTPStatus.BAD_REQUEST, "The body is not JSON in UTF-8, or holds what JSON cannot carry safely."
    ),
    "body_unknown": ProblemCode(HTTPStatus.BAD_REQUEST, "This route takes no body."),
    "query_unknown": ProblemCode(HTTPStatus.BAD_REQUEST, "A query parameter that this route does not have."),
    "cursor_invalid": ProblemCode(HTTPStatus.BAD_REQUEST, "The cursor is not from this list. Begin again without one."),
    "token_incomplete": ProblemCode(
        HTTPStatus.UNAUTHORIZED, "The token lacks the claims `organization_id` and `role`."
    ),
    "role_not_allowed": ProblemCode(HTTPStatus.FORBIDDEN, "The token's role may not do this."),
    "route_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "There is nothing at this address."),
    "flow_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such flow."),
    "version_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The flow has no such version."),
    "number_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such number."),
    "conversation_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no conversation with this person."),
    "secret_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such secret."),
    "method_not_allowed": ProblemCode(
        HTTPStatus.METHOD_NOT_ALLOWED, "The address has other methods; `Allow` lists them."
    ),
    "draft_changed": ProblemCode(
        HTTPStatus.PRECONDITION_FAILED, "The draft is not the one that `If-Match` names. Look at it, and try again."
    ),
    "draft_exists": ProblemCode(
        HTTPStatus.PRECONDITION_FAILED, "There is a draft already, and `If-None-Match` wants none."
    ),
    "published_meanwhile": ProblemCode(
        HTTPStatus.CONFLICT, "Somebody published the flow at the same moment. Look, and try again."
    ),
    "number_taken": ProblemCode(HTTPStatus.CONFLICT, "The number, or its verify token, is in use elsewhere."),
    "window_closed": ProblemCode(
        HTTPStatus.CONFLICT, "The person wrote more than 24 hours ago: no free text any more."
    ),
    "opted_out": ProblemCode(HTTPStatus.CONFLICT, "The person wants no messages."),
    "conversation_busy": ProblemCode(HTTPStatus.CONFLICT, "The conversation is being written to. Try again."),
    "secrets_busy": ProblemCode(HTTPStatus.CONFLICT, "The secrets are being written to. Try again."),
    "secrets_unreadable": ProblemCode(
        HTTPStatus.CONFLICT, "What is stored as secrets has another form. An operator repairs it."
    ),
    "body_too_large": ProblemCode(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is larger than this route takes."),
    "content_type_unsupported": ProblemCode(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is not sent as `application/json`."
    ),
    "invalid_request": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "Something has another form than documented; `errors` lists each place."
    ),
    "flow_id_mismatch": ProblemCode(HTTPStatus.UNPROCESSABLE_ENTITY, "The document's id and the address's differ."),
    "flow_has_errors": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The flow cannot be published; `problems` lists why."
    ),
    "person_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "What stands for the person is no phone number and no business-scoped user id."
    ),
    "number_setup": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "A number's setup cannot be right; `field` names the place."
    ),
    "idempotency_key_reused": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another text. Take a new one."
    ),
    "secret_name_invalid": ProblemCode(HTTPStatus.UNPROCESSABLE_ENTITY, "No template can hold this secret's name."),
    "secret_too_short": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "A secret of so few characters cannot be hidden in answers."
    ),
    "secret_too_large": ProblemCode(HTTPStatus.UNPROCESSABLE_ENTITY, "The secret's value is too long."),
    "report_too_large": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The report would read more than a query may. Ask for fewer days."
    ),
    "secrets_full": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The organization has as many secrets as it may have."
    ),
    "internal_error": ProblemCode(
        HTTPStatus.INTERNAL_SERVER_ERROR, "A mistake of ours. Give the operator the `request_id`."
    ),
    "queue_unavailable": ProblemCode(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Recorded, but not queued. Repeat the request with the Idempotency-Key it names.",
    ),
    "report_not_ready": ProblemCode(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The report is still being made. Repeat the request after `Retry-After` seconds.",
    ),
    "temporarily_unavailable": ProblemCode(
        HTTPStatus.SERVICE_UNAVAILABLE, "AWS does not answer at the moment. Repeat the request after a while."
    ),
}


class ProblemError(Exception):
    """Ends a request with a problem. `detail` says what is wrong and what to do; `extra` adds members to the answer."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, *, headers: dict[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.extra = extra

    def body(self) -> str:
        """The problem as JSON."""
        members = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "code": self.code,
            "detail": self.detail,
            **self.extra,
        }
        return json.dumps(members, ensure_ascii=False)

    def response(self) -> Response[str]:
        return Response(
            status_code=self.status.value, content_type=CONTENT_TYPE, body=self.body(), headers=dict(self.headers)
        )


def bad_request(code: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, code, detail)


def not_found(code: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, code, detail)


def conflict(code: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, code, detail)


def unprocessable(code: str, detail: str, **extra: Any) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail, **extra)
