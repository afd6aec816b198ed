"""The flows of an organization as a page needs them: drawings and the names of their nodes, each asked for once."""

from typing import Any

from local.console.api import Api, ApiProblem
from local.console.flow_graph import FlowGraph, flow_graph

Place = tuple[str, int | None]
"""A flow and its published version; None: the draft."""


class FlowBook:
    """Remembers the flows that a page has seen. A published version never changes; drafts are requested again after `forget`."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._graphs: dict[Place, FlowGraph | None] = {}
        self._read: set[Place] = set()
        self._latest: dict[str, FlowGraph] = {}

    async def graph(self, flow_id: str, version: int | None = None, root: str | None = None) -> FlowGraph | None:
        """Return the drawing of a flow; None when there is no such flow or the role may not see it.

        `version` is the published one of `root`, or of the flow itself: a version holds the sub-flows it was published with.
        Raises `ApiProblem` when the API is not to be had at all.
        """
        origin = (root or flow_id, version)
        if origin not in self._read:
            self._read.add(origin)
            for document in await self._documents(*origin):
                graph = flow_graph(document)
                self._graphs[graph.flow_id, version] = self._latest[graph.flow_id] = graph
        return self._graphs.get((flow_id, version))

    async def published(self, flow_id: str) -> FlowGraph | None:
        """Return the drawing of what new sessions get: the published version, the draft where nothing is published."""
        try:
            flows = await self._api.get("flows")
        except ApiProblem as problem:
            if problem.kind != "role_not_allowed":
                raise
            flows = []
        versions = {flow["flow_id"]: flow["published_version"] for flow in flows}
        return await self.graph(flow_id, versions.get(flow_id))

    def name(self, flow_id: str) -> str:
        """Return the name of a flow that was drawn; its id where it was not."""
        graph = self._latest.get(flow_id)
        return graph.name if graph is not None else flow_id

    def node(self, flow_id: str | None, node_id: str | None) -> str:
        """Return the title of a node of a flow that was drawn; its id where it was not."""
        graph = self._latest.get(flow_id or "")
        found = graph.by_id.get(node_id or "") if graph is not None else None
        return found.title if found is not None else node_id or ""

    async def _documents(self, flow_id: str, version: int | None) -> list[dict[str, Any]]:
        try:
            if version is None:
                return [(await self._api.get(f"flows/{flow_id}"))["document"]]
            found = await self._api.get(f"flows/{flow_id}/versions/{version}")
            return [found["document"], *found["sub_flow_documents"].values()]
        except ApiProblem as problem:
            if problem.kind not in ("unknown", "role_not_allowed"):
                self._read.discard((flow_id, version))
                raise
            return []
