"""The tests of a flow: kept beside its draft, in the format of `pytake flow test`, and run on a draft that may not be saved."""

from typing import Annotated, Any, Literal

import msgspec
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field

import pytake.wiring.flow_tests as wiring
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.flow_tests.errors import FlowTestError
from pytake.conversation.flow_tests.suite import Suite
from pytake.conversation.flow_tests.testing import FlowTestsChangedError
from pytake.engine import FlowError
from rest.caller import caller
from rest.flow_checks import Documents, RehearsedStep
from rest.flows import saved_draft
from rest.identifiers import FlowId
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import flow_has_errors, flow_unknown, unprocessable
from rest.revisions import changed, expected_revision, if_match, tagged
from rest.throttle import throttle

RUNS_PER_SECOND = 2

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

IfMatch = Annotated[str | None, if_match("list of tests")]


class DraftOfFlow(ApiModel):
    """The draft to run on: `document` instead of the saved one, if given."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any] | None = None
    documents: Documents = Field(default_factory=dict)


class FlowTestFailure(ApiModel):
    """A part of a turn that is not as expected. `turn` counts from one; `part` is a field of `expect`."""

    turn: int
    input: str | dict[str, Any]
    node_id: str | None = Field(description="Where the turn ended")
    part: Literal["status", "node_id", "path", "texts", "messages", "variables", "contact", "events"]
    expected: Any
    actual: Any


class FlowTestResult(ApiModel):
    """How a test went. `failures` are those of its first turn that is not as expected. `not_run`: there was no time left."""

    name: str
    outcome: Literal["passed", "failed", "not_run"]
    failures: list[FlowTestFailure]


class FlowTestCoverage(ApiModel):
    """How much of a flow the tests took."""

    flow_id: str
    nodes: int
    nodes_covered: int
    exits: int
    exits_covered: int


class FlowTestRun(ApiModel):
    """The results of all tests, with what they cover of the flow and of its sub-flows."""

    passed: int
    failed: int
    not_run: int
    results: list[FlowTestResult]
    coverage: list[FlowTestCoverage]
    taken: list[RehearsedStep]
    missing: list[RehearsedStep]


@router.get(
    "/api/v1/flows/<flow_id>/tests",
    summary="The tests of a flow",
    tags=["Flows"],
    openapi_extensions=route_docs("builder", problems=["flow_unknown"], tagged=True),
)
def get_flow_tests(
    flow_id: FlowId,
    complete: Annotated[
        Literal["true", "false"],
        Query(
            description="With the organization's time zone, constants and timetables, which `pytake flow test` needs"
        ),
    ] = "false",
) -> Response[dict[str, Any]]:
    """A test file as docs/flow-tests.md describes it: save it beside the flow and run `pytake flow test`."""
    who = caller(router, "builder")
    try:
        return _tagged(*wiring.flow_testing().tests(who.organization_id, flow_id, complete=complete == "true"))
    except UnknownFlowError:
        raise flow_unknown(flow_id) from None


@router.put(
    "/api/v1/flows/<flow_id>/tests",
    summary="Change the tests of a flow",
    tags=["Flows"],
    openapi_extensions=route_docs(
        "builder", problems=["flow_unknown", "flow_tests_invalid", "flow_tests_changed"], tagged=True
    ),
)
def put_flow_tests(
    flow_id: FlowId,
    tests: Annotated[
        dict[str, Any], Body(description="A test file. At most 200 conversations, 100 turns each, 200 kB")
    ],
    given: IfMatch = None,
) -> Response[dict[str, Any]]:
    """Replaces all tests; an empty list of `conversations` removes them."""
    who = caller(router, "builder")
    expected = expected_revision(given)
    try:
        return _tagged(*wiring.flow_testing().put(who.organization_id, flow_id, tests, expected))
    except UnknownFlowError:
        raise flow_unknown(flow_id) from None
    except FlowTestError as error:
        raise unprocessable("flow_tests_invalid", str(error)) from None
    except FlowTestsChangedError as error:
        raise changed("flow_tests_changed", "changed the tests", error.revision) from None


@router.post(
    "/api/v1/flows/<flow_id>/tests/run",
    summary="Run the tests of a flow on its draft",
    tags=["Flows"],
    openapi_extensions=route_docs(
        "builder", problems=["flow_unknown", "flow_has_errors", "flow_tests_invalid", "too_many_requests"]
    ),
)
def run_flow_tests(flow_id: FlowId, request: DraftOfFlow) -> FlowTestRun:
    """Nothing is stored, sent or called. Tests that do not begin within ten seconds are `not_run`. A person may ask this twice a
    second."""
    who = caller(router, "builder")
    throttle(who, "tests", RUNS_PER_SECOND)
    document = {**(request.document or saved_draft(who.organization_id, flow_id)), "id": flow_id}
    try:
        run = wiring.flow_testing().run(who.organization_id, document, request.documents, flow_id)
    except UnknownFlowError:
        raise flow_unknown(flow_id) from None
    except FlowError as error:
        raise flow_has_errors(error.problems) from None
    except FlowTestError as error:
        raise unprocessable("flow_tests_invalid", str(error)) from None
    outcomes = [result.outcome for result in run.results]
    return FlowTestRun(
        passed=outcomes.count("passed"),
        failed=outcomes.count("failed"),
        not_run=outcomes.count("not_run"),
        results=[FlowTestResult.model_validate(msgspec.to_builtins(result)) for result in run.results],
        coverage=[FlowTestCoverage.model_validate(flow, from_attributes=True) for flow in run.coverage],
        taken=[_step(*exit_) for exit_ in run.taken],
        missing=[_step(*exit_) for exit_ in run.missing],
    )


def _step(flow_id: str, node_id: str, exit_: str) -> RehearsedStep:
    return RehearsedStep(flow_id=flow_id, node_id=node_id, exit=exit_)


def _tagged(suite: Suite, revision: int) -> Response[dict[str, Any]]:
    content: dict[str, Any] = msgspec.to_builtins(suite)
    return tagged(content, revision)
