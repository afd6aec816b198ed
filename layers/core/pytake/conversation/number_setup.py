"""Set up WhatsApp numbers: check and store what an admin copies from Meta's dashboard."""

import hashlib
from collections.abc import Mapping
from typing import Protocol

import msgspec
import phonenumbers
from msgspec import Struct
from msgspec.structs import replace

from pytake.conversation.change_log import Author
from pytake.conversation.ports.templates import Templates
from pytake.conversation.ports.tenants import Flows, Secrets, TenantRepository, UnknownNumberError
from pytake.conversation.records import FallbackTemplate, Number, NumberSecrets
from pytake.conversation.templates.check import (
    MismatchedTemplateError,
    MissingTemplateError,
    UnsendableTemplateError,
    check_template,
)
from pytake.engine import Command, Problem
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.outbound import Template
from pytake.whatsapp.sending import NumberProfile, SendFailedError

MOST_WORDS = 1000
WORD_CHARACTERS = 100
FLOW_ID_CHARACTERS = 64


class NumberSetupError(ValueError):
    """A field of the setup is wrong. `field` names it; the text says what to do."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NumberUnverifiedError(NumberSetupError):
    """Meta does not let the given access token use the number."""


class VerificationFailedError(Exception):
    """Meta gave no usable answer, so the number could not be verified. Nothing is stored; the text says why."""


class NumberProfiles(Protocol):
    """Meta's profiles of numbers."""

    def profile(self, phone_number_id: str, access_token: str) -> NumberProfile:
        """The profile. Raises `SendFailedError`, also when the token may not read it."""


class NumberChange(Struct, frozen=True):
    """The settings of a number. A missing secret stays unchanged; a new number must have its secrets."""

    display_phone_number: str
    default_flow_id: str | None = None
    keywords: dict[str, str] = {}
    commands: dict[str, Command] = {}
    apology: str | None = None
    fallback_template: FallbackTemplate | None = None
    verify_token: str | None = None
    app_secret: str | None = None
    previous_app_secret: str | None = None
    access_token: str | None = None
    messages_per_second: int | None = None
    waba_id: str | None = None
    mark_read: bool = True
    typing: bool = True
    coexists: bool = False
    marketing_messages: bool = False


class NumberSetup:
    """The use cases of admins for numbers. Every method works inside one organization."""

    def __init__(
        self,
        tenants: TenantRepository,
        secrets: Secrets,
        flows: Flows,
        templates: Templates,
        profiles: NumberProfiles | None,
    ) -> None:
        """`profiles` None: numbers are stored without verification, for development without Meta."""
        self._tenants = tenants
        self._secrets = secrets
        self._flows = flows
        self._templates = templates
        self._profiles = profiles

    def numbers(self, organization_id: str) -> list[Number]:
        return self._tenants.numbers(organization_id)

    def number(self, organization_id: str, phone_number_id: str) -> Number:
        """Raises `UnknownNumberError`, also for a number of another organization."""
        number = self._tenants.number(phone_number_id)
        if number is None or number.organization_id != organization_id:
            raise UnknownNumberError(phone_number_id)
        return number

    def problems(self, number: Number) -> list[Problem]:
        """Warnings about flows of the number that do not exist or are not published, where a person would get the apology, and
        about a fallback template that Meta would refuse, so that the person would get nothing.

        Warnings only, because a number may be connected before its flows are published and its template is approved.
        """
        return [*self._flow_problems(number), *self._template_problems(number)]

    def _template_problems(self, number: Number) -> list[Problem]:
        fallback = number.fallback_template
        if fallback is None:
            return []
        message = Template(fallback.name, fallback.language, [])
        try:
            check_template(self._templates, number, message)
        except MissingTemplateError:
            code = "template_unknown"
            reason = (
                f"There is no template `{fallback.name}` in `{fallback.language}`. Create it, or choose another one."
            )
        except UnsendableTemplateError as error:
            code, reason = (
                "template_not_approved",
                f"Meta sends nothing with the template: its status is {error.status}.",
            )
        except MismatchedTemplateError:
            code = "template_mismatch"
            reason = (
                f"The template `{fallback.name}` needs parameters. Choose one without, because nothing fills them in."
            )
        else:
            return []
        return [Problem(code, "warning", None, "fallback_template", reason)]

    def _flow_problems(self, number: Number) -> list[Problem]:
        named = [("default_flow_id", number.default_flow_id)] if number.default_flow_id else []
        named += _of_keywords(number.keywords)
        if not named:
            return []
        flows = {summary.flow_id: summary for summary in self._flows.summaries(number.organization_id)}
        found = []
        for field, flow_id in named:
            summary = flows.get(flow_id)
            if summary is None:
                message = f"There is no flow `{flow_id}`. Create and publish it, or choose another flow."
                found.append(Problem("flow_unknown", "warning", None, field, message, flow_id))
            elif summary.published_version is None:
                message = f"The flow `{flow_id}` is not published. Publish it, or choose another flow."
                found.append(Problem("flow_not_published", "warning", None, field, message, flow_id))
        return found

    def put(
        self, organization_id: str, phone_number_id: str, change: NumberChange, author: Author | None = None
    ) -> Number:
        """Create or change a number.

        After a change of the app secret the previous one stays valid, so that a rotation loses no webhook, unless the change
        names another previous one. Numbers of an organization may share a verify token, because a Meta app has one for all
        its numbers. A given access token is verified first: Meta must let it read the number's profile, so that no
        organization takes a number that is not its own. The profile names the WhatsApp Business account of the number; a
        given one that Meta contradicts is refused. Without either the number keeps the account that it has.

        Raises `NumberSetupError` for a wrong field, `NumberUnverifiedError`, `VerificationFailedError`, and `ConflictError`
        when the number or its verify token belongs to another organization.
        """
        _check_words(change)
        known = self._tenants.number(phone_number_id, fresh=True)
        if known is not None and known.organization_id != organization_id:
            known = None  # the repository's own condition refuses the write
        stored = self._secrets.of_number(organization_id, phone_number_id, fresh=True) if known else None
        secrets = _merged(stored, change)
        if change.verify_token is not None:
            verify_token_hash: str | None = hashlib.sha256(change.verify_token.encode()).hexdigest()
        else:
            verify_token_hash = known.verify_token_hash if known else None
        if verify_token_hash is None:
            raise NumberSetupError(
                "verify_token", "Choose a verify token: Meta sends it back when it checks the webhook."
            )
        waba_id = change.waba_id or (known.waba_id if known else None)
        if change.access_token is not None or waba_id != (known.waba_id if known else None):
            told = self._verify(phone_number_id, secrets.access_token)
            if change.waba_id is not None and told not in (None, change.waba_id):
                message = (
                    f"Meta says that the number belongs to the WhatsApp Business account {told}. Correct or omit it."
                )
                raise NumberSetupError("waba_id", message)
            waba_id = told or waba_id
        number = Number(
            organization_id=organization_id,
            phone_number_id=phone_number_id,
            display_phone_number=change.display_phone_number,
            default_flow_id=change.default_flow_id or None,
            keywords=change.keywords,
            country=country(change.display_phone_number),
            apology=change.apology,
            commands=change.commands,
            fallback_template=change.fallback_template,
            messages_per_second=change.messages_per_second,
            mark_read=change.mark_read,
            typing=change.typing,
            coexists=change.coexists,
            marketing_messages=change.marketing_messages,
            verify_token_hash=verify_token_hash,
            stopped_reason=known.stopped_reason if known else None,
            stopped_at=known.stopped_at if known else None,
            waba_id=waba_id,
        )
        # The tenant repository first: its condition decides whose number this is, before any secret is stored under its name.
        self._tenants.put_number(number, author, _changed(stored, secrets))
        if secrets != stored:
            self._secrets.put(organization_id, phone_number_id, secrets)
        return number

    def _verify(self, phone_number_id: str, access_token: str) -> str | None:
        """The account that has the number, None when Meta does not name it or is not asked."""
        if self._profiles is None:
            return None
        try:
            return self._profiles.profile(phone_number_id, access_token).waba_id
        except SendFailedError as failure:
            if failure.error_class in (ErrorClass.RETRY, ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS):
                raise VerificationFailedError(str(failure)) from None
            message = (
                f"Meta does not let this access token use the number {phone_number_id}: {failure.title or failure}. Check the "
                "phone number ID, and that the token's system user has the number's WhatsApp account and the permission "
                "whatsapp_business_management."
            )
            raise NumberUnverifiedError("access_token", message) from None


