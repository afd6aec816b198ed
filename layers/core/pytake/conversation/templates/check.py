"""Check a template message against the copy before it is sent. Without a copy, Meta decides."""

from pytake.conversation.ports.templates import Templates
from pytake.conversation.records import Number
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.whatsapp.outbound import Template
from pytake.whatsapp.templates import UNSENDABLE_STATUSES, Mismatch, language_code, mismatches


class TemplateRefusedError(Exception):
    """Meta would refuse the message: the base of the reasons."""


class MissingTemplateError(TemplateRefusedError):
    """The account has no such template in this language."""


class UnsendableTemplateError(TemplateRefusedError):
    """The template has a `status` with which Meta sends nothing."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class MismatchedTemplateError(TemplateRefusedError):
    """The parameters do not fit the template: `mismatches` names each place."""

    def __init__(self, found: list[Mismatch]) -> None:
        super().__init__(found[0].message)
        self.mismatches = found


def copy_of(templates: Templates, number: Number, name: str, language: str) -> StoredTemplate | None:
    """The copy of a template of the number's account; None also when the account is not known."""
    if number.waba_id is None:
        return None
    return templates.find(TemplateKey(number.organization_id, number.waba_id, name, language_code(language)))


def check_template(templates: Templates, number: Number, message: Template) -> None:
    """Raises a `TemplateRefusedError` when the copy shows that Meta would refuse the message.

    A template that is not in the copy may be new, unless the account's whole list was copied.
    """
    copy = copy_of(templates, number, message.name, message.language)
    if copy is None:
        if number.waba_id and templates.listed_at(number.organization_id, number.waba_id) is not None:
            raise MissingTemplateError(message.name)
        return
    if copy.is_deleted:
        raise MissingTemplateError(message.name)
    if copy.template.status in UNSENDABLE_STATUSES:
        raise UnsendableTemplateError(copy.template.status)
    found = mismatches(copy.template, message.components)
    if found:
        raise MismatchedTemplateError(found)
