"""JSON that people read is laid out one way: what fits into one line is written on one line."""

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from local.json_layout import formatted, lay_out

ROOT = Path(__file__).parents[2]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_the_layout_keeps_the_value(value: object) -> None:
    assert json.loads(lay_out(value)) == value


def test_what_fits_into_a_line_is_written_on_one_line() -> None:
    node = {"id": "ask", "type": "question", "data": {"question": "Your name?", "variable": "name"}}
    assert lay_out([node, node]) == "[\n  {0},\n  {0}\n]".format(json.dumps(node))


def test_the_json_of_tests_is_formatted() -> None:
    globs = re.search(r"^JSON := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert globs
    files = [path for glob in globs[1].split() for path in ROOT.glob(glob)]
    assert len(files) > 100
    assert [path.name for path in files if formatted(path.read_bytes()) != path.read_bytes()] == [], "run make format"
