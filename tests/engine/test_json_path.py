"""`response_map` reads parts of an answer, and no path makes more of an answer than the answer holds."""

import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytake.engine.json_path import MAX_PATH_CHARACTERS, json_path_reader, parse_json_path

DOCUMENT = {"items": [{"title": "a", "price": 1, "tags": ["x", "y"]}, {"title": "b"}], "a name": {"0": "zero"}, "n": 0}


def read(path: str, document: Any = DOCUMENT) -> Any:
    steps = parse_json_path(path)
    assert steps is not None, path
    return json_path_reader(steps)(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DOCUMENT),
        ("", DOCUMENT),
        ("$.items[0].title", "a"),
        ("items.1.title", "b"),
        ("$.items[-1].title", "b"),
        ("$.items[9].title", None),
        ("$.items[*].title", ["a", "b"]),
        ("$.items[*].price", [1]),
        ("$.items[*].tags[*]", [["x", "y"]]),
        ('$["a name"]["0"]', "zero"),
        ("$['a name'].0", "zero"),
        ("$.n", 0),
        ("$.n.more", None),
        ("$.items.title", None),
        ("[0]", None),
    ],
)
def test_a_path(path: str, value: Any) -> None:
    assert read(path) == value


@pytest.mark.parametrize(
    "path",
    [
        "a | join('',[@,@])",
        "@ | [@,@][]",
        "length(items)",
        "items[?price > `1`]",
        "items[0:2]",
        "items[]",
        "[a, b]",
        "{a: b}",
        "items..title",
        "items.",
        "items[0]title",
        "*.a",
        "$.a.b c",
        "a" * (MAX_PATH_CHARACTERS + 1),
    ],
)
def test_what_is_not_a_path(path: str) -> None:
    assert parse_json_path(path) is None


@given(st.text(max_size=60))
def test_any_text_is_a_path_or_none(path: str) -> None:
    steps = parse_json_path(path)
    if steps is not None:
        json_path_reader(steps)(DOCUMENT)


def test_a_path_takes_no_more_memory_than_its_document() -> None:
    nested: Any = [[[[1] * 10] * 10] * 10] * 10
    document = msgspec.json.decode(msgspec.json.encode(nested))
    steps = parse_json_path("[*]" * (MAX_PATH_CHARACTERS // 3))
    assert steps is not None
    tracemalloc.start()
    json_path_reader(steps)(document)
    json_path_reader([None] * 4)(document)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
