"""Flow documents and test files on disk."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pytake.conversation.flow_tests.errors import FlowTestError
from pytake.engine import FlowError, jump_targets, parse_document, strict_json

Documents = dict[str, Mapping[str, Any]]

TEST_SUFFIXES = (".test.json", ".test.yaml", ".test.yml")


class UsageError(FlowTestError):
    """The command line, or a file or line that it refers to, is invalid."""


def is_test_file(path: Path) -> bool:
    """Whether a file is a test file and not a flow document."""
    return path.name.endswith(TEST_SUFFIXES)


def read_documents(paths: Iterable[Path]) -> tuple[Documents, str]:
    """The documents in these files by id, and the id of the first one.

    Documents beside the first file that jumps refer to are added. Test files are ignored, so that `*.json` can be given. Raises
    UsageError.
    """
    flows = [path for path in paths if not is_test_file(path)]
    documents: Documents = {**read_given_documents(flows)}
    if not documents:
        raise UsageError("none of these files is a flow document")
    root = next(iter(documents))
    for target, document in _beside(flows[0].parent, documents):
        documents[target] = document
    return documents, root


def read_given_documents(paths: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Only the documents in these files, by id. Test files are ignored. Raises UsageError."""
    documents: dict[str, dict[str, Any]] = {}
    for path in paths:
        if is_test_file(path):
            continue
        document = read_json(path)
        flow_id = document_id(document, path)
        if flow_id in documents:
            raise UsageError(f"{path}: another file also has the id `{flow_id}`")
        documents[flow_id] = document
    return documents


def find_document(folder: Path, flow_id: str) -> Path | None:
    """The file in a folder that contains the flow `flow_id`; the file named after it takes precedence."""
    named = folder / f"{flow_id}.json"
    candidates = [named, *sorted(folder.glob("*.json"))]
    return next((path for path in candidates if _id_or_none(path) == flow_id), None)


def document_id(document: Any, path: Path) -> str:
    """The id of a flow document. Raises UsageError if it is not one."""
    if not isinstance(document, dict) or not isinstance(document.get("id"), str) or not document["id"]:
        raise UsageError(f"{path}: not a flow document: it needs an `id`")
    return str(document["id"])


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises UsageError."""
    try:
        return strict_json.read_json(path.read_text("utf-8-sig"))  # some editors write a BOM
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: not valid JSON: {error}") from error


def _beside(folder: Path, documents: Documents) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The documents in the folder that jumps of the given documents refer to."""
    others: Documents | None = None
    known, waiting = set(documents), list(documents.values())
    while waiting:
        for target in sorted(_targets(waiting.pop())):
            if target in known:
                continue
            if others is None:
                others = {
                    flow_id: read_json(path)
                    for path in sorted(folder.glob("*.json"))
                    if not is_test_file(path) and (flow_id := _id_or_none(path))
                }
            if target in others:
                known.add(target)
                waiting.append(others[target])
                yield target, others[target]


def _targets(document: Mapping[str, Any]) -> set[str]:
    try:
        return jump_targets(parse_document(document))
    except FlowError:
        return set()  # it is reported where the document is compiled


def _id_or_none(path: Path) -> str | None:
    try:
        return document_id(read_json(path), path)
    except UsageError:
        return None
