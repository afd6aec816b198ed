"""Check a start with a template once for all people who get it: the flow, the copy of the template, its expressions."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.media.kinds import FileKinds, file_problems
from pytake.conversation.opening import OPENED_SECONDS, Opening, StartRefusedError, check_parameters, startable
from pytake.conversation.ports.templates import Templates
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.queues import FlowStart, StartTemplate
from pytake.conversation.records import Number
from pytake.conversation.templates.check import (
    MissingTemplateError,
    TemplateRefusedError,
    UnsendableTemplateError,
    check_template,
    copy_of,
)
from pytake.engine import Flow, compile_flow, language_of
from pytake.engine.template import is_name
from pytake.whatsapp.outbound import Template


class PlanOpening:
    """Checks a start with a template, and compiles what it needs."""

    def __init__(
        self,
        tenants: TenantRepository,
        flows: FlowLibrary,
        templates: Templates,
        session_ttl_hours: int,
        file_kinds: FileKinds,
    ) -> None:
        self._file_kinds = file_kinds
        self._tenants = tenants
        self._flows = flows
        self._templates = templates
        self._session_ttl_hours = session_ttl_hours

    def __call__(self, number: Number, start: FlowStart) -> Opening:
        """The opening, for any number of people. Raises `StartRefusedError`, `ValueError` for a start without a template, and
        `FlowError` when an expression in the template is not valid."""
        if start.template is None:
            raise ValueError("only a template opens a conversation")
        check_parameters(start)
        organization = self._tenants.organization(number.organization_id)
        flow = startable(self._flows, number.organization_id, start) if start.flow_id is not None else None
        hours = (flow.session_ttl_hours if flow else None) or organization.session_ttl_hours or self._session_ttl_hours
        names = tuple(sorted(name for name in start.parameters if is_name(name)))
        message = _compiled(msgspec.json.encode(start.template), names)
        category = self._category(number, start.template)
        for found in file_problems(self._file_kinds, number.organization_id, start.template.components):
            raise StartRefusedError(found.code)
        return Opening(
            number,
            organization,
            start,
            message,
            category,
            flow,
            max(OPENED_SECONDS, hours * 3600),
        )

    def _category(self, number: Number, template: StartTemplate) -> str | None:
        """The template's category: the copy knows it best. Raises `StartRefusedError` if the copy shows that Meta sends nothing.

        The components are compared with the copy before their expressions are rendered: that changes no number of parameters.
        """
        try:
            check_template(self._templates, number, Template(template.name, template.language, template.components))
        except UnsendableTemplateError:
            raise StartRefusedError("template_paused") from None
        except MissingTemplateError:
            raise StartRefusedError("template_missing") from None
        except TemplateRefusedError:
            raise StartRefusedError("parameter_missing") from None
        copy = copy_of(self._templates, number, template.name, template.language)
        told_by_meta = copy.template.category if copy is not None else None
        return told_by_meta.lower() if told_by_meta else template.category


def check_expressions(template: StartTemplate, names: Sequence[str] = ()) -> None:
    """Raises `FlowError` if an expression in the template is not valid. `names` are those of the start's parameters."""
    _compiled(msgspec.json.encode(template), tuple(sorted(name for name in names if is_name(name))))


@lru_cache(maxsize=64)
def _compiled(encoded: bytes, names: tuple[str, ...]) -> Flow:
    """The template as a flow of one message: so its expressions are those of flows."""
    template = msgspec.json.decode(encoded, type=StartTemplate)
    nodes: list[dict[str, Any]] = [
        {
            "id": "start",
            "type": "start",
            "data": {"parameters": [{"name": name} for name in names], "next_node_id": "template"},
        },
        {"id": "template", "type": "template", "data": msgspec.to_builtins(template)},
    ]
    language = template.language if language_of(template.language) is not None else "en"
    document = {"format": 1, "id": "opening", "name": "", "language": language, "start_node_id": "start"}
    return compile_flow({"opening": {**document, "nodes": nodes}}, "opening")
