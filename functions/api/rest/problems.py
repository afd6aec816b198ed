"""Errors as RFC 9457 problem details, each with a stable `code`."""

import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

CONTENT_TYPE = "application/problem+json"


class ProblemError(Exception):
    """Ends a request with a problem. `detail` says what is wrong and what to do; `extra` adds members to the answer."""

    def __init__(self, status: HTTPStatus, code: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.extra = extra

    def response(self) -> Response[str]:
        body = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "code": self.code,
            "detail": self.detail,
            **self.extra,
        }
        return Response(
            status_code=self.status.value, content_type=CONTENT_TYPE, body=json.dumps(body, ensure_ascii=False)
        )


def not_found(code: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, code, detail)


def conflict(code: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, code, detail)


def unprocessable(code: str, detail: str, **extra: Any) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail, **extra)
