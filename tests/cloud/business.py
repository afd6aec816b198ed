"""Organizations of a running local cloud, each with one flow and one number."""

import uuid
from typing import Any

from tests.cloud.conftest import Cloud


class Business:
    """An organization of its own with one flow behind one number."""

    def __init__(self, cloud: Cloud, *nodes: dict[str, Any]) -> None:
        self.cloud = cloud
        self.organization_id = f"org-{uuid.uuid4().hex[:8]}"
        self.number = str(uuid.uuid4().int)[:15]
        flow = {"format": 1, "id": "main", "language": "en", "start_node_id": nodes[0]["id"], "nodes": list(nodes)}
        setup = {
            "display_phone_number": "+1 415 555 0100",
            "verify_token": f"token-{self.number}",
            "app_secret": "app-secret",
            "access_token": "access-token",
            "default_flow_id": "main",
        }
        with cloud.api("admin", self.organization_id) as api:
            api.put("/organization", json={"messages_per_minute": 600}).raise_for_status()
            self.problems = api.put("/flows/main", json=flow).raise_for_status().json()["problems"]
            api.post("/flows/main/publish").raise_for_status()
            api.put(f"/numbers/{self.number}", json=setup).raise_for_status()
        known = {"app_secret": "app-secret", "access_token": "access-token", "display_phone_number": "14155550100"}
        cloud.http.put(f"/_sim/numbers/{self.number}", json=known).raise_for_status()

    def answer(self, phone: str, text: str, count: int = 1) -> str:
        """Send a text and return the `count`th answer."""
        said = {"text": text, "phone_number_id": self.number, "name": "Ana"}
        self.cloud.http.post(f"/_sim/phones/{phone}/messages", json=said).raise_for_status()
        return str(self.cloud.answers(phone, count)[count - 1]["text"])


def end(node_id: str, message: str) -> dict[str, Any]:
    return {"id": node_id, "type": "end", "data": {"message": message}}
