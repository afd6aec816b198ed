"""Message templates: the organization's copy of those of its WhatsApp Business accounts."""

from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.conversation.change_log import change_of
from pytake.conversation.ports.tenants import UnknownNumberError
from pytake.conversation.templates.manage import (
    InvalidTemplateError,
    TemplateFilters,
    UnknownAccountError,
    UnknownTemplateError,
)
from pytake.conversation.templates.stored import StoredTemplate
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.sending import SendFailedError
from pytake.whatsapp.templates import LANGUAGE, NAME, language_code
from pytake.wiring.desk import change_log
from rest.caller import Caller, caller
from rest.cursor import read_list_cursor, write_list_cursor
from rest.identifiers import PHONE_NUMBER_ID
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.paging import DEFAULT_LIMIT, Cursor, Limit
from rest.problems import ProblemError, not_found, unprocessable

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Category = Literal["MARKETING", "UTILITY", "AUTHENTICATION"]
TemplateName = Annotated[str, Path(pattern=NAME, description="The template's name")]
Language = Annotated[str, Path(pattern=LANGUAGE, description="The language as Meta writes it: `pt_BR`")]
WABA_ID = r"^[0-9]{1,20}$"

_ASKS_META = ("number_unknown", "account_unknown", "template_refused", "meta_unavailable")


class TemplateResponse(ApiModel):
    """A template of a WhatsApp Business account. Only APPROVED ones are certain to be sent.

    `components` is null while they are not known: a webhook named the template, and the account's list was not copied since.
    `reason`: why Meta rejected or stopped it. `title`: why its status changed last (FIRST_PAUSE, SECOND_PAUSE, UNPAUSE).
    `quality`: GREEN, YELLOW, RED or UNKNOWN. `next_category`: Meta has announced that it will have this category."""

    waba_id: str
    id: str | None
    name: str
    language: str
    category: str | None
    status: str | None
    parameter_format: Literal["POSITIONAL", "NAMED"]
    components: list[dict[str, Any]] | None
    quality: str | None
    reason: str | None
    title: str | None
    next_category: str | None


class NewTemplate(ApiModel):
    """A template to create in the account of `phone_number_id`. `components` has Meta's format, with an example for each
    variable."""

    model_config = ConfigDict(extra="forbid")

    phone_number_id: str = Field(pattern=PHONE_NUMBER_ID)
    name: str = Field(pattern=NAME)
    language: str = Field(pattern=LANGUAGE)
    category: Category
    components: list[dict[str, Any]] = Field(min_length=1, max_length=10)
    parameter_format: Literal["POSITIONAL", "NAMED"] = "POSITIONAL"
    message_send_ttl_seconds: int | None = Field(
        default=None, description="How long Meta tries to deliver a message; -1: 30 days"
    )


class SyncRequest(ApiModel):
    """The number whose account is copied."""

    model_config = ConfigDict(extra="forbid")

    phone_number_id: str = Field(pattern=PHONE_NUMBER_ID)


@router.get(
    "/api/v1/templates",
    summary="The organization's message templates",
    tags=["Templates"],
    openapi_extensions=route_docs("builder", "agent", problems=["cursor_invalid"], paged=True),
)
def list_templates(
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    status: Annotated[
        str | None, Query(pattern=r"^[A-Z_]{1,32}$", description="APPROVED, PENDING, PAUSED …; DELETED ones only so")
    ] = None,
    category: Annotated[Category | None, Query(description="Only this category")] = None,
    name: Annotated[str | None, Query(pattern=NAME, description="Only this name, in all its languages")] = None,
    language: Annotated[str | None, Query(pattern=LANGUAGE, description="Only this language")] = None,
    waba_id: Annotated[str | None, Query(pattern=WABA_ID, description="Only this WhatsApp Business account")] = None,
) -> Response[list[TemplateResponse]]:
    """The copy is kept by Meta's webhooks, and by `POST /templates/sync`. With filters a page may hold fewer than `limit`."""
    who = caller(router, "builder", "agent")
    wanted = {"status": status, "category": category, "name": name, "language": language, "waba_id": waba_id}
    given = {key: value for key, value in wanted.items() if value is not None}
    list_name = f"templates {urlencode(given)}"
    after = read_list_cursor(list_name, who.organization_id, cursor) if cursor is not None else ""
    code = language_code(language) if language is not None else None
    filters = TemplateFilters(status, category, name, code, waba_id)
    page = wiring.manage_templates().page(who.organization_id, limit, after, filters)
    headers: dict[str, str | list[str]] = {}
    if page.end is not None:
        following = write_list_cursor(list_name, who.organization_id, page.end)
        query = urlencode({**given, "limit": limit, "cursor": following})
        headers["Link"] = f'</api/v1/templates?{query}>; rel="next"'
    body = [_answer(stored) for stored in page.templates]
    return Response(status_code=HTTPStatus.OK.value, content_type="application/json", body=body, headers=headers)


