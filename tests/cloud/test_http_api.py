"""The REST API at the address of the whole system: pages of other origins, problems, the documentation."""

import json
import os
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.cloud.conftest import ORIGIN, PYTAKE, Cloud

pytestmark = pytest.mark.cloud


def preflight(cloud: Cloud, origin: str, method: str = "PUT") -> httpx.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return cloud.http.request("OPTIONS", "/api/v1/organization", headers=asked)


@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:5173"])
def test_pages_of_named_origins_may_call(cloud: Cloud, origin: str) -> None:
    allowed = preflight(cloud, origin)
    assert allowed.status_code in (200, 204)
    assert allowed.headers["access-control-allow-origin"] == origin
    assert "PUT" in allowed.headers["access-control-allow-methods"]
    assert {"authorization", "content-type"} <= set(allowed.headers["access-control-allow-headers"].lower().split(","))
    with cloud.api() as api:
        answer = api.get("/organization", headers={"Origin": origin})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)


@pytest.mark.parametrize("origin", ["https://evil.example.com", "http://app.example.com", "null"])
def test_pages_of_other_origins_may_not(cloud: Cloud, origin: str) -> None:
    assert "access-control-allow-origin" not in preflight(cloud, origin).headers
    with cloud.api() as api:
        assert "access-control-allow-origin" not in api.get("/organization", headers={"Origin": origin}).headers


def test_problems_pass_as_they_are(cloud: Cloud) -> None:
    with cloud.api() as api:
        problems = {
            "json_invalid": api.put("/organization", content=b"{", headers={"Content-Type": "application/json"}),
            "content_type_unsupported": api.put(
                "/organization", content=b"a=b", headers={"Content-Type": "text/plain"}
            ),
            "body_too_large": api.put("/organization", json={"language": "x" * 300_000}),
            "query_unknown": api.get("/organization?what=1"),
            "method_not_allowed": api.delete("/organization"),
            "route_unknown": api.get("/nothing"),
            "flow_unknown": api.get("/flows/nothing"),
            "invalid_request": api.get("/flows/what%20is%20this"),
        }
    for code, answer in problems.items():
        assert (answer.json()["code"], answer.headers["content-type"]) == (code, "application/problem+json")
        assert answer.status_code == answer.json()["status"]
    assert problems["method_not_allowed"].headers["allow"] == "GET, PUT"


def test_the_examples_of_the_guide_work(cloud: Cloud, tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```sh\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    first = examples[0].replace("URL=http://127.0.0.1:8000", f"URL={cloud.url}")
    assert first != examples[0]
    script = "set -euo pipefail\n" + "\n".join(example + "\necho" for example in [first, *examples[1:]])
    environment = {**os.environ, "PATH": f"{PYTAKE.parent}:{os.environ['PATH']}", "NO_PROXY": "127.0.0.1"}
    run = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert '"version":1' in run.stdout
    assert '[{"name":"SHOP_TOKEN","hosts":["api.shop.example"]}]' in run.stdout
    assert run.stdout.count('"text":"Your order is on its way.","timestamp"') == 1  # in the transcript
    assert '"code": "invalid_request"' in run.stdout


def test_the_documentation_needs_nothing_from_elsewhere(cloud: Cloud) -> None:
    page = cloud.http.get("/api/v1/docs")
    assert page.headers["content-type"].startswith("text/html")
    for tag in ('src="http', "src='http", '<link rel="stylesheet" href="http', "@import"):
        assert tag not in page.text
    document = cloud.http.get("/api/v1/openapi.json").json()
    for path in document["paths"]:
        assert json.dumps(path)[1:-1] in page.text
