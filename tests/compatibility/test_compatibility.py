"""This release reads the samples of every recorded release; the release before the next one reads what the next one adds."""

import ast
import json
from typing import Any

import msgspec
import pytest

from pytake.engine import FlowError, Input, State, compile_flow
from tests.compatibility.__main__ import FOLDER, version
from tests.compatibility.stored_types import STORED, lost, samples, whole
from tests.engine.conversations import Talk
from tests.security.source import product

OTHERWISE_CHECKED = {"_Head", "dict[str, str]", "dict[str, Any]", "_ITEMS[name]", "Suite"}
"""What decoders read besides stored structs: a webhook's first bytes, names of flow secrets, documents, items by queue, and
builders' flow tests, which are checked like the files that builders write."""


def recorded(kind: str | None = None) -> list[Any]:
    """The samples of all releases, as parameters; of flows, or of stored types."""
    found = []
    for path in sorted(FOLDER.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            name, sample = json.loads(line)
            if (name == "flow") == (kind == "flow"):
                found.append(pytest.param(name, sample, id=f"{path.stem}-{sample['name'] if kind else name}"))
    return found


def test_this_release_is_recorded() -> None:
    assert (FOLDER / f"{version()}.jsonl").exists(), "run python -m tests.compatibility"


@pytest.mark.parametrize(("name", "sample"), recorded())
def test_what_a_release_wrote_is_read_without_a_loss(name: str, sample: Any) -> None:
    read = msgspec.json.decode(json.dumps(sample), type=STORED[name])
    assert lost(sample, whole(read)) == []


@pytest.mark.parametrize("name", STORED)
def test_what_the_next_release_adds_does_not_stop_this_one(name: str) -> None:
    for known, sample in zip(samples(STORED[name]), samples(STORED[name], later=True), strict=True):
        read = msgspec.json.decode(json.dumps(sample), type=STORED[name])
        assert lost(known, whole(read)) == []


@pytest.mark.parametrize(("_name", "sample"), recorded("flow"))
def test_a_flow_of_a_release_runs_and_its_sessions_continue(_name: str, sample: dict[str, Any]) -> None:
    documents = sample["documents"]
    talk = Talk(compile_flow(documents, next(iter(documents))))
    if sample["state"] is not None:
        talk.stored = json.dumps(sample["state"]).encode()
        assert lost(sample["state"], whole(State.decode(talk.stored))) == []
    assert talk.say(Input(text="Ana")).status != "failed"


def test_a_flow_with_a_field_of_a_later_release_is_refused_and_not_run_without_it() -> None:
    """So a field of a flow needs a reader in the release before the first that publishes it (CONTRIBUTING.md)."""
    node = {"id": "a", "type": "message", "data": {"text": "Hi", "show_only_if": "{{vip}}"}}
    document = {"format": 1, "id": "main", "start_node_id": "a", "nodes": [node]}
    with pytest.raises(FlowError) as refused:
        compile_flow({"main": document}, "main")
    assert [problem.code for problem in refused.value.problems] == ["unknown_field"]


def test_every_type_that_an_adapter_decodes_has_samples() -> None:
    decoded = set()
    for module in product():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("Decoder", "decode"):
                types = node.args if node.func.attr == "Decoder" else [one.value for one in node.keywords]
                decoded |= {ast.unparse(one) for one in types}
    structs = {
        name.removeprefix("list[").removesuffix("]") for name in decoded if name[:1].isupper() or "list[" in name
    }
    assert structs - OTHERWISE_CHECKED <= set(STORED)
    assert structs >= {"InboundItem", "OutboundItem", "TurnRecord", "State"}
