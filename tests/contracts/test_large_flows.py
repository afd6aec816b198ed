"""Flows larger than a DynamoDB item (400 KB): compressed if they fit, otherwise in S3."""

from hashlib import sha256
from typing import Any

import boto3
import pytest

from pytake.aws.flows import DynamoFlows
from pytake.conversation.flow_authoring import FlowAuthoring
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.ports.tenants import Flows
from pytake.engine import Contact, Context, Input, take_turn
from tests.contracts.conftest import BUCKET
from tests.fakes import FrozenClock, MemoryFlowSecrets, MemoryTemplates, MemoryTenants

NODES = 350


def flow(*, compressible: bool) -> dict[str, Any]:
    """A flow of messages whose texts hold about 1.4 million characters."""
    texts = ["Thank you for writing to us. " * 140 if compressible else noise(index) for index in range(NODES)]
    nodes: list[dict[str, Any]] = [
        {"id": f"m{index}", "type": "message", "data": {"text": text, "next_node_id": f"q{index}"}}
        for index, text in enumerate(texts)
    ]
    nodes += [
        {
            "id": f"q{index}",
            "type": "question",
            "data": {
                "question": "Go on?",
                "variable": "v",
                "next_node_id": f"m{index + 1}" if index < NODES - 1 else "e",
            },
        }
        for index in range(NODES)
    ]
    return {"id": "large", "language": "en", "start_node_id": "m0", "nodes": [*nodes, {"id": "e", "type": "end"}]}


def noise(index: int) -> str:
    return "".join(sha256(f"{index}:{part}".encode()).hexdigest() for part in range(63))


@pytest.mark.parametrize("compressible", [True, False])
def test_a_large_flow_is_saved_published_and_run(flows: Flows, clock: FrozenClock, compressible: bool) -> None:
    document = flow(compressible=compressible)
    authoring = FlowAuthoring(flows, MemoryFlowSecrets(), MemoryTenants(), MemoryTemplates(), clock)
    assert authoring.save_draft("acme", "large", document).problems == []
    assert authoring.draft("acme", "large").stored.document == document
    version, _ = authoring.publish("acme", "large", "somebody")
    assert version.version == 1
    assert [stored.documents for stored in flows.versions("acme", "large")] == [{}]
    if isinstance(flows, DynamoFlows):  # only what does not fit into an item goes to S3: the draft and the version
        found = boto3.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
        assert len(found) == (0 if compressible else 2)
        assert all(item["Key"].startswith("flows/acme/") for item in found)
    compiled = FlowLibrary(flows, clock).published("acme", "large")
    assert compiled is not None
    turn = take_turn(compiled, None, Input(text="hi"), Context(0, "s", Contact("1")))
    assert getattr(turn.messages[0], "text", "").startswith(document["nodes"][0]["data"]["text"].strip())
    assert authoring.publish("acme", "large", "somebody")[0].version == 1, "it is published already"
    authoring.save_draft("acme", "large", document | {"name": "Large"})
    assert authoring.publish("acme", "large", "somebody")[0].version == 2
