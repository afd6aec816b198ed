"""Files that are refused, formats that are recognised, and exports that are broken."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from pytake.importers import ImportRefusedError, format_names, import_flows
from pytake.importers.reading import FILE_BYTES
from tests.depth import share
from tests.importers.golden import GOLDEN

EXPORTS = {path.stem: json.loads(path.read_bytes())["export"] for path in sorted(GOLDEN.glob("*.json"))}
FORMATS = {path.stem: json.loads(path.read_bytes())["format"] for path in sorted(GOLDEN.glob("*.json"))}
STRANGE: list[Any] = [None, True, -1, 1e300, "", "@", "@(", "{{", "{{= x", [], {}, [[]], [None], {"id": {}}, "x" * 5000]


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b'{"nodes": [', "not valid JSON"),
        (nested(100), "levels deep"),
        (nested(200_000), "too deeply|not valid JSON"),
        (b" " * (FILE_BYTES + 1), "At most"),
        (b"[]", "not known"),
        (b'{"name": "x"}', "not known"),
        (b'"typebot"', "not known"),
        (b'{"blocks": [{"steps": []}], "edges": []}', "older than version 3"),
        (b'{"groups": [], "edges": []}', "no groups"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_with_the_reason(raw: bytes, message: str) -> None:
    with pytest.raises(ImportRefusedError, match=message):
        import_flows(raw)


@pytest.mark.parametrize("name", format_names())
@pytest.mark.parametrize(
    "raw", [b"[]", b"{}", b"null", b'{"nodes": 1}', b'{"flows": [1]}', b'{"groups": [{}], "edges": {}}']
)
def test_a_format_that_is_named_refuses_what_it_cannot_read(name: str, raw: bytes) -> None:
    try:
        documents = import_flows(raw, name).documents
    except ImportRefusedError:
        return
    assert documents


def test_an_unknown_format_name_is_refused() -> None:
    with pytest.raises(ImportRefusedError, match="rapidpro"):
        import_flows(b"{}", "botpress")


@pytest.mark.parametrize("name", EXPORTS)
def test_the_result_is_the_same_every_time_and_with_the_formats_name(name: str) -> None:
    raw = json.dumps(EXPORTS[name]).encode()
    assert import_flows(raw) == import_flows(raw, FORMATS[name])


@pytest.mark.parametrize("name", EXPORTS)
def test_ids_are_unique_and_valid(name: str) -> None:
    documents = import_flows(json.dumps(EXPORTS[name]).encode()).documents
    ids = [document["id"] for document in documents]
    assert len(set(ids)) == len(ids)
    for document in documents:
        nodes = [node["id"] for node in document["nodes"]]
        assert len(set(nodes)) == len(nodes)
        assert document["start_node_id"] in nodes
        assert all(one and len(one) <= 64 for one in [document["id"], *nodes])


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with a key or an index in it."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else []
        for key in keys:
            found.append((item, key))
            waiting.append(item[key])
    return found


def mutated(export: Any, draw: random.Random) -> Any:
    changed = json.loads(json.dumps(export))
    for _ in range(draw.randint(1, 4)):
        options = places(changed)
        if not options:
            break
        container, key = draw.choice(options)
        kind = draw.randrange(4)
        if kind == 0:
            del container[key]
        elif kind == 1:
            container[key] = json.loads(json.dumps(draw.choice(STRANGE)))
        elif kind == 2 and isinstance(container, list):
            container.append(json.loads(json.dumps(container[key])))
        else:
            other, name = draw.choice(options)
            container[key] = json.loads(json.dumps(other[name])) if name in other or isinstance(other, list) else None
    return changed


@pytest.mark.parametrize("name", EXPORTS)
def test_a_broken_export_never_ends_in_an_exception(name: str) -> None:
    for seed in range(share(60)):
        draw = random.Random(f"{name}/{seed}")  # noqa: S311
        try:
            broken = mutated(EXPORTS[name], draw)
        except (IndexError, KeyError):  # two changes of one list
            continue
        try:
            imported = import_flows(json.dumps(broken).encode())
        except ImportRefusedError:
            continue
        assert imported.documents


def test_parts_that_lead_to_one_another_end_the_flow() -> None:
    node = {"uuid": "a", "actions": [], "exits": [{"uuid": "e", "destination_uuid": "a"}]}
    flow = {"uuid": "f", "name": "Loop", "spec_version": "13.0.0", "language": "eng", "nodes": [node]}
    imported = import_flows(json.dumps(flow).encode())
    assert [node["type"] for node in imported.documents[0]["nodes"]] == ["end"]


def test_every_golden_export_has_a_name_that_says_its_format() -> None:
    for name, format_ in FORMATS.items():
        assert name.startswith(format_.replace("-", "_")), Path(name)
