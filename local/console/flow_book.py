"""The flows of an organization as a page needs them: documents, drawings and the names of their nodes, each asked for once."""

from local.console.api import Api, ApiProblem
from local.console.flow_graph import FlowGraph, flow_graph


class FlowBook:
    """Remembers the flows that a page has seen. Documents are drafts: the API keeps published ones to itself."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._graphs: dict[str, FlowGraph | None] = {}

    async def graph(self, flow_id: str) -> FlowGraph | None:
        """Return the drawing of a flow; None when there is no such flow or the role may not see it.

        Raises `ApiProblem` when the API is not to be had at all.
        """
        if flow_id not in self._graphs:
            try:
                self._graphs[flow_id] = flow_graph((await self._api.get(f"flows/{flow_id}"))["document"])
            except ApiProblem as problem:
                if problem.kind not in ("unknown", "role_not_allowed"):
                    raise
                self._graphs[flow_id] = None
        return self._graphs[flow_id]

    def forget(self) -> None:
        """Ask anew for everything: a flow was published meanwhile."""
        self._graphs.clear()

    def node(self, flow_id: str | None, node_id: str | None) -> str:
        """Return the title of a node of a flow that was drawn; its id where it was not."""
        graph = self._graphs.get(flow_id or "")
        found = graph.by_id.get(node_id or "") if graph is not None else None
        return found.title if found is not None else node_id or ""