@router.get(
    "/api/v1/templates/<template_name>/<language>",
    summary="One message template",
    tags=["Templates"],
    openapi_extensions=route_docs("builder", "agent", problems=["template_unknown"]),
)
def get_template(
    template_name: TemplateName,
    language: Language,
    waba_id: Annotated[
        str | None, Query(pattern=WABA_ID, description="The account. Default: the first one that has the template")
    ] = None,
) -> TemplateResponse:
    who = caller(router, "builder", "agent")
    try:
        return _answer(wiring.manage_templates().one(who.organization_id, template_name, language, waba_id))
    except UnknownTemplateError:
        raise _unknown(template_name) from None


@router.post(
    "/api/v1/templates",
    summary="Create a message template at Meta",
    tags=["Templates"],
    openapi_extensions=route_docs("builder", problems=["template_invalid", *_ASKS_META]),
)
def create_template(request: NewTemplate) -> TemplateResponse:
    """Meta's documented rules are checked first. Meta then examines the template: `status` tells the result, now or later."""
    who = caller(router, "builder")
    definition = request.model_dump(exclude={"phone_number_id"}, exclude_none=True)
    definition["language"] = language_code(request.language)
    try:
        created = wiring.manage_templates().create(who.organization_id, request.phone_number_id, definition)
    except InvalidTemplateError as error:
        found = [{"field": field, "message": message} for field, message in error.problems]
        detail = "Meta would refuse this template; `errors` lists each place."
        raise unprocessable("template_invalid", detail, errors=found) from None
    except (UnknownNumberError, UnknownAccountError, SendFailedError) as error:
        raise _refused(request.phone_number_id, error) from None
    _record(who, request.name, None, definition)
    return _answer(created)


@router.post(
    "/api/v1/templates/sync",
    summary="Copy the templates of a number's account from Meta",
    tags=["Templates"],
    openapi_extensions=route_docs("builder", problems=_ASKS_META),
)
def sync_templates(request: SyncRequest) -> list[TemplateResponse]:
    """The templates of the account as they are now. If the request takes too long for a large account, repeat it: what was
    copied is not copied again."""
    who = caller(router, "builder")
    try:
        found = wiring.manage_templates().sync(who.organization_id, request.phone_number_id)
    except (UnknownNumberError, UnknownAccountError, SendFailedError) as error:
        raise _refused(request.phone_number_id, error) from None
    return [_answer(stored) for stored in found]


@router.delete(
    "/api/v1/templates/<template_name>",
    summary="Delete a message template at Meta",
    tags=["Templates"],
    status_code=HTTPStatus.NO_CONTENT.value,
    openapi_extensions=route_docs("builder", problems=["template_unknown", *_ASKS_META]),
)
def delete_template(
    template_name: TemplateName,
    phone_number_id: Annotated[str, Query(pattern=PHONE_NUMBER_ID, description="A number of the account")],
    language: Annotated[
        str | None, Query(pattern=LANGUAGE, description="Only this language. Default: all languages")
    ] = None,
) -> Response[str]:
    """Meta blocks the name of an approved template for 30 days. Messages that are on their way are still delivered."""
    who = caller(router, "builder")
    try:
        wiring.manage_templates().delete(who.organization_id, phone_number_id, template_name, language)
    except UnknownTemplateError:
        raise _unknown(template_name) from None
    except (UnknownNumberError, UnknownAccountError, SendFailedError) as error:
        raise _refused(phone_number_id, error) from None
    _record(who, template_name, {"language": language}, None)
    return Response(status_code=HTTPStatus.NO_CONTENT.value, body="")


def _record(who: Caller, name: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    change = change_of(who.author(), "templates", before, after, name)
    if change is not None:
        change_log().add(who.organization_id, change)


def _unknown(name: str) -> ProblemError:
    detail = (
        f"The template {name!r} does not exist in this language. GET /api/v1/templates lists the templates; "
        "POST .../sync copies them."
    )
    return not_found("template_unknown", detail)


def _refused(phone_number_id: str, error: UnknownNumberError | UnknownAccountError | SendFailedError) -> ProblemError:
    """The problem of a request that Meta did not carry out."""
    if isinstance(error, UnknownNumberError):
        detail = f"This organization has no phone number with the id {phone_number_id}."
        return not_found("number_unknown", detail)
    if isinstance(error, UnknownAccountError):
        detail = "Meta does not say which WhatsApp Business account has this number. Set its `waba_id`."
        return unprocessable("account_unknown", detail)
    if error.error_class in (ErrorClass.RETRY, ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS):
        detail = f"Meta gave no usable answer. Look at the list before you repeat the request: {error}"
        headers = {"Retry-After": "10"}
        return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "meta_unavailable", detail, headers=headers)
    return unprocessable("template_refused", f"Meta refused the request: {error}")


def _answer(stored: StoredTemplate) -> TemplateResponse:
    template = stored.template
    return TemplateResponse(
        waba_id=stored.waba_id,
        id=template.id,
        name=template.name,
        language=template.language,
        category=template.category,
        status=template.status,
        parameter_format=template.parameter_format,
        components=template.components,
        quality=template.quality,
        reason=template.reason,
        title=stored.title,
        next_category=stored.next_category,
    )
