"""Contacts and their consent; erasing a person.

These routes show who people are, so they are for agents and admins only.
"""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

import pytake.wiring.api as wiring
from pytake.contacts.consent import PURPOSES, Consent, ConsentChange, ConsentState, Purpose
from pytake.contacts.manage import (
    ConsentErasedError,
    ContactChangedError,
    ContactData,
    ContactFilters,
    UnknownContactError,
)
from pytake.contacts.ports import ListPlace
from pytake.contacts.records import ContactRecord
from pytake.conversation.ports.common import ConflictError
from pytake.engine.template import is_name
from pytake.engine.texts import language_code
from rest.caller import caller
from rest.cursor import invalid_cursor, read_list_cursor, write_list_cursor
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.people import Phone, conversation_busy, person
from rest.problems import ProblemError, bad_request, conflict, not_found
from rest.revisions import changed, expected_revision, if_match, tagged

SETTINGS_BYTES = 50_000
"""Flows may save 60,000 bytes of a contact."""

FIELD_PREFIX = "field."

_LIST = "contacts"
_NOT_FIELDS = ("id", "phone", "tags")

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


def _fields(fields: dict[str, Any]) -> dict[str, Any]:
    for name in fields:
        if not is_name(name) or name in _NOT_FIELDS:
            raise ValueError(f"{name!r} cannot be a field: use letters, digits and _, but not id, phone or tags")
    return fields


def _language(language: str) -> str:
    code = language_code(language) if language else ""
    if code is None:
        raise ValueError("not a language code; use one such as pt_BR, en or es")
    return code


Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Source = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
IfMatch = Annotated[str | None, if_match("contact")]


