"""Flows as a builder works on them, over a REST API in memory."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from zlib import crc32

import httpx
import pytest

from local.console.api import Api, ApiProblem, api_client
from local.console.flow_editor import place_of_new_node
from local.console.flow_shelf import ChangedMeanwhileError, Draft, FlowShelf, empty_flow
from local.console.flow_text import FlowText, pretty
from local.console.tokens import Identity, MintedTokens
from pytake.engine import validate

Json = dict[str, Any]


class FakeFlows:
    """The routes of `functions/api/rest/flows.py` that the shelf asks, without checks of what is in them."""

    def __init__(self) -> None:
        self.drafts: dict[str, Json] = {}
        self.published: dict[str, list[Json]] = {}
        self.asked: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/flows").strip("/").split("/")
        self.asked.append(f"{request.method} {'/'.join(path)}")
        match request.method, path:
            case "GET", [""]:
                return httpx.Response(200, json=[self._entry(flow_id) for flow_id in self.drafts])
            case "GET", [flow_id] if flow_id in self.drafts:
                return self._draft(flow_id)
            case ("PUT", [flow_id]) | ("POST", [flow_id, "publish"]) if not self._is_expected(request, flow_id):
                return httpx.Response(412, json={"code": "draft_changed", "detail": "somebody saved the draft"})
            case "PUT", [flow_id]:
                self.drafts[flow_id] = {**json.loads(request.content), "id": flow_id}
                return self._draft(flow_id)
            case "POST", [flow_id, "publish"]:
                self.published.setdefault(flow_id, []).append(self.drafts[flow_id])
                return httpx.Response(200, json={"version": len(self.published[flow_id]), "problems": []})
            case "GET", [flow_id, "versions", version]:
                return httpx.Response(200, json={"document": self.published[flow_id][int(version) - 1]})
        return httpx.Response(404, json={"code": "flow_unknown", "detail": "no such flow"})

    def _draft(self, flow_id: str) -> httpx.Response:
        tag = self._tag(flow_id) or ""
        return httpx.Response(200, json={"document": self.drafts[flow_id], "problems": []}, headers={"ETag": tag})

    def _tag(self, flow_id: str) -> str | None:
        return f'"{crc32(json.dumps(self.drafts[flow_id]).encode())}"' if flow_id in self.drafts else None

    def _is_expected(self, request: httpx.Request, flow_id: str) -> bool:
        tag, wanted = self._tag(flow_id), request.headers.get("If-Match")
        return (wanted is None or wanted == tag) and not ("If-None-Match" in request.headers and tag is not None)

    def _entry(self, flow_id: str) -> Json:
        count = len(self.published.get(flow_id, []))
        name = self.drafts[flow_id].get("name", flow_id)
        return {"flow_id": flow_id, "name": name, "latest_version": count, "published_version": count or None}


@pytest.fixture
def api() -> FakeFlows:
    return FakeFlows()


def run(api: FakeFlows, work: Callable[[FlowShelf], Awaitable[Any]]) -> Any:
    async def go() -> Any:
        client = api_client("http://127.0.0.1:8000", httpx.MockTransport(api.answer))
        return await work(FlowShelf(Api(client, MintedTokens(lambda *_: "t"), Identity("demo", "builder"))))

    return asyncio.run(go())


def jump(flow_id: str, target: str) -> Json:
    data = {"target_flow_id": target, "next_node_id": "end"}
    return {"id": flow_id, "start_node_id": "go", "nodes": [{"id": "go", "type": "jump", "data": data}, END]}


END: Json = {"id": "end", "type": "end"}


def test_a_draft_is_opened_changed_and_saved(api: FakeFlows) -> None:
    api.drafts["f"] = {"id": "f", "nodes": []}

    async def work(shelf: FlowShelf) -> None:
        draft = await shelf.open("f", await shelf.flows())
        assert not draft.changed
        draft.text = draft.text.replace("[]", '[{"id": "end", "type": "end"}]')
        assert draft.changed
        await shelf.save(draft, FlowText(draft.text).document or {})
        assert not draft.changed

    run(api, work)
    assert api.drafts["f"]["nodes"] == [END]


def test_a_text_that_is_no_json_is_not_saved() -> None:
    assert Draft("f", "{").changed
    assert Draft("f", "{", {"id": "f"}).changed
    assert not Draft("f", "{}", {"id": "f"}).changed


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(api: FakeFlows) -> None:
    api.drafts["f"] = {"id": "f", "nodes": []}

    async def work(shelf: FlowShelf) -> None:
        draft = await shelf.open("f", await shelf.flows())
        api.drafts["f"] = {"id": "f", "nodes": [END]}
        mine = {"id": "f", "nodes": [], "name": "Mine"}
        with pytest.raises(ChangedMeanwhileError) as caught:
            await shelf.save(draft, mine)
        assert caught.value.theirs.document == {"id": "f", "nodes": [END]}
        assert api.drafts["f"]["nodes"] == [END]
        api.drafts["f"] = {"id": "f", "nodes": [END, END]}
        with pytest.raises(ChangedMeanwhileError) as once_more:
            await shelf.save(draft, mine, over=caught.value.theirs)
        await shelf.save(draft, mine, over=once_more.value.theirs)

    run(api, work)
    assert api.drafts["f"]["name"] == "Mine"


def test_what_somebody_else_saved_meanwhile_is_not_published(api: FakeFlows) -> None:
    api.drafts["f"] = {"id": "f", "nodes": []}

    async def work(shelf: FlowShelf) -> None:
        draft = await shelf.open("f", await shelf.flows())
        api.drafts["f"] = {"id": "f", "nodes": [END]}
        with pytest.raises(ChangedMeanwhileError) as caught:
            await shelf.publish(draft)
        draft.begin_with(caught.value.theirs)
        assert (await shelf.publish(draft))["version"] == 1

    run(api, work)
    assert api.published["f"] == [{"id": "f", "nodes": [END]}]


def test_a_new_flow_meets_one_of_the_same_id(api: FakeFlows) -> None:
    async def work(shelf: FlowShelf) -> None:
        draft = Draft("f", "{}")
        api.drafts["f"] = {"id": "f", "nodes": []}
        with pytest.raises(ChangedMeanwhileError):
            await shelf.save(draft, {"nodes": [END]})

    run(api, work)


def test_published_flows_that_jumps_reach_are_fetched_once(api: FakeFlows) -> None:
    for flow_id, target in (("a", "b"), ("b", "a"), ("c", "gone")):
        api.drafts[flow_id] = jump(flow_id, target)
    api.published["b"] = [api.drafts["b"]]
    api.published["a"] = [api.drafts["a"]]

    async def work(shelf: FlowShelf) -> None:
        flows = await shelf.flows()
        broken = {"id": "x", "type": "delay", "data": {"seconds": "long"}}
        document = jump("a", "b")
        document["nodes"].append(broken)
        assert list(await shelf.neighbours(document, flows)) == ["b"]
        assert list(await shelf.neighbours(document, flows)) == ["b"]
        assert await shelf.neighbours(jump("c", "gone"), flows) == {}

    run(api, work)
    assert api.asked.count("GET b/versions/1") == 1


def test_an_unknown_flow_has_no_versions_and_other_problems_are_told(api: FakeFlows) -> None:
    async def work(shelf: FlowShelf) -> None:
        assert await shelf.versions("f") == []
        assert await shelf.secret_hosts() is None
        with pytest.raises(ApiProblem):
            await shelf.open("f", [])

    run(api, work)


@pytest.mark.parametrize("language", ["pt_BR", "en"])
def test_an_empty_flow_has_no_problems(language: str) -> None:
    assert validate({"f": empty_flow("f", "F", language)}, "f") == []


@pytest.mark.parametrize("nodes", [[], [END], [{"id": "a", "type": "end"}, END]])
def test_a_new_node_goes_to_the_end_of_the_nodes(nodes: list[Json]) -> None:
    text = FlowText(pretty({"id": "f", "nodes": nodes}))
    at, put, select = place_of_new_node(text, pretty({"id": "new", "type": "message", "data": {"text": ""}}).strip())
    written = text.text[:at] + put + text.text[at:]
    assert [node["id"] for node in json.loads(written)["nodes"]] == [*(node["id"] for node in nodes), "new"]
    assert written[select.start : select.end] == "new"
