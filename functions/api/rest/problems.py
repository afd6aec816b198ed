"""Errors as RFC 9457 problem details, each with a stable `code`."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, NamedTuple

from aws_lambda_powertools.event_handler import Response
from msgspec import to_builtins

from pytake.engine import Problem

CONTENT_TYPE = "application/problem+json"


class ProblemCode(NamedTuple):
    """A kind of error: its status, and what the caller can do."""

    status: HTTPStatus
    meaning: str


# `docs/api.md` and the OpenAPI document list these codes. A code never changes its meaning or its status.
PROBLEM_CODES: dict[str, ProblemCode] = {
    "json_invalid": ProblemCode(
        HTTPStatus.BAD_REQUEST, "The body is not JSON in UTF-8, or contains values that JSON cannot carry safely."
    ),
    "body_unknown": ProblemCode(HTTPStatus.BAD_REQUEST, "This route takes no body."),
    "query_unknown": ProblemCode(HTTPStatus.BAD_REQUEST, "The route has no such query parameter."),
    "cursor_invalid": ProblemCode(
        HTTPStatus.BAD_REQUEST, "The cursor is not from this list. Start again without a cursor."
    ),
    "token_incomplete": ProblemCode(HTTPStatus.UNAUTHORIZED, "The token lacks the claims with organization and role."),
    "role_not_allowed": ProblemCode(HTTPStatus.FORBIDDEN, "The token's role may not do this."),
    "route_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The address does not exist."),
    "flow_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such flow."),
    "version_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The flow has no such version."),
    "number_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such number."),
    "conversation_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no conversation with this person."),
    "delivery_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such message."),
    "contact_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such contact."),
    "template_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such template."),
    "saved_query_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "A saved query with this name does not exist."),
    "canned_reply_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such canned reply."),
    "import_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such import, or no longer."),
    "segment_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such segment."),
    "sequence_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such sequence."),
    "media_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such file, or no longer."),
    "secret_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such secret."),
    "campaign_unknown": ProblemCode(HTTPStatus.NOT_FOUND, "The organization has no such campaign."),
    "method_not_allowed": ProblemCode(
        HTTPStatus.METHOD_NOT_ALLOWED, "The address does not support this method; `Allow` lists those it supports."
    ),
    "draft_changed": ProblemCode(
        HTTPStatus.PRECONDITION_FAILED, "The draft is not the one that `If-Match` names. Read it and try again."
    ),
    "contact_changed": ProblemCode(
        HTTPStatus.PRECONDITION_FAILED, "The contact is not the one that `If-Match` names. Read it and try again."
    ),
    "segment_changed": ProblemCode(
        HTTPStatus.PRECONDITION_FAILED, "The segment is not the one that `If-Match` names. Read it and try again."
    ),
    "flow_tests_changed": ProblemCode(
        HTTPStatus.PRECONDITION_FAILED, "The tests are not the ones that `If-Match` names. Read them and try again."
    ),
    "draft_exists": ProblemCode(
        HTTPStatus.PRECONDITION_FAILED, "A draft exists already, and `If-None-Match` requires that there is none."
    ),
    "assignment_changed": ProblemCode(
        HTTPStatus.PRECONDITION_FAILED, "The assignment is not the one that `If-Match` names. Read it and try again."
    ),
    "desk_changed": ProblemCode(
        HTTPStatus.PRECONDITION_FAILED, "The list is not the one that `If-Match` names. Read it and try again."
    ),
    "campaign_changed": ProblemCode(
        HTTPStatus.PRECONDITION_FAILED, "The campaign is not the one that `If-Match` names. Read it and try again."
    ),
    "published_meanwhile": ProblemCode(
        HTTPStatus.CONFLICT, "The flow was published at the same moment. Read the new version and try again."
    ),
    "number_taken": ProblemCode(HTTPStatus.CONFLICT, "Another organization uses the number or its verify token."),
    "window_closed": ProblemCode(
        HTTPStatus.CONFLICT, "The person last wrote more than 24 hours ago: free text is not allowed."
    ),
    "no_session": ProblemCode(HTTPStatus.CONFLICT, "The conversation has no open session."),
    "in_session": ProblemCode(HTTPStatus.CONFLICT, "A flow runs for the person."),
    "with_agent": ProblemCode(HTTPStatus.CONFLICT, "An agent has the conversation."),
    "no_consent": ProblemCode(HTTPStatus.CONFLICT, "The person does not consent to the purpose of the template."),
    "template_missing": ProblemCode(HTTPStatus.CONFLICT, "The account has no such template in this language."),
    "template_paused": ProblemCode(HTTPStatus.CONFLICT, "Meta sends nothing with the template at the moment."),
    "budget_exhausted": ProblemCode(HTTPStatus.CONFLICT, "The budget of this month does not allow the template."),
    "price_unknown": ProblemCode(
        HTTPStatus.CONFLICT, "The rate card has no price for the template, and there is a budget."
    ),
    "parameter_missing": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The flow or the template needs a value that was not given, or that is empty."
    ),
    "parameters_too_large": ProblemCode(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The parameters have more than 60,000 bytes as JSON."
    ),
    "recipient_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "Neither a phone number with country code nor a business-scoped user id."
    ),
    "opted_out": ProblemCode(HTTPStatus.CONFLICT, "The person opted out of messages."),
    "consent_erased": ProblemCode(
        HTTPStatus.CONFLICT, "The person had withdrawn consent and was erased: only they can grant it again."
    ),
    "conversation_changed": ProblemCode(
        HTTPStatus.CONFLICT, "Something was written since the `expected_turn`. Read the conversation again."
    ),
    "conversation_busy": ProblemCode(HTTPStatus.CONFLICT, "Another request is writing to the conversation. Try again."),
    "delivery_not_redrivable": ProblemCode(
        HTTPStatus.CONFLICT, "The message is neither dead nor deferred, so it is not sent again."
    ),
    "campaign_state": ProblemCode(
        HTTPStatus.CONFLICT, "The campaign's status does not allow this; `campaign_status` names it."
    ),
    "campaign_busy": ProblemCode(HTTPStatus.CONFLICT, "Another request is writing the campaign. Try again."),
    "start_refused": ProblemCode(
        HTTPStatus.CONFLICT, "No conversation can be started; `reason` is the code that says why."
    ),
    "media_in_use": ProblemCode(
        HTTPStatus.CONFLICT, "Campaigns or sequences send the file; `campaigns` and `sequences` list them."
    ),
    "sequence_busy": ProblemCode(HTTPStatus.CONFLICT, "Another request is writing the sequence. Try again."),
    "secrets_busy": ProblemCode(HTTPStatus.CONFLICT, "Another request is writing the secrets. Try again."),
    "secrets_unreadable": ProblemCode(
        HTTPStatus.CONFLICT, "The stored secrets have an invalid format. An operator has to repair them."
    ),
    "body_too_large": ProblemCode(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is larger than this route accepts."),
    "content_type_unsupported": ProblemCode(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The Content-Type is not `application/json`."
    ),
    "invalid_request": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The request does not match the documentation; `errors` lists each place."
    ),
    "flow_id_mismatch": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The id in the document differs from the id in the address."
    ),
    "export_refused": ProblemCode(HTTPStatus.UNPROCESSABLE_ENTITY, "The file cannot be imported; `detail` says why."),
    "flow_has_errors": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The flow cannot be published, or cannot run; `problems` lists why."
    ),
    "rehearsal_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The rehearsal or its input does not fit the flow. Begin again without one."
    ),
    "person_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The person is neither a phone number nor a business-scoped user id."
    ),
    "number_setup": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The setup of the phone number is invalid; `field` names the place."
    ),
    "number_unverified": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "Meta does not let the access token use this number. Nothing is stored."
    ),
    "template_not_approved": ProblemCode(
        HTTPStatus.CONFLICT, "Meta sends nothing with the template in its present status."
    ),
    "template_mismatch": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The parameters do not fit the template; `errors` lists each place."
    ),
    "template_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The template breaks a documented rule of Meta; `errors` lists each place."
    ),
    "variant_unknown": ProblemCode(HTTPStatus.UNPROCESSABLE_ENTITY, "The campaign has no such variant."),
    "template_refused": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "Meta refused the request about the template; `detail` says why."
    ),
    "account_unknown": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The WhatsApp Business account of the number is not known. Set its `waba_id`."
    ),
    "idempotency_key_reused": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another message. Use a new one."
    ),
    "media_unsupported": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "WhatsApp does not send files of this type, or not in this place, or the contents are not of the type.",
    ),
    "media_size": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The file is empty, or larger than WhatsApp sends for its type."
    ),
    "media_refused": ProblemCode(HTTPStatus.UNPROCESSABLE_ENTITY, "Meta does not take the file. Nothing was sent."),
    "canned_reply_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A template expression in a canned reply is not valid; `field` names the place.",
    ),
    "timetable_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "A time, a day or the time zone of a timetable is not valid."
    ),
    "timetable_unknown": ProblemCode(HTTPStatus.UNPROCESSABLE_ENTITY, "The organization has no such timetable."),
    "secret_name_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "A template cannot contain this secret's name."
    ),
    "secret_too_short": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "A secret this short cannot be redacted in responses."
    ),
    "secret_hosts_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The secret names no host, too many hosts, or a host in another form than a name.",
    ),
    "secret_too_large": ProblemCode(HTTPStatus.UNPROCESSABLE_ENTITY, "The secret's value is too long."),
    "import_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The file of contacts is not valid as a whole; `detail` says why."
    ),
    "segment_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A condition or the query of the segment is not valid; `field` names the place.",
    ),
    "segments_full": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The organization has reached the maximum number of segments."
    ),
    "period_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The days are not in order, in the future, or more than 365."
    ),
    "query_parameter_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "A parameter of the query is missing, unknown or invalid; `field` names it."
    ),
    "flow_tests_invalid": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "These are not tests of the flow, or too many; `detail` says what to correct."
    ),
    "report_too_large": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The report would read more than a query is allowed to. Ask for fewer days."
    ),
    "sequences_full": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The organization has reached the maximum number of sequences."
    ),
    "secrets_full": ProblemCode(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The organization has reached the maximum number of secrets."
    ),
    "too_many_requests": ProblemCode(
        HTTPStatus.TOO_MANY_REQUESTS, "You have asked this too often. Repeat the request after `Retry-After` seconds."
    ),
    "internal_error": ProblemCode(
        HTTPStatus.INTERNAL_SERVER_ERROR, "An error in the product. Give the operator the `request_id`."
    ),
    "queue_unavailable": ProblemCode(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Recorded, but not queued. Repeat the request with the Idempotency-Key it names.",
    ),
    "report_not_ready": ProblemCode(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The report is still being prepared. Repeat the request after `Retry-After` seconds.",
    ),
    "meta_unavailable": ProblemCode(
        HTTPStatus.SERVICE_UNAVAILABLE, "Meta does not answer. Nothing is stored or sent. Repeat the request later."
    ),
    "temporarily_unavailable": ProblemCode(
        HTTPStatus.SERVICE_UNAVAILABLE, "AWS does not answer at the moment. Repeat the request later."
    ),
}


class ProblemError(Exception):
    """Ends a request with a problem. `detail` says what is wrong and what to do; `extra` adds members to the body."""

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


def conflict(code: str, detail: str, **extra: Any) -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, code, detail, **extra)


def unprocessable(code: str, detail: str, **extra: Any) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail, **extra)


def flow_has_errors(problems: Iterable[Problem]) -> ProblemError:
    """The problem of a document that cannot run."""
    listed = [to_builtins(problem) for problem in problems]
    detail = "The flow has errors that keep it from running. Correct the listed `problems`."
    return unprocessable("flow_has_errors", detail, problems=listed)


def flow_unknown(flow_id: str) -> ProblemError:
    return not_found("flow_unknown", f"There is no flow {flow_id!r}. GET /api/v1/flows lists the flows.")
