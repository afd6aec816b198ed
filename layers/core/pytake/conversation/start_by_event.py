"""Start a conversation because a program put the event `conversation.start` on the bus (docs/events.md)."""

from typing import Any

import msgspec
from msgspec import Struct

from pytake.conversation.opening import StartRefusedError
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.queues import FlowStart, StartTemplate
from pytake.conversation.start_flow import QueuedStart, StartFlow
from pytake.engine import FlowError

DETAIL_TYPE = "conversation.start"
"""The event's detail type on the bus."""


class StartRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The event's detail: who writes to whom, and with what. The organization is the one that has the number.

    `key` makes a start that is put on the bus twice the same one; without it, the event's own id does.
    """

    phone_number_id: str
    to: str
    flow_id: str | None = None
    parameters: dict[str, Any] = {}
    template: StartTemplate | None = None
    key: str | None = None


class StartByEvent:
    """The use case. An event that cannot start anything is reported to operators, never dropped silently."""

    def __init__(self, tenants: TenantRepository, start_flow: StartFlow, operator_events: OperatorEvents) -> None:
        self._tenants = tenants
        self._start_flow = start_flow
        self._operator_events = operator_events

    def __call__(self, event_id: str, detail: Any) -> QueuedStart | None:
        """Queue the start; None if it was reported instead: as `start.event_invalid`, or as `start.refused` with its code.

        Repeating an event starts nothing twice. Raises `QueueingFailedError`: the event must then be processed again.
        """
        try:
            request = msgspec.convert(detail, StartRequest)
        except msgspec.ValidationError as error:
            return self._report("start.event_invalid", "", event_id=event_id, problem=str(error))
        if request.flow_id is None and request.template is None:
            problem = "neither `flow_id` nor `template` is given"
            return self._report("start.event_invalid", "", event_id=event_id, problem=problem)
        number = self._tenants.number(request.phone_number_id)
        if number is None:
            return self._report("start.event_invalid", "", event_id=event_id, problem="the number is not connected")
        organization_id = number.organization_id
        start = FlowStart(request.flow_id, request.parameters, request.template, only_idle=True)
        request_id = f"key:{request.key}" if request.key else f"event:{event_id}"
        about = {"event_id": event_id, "phone_number_id": request.phone_number_id, "flow_id": request.flow_id}
        try:
            return self._start_flow(organization_id, request.phone_number_id, request.to, start, request_id, event_id)
        except StartRefusedError as refused:
            return self._report("start.refused", organization_id, **about, code=refused.code)
        except FlowError:
            problem = "an expression in the template is not valid"
            return self._report("start.event_invalid", organization_id, **about, problem=problem)

    def _report(self, type_: str, organization_id: str, **detail: Any) -> QueuedStart | None:
        self._operator_events.publish(OperatorEvent(type_, organization_id, detail))
        return None
