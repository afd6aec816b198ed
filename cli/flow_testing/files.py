"""Test files on disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cli.flow_testing.documents import TEST_SUFFIXES, UsageError, document_id, is_test_file, read_json
from local.json_layout import lay_out
from pytake.conversation.flow_tests.suite import Suite


def read_suite(path: Path) -> Suite:
    """Read a test file. Raises UsageError."""
    try:
        raw = path.read_bytes()
        read = msgspec.json.decode if path.suffix == ".json" else msgspec.yaml.decode
        suite: Suite = read(raw, type=Suite)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    if suite.flow is None:
        suite.flow = path.name.split(".")[0]
    return suite


def find_suites(paths: list[Path]) -> Iterator[Path]:
    """The given test files, the test files beside given flows, and the test files in given folders."""
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if is_test_file(found))
        elif is_test_file(path):
            yield path
        else:
            flow_id = document_id(read_json(path), path)
            beside = sorted(found for found in path.parent.iterdir() if found.name.endswith(TEST_SUFFIXES))
            yield from (found for found in beside if read_suite(found).flow == flow_id)


def write_suite(suite: Suite) -> bytes:
    """The JSON of a test file, formatted for people: what fits into one line is written on one line."""
    return (lay_out(_in_order(msgspec.to_builtins(suite))) + "\n").encode()


def _in_order(value: Any) -> Any:
    """The names come first, the conversations and turns last."""
    if isinstance(value, list):
        return [_in_order(item) for item in value]
    if not isinstance(value, dict):
        return value
    first = [name for name in ("flow", "name") if name in value]
    last = [name for name in ("conversations", "turns") if name in value]
    middle = [name for name in value if name not in first and name not in last]
    return {name: _in_order(value[name]) for name in (*first, *middle, *last)}
