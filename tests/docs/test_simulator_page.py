"""docs/simulator.md: every route of the simulated WhatsApp, with bodies that it takes."""

import re
from typing import Any

import msgspec
import pytest
from starlette.routing import Route

from local.graph_app import AccountAction, ContactsAction, EchoAction, HistoryAction, PreferenceAction
from local.graph_faults import Fault
from local.graph_network import NumberCredentials, TrafficLimits
from local.graph_sim_requests import FaultRules, PersonAction
from local.graph_simulator import GraphSimulator
from local.graph_templates import TemplateDecision
from tests.stack import REPOSITORY

PAGE = (REPOSITORY / "docs" / "simulator.md").read_text()
BODIES: list[Any] = [
    *(FaultRules, TrafficLimits, NumberCredentials, TemplateDecision),
    *(EchoAction, HistoryAction, ContactsAction, AccountAction, PreferenceAction),
]


def test_every_route_is_on_the_page() -> None:
    documented = {
        (method, path.partition("?")[0])
        for names, path in re.findall(r"^\| ((?:`[A-Z]+`, )*`[A-Z]+) (/_sim/[^`]*)` \|", PAGE, re.MULTILINE)
        for method in re.findall(r"[A-Z]+", names)
        if "/models" not in path
    }
    routes = [route for route in GraphSimulator("http://127.0.0.1:1", {}).routes() if isinstance(route, Route)]
    served = {
        (method, route.path)
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
        if route.path.startswith("/_sim")
    }
    assert documented == served


@pytest.mark.parametrize(
    ("kind", "body"), list(zip(BODIES, re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL), strict=True))
)
def test_a_body_of_the_page_is_taken(kind: Any, body: str) -> None:
    msgspec.json.decode(body, type=kind)


@pytest.mark.parametrize("body", re.findall(r"`(\{\"[^`]*\})`", PAGE))
def test_an_action_of_the_page_is_taken(body: str) -> None:
    if not body.startswith('{"error"'):
        msgspec.json.decode(body, type=PersonAction)


def test_every_member_of_a_body_is_on_the_page() -> None:
    for kind in (Fault, PersonAction, *BODIES):
        assert [
            name for name in kind.__struct_encode_fields__ if f"`{name}`" not in PAGE and f'"{name}"' not in PAGE
        ] == []
    for kind in msgspec.inspect.type_info(Fault).fields[0].type.values:  # type: ignore[attr-defined]
        assert f"| `{kind}` |" in PAGE
