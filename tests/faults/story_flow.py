"""The flow of the stories, in two editions, and the libraries that share its compiled versions."""

from collections.abc import Callable
from typing import Any

from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.records import (
    FlowVersion,
)
from pytake.engine import Flow
from tests import fakes

OFFERING = 3
_GRANT = {"type": "set_consent", "purpose": "marketing", "state": "granted"}
_OFFER: tuple[dict[str, Any], ...] = (
    {"id": "grant", "type": "action", "data": {"actions": [_GRANT], "next_node_id": "offer"}},
    {
        "id": "offer",
        "type": "template",
        "data": {"name": "offer", "language": "en", "category": "marketing", "next_node_id": "city"},
    },
)


def flow(organization_id: str, edition: int) -> dict[str, Any]:
    """Greets, asks (and gives up after two minutes), says two messages, asks again, ends. Everything names its owner.

    The third edition takes the answer as consent to marketing, and sends a template.
    """
    says = f"{organization_id} v{edition} {{{{contact.phone}}}}"
    return {
        "format": 1,
        "id": "main",
        "name": "Main",
        "language": "en",
        "merge_texts": False,
        "start_node_id": "start",
        "nodes": [
            {"id": "start", "type": "start", "data": {"greeting": f"Hello {says}", "next_node_id": "name"}},
            {
                "id": "name",
                "type": "question",
                "data": {
                    "question": f"Name? {says}",
                    "variable": "name",
                    "timeout_seconds": 120,
                    "timeout_next_node_id": "late",
                    "next_node_id": "look",
                },
            },
            {
                "id": "look",
                "type": "api_call",
                "data": {
                    "method": "GET",
                    "url": "https://crm.example/{{name}}",
                    "output_variable": "found",
                    "next_node_id": "thanks",
                    "error_next_node_id": "thanks",
                },
            },
            {
                "id": "thanks",
                "type": "message",
                "data": {
                    "text": f"Thanks {{{{name}}}} {says}",
                    "next_node_id": "grant" if edition == OFFERING else "city",
                },
            },
            *(_OFFER if edition == OFFERING else ()),
            {
                "id": "city",
                "type": "question",
                "data": {"question": f"City? {says}", "variable": "city", "next_node_id": "end"},
            },
            {"id": "late", "type": "end", "data": {"message": f"Too late {says}"}},
            {"id": "end", "type": "end", "data": {"message": f"Bye {{{{name}}}} of {{{{city}}}} {says}"}},
        ],
    }


DOCUMENTS = {(owner, edition): flow(owner, edition) for owner in ("acme", "globex") for edition in (1, 2, 3)}


COMPILED: dict[str, Any] = dict.fromkeys(("acme", "globex"))


class SharedLibrary(FlowLibrary):
    """Published versions never change: all worlds share what was compiled of them."""

    def __init__(self, flows: Any, clock: Callable[[], float]) -> None:
        super().__init__(flows, clock)
        self._flows_of_world = flows

    def version(self, organization_id: str, flow_id: str, version: int) -> Flow | None:
        key = f"{organization_id}/{flow_id}/{version}"
        if COMPILED.get(key) is None:
            COMPILED[key] = super().version(organization_id, flow_id, version)
        elif self._flows_of_world.version(organization_id, flow_id, version) is None:
            return None
        found: Flow | None = COMPILED[key]
        return found


class LightFlows(fakes.MemoryFlows):
    """Without copies, because no document changes here."""

    def version(self, organization_id: str, flow_id: str, version: int) -> FlowVersion | None:
        versions = self.published.get((organization_id, flow_id), [])
        return versions[version - 1] if 1 <= version <= len(versions) else None
