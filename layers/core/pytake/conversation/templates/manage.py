"""The use cases of builders for templates: read the copy, create and delete at Meta, and copy an account's list."""

from math import inf
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from pytake.conversation.number_setup import NumberProfiles
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.templates import TemplateApi, Templates
from pytake.conversation.ports.tenants import Secrets, TenantRepository, UnknownNumberError
from pytake.conversation.records import Number
from pytake.conversation.templates.stops import ReportStoppedTemplates
from pytake.conversation.templates.stored import (
    StoredTemplate,
    TemplateKey,
    after_deletion,
    after_listing,
)
from pytake.whatsapp.template_rules import definition_problems
from pytake.whatsapp.templates import MessageTemplate, language_code

READ_AT_ONCE = 200
"""Copies that a filtered page reads before it looks whether it is full."""

MOST_READ = 2000
"""Copies that one page reads. A filter that fits few of them gives a short page with a cursor."""


class UnknownTemplateError(Exception):
    """The organization has no such template."""


class UnknownAccountError(Exception):
    """Meta does not say which WhatsApp Business account has the number."""


class InvalidTemplateError(ValueError):
    """The definition breaks a documented rule. `problems`: each place with what to do."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(problems[0][1])
        self.problems = problems


class TemplateFilters(Struct, frozen=True):
    """Which templates a list has; None: any."""

    status: str | None = None
    category: str | None = None
    name: str | None = None
    language: str | None = None
    waba_id: str | None = None

    def fit(self, stored: StoredTemplate) -> bool:
        """Whether the template is one of them. A deleted one only when its status is asked for."""
        template = stored.template
        if stored.is_deleted and self.status != template.status:
            return False
        wanted = (self.status, self.category, self.name, self.language, self.waba_id)
        found = (template.status, template.category, template.name, template.language, stored.waba_id)
        return all(want in (None, have) for want, have in zip(wanted, found, strict=True))


class TemplatePage(Struct, frozen=True):
    """A part of the list. `end` is the place of the last template that was read; None: this is the last part."""

    templates: list[StoredTemplate]
    end: str | None


class ManageTemplates:
    """The use cases behind `/api/v1/templates`. Every method works inside one organization.

    Those that ask Meta take a number: its access token is used, for its WhatsApp Business account. They raise
    `UnknownNumberError`, `UnknownAccountError`, and `pytake.whatsapp.sending.SendFailedError`.
    """

    def __init__(
        self,
        tenants: TenantRepository,
        secrets: Secrets,
        templates: Templates,
        api: TemplateApi,
        profiles: NumberProfiles,
        report_stopped: ReportStoppedTemplates,
        clock: Clock,
    ) -> None:
        self._tenants = tenants
        self._secrets = secrets
        self._templates = templates
        self._api = api
        self._profiles = profiles
        self._report_stopped = report_stopped
        self._clock = clock

    def page(self, organization_id: str, limit: int, after: str, filters: TemplateFilters) -> TemplatePage:
        """A part of the list behind the place `after`, by account, name and language."""
        found: list[StoredTemplate] = []
        for _ in range(MOST_READ // READ_AT_ONCE):
            entries = self._templates.page(organization_id, READ_AT_ONCE, after)
            for place, stored in entries:
                if filters.fit(stored):
                    if len(found) == limit:
                        return TemplatePage(found, after)
                    found.append(stored)
                after = place
            if len(entries) < READ_AT_ONCE:
                return TemplatePage(found, None)
        return TemplatePage(found, after)

    def one(self, organization_id: str, name: str, language: str, waba_id: str | None = None) -> StoredTemplate:
        """A template, of the first account that has it. Raises `UnknownTemplateError`."""
        accounts = {number.waba_id for number in self._tenants.numbers(organization_id) if number.waba_id}
        for account in [waba_id] if waba_id is not None else sorted(accounts):
            stored = self._templates.find(TemplateKey(organization_id, account, name, language_code(language)))
            if stored is not None and not stored.is_deleted:
                return stored
        raise UnknownTemplateError(name)

    def sync(self, organization_id: str, phone_number_id: str) -> list[StoredTemplate]:
        """Copy the account's list; the templates in it. Copies of others become DELETED. Repeating it finishes the rest."""
        waba_id, token = self._account(organization_id, phone_number_id)
        at = self._now()
        known = {_place(stored): stored for stored in self._templates.of_account(organization_id, waba_id)}
        listed: list[StoredTemplate] = []
        for page in self._api.templates(waba_id, token):
            for template in page:
                stored = known.pop((template.name, template.language), None)
                listed.append(self._copy(organization_id, waba_id, template, at, stored))
        for stored in known.values():
            self._mark_deleted(organization_id, stored, at)
        self._templates.set_listed(organization_id, waba_id, at)
        return sorted(listed, key=_place)

    def create(self, organization_id: str, phone_number_id: str, definition: dict[str, Any]) -> StoredTemplate:
        """Create a template at Meta; its copy. Raises `InvalidTemplateError` before Meta is asked."""
        problems = definition_problems(definition)
        if problems:
            raise InvalidTemplateError(problems)
        waba_id, token = self._account(organization_id, phone_number_id)
        at = self._now()
        created = self._api.create_template(waba_id, token, definition)
        template = replace(
            created,
            category=created.category or definition["category"],
            parameter_format="NAMED" if definition.get("parameter_format") == "NAMED" else "POSITIONAL",
            components=definition["components"],
        )
        return self._copy(organization_id, waba_id, template, at, None)

    def delete(
        self, organization_id: str, phone_number_id: str, name: str, language: str | None
    ) -> list[StoredTemplate]:
        """Delete a template at Meta, in one language or in all; the copies of those that are gone.

        Raises `UnknownTemplateError` when the copy does not have the language, whose id Meta needs.
        """
        waba_id, token = self._account(organization_id, phone_number_id)
        found = [one for one in self._templates.of_account(organization_id, waba_id, name) if not one.is_deleted]
        template_id: str | None = None
        if language is not None:
            found = [one for one in found if one.template.language == language_code(language)]
            template_id = found[0].template.id if found else None
            if template_id is None:
                raise UnknownTemplateError(name)
        at = self._now()
        self._api.delete_template(waba_id, token, name, template_id)
        for stored in found:
            self._mark_deleted(organization_id, stored, at)
        return found

    def _copy(
        self, organization_id: str, waba_id: str, template: MessageTemplate, at: float, known: StoredTemplate | None
    ) -> StoredTemplate:
        if known is not None and after_listing(known, waba_id, template, inf).template == known.template:
            return known  # nothing is new: no write, and the times of what is known stay
        key = TemplateKey(organization_id, waba_id, template.name, template.language)
        before, after = self._templates.change(key, lambda stored: after_listing(stored, waba_id, template, at))
        self._report_stopped(organization_id, before, after)
        return after

    def _mark_deleted(self, organization_id: str, stored: StoredTemplate, at: float) -> None:
        key = TemplateKey(organization_id, stored.waba_id, *_place(stored))
        self._templates.change(key, lambda known: after_deletion(known or stored, at))

    def _account(self, organization_id: str, phone_number_id: str) -> tuple[str, str]:
        """The account of a number, and the token to ask with."""
        number = self._tenants.number(phone_number_id, fresh=True)
        if number is None or number.organization_id != organization_id:
            raise UnknownNumberError(phone_number_id)
        token = self._secrets.access_token(organization_id, phone_number_id) or ""
        return number.waba_id or self._ask_for_account(number, token), token

    def _ask_for_account(self, number: Number, token: str) -> str:
        """Learn the account of a number that was connected before accounts were stored."""
        waba_id = self._profiles.profile(number.phone_number_id, token).waba_id
        if waba_id is None:
            raise UnknownAccountError(number.phone_number_id)
        self._tenants.put_number(replace(number, waba_id=waba_id))
        return waba_id

    def _now(self) -> float:
        """Whole seconds, as Meta counts: news of the second in which Meta answered is not older than the answer."""
        return float(int(self._clock()))


def _place(stored: StoredTemplate) -> tuple[str, str]:
    return stored.template.name, stored.template.language
