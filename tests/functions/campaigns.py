"""An organization with a campaign, through the handlers."""

from typing import Any

from pytake.contacts.segments import Segment
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.whatsapp.templates import MessageTemplate
from pytake.wiring.campaigns import segments
from pytake.wiring.templates import templates
from tests.functions.conftest import Answer, Gateway
from tests.functions.samples import NUMBER
from tests.functions.world import FIRST, World

SPRING = "/api/v1/campaigns/spring"
TEMPLATE = {"name": "spring_sale", "language": "pt_BR", "components": []}
DEFINITION: dict[str, Any] = {
    "name": "Spring sale",
    "phone_number_id": FIRST,
    "segment_id": "vips",
    "template": TEMPLATE,
    "flow_id": "hello",
}


class Campaign:
    """An organization with a segment and an approved template, and its campaign `spring`."""

    def __init__(self, gateway: Gateway) -> None:
        self.world = World(gateway)
        self.api = gateway.api
        segments().put("acme", Segment(id="vips", name="VIPs"))
        self.api("PUT", f"/api/v1/numbers/{FIRST}", NUMBER | {"waba_id": "5"})
        self.template("APPROVED")
        assert self.put().status == 200

    def template(self, status: str, name: str = "spring_sale") -> None:
        key = TemplateKey("acme", "5", name, "pt_BR")
        body = [{"type": "BODY", "text": "Oi"}]
        copy = StoredTemplate("5", MessageTemplate(name, "pt_BR", category="MARKETING", status=status, components=body))
        templates().change(key, lambda _: copy)

    def put(self, **changes: Any) -> Answer:
        headers = changes.pop("headers", None)
        return self.api("PUT", SPRING, DEFINITION | changes, headers=headers)

    def post(self, action: str, **more: Any) -> Answer:
        return self.api("POST", f"{SPRING}/{action}", **more)

    def get(self) -> Any:
        return self.api("GET", SPRING).body
