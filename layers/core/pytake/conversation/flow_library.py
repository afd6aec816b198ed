"""Published flows, ready to run. A version never changes, so each worker loads and compiles it once."""

from collections import OrderedDict

from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.tenants import Flows
from pytake.engine import Flow, compile_flow

POINTER_SECONDS = 5
"""How long a worker caches the published version: publish and rollback reach new sessions within this time."""

COMPILED_FLOWS = 256


class FlowLibrary:
    """A worker's compiled flows, of all organizations."""

    def __init__(self, flows: Flows, clock: Clock) -> None:
        self._flows = flows
        self._clock = clock
        self._pointers: dict[tuple[str, str], tuple[float, int | None]] = {}
        self._compiled: OrderedDict[tuple[str, str, int], Flow] = OrderedDict()

    def published(self, organization_id: str, flow_id: str) -> Flow | None:
        """The version for new sessions, or None when the flow is unknown or not published. Raises `FlowError`."""
        now = self._clock()
        read_at, version = self._pointers.get((organization_id, flow_id), (float("-inf"), None))
        if version is None or now - read_at >= POINTER_SECONDS:
            summary = self._flows.summary(organization_id, flow_id)
            version = summary.published_version if summary else None
            if len(self._pointers) > COMPILED_FLOWS:
                self._pointers.clear()
            self._pointers[organization_id, flow_id] = (now, version)
        return self.version(organization_id, flow_id, version) if version is not None else None

    def version(self, organization_id: str, flow_id: str, version: int) -> Flow | None:
        """One published version, or None when it does not exist. Raises `FlowError` when it does not compile."""
        key = (organization_id, flow_id, version)
        flow = self._compiled.get(key)
        if flow is None:
            stored = self._flows.version(organization_id, flow_id, version)
            if stored is None:
                return None
            flow = self._compiled[key] = compile_flow(stored.documents, flow_id, version)
            if len(self._compiled) > COMPILED_FLOWS:
                self._compiled.popitem(last=False)
        self._compiled.move_to_end(key)
        return flow
