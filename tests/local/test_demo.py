"""The demo is created through the API, once, sub-flows before the flows that jump to them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.demo import FLOW_ID, PHONE_NUMBER_ID, Demo, DemoError, read_example_flows, with_sub_flows_first

NUMBER = f"/api/v1/numbers/{PHONE_NUMBER_ID}"


def flow(flow_id: str, *targets: str) -> dict[str, Any]:
    jumps = [{"id": f"to_{target}", "type": "jump", "data": {"target_flow_id": target}} for target in targets]
    return {"id": flow_id, "nodes": [{"id": "start", "type": "start", "data": {}}, *jumps]}


class Api:
    """A fake REST API that records its calls and knows the number after it was put."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.bodies: dict[str, Any] = {}
        self.refused: str | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "GET":
            return httpx.Response(200 if path in self.bodies else 404)
        if path == self.refused:
            return httpx.Response(422, json={"code": "flow.invalid"})
        self.calls.append((request.method, path))
        self.bodies[path] = json.loads(request.content) if request.content else None
        return httpx.Response(200)


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def demo(api: Api, tmp_path: Path) -> Demo:
    for document in (flow(FLOW_ID, "address"), flow("address"), flow("unrelated")):
        (tmp_path / f"{document['id']}.json").write_text(json.dumps(document))
    return Demo(httpx.AsyncClient(transport=httpx.MockTransport(api), base_url="http://127.0.0.1"), tmp_path)


async def seed(demo: Demo) -> bool:
    async with demo.client:
        return await demo.seed()


def run(demo: Demo) -> bool:
    return asyncio.run(seed(demo))


def test_the_number_is_made_last_and_sub_flows_first(demo: Demo, api: Api) -> None:
    assert run(demo)
    assert api.calls == [
        ("PUT", "/api/v1/organization"),
        ("PUT", "/api/v1/flows/address"),
        ("POST", "/api/v1/flows/address/publish"),
        ("PUT", f"/api/v1/flows/{FLOW_ID}"),
        ("POST", f"/api/v1/flows/{FLOW_ID}/publish"),
        ("PUT", NUMBER),
    ]
    assert api.bodies[NUMBER]["default_flow_id"] == FLOW_ID
    assert not any("organization_id" in (body or {}) for body in api.bodies.values())  # it comes from the token


def test_a_demo_that_exists_is_left_alone(demo: Demo, api: Api) -> None:
    api.bodies[NUMBER] = {}
    assert not run(demo)
    assert api.calls == []


def test_what_the_api_refuses_is_said(demo: Demo, api: Api) -> None:
    api.refused = f"/api/v1/flows/{FLOW_ID}/publish"
    with pytest.raises(DemoError, match=r"publish failed with 422.*flow\.invalid"):
        run(demo)


def test_jumps_in_a_circle_end() -> None:
    flows = {"a": flow("a", "b"), "b": flow("b", "a")}
    assert [document["id"] for document in with_sub_flows_first("a", flows)] == ["b", "a"]


def test_a_jump_to_nowhere_is_said() -> None:
    with pytest.raises(DemoError, match="'gone'"):
        list(with_sub_flows_first("a", {"a": flow("a", "gone")}))


def test_the_examples_are_read_without_the_flow_tests_beside_them() -> None:
    flows = read_example_flows(Path(__file__).resolve().parents[2] / "examples" / "flows")
    assert {"lead_qualifier", "lead_qualifier_address", "support_triage"} <= set(flows)
