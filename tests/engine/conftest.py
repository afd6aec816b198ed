"""Golden conversations are rewritten with `pytest tests/engine --update-golden`; read the difference before committing it."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden conversations of the engine")
