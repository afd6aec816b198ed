"""The demo organization, created through the REST API as an administrator would create it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ORGANIZATION_ID = "demo"
PHONE_NUMBER_ID = "100000000000001"
VERIFY_TOKEN = "demo-verify-token"  # noqa: S105  public, but only this machine can reach the system
APP_SECRET = "demo-app-secret"  # noqa: S105
ACCESS_TOKEN = "demo-access-token"  # noqa: S105
DISPLAY_PHONE_NUMBER = "+55 11 4000-0001"
FLOW_ID = "lead_qualifier"

ORGANIZATION = {"messages_per_minute": 600, "language": "pt_BR", "timezone": "America/Sao_Paulo"}


class DemoError(Exception):
    """The API rejected a part of the demo; the message contains its answer."""


@dataclass
class Demo:
    """Creates the demo with a client that has the API's address and an administrator's token."""

    client: httpx.AsyncClient
    flows_folder: Path

    async def seed(self) -> bool:
        """Create the demo unless its number exists; return whether it was created.

        The number is created last, so that an incomplete demo is created again.

        Raises:
            DemoError: the API rejected a request.
        """
        number = f"/api/v1/numbers/{PHONE_NUMBER_ID}"
        if (await self.client.get(number)).status_code == httpx.codes.OK:
            return False
        flows = list(with_sub_flows_first(FLOW_ID, read_example_flows(self.flows_folder)))
        await self._send("PUT", "/api/v1/organization", ORGANIZATION)
        for flow in flows:
            await self._send("PUT", f"/api/v1/flows/{flow['id']}", flow)
            await self._send("POST", f"/api/v1/flows/{flow['id']}/publish")
        await self._send(
            "PUT",
            number,
            {
                "display_phone_number": DISPLAY_PHONE_NUMBER,
                "verify_token": VERIFY_TOKEN,
                "app_secret": APP_SECRET,
                "access_token": ACCESS_TOKEN,
                "default_flow_id": FLOW_ID,
                "keywords": {},
            },
        )
        return True

    async def _send(self, method: str, path: str, body: Any = None) -> None:
        answer = await self.client.request(method, path, json=body)
        if not answer.is_success:
            raise DemoError(f"{method} {path} failed with {answer.status_code}: {answer.text[:2000]}")


def read_example_flows(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the flow documents of a folder by their id; flow tests are left out."""
    paths = (path for path in sorted(folder.glob("*.json")) if not path.name.endswith(".test.json"))
    documents = (json.loads(path.read_bytes()) for path in paths)
    return {document["id"]: document for document in documents}


def with_sub_flows_first(flow_id: str, flows: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a flow and all flows its jumps reach, each after those it needs, because publishing pins their versions.

    Raises:
        DemoError: a flow is not in `flows`.
    """
    done: set[str] = set()

    def visit(wanted: str) -> Iterator[dict[str, Any]]:
        if wanted in done:
            return
        done.add(wanted)
        if wanted not in flows:
            raise DemoError(f"There is no example flow with the id {wanted!r}")
        for node in flows[wanted]["nodes"]:
            if node["type"] == "jump":
                yield from visit(node["data"]["target_flow_id"])
        yield flows[wanted]

    yield from visit(flow_id)
