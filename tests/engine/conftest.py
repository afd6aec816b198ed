"""`pytest tests/engine --update-golden` rewrites the golden conversations. Read the difference before you commit it."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden conversations of the engine")