def _check_words(change: NumberChange) -> None:
    for field, words in (("keywords", change.keywords), ("words", change.commands)):
        if len(words) > MOST_WORDS:
            raise NumberSetupError(field, f"A number has at most {MOST_WORDS} words here; there are {len(words)}.")
        if not all(word.strip() for word in words):
            raise NumberSetupError(field, f"`{field}` contains an empty word, which no message equals. Remove it.")
        if any(len(word) > WORD_CHARACTERS for word in words):
            raise NumberSetupError(
                field, f"A word in `{field}` has more than {WORD_CHARACTERS} characters. Shorten it."
            )
    for word, flow_id in change.keywords.items():
        if not flow_id:
            raise NumberSetupError("keywords", f"The keyword `{word}` has no flow. Enter one, or remove the keyword.")
    for field, flow_id in (("default_flow_id", change.default_flow_id or ""), *_of_keywords(change.keywords)):
        if len(flow_id) > FLOW_ID_CHARACTERS:
            message = f"A flow's id has at most {FLOW_ID_CHARACTERS} characters; this one has {len(flow_id)}."
            raise NumberSetupError(field, message)


def _of_keywords(keywords: Mapping[str, str]) -> list[tuple[str, str]]:
    """The flows of keywords, each with the field that names it."""
    return [(f"keywords.{word}", flow_id) for word, flow_id in keywords.items()]


def country(display_phone_number: str) -> str | None:
    """The ISO code of a number's country, None if it has none. Raises `NumberSetupError` when it is not a phone number."""
    try:
        parsed = phonenumbers.parse(display_phone_number, None)
    except phonenumbers.NumberParseException:
        message = "Write the number with its country code, as Meta shows it: +55 11 4000-0001."
        raise NumberSetupError("display_phone_number", message) from None
    return phonenumbers.region_code_for_number(parsed)


def _changed(stored: NumberSecrets | None, secrets: NumberSecrets) -> list[str]:
    """The names of the secrets that change."""
    old = msgspec.structs.asdict(stored) if stored is not None else {}
    return [name for name, value in msgspec.structs.asdict(secrets).items() if value != old.get(name)]


def _merged(stored: NumberSecrets | None, change: NumberChange) -> NumberSecrets:
    if stored is None:
        for field in ("app_secret", "access_token"):
            if getattr(change, field) is None:
                raise NumberSetupError(field, f"A new number needs its {field}; Meta's dashboard shows it.")
        return NumberSecrets(change.app_secret or "", change.access_token or "", change.previous_app_secret)
    merged = replace(stored, access_token=change.access_token or stored.access_token)
    if change.app_secret is not None and change.app_secret != stored.app_secret:
        merged = replace(merged, app_secret=change.app_secret, previous_app_secret=stored.app_secret)
    if change.previous_app_secret is not None:
        merged = replace(merged, previous_app_secret=change.previous_app_secret)
    return merged
