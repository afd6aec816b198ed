"""The API does what its OpenAPI document says: generated requests get no server error and no undocumented answer."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from rest.application import openapi_document
from rest.problems import CONTENT_TYPE, PROBLEM_CODES
from tests.depth import SHARE, share
from tests.functions.conftest import ENVIRONMENT, running_gateway
from tests.functions.world import ANA, FIRST, World
from tests.functions.wsgi import api_application

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
    allow_header_conformance,
]
KNOWN = {"flow_id": "hello", "version": "1", "phone": ANA, "phone_number_id": FIRST, "name": "TOKEN"}
"""What exists, by the names of the paths' parameters."""

BORDERS = count()
"""The cases at the borders of the document so far. They are many, and a share of each operation's is run."""

with pytest.MonkeyPatch.context() as patch:
    for variable, value in ENVIRONMENT.items():
        patch.setenv(variable, value)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", api_application)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "described") as gateway:
        world = World(gateway)
        world.api("PUT", "/api/v1/secrets/TOKEN", {"value": "value"})
        world.says("Hi")
        yield world


@schema.parametrize()
@settings(
    max_examples=share(32),
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_generated_requests_get_documented_answers(case: Any, world: World) -> None:
    if case.meta.phase.name is TestPhase.COVERAGE and next(BORDERS) % SHARE:
        return
    is_valid = case.meta.generation.mode is schemathesis.GenerationMode.POSITIVE
    for name in case.path_parameters or {}:
        if (
            is_valid and name in KNOWN and len(str(case.path_parameters[name])) % 2
        ):  # else nearly nothing would be found
            case.path_parameters[name] = KNOWN[name]
    case.call_and_validate(checks=CHECKS, headers={"Authorization": "Bearer acme/admin"})


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for member in part.values():
            yield from _references(member)
    elif isinstance(part, list):
        for member in part:
            yield from _references(member)


def _answers(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The responses of an operation by their status, those that it shares with other routes included."""
    for status, answer in operation["responses"].items():
        name = answer.get("$ref", "").removeprefix("#/components/responses/")
        yield status, document["components"]["responses"][name] if name else answer


def test_every_reference_resolves_and_every_component_is_used() -> None:
    document = openapi_document()
    kinds = {kind: document["components"][kind] for kind in ("schemas", "responses")}
    named = {f"#/components/{kind}/{name}" for kind, components in kinds.items() for name in components}
    assert set(_references(document)) == named


def test_a_response_that_no_route_changes_is_written_once() -> None:
    document = openapi_document()
    shared = [answer["description"] for answer in document["components"]["responses"].values()]
    for methods in document["paths"].values():
        for operation in methods.values():
            own = {answer["description"] for answer in operation["responses"].values() if "description" in answer}
            assert own.isdisjoint(shared)


def test_the_document_does_not_say_twice_what_a_field_is() -> None:
    document = openapi_document()
    assert document["components"]["schemas"]["AssignmentRequest"]["properties"]["tags"].keys() == {
        "items",
        "maxItems",
        "type",
    }
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                assert {"title", "description"}.isdisjoint(parameter["schema"]), parameter


def test_a_client_can_be_generated() -> None:
    """A generator names a method after each operation's id, and makes a type of each response."""
    ids: list[str] = []
    document = openapi_document()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method} {path}"
            ids.append(operation["operationId"])
            assert re.fullmatch(r"[a-z]+([A-Z0-9][a-z0-9]*)+", operation["operationId"]), name
            for status, answer in _answers(document, operation):
                assert status in ("204", "304") or answer["content"], (name, status)
                for content in answer.get("content", {}).values():
                    assert content["schema"], (name, status)
            declared = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path)), name
    assert len(ids) == len(set(ids))


def test_every_problem_has_one_form_with_the_known_codes() -> None:
    document = openapi_document()
    assert document["components"]["schemas"]["ProblemCode"]["enum"] == list(PROBLEM_CODES)
    for methods in document["paths"].values():
        for operation in methods.values():
            for _, answer in _answers(document, operation):
                for media_type, content in answer.get("content", {}).items():
                    if media_type == CONTENT_TYPE:
                        form, codes = content["schema"]["allOf"]
                        assert form == {"$ref": "#/components/schemas/Problem"}
                        assert set(codes["properties"]["code"]["enum"]) <= PROBLEM_CODES.keys()
