"""Every route with a person takes a phone number and a user id, and means the same contact with both."""

from collections.abc import Iterator
from typing import Any

import pytest

from rest.application import openapi_document
from tests.functions.bodies import BODIES, MARK
from tests.functions.conftest import Answer, running_gateway
from tests.functions.world import World

ROUTES = [
    (method.upper(), path)
    for path, methods in openapi_document()["paths"].items()
    if "{phone}" in path
    for method in methods
]
STATE = "/api/v1/conversations/{phone}"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "persons") as gateway:
        world = World(gateway)
        reply = {"title": "Ready", "text": "Your order is ready"}
        assert world.api("PUT", "/api/v1/canned-replies", {"replies": {MARK: reply}}).status == 200
        yield world


def ask(world: World, method: str, path: str, person: str) -> Answer:
    body = BODIES.get(f"{method} {path}")
    return world.api(method, path.replace("{phone}", person).replace("{reply_id}", MARK), body)


def seen(answer: Answer, phone: str) -> Any:
    """What of an answer is the same for two people: its status and its members, and the contact that it names."""
    body = answer.body if isinstance(answer.body, dict) else {}
    return answer.status, body.get("code"), sorted(body), body.get("contact_id") in (None, phone)


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=map(" ".join, ROUTES))
def test_a_route_means_the_same_person_by_the_phone_and_by_the_user_id(world: World, method: str, path: str) -> None:
    at = ROUTES.index((method, path))
    answers = []
    for by_user_id in (False, True):
        phone, user_id = f"55119{at:03d}{by_user_id:05d}", f"BR.{at}x{by_user_id:d}"
        world.says("Hi", phone, user_id=user_id)
        person = user_id if by_user_id else phone
        answer = ask(world, method, path, person)
        state, other = (ask(world, "GET", STATE, name) for name in (phone, user_id))
        answers.append((seen(answer, phone), seen(state, phone), seen(other, phone)))
        consents = [ask(world, "GET", "/api/v1/contacts/{phone}/consent", name).body for name in (phone, user_id)]
        assert consents[0] == consents[1] or path == "/api/v1/contacts/{phone}"
    assert answers[0] == answers[1]
    status, code, _, same_contact = answers[0][0]
    assert same_contact
    assert status < 300 or (path.rpartition("/")[2], status) in (("events", 409), ("start", 409)), code


def test_the_routes_are_those_of_the_document() -> None:
    ends = {path.rpartition("}")[2] for _, path in ROUTES}
    assert {"/send", "/start", "/close", "/resume", "/notes", "/assignment", "/events", "/consent"} <= ends
