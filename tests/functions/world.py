"""Two organizations with numbers, and people who write to them, through the handlers."""

import copy
import os
import time
from typing import Any

from moto import backends
from moto.core import DEFAULT_ACCOUNT_ID

from functions.flow_runner.handler import handler as flow_runner
from pytake.wiring import shared
from tests.functions.conftest import REGION, Gateway, LambdaContext
from tests.functions.samples import FLOW, NUMBER, QUESTION, inbound_event

FIRST, SECOND = "100000000000001", "100000000000002"

ANA, BIA = "5511999999999", "5511988888888"


CLOCK = shared.clock
SET_UP: dict[float | None, tuple[Any, Any]] = {}
"""The items and secrets of the first world, by its time if that is frozen. The others begin with copies: the requests that make
them take half a second."""


class World:
    """Two organizations; `globex` has the number that `acme` does not."""

    def __init__(self, gateway: Gateway) -> None:
        self.api = gateway.api
        self.gateway = gateway
        self._messages = 0
        if "AWS_ENDPOINT_URL_DYNAMODB" in os.environ:  # of a judge (tests/judges): its items cannot be copied
            self._set_up()
            return
        table = backends.get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION].tables["table"]
        secrets = backends.get_backend("secretsmanager")[DEFAULT_ACCOUNT_ID][REGION]
        frozen_at = None if shared.clock is CLOCK else shared.clock()
        if frozen_at not in SET_UP:
            self._set_up()
            SET_UP[frozen_at] = copy.deepcopy((table.items, secrets.secrets))
        table.items, secrets.secrets = copy.deepcopy(SET_UP[frozen_at])

    def _set_up(self) -> None:
        for org, numbers in (("acme", (FIRST, SECOND)), ("globex", ("100000000000003",))):
            self.api("PUT", "/api/v1/flows/hello", QUESTION, org=org)
            self.api("POST", "/api/v1/flows/hello/publish", org=org)
            for number in numbers:
                setup = NUMBER | {"verify_token": f"verify-token-{number}"}
                assert self.api("PUT", f"/api/v1/numbers/{number}", setup, org=org).status == 200

    def says(
        self,
        text: str,
        phone: str = ANA,
        *,
        number: str = FIRST,
        org: str = "acme",
        hours_ago: float = 0,
        user_id: str | None = None,
    ) -> None:
        content = {"type": "text", "text": {"body": text}}
        self.says_message(content, phone, number=number, org=org, hours_ago=hours_ago, user_id=user_id)

    def says_message(
        self,
        content: dict[str, Any],
        phone: str = ANA,
        *,
        number: str = FIRST,
        org: str = "acme",
        hours_ago: float = 0,
        user_id: str | None = None,
    ) -> None:
        """The person sends a message with this type and content, in Meta's format."""
        self._messages += 1
        body = {
            "organization_id": org,
            "phone_number_id": number,
            "contact_id": phone,
            "user_id": user_id,
            "message": {
                "from": phone,
                "id": f"wamid.{self._messages}",
                "timestamp": str(int(time.time() - hours_ago * 3600)),
                **content,
            },
            "received_at": time.time(),
            "profile_name": "Ana",
        }
        assert flow_runner(inbound_event(body), LambdaContext()) == {"batchItemFailures": []}

    def pages(self, limit: int, **query: str) -> list[list[dict[str, Any]]]:
        pages, cursor = [], None
        while True:
            asked = {"limit": str(limit), **query, **({"cursor": cursor} if cursor else {})}
            answer = self.api("GET", "/api/v1/conversations", query=asked)
            assert answer.status == 200, answer.body
            pages.append(answer.body["conversations"])
            cursor = answer.body["next_cursor"]
            if cursor is None:
                return pages


def hand_over(world: World) -> None:
    """From now on, the flow gives every person to the agents of sales."""
    handoff = FLOW | {
        "nodes": [
            {"id": "start", "type": "start", "data": {"next_node_id": "agents"}},
            {"id": "agents", "type": "handoff", "data": {"department": "Sales", "priority": "high"}},
        ]
    }
    world.api("PUT", "/api/v1/flows/hello", handoff)
    assert world.api("POST", "/api/v1/flows/hello/publish").status == 200
