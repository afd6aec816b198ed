"""The flows that come with the repository, to start from."""

import json
from pathlib import Path
from typing import Any

from pytake.engine import jump_targets, parse_document

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "flows"
_OF_THE_BENCHMARK = "reference_workload"

Document = dict[str, Any]


def example_flows() -> dict[str, Document]:
    """Return the example flows by id, with their sub-flows; none where only the package is installed."""
    paths = (path for path in sorted(FOLDER.glob("*.json")) if not path.name.endswith(".test.json"))
    documents = (json.loads(path.read_bytes()) for path in paths if not path.name.startswith(_OF_THE_BENCHMARK))
    return {document["id"]: document for document in documents}


def to_start_from(examples: dict[str, Document]) -> dict[str, Document]:
    """The examples that a person can start from: those that are not the sub-flow of another one."""
    entered = {target for document in examples.values() for target in jump_targets(parse_document(document))}
    return {key: document for key, document in examples.items() if key not in entered}


def sub_flows(flow_id: str, examples: dict[str, Document]) -> list[Document]:
    """The flows that an example's jumps reach, each after those that it needs."""
    found: list[Document] = []
    seen = {flow_id}

    def collect(document: Document) -> None:
        for target in sorted(jump_targets(parse_document(document))):
            if target in examples and target not in seen:
                seen.add(target)
                collect(examples[target])
                found.append(examples[target])

    if flow_id in examples:
        collect(examples[flow_id])
    return found
