"""`ETag` and `If-Match` of what has a revision: no change overwrites another one unseen."""

from http import HTTPStatus
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header

from rest.problems import ProblemError

Body = TypeVar("Body")


def if_match(what: str) -> Any:
    """The header that allows a change only over the revision that was read; `*`: only if there is one."""
    description = f'Only if the stored {what} has this `ETag`, such as `"3"`; `*`: only if there is one'
    return Header(alias="If-Match", pattern=r'^(\*|"[0-9]{1,15}(\.[0-9a-f]{32})?")$', description=description)


def expected_revision(given: str | None) -> int | None:
    """The revision that `If-Match` names; -1 for `*`, None without the header.

    The tag of an answer that is polled has a hash of its content after the revision.
    """
    return None if given is None else -1 if given == "*" else int(given.strip('"').partition(".")[0])


def tagged(body: Body, revision: int) -> Response[Body]:
    """A response with the revision as its `ETag`."""
    headers: dict[str, str | list[str]] = {"ETag": f'"{revision}"'}
    return Response(status_code=HTTPStatus.OK.value, content_type="application/json", body=body, headers=headers)


def changed(code: str, what: str, revision: int | None) -> ProblemError:
    """The 412 problem of a change over another revision. `revision` is the stored one, None if nothing is stored."""
    headers = {"ETag": f'"{revision}"'} if revision is not None else {}
    detail = f"Another request has {what}. Read it, and try again with its ETag."
    return ProblemError(HTTPStatus.PRECONDITION_FAILED, code, detail, headers=headers)
