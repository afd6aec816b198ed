"""The flows that a page knows: each asked for once, in the version that runs."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import pytest

from local.console.api import Api, ApiProblem, api_client
from local.console.flow_book import FlowBook
from local.console.tokens import Identity, MintedTokens

T = TypeVar("T")


def document(flow_id: str, title: str) -> dict[str, Any]:
    nodes = [{"id": "a", "type": "end", "label": title, "data": {}}]
    return {"format": 1, "id": flow_id, "name": f"{title} flow", "start_node_id": "a", "nodes": nodes}


class Server:
    """Answers as the REST API does, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/")
        self.asked.append(path)
        if self.status != 200:
            return httpx.Response(self.status, json={"code": "no", "detail": "no"})
        if path == "flows":
            return httpx.Response(200, json=[{"flow_id": "main", "published_version": 2}])
        if path == "flows/main/versions/2":
            return httpx.Response(
                200, json={"document": document("main", "Two"), "sub_flow_documents": {"sub": document("sub", "Sub")}}
            )
        if path == "flows/main":
            return httpx.Response(200, json={"document": document("main", "Draft")})
        return httpx.Response(404, json={"code": "flow_unknown", "detail": "no"})


def read(server: Server, use: Callable[[FlowBook], Any]) -> Any:
    client = api_client("http://127.0.0.1:8000", httpx.MockTransport(server.answer))
    api = Api(client, MintedTokens(lambda *_: "token"), Identity("demo", "admin"))

    async def run() -> Any:
        return await use(FlowBook(api))

    return asyncio.run(run())


def test_a_version_brings_its_sub_flows_and_is_asked_for_once() -> None:
    server = Server()

    async def use(book: FlowBook) -> None:
        main = await book.graph("main", 2)
        sub = await book.graph("sub", 2, "main")
        assert main is not None
        assert sub is not None
        assert await book.graph("main", 2) is main
        assert (book.name("main"), book.node("sub", "a"), book.node("main", "gone")) == ("Two flow", "Sub", "gone")
        assert (book.name("other"), book.node(None, None)) == ("other", "")

    read(server, use)
    assert server.asked == ["flows/main/versions/2"]


def test_new_sessions_get_the_published_version() -> None:
    server = Server()

    async def use(book: FlowBook) -> None:
        graph = await book.published("main")
        assert graph is not None
        assert graph.name == "Two flow"
        assert await book.published("unknown") is None

    read(server, use)


@pytest.mark.parametrize(("status", "raises"), [(404, False), (403, False), (401, True), (503, True)])
def test_what_may_not_be_seen_is_not_drawn_and_a_failing_api_is_told(status: int, raises: bool) -> None:
    server = Server()
    server.status = status

    async def use(book: FlowBook) -> None:
        if not raises:
            assert await book.graph("main", 2) is None
            return
        for _ in range(2):  # it is asked again: the failure is not remembered
            with pytest.raises(ApiProblem):
                await book.graph("main", 2)

    read(server, use)
    assert len(server.asked) == (2 if raises else 1)
