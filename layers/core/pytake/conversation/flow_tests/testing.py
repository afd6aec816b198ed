"""The tests of a flow that builders keep beside it: read, replaced as a whole, and run on a draft."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct

from pytake.conversation.flow_authoring import FlowAuthoring
from pytake.conversation.flow_tests.coverage import Coverage, Exit, FlowCoverage
from pytake.conversation.flow_tests.errors import FlowTestError
from pytake.conversation.flow_tests.runner import Failure, run_conversation
from pytake.conversation.flow_tests.suite import Suite
from pytake.conversation.ports.tenants import TenantRepository
from pytake.engine import compile_flow

MOST_BYTES = 200_000
"""The limit of a flow's tests as JSON, so that they fit into one item beside its keys (400 KB)."""

MOST_CONVERSATIONS, MOST_TURNS = 200, 100
"""The limits of a flow's tests, and of the turns of each."""

_LONGEST_WAIT = 10 * 366 * 24 * 3600
"""The most seconds that a test waits before a turn."""

_EARLIEST, _LATEST = 0, 2**32
"""When tests take place: 1970 to 2106."""

RUN_SECONDS = 10.0
"""How long the tests of one request may take. The function ends after 29 seconds."""


class FlowTestsChangedError(Exception):
    """The stored tests are not the expected ones. `revision` is the stored one; 0 if there never were any."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"the stored tests have revision {revision}")
        self.revision = revision


class FlowTestStore(Protocol):
    """The tests of flows, one suite for each flow."""

    def load(self, organization_id: str, flow_id: str) -> tuple[Suite, int]:
        """The tests and their revision; an empty suite and 0 if there never were any."""

    def put(self, organization_id: str, flow_id: str, suite: Suite, expected: int | None) -> int:
        """Replace the tests; returns their new revision. `expected` is the revision that is replaced: -1 for any that exists,
        None for any or none.

        Raises `FlowTestsChangedError`.
        """


class TestedConversation(Struct, frozen=True):
    """How a test went. `failures` are those of the first turn that is not as expected. `not_run`: there was no time left."""

    name: str
    outcome: Literal["passed", "failed", "not_run"]
    failures: list[Failure] = []


class TestRun(Struct, frozen=True):
    """The results of a run, with the exits of the flow and its sub-flows that the tests took, and the ones they did not."""

    results: list[TestedConversation]
    coverage: list[FlowCoverage]
    taken: list[Exit]
    missing: list[Exit]


class FlowTesting:
    """The use cases behind `/api/v1/flows/{flow_id}/tests`."""

    def __init__(
        self,
        store: FlowTestStore,
        flows: FlowAuthoring,
        tenants: TenantRepository,
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._flows = flows
        self._tenants = tenants
        self._monotonic = monotonic

    def tests(self, organization_id: str, flow_id: str, *, complete: bool = False) -> tuple[Suite, int]:
        """The stored tests with their revision. `complete`: with the organization's settings, for `pytake flow test`.

        Raises `UnknownFlowError`.
        """
        self._flows.known(organization_id, flow_id)
        suite, revision = self._store.load(organization_id, flow_id)
        suite.flow = flow_id
        return (suite.within(self._tenants.organization(organization_id)) if complete else suite), revision

    def put(self, organization_id: str, flow_id: str, given: Any, expected: int | None) -> tuple[Suite, int]:
        """Replace the tests of a flow. Raises `UnknownFlowError`, FlowTestError and `FlowTestsChangedError`."""
        self._flows.known(organization_id, flow_id)
        suite = _checked(given, flow_id)
        return suite, self._store.put(organization_id, flow_id, suite, expected)

    def copy(self, organization_id: str, flow_id: str, new_id: str) -> None:
        """Give the tests of a flow to its copy, unless that has had tests of its own. Their paths name nodes, not the flow."""
        suite, revision = self._store.load(organization_id, flow_id)
        if revision == 0:
            return
        suite.flow = new_id
        with suppress(FlowTestsChangedError):
            self._store.put(organization_id, new_id, suite, 0)

    def run(
        self, organization_id: str, document: dict[str, Any], others: Mapping[str, dict[str, Any]], flow_id: str
    ) -> TestRun:
        """Run the stored tests of a flow on a document, each on its own.

        Raises `FlowError` for one that cannot run, and `UnknownFlowError`.
        """
        suite, _ = self.tests(organization_id, flow_id, complete=True)
        bundle = self._flows.bundle(organization_id, document, others)
        flow, coverage = compile_flow(bundle, flow_id), Coverage(bundle, flow_id)
        until, results = self._monotonic() + RUN_SECONDS, list[TestedConversation]()
        for script in suite.conversations:
            if self._monotonic() >= until:
                results.append(TestedConversation(script.name, "not_run"))
                continue
            result = run_conversation(suite, script, flow)
            coverage.add(result.steps)
            outcome: Literal["passed", "failed"] = "failed" if result.failures else "passed"
            results.append(TestedConversation(script.name, outcome, result.failures))
        taken = coverage.taken
        return TestRun(results, coverage.flows(), sorted(taken), sorted(coverage.all_exits - taken))


def _checked(given: Any, flow_id: str) -> Suite:
    try:
        suite: Suite = msgspec.convert(given, Suite)
    except msgspec.ValidationError as error:
        raise FlowTestError(f"These are not tests of a flow: {error}.") from error
    if suite.flow not in (None, flow_id):
        raise FlowTestError(f"These are tests of the flow {suite.flow!r}, and not of {flow_id!r}.")
    suite.flow = flow_id
    if len(suite.conversations) > MOST_CONVERSATIONS:
        raise FlowTestError(f"A flow may have {MOST_CONVERSATIONS} tests. Delete some.")
    if len(msgspec.json.encode(suite)) > MOST_BYTES:
        raise FlowTestError(f"The tests of a flow may have {MOST_BYTES // 1000} kB as JSON. Delete some.")
    names = [script.name for script in suite.conversations]
    for name in names:
        if not name.strip() or names.count(name) > 1:
            raise FlowTestError(f"Each test needs a name of its own; {name!r} is empty or used twice.")
    for script in suite.conversations:
        if len(script.turns) > MOST_TURNS:
            raise FlowTestError(f"{script.name}: a test may have {MOST_TURNS} turns.")
        for exchange in script.turns:
            if not 0 <= exchange.after_seconds <= _LONGEST_WAIT:
                raise FlowTestError(f"{script.name}: `after_seconds` must be from 0 to {_LONGEST_WAIT}.")
    suite.check()
    for script in suite.conversations:
        if not _EARLIEST <= suite.settings(script).now <= _LATEST:
            raise FlowTestError(f"{script.name}: `now` must be from 1970 to 2106.")
    return suite