class ContactSettings(ApiModel):
    """What a program may set of a contact. An omitted one is emptied."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        default="", max_length=200, description="Empty: the name of the person's profile, once they write"
    )
    language: Annotated[str, AfterValidator(_language)] = Field(
        default="", max_length=20, description="Such as `pt_BR`; selects the texts of flows"
    )
    tags: list[Tag] = Field(default=[], max_length=200)
    fields: Annotated[dict[str, Any], AfterValidator(_fields)] = Field(
        default_factory=dict, description="Values that flows read as `{{contact.NAME}}`"
    )

    @model_validator(mode="after")
    def _small(self) -> "ContactSettings":
        if len(json.dumps(self.model_dump(), ensure_ascii=False).encode()) > SETTINGS_BYTES:
            raise ValueError(f"a contact may have {SETTINGS_BYTES} bytes as JSON")
        return self


class ConsentResponse(ApiModel):
    """The consent to a purpose. `source` and `at` are null if it was never set."""

    state: ConsentState
    source: str | None
    at: datetime | None


class ConsentByPurpose(ApiModel):
    """The consent to each purpose: answers (`service`), `utility` and `marketing` templates."""

    service: ConsentResponse
    utility: ConsentResponse
    marketing: ConsentResponse


class ConsentHistoryEntry(ApiModel):
    """A change of consent. `at` is when it happened: one that arrived late stands between older and newer ones."""

    purpose: Purpose
    state: ConsentState
    source: str
    at: datetime


class ConsentWithHistory(ConsentByPurpose):
    """The consent, and its latest 100 changes, the oldest first."""

    history: list[ConsentHistoryEntry]


class ConsentSetting(ApiModel):
    """A new state, and how it came about: it is kept as the proof."""

    model_config = ConfigDict(extra="forbid")

    state: ConsentState
    source: Source = Field(description="Such as `form 2026-11`")


class ConsentSettings(ApiModel):
    """The purposes to set. The others stay as they are."""

    model_config = ConfigDict(extra="forbid")

    service: ConsentSetting | None = None
    utility: ConsentSetting | None = None
    marketing: ConsentSetting | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> "ConsentSettings":
        if self.service is self.utility is self.marketing is None:
            raise ValueError("name at least one of service, utility and marketing")
        return self


class ContactResponse(ApiModel):
    """A contact. `opted_out`: the person wants no messages (`consent.service` is withdrawn); writing again opts in."""

    contact_id: str
    phone: str | None
    user_id: str | None
    username: str | None
    name: str
    language: str
    tags: list[str]
    fields: dict[str, Any]
    consent: ConsentByPurpose
    opted_out: bool
    created_at: datetime
    last_inbound_at: datetime | None


class ContactList(ApiModel):
    """A page of the list. Pass `next_cursor` as `cursor` to get the next page; null: this is the last page."""

    contacts: list[ContactResponse]
    next_cursor: str | None


@router.get(
    "/api/v1/contacts",
    summary="Contacts, the newest first",
    tags=["Contacts"],
    openapi_extensions=route_docs("agent", problems=["cursor_invalid"], query_prefix=FIELD_PREFIX),
)
def list_contacts(
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the previous page")] = None,
    q: Annotated[
        str | None,
        Query(min_length=1, max_length=200, description="Part of a name, a username, a phone number or an id"),
    ] = None,
    tag: Annotated[str | None, Query(min_length=1, max_length=100, description="Only contacts with this tag")] = None,
) -> ContactList:
    """`field.NAME=VALUE` shows only contacts with this value in a field.

    With a filter, a page may have fewer contacts than `limit`, or none: continue while there is a `next_cursor`. A `q` that is
    a contact's whole phone number or id finds this contact at once.
    """
    who = caller(router, "agent")
    after = _place(who.organization_id, cursor) if cursor is not None else None
    filters = ContactFilters(q, tag, _asked_fields())
    page = wiring.manage_contacts().page(who.organization_id, limit, after, filters)
    mark = f"{page.end.at!r} {page.end.contact_id}" if page.end is not None else None
    return ContactList(
        contacts=[contact_response(contact) for contact in page.contacts],
        next_cursor=write_list_cursor(_LIST, who.organization_id, mark) if mark is not None else None,
    )


@router.get(
    "/api/v1/contacts/<phone>",
    summary="A contact",
    tags=["Contacts"],
    openapi_extensions=route_docs("agent", problems=["contact_unknown", "person_invalid"], tagged=True),
)
def get_contact(phone: Phone) -> Response[ContactResponse]:
    who = caller(router, "agent")
    try:
        return _tagged(wiring.manage_contacts().get(who.organization_id, person(phone)))
    except UnknownContactError:
        raise _unknown(phone) from None


@router.put(
    "/api/v1/contacts/<phone>",
    summary="Create or change a contact",
    tags=["Contacts"],
    openapi_extensions=route_docs(
        "agent", problems=["person_invalid", "contact_changed", "conversation_busy"], tagged=True
    ),
)
def put_contact(phone: Phone, request: ContactSettings, given: IfMatch = None) -> Response[ContactResponse]:
    """Replaces name, language, tags and fields. The person need not have written. Running conversations use the new values from
    their next turn on."""
    who = caller(router, "agent")
    data = ContactData(request.name, request.language, list(dict.fromkeys(request.tags)), request.fields)
    expected = expected_revision(given)
    try:
        saved = wiring.manage_contacts().put(who.organization_id, person(phone), data, expected)
    except ContactChangedError as error:
        raise changed("contact_changed", "changed or erased the contact", error.revision) from None
    except ConflictError:
        raise conversation_busy() from None
    return _tagged(saved)


@router.get(
    "/api/v1/contacts/<phone>/consent",
    summary="What a contact consents to, with its history",
    tags=["Contacts"],
    openapi_extensions=route_docs("agent", problems=["contact_unknown", "person_invalid"]),
)
def get_consent(phone: Phone) -> ConsentWithHistory:
    who = caller(router, "agent")
    return _consent_answer(who.organization_id, phone)


@router.put(
    "/api/v1/contacts/<phone>/consent",
    summary="Set what a contact consents to",
    tags=["Contacts"],
    openapi_extensions=route_docs("agent", problems=["person_invalid", "consent_erased", "conversation_busy"]),
)
def put_consent(phone: Phone, request: ConsentSettings) -> ConsentWithHistory:
    """Sets the purposes that the body names, from now on, and creates the contact if there is none.

    No marketing template is sent without `granted` consent. Withdrawing `service` also silences the bot and agents until the
    person writes again.
    """
    who = caller(router, "agent")
    given: dict[Purpose, ConsentSetting | None] = {purpose: getattr(request, purpose) for purpose in PURPOSES}
    states = {purpose: (setting.state, setting.source) for purpose, setting in given.items() if setting is not None}
    try:
        wiring.manage_contacts().set_consent(who.organization_id, person(phone), states, who.subject)
    except ConsentErasedError:
        detail = "The person had withdrawn this consent and was erased. Only they can grant it again, by writing."
        raise conflict("consent_erased", detail) from None
    except ConflictError:
        raise conversation_busy() from None
    return _consent_answer(who.organization_id, phone)


@router.delete(
    "/api/v1/contacts/<phone>",
    summary="Erase a person at all phone numbers",
    tags=["Contacts"],
    status_code=HTTPStatus.NO_CONTENT.value,
    openapi_extensions=route_docs("agent", problems=["conversation_busy", "person_invalid"]),
)
def erase_contact(phone: Phone) -> Response[str]:
    """Removes the contact's conversations, turns, deliveries and queued messages at every phone number, at once.

    Values in the lake, dead letters and query results are removed within a quarter of an hour. Counts in reports stay. If
    the person writes again, they are a new contact. The request is safe to repeat, also for an unknown person.
    """
    who = caller(router, "agent")
    try:
        wiring.erase_contact()(who.organization_id, person(phone), who.subject)
    except ConflictError:
        raise conversation_busy() from None
    return Response(status_code=HTTPStatus.NO_CONTENT.value, body="")


def _asked_fields() -> dict[str, str]:
    asked: dict[str, str] = router.current_event.query_string_parameters or {}
    fields = {name.removeprefix(FIELD_PREFIX): value for name, value in asked.items() if name.startswith(FIELD_PREFIX)}
    for name in fields:
        if not is_name(name):
            raise bad_request("query_unknown", f"{name!r} cannot be the name of a field.")
    return fields


def _place(organization_id: str, cursor: str) -> ListPlace:
    at, _, contact_id = read_list_cursor(_LIST, organization_id, cursor).partition(" ")
    try:
        place = ListPlace(float(at), contact_id)
    except ValueError:
        raise invalid_cursor() from None
    if not 0 <= place.at < 2**40:  # anyone can compute the check; also `nan`
        raise invalid_cursor()
    return place


def _consent_answer(organization_id: str, phone: str) -> ConsentWithHistory:
    try:
        contact, history = wiring.manage_contacts().consent_history(organization_id, person(phone))
    except UnknownContactError:
        raise _unknown(phone) from None
    return ConsentWithHistory(**_consent(contact), history=[_entry(change) for change in history])


def _entry(change: ConsentChange) -> ConsentHistoryEntry:
    at = datetime.fromtimestamp(change.at, UTC)
    return ConsentHistoryEntry(purpose=change.purpose, state=change.state, source=change.source, at=at)


def _consent(contact: ContactRecord) -> dict[Purpose, ConsentResponse]:
    return {purpose: _state(contact.consent_to(purpose)) for purpose in PURPOSES}


def _state(consent: Consent) -> ConsentResponse:
    return ConsentResponse(state=consent.state, source=consent.source or None, at=_time(consent.at))


def _time(at: float) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at else None


def contact_response(contact: ContactRecord) -> ContactResponse:
    """A contact as the API shows it."""
    kept = ("contact_id", "phone", "user_id", "username", "name", "language", "tags", "fields", "opted_out")
    return ContactResponse(
        **{name: getattr(contact, name) for name in kept},
        consent=ConsentByPurpose(**_consent(contact)),
        created_at=datetime.fromtimestamp(contact.created_at, UTC),
        last_inbound_at=_time(contact.last_inbound_at),
    )


def _tagged(contact: ContactRecord) -> Response[ContactResponse]:
    return tagged(contact_response(contact), contact.revision)


def _unknown(phone: str) -> ProblemError:
    return not_found("contact_unknown", f"This organization has no contact {person(phone)!r}.")
