"""The tests and replays of flows, for the REST API. Apart from its other use cases: few requests need this code."""

import time

from pytake.aws.flow_tests import DynamoFlowTests
from pytake.conversation.flow_tests.recent import ReplayRecent
from pytake.conversation.flow_tests.testing import FlowTesting
from pytake.wiring import shared, use_case
from pytake.wiring.api import flow_authoring
from pytake.wiring.conversations import conversations


@use_case
def flow_testing() -> FlowTesting:
    return FlowTesting(DynamoFlowTests(shared.table()), flow_authoring(), shared.tenants(), time.monotonic)


@use_case
def replay_recent() -> ReplayRecent:
    return ReplayRecent(flow_authoring(), conversations(), shared.clock, time.monotonic)
