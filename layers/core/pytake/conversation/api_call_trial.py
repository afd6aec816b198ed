"""The request of one api_call node, made once for a person who builds it, and what the flow would keep of its answer.

The node runs in a flow of its own: start, call, end. So the request is what the flow makes of the example values, it has the
protections of every API call, and the answer is read as in a conversation.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.conversations import EffectPerformer
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.records import ConversationKey
from pytake.engine import (
    Contact,
    Context,
    EffectResult,
    HttpRequest,
    Input,
    compile_flow,
    continue_turn,
    opened_state,
    take_turn,
)
from pytake.engine.nodes.api_call import ApiCall

FLOW_ID = NODE_ID = "test_request"


class ApiCallTrial(Struct, frozen=True):
    """How the call ended. `request` has placeholders in place of secrets; `stored` is what the node stores."""

    request: HttpRequest
    result: EffectResult
    seconds: float
    stored: dict[str, Any]


class TryApiCall:
    """The use case behind `POST /api/v1/flows/test-request`. `stopwatch` gives seconds that never go back."""

    def __init__(
        self,
        tenants: TenantRepository,
        performer: EffectPerformer,
        operator_events: OperatorEvents,
        clock: Clock,
        stopwatch: Clock,
    ) -> None:
        self._tenants = tenants
        self._performer = performer
        self._operator_events = operator_events
        self._clock = clock
        self._stopwatch = stopwatch

    def __call__(
        self, organization_id: str, data: dict[str, Any], variables: Mapping[str, Any], contact: Contact, by: str
    ) -> ApiCallTrial:
        """Send the request of a node with this `data`. `variables` are the values that the flow would have at the node.

        Raises `FlowError` for a node that cannot run. Operators learn who called which host, and nothing else of the request.
        """
        flow = compile_flow({FLOW_ID: _document(data, variables)}, FLOW_ID)
        organization = self._tenants.organization(organization_id)
        now = self._clock()
        context = Context(
            now=now,
            seed=f"{FLOW_ID}:{by}:{now}",
            contact=contact,
            timezone=organization.timezone,
            constants=organization.constants,
        )
        said = Input()
        turn = take_turn(flow, opened_state(flow, variables), said, context)
        if not isinstance(turn.effect, HttpRequest):
            raise RuntimeError(f"The node made no request: {turn.status}")
        request, began = turn.effect, self._stopwatch()
        result = self._performer.perform(ConversationKey(organization_id, "", ""), request)
        seconds = self._stopwatch() - began
        code = (result.error or "").partition(":")[0]
        detail = {"by": by, "host": _host(request.url), "status": result.status, "error": code}
        self._operator_events.publish(OperatorEvent("api_call.tested", organization_id, detail))
        after = continue_turn(flow, turn, said, result, context)
        names = msgspec.convert(data, ApiCall).stored_variables(failed=not result.ok)
        return ApiCallTrial(request, result, seconds, {name: after.variables.get(name) for name in names})


def _document(data: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    parameters = [{"name": name} for name in variables]
    call = {key: value for key, value in data.items() if key != "error_next_node_id"} | {"next_node_id": "end"}
    return {
        "format": 1,
        "id": FLOW_ID,
        "start_node_id": "start",
        "nodes": [
            {"id": "start", "type": "start", "data": {"parameters": parameters, "next_node_id": NODE_ID}},
            {"id": NODE_ID, "type": "api_call", "data": call},
            {"id": "end", "type": "end", "data": {}},
        ],
    }


def _host(url: str) -> str:
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""
