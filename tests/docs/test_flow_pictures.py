"""The pictures of the example flows fit on a page, name every exit, and draw no arrow behind a node."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cli.reference.flow_pictures import exits_of, flow_picture

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = [*json.loads((EXAMPLES / "gallery.json").read_bytes())]
SVG = "{http://www.w3.org/2000/svg}"


def picture(name: str) -> tuple[dict[str, object], ElementTree.Element]:
    document = json.loads((EXAMPLES / "flows" / f"{name}.json").read_bytes())
    return document, ElementTree.fromstring(flow_picture(document))  # noqa: S314  # our own text


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_readable_at_the_width_of_a_page(name: str) -> None:
    _, drawn = picture(name)
    assert int(drawn.attrib["viewBox"].split()[2]) <= 1000
    assert int(drawn.attrib["font-size"]) >= 13


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_names_every_node_and_every_exit(name: str) -> None:
    document, drawn = picture(name)
    said = " ".join("".join(text.itertext()) for text in drawn.iter(f"{SVG}text"))
    for node in document["nodes"]:  # type: ignore[attr-defined]
        assert node["id"] in said
        for label, _ in exits_of(node):
            assert " ".join(label.split()) in said


@pytest.mark.parametrize("name", NAMES)
def test_no_arrow_is_drawn_behind_a_node(name: str) -> None:
    _, drawn = picture(name)
    boxes = [[int(one.attrib[side]) for side in ("x", "y", "width", "height")] for one in drawn.iter(f"{SVG}rect")]
    arrows = [one.attrib["d"] for one in drawn.iter(f"{SVG}path") if "marker-end" in one.attrib]
    assert arrows
    for arrow in arrows:
        x, y = map(int, re.findall(r"\d+", arrow.split("H")[0]))
        for way, to in re.findall(r"([HV])(\d+)", arrow):
            next_x, next_y = (int(to), y) if way == "H" else (x, int(to))
            for left, top, width, height in boxes:
                apart = max(x, next_x) <= left or min(x, next_x) >= left + width
                assert apart or max(y, next_y) <= top or min(y, next_y) >= top + height, arrow
            x, y = next_x, next_y


def test_an_exit_among_others_has_a_name_and_an_only_exit_needs_none() -> None:
    question = {"type": "question", "data": {"next_node_id": "a", "timeout_next_node_id": "b"}}
    assert exits_of(question) == [("answer", "a"), ("no answer", "b")]
    call = {"type": "api_call", "data": {"next_node_id": "a", "error_next_node_id": "a"}}
    assert exits_of(call) == [("done, error", "a")]
    assert exits_of({"type": "message", "data": {"next_node_id": "a"}}) == [("", "a")]
    buttons = [{"label": "Yes", "next_node_id": "a"}, {"label": "No"}]
    assert exits_of({"type": "question", "data": {"buttons": buttons, "next_node_id": "b"}}) == [
        ("Yes", "a"),
        ("No", "b"),
    ]
