"""Exports in each format become these documents, lose this, and talk like this."""

import json
from pathlib import Path

import pytest

from pytake.engine import validate
from tests.importers.golden import GOLDEN, result_of

FILES = sorted(GOLDEN.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_export_becomes_what_is_written(path: Path) -> None:
    golden = json.loads(path.read_bytes())
    found = json.loads(json.dumps(result_of(golden)))
    for part in ("format", "losses", "documents", "heard"):
        assert found[part] == golden[part]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_document_can_be_published_or_the_report_says_why_not(path: Path) -> None:
    golden = json.loads(path.read_bytes())
    documents = {document["id"]: document for document in golden["documents"]}
    reported = {loss["flow_id"] for loss in golden["losses"]}
    for flow_id in documents:
        errors = [problem for problem in validate(documents, flow_id) if problem.severity == "error"]
        assert not errors or flow_id in reported
        assert all("position" in node for node in documents[flow_id]["nodes"])
