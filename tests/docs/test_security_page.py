"""docs/security.md names tests: each exists, and every risk of both lists has one."""

import ast
import re

import pytest

from tests.stack import REPOSITORY

PAGE = (REPOSITORY / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.(?:py|yaml))(?:::(\w+))?`", PAGE)))


@pytest.mark.parametrize(("path", "test"), NAMED)
def test_a_named_test_exists(path: str, test: str) -> None:
    text = (REPOSITORY / path).read_text()
    if test:
        assert test in {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}


def test_every_risk_of_both_lists_is_answered_with_tests() -> None:
    rows = dict(re.findall(r"^\| (API\d+|A\d+) (.*)$", PAGE, re.MULTILINE))
    assert set(rows) == {f"API{n}" for n in range(1, 11)} | {f"A{n}" for n in range(1, 11)}
    for risk, row in rows.items():
        assert "`tests/" in row.split("|")[-2], risk


def test_enough_is_named() -> None:
    assert len(NAMED) > 40
